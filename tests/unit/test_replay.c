/* Which of the rejects that a batch replays are refused again. */
#include "model/replay.h"

#include <criterion/criterion.h>
#include <glib.h>

static GArray *replays, *rejects;

static void init(void) {
    replays = g_array_new(FALSE, FALSE, sizeof(RpReplay));
    rejects = rp_rejects_new();
}

static void clear(void) {
    g_array_unref(replays);
    g_array_unref(rejects);
}

TestSuite(replay, .init = init, .fini = clear);

static void replay(guint32 record, guint32 n_records, gint64 element) {
    const RpReplay item = {
        .reject = replays->len, .record = record, .n_records = n_records, .element = element};
    g_array_append_val(replays, item);
}

/* column NULL: the record is refused whole. */
static void refuse(guint32 record, guint32 element, const char *column) {
    const RpReject item = {
        .record = record, .element = element, .stage = RP_STAGE_MAP, .column = g_strdup(column)};
    g_array_append_val(rejects, item);
}

/* '1' for each that failed. */
static void assert_judged(const char *expected) {
    g_autoptr(GArray) failed = rp_replays_judge(replays, rejects);
    g_autoptr(GString) judged = g_string_new(NULL);
    for (guint i = 0; i < failed->len; i++)
        g_string_append_c(judged, g_array_index(failed, gboolean, i) ? '1' : '0');
    cr_assert(g_str_equal(judged->str, expected), "%s, not %s", judged->str, expected);
}

Test(replay, a_record_fails_by_itself) {
    for (guint i = 0; i < 4; i++)
        replay(i, 1, -1);
    assert_judged("0000");
    refuse(3, 0, "a");
    refuse(1, 7, "a");
    assert_judged("0101");
}

Test(replay, an_element_fails_by_itself_or_with_its_array) {
    replay(0, 1, 5);
    replay(0, 1, 6);
    replay(0, 1, -1);
    replay(1, 1, 5);
    refuse(0, 6, "a");
    assert_judged("0110");
    refuse(1, 0, NULL);
    assert_judged("0111");
}

/* An element's reject whose array is refused, and the first element's. */
Test(replay, the_first_element_is_not_the_whole) {
    replay(0, 1, 0);
    replay(0, 1, 1);
    refuse(0, 0, "a");
    assert_judged("10");
    refuse(0, 0, NULL);
    assert_judged("11");
}

Test(replay, a_key_fails_with_any_of_its_records) {
    replay(0, 3, -1);
    replay(3, 0, -1); /* nothing came of it */
    replay(3, 2, -1);
    refuse(3, 0, "a");
    assert_judged("001");
    refuse(2, 0, "a");
    assert_judged("101");
}

Test(replay, what_failed_in_an_earlier_portion_has_failed) {
    replay(0, 1, 1);
    replay(0, 1, 2);
    refuse(0, 1, "a");
    rp_replays_note_failures(replays, rejects);
    g_array_set_size(rejects, 0);
    assert_judged("10");
    refuse(0, 2, "a");
    assert_judged("11");
}

/* Records 1 and 4 are nobody's; two rejects stand for the records 2 and 3. */
Test(replay, is_found_by_its_record) {
    static const gint64 expected[] = {0, -1, 1, 1, -1, 3};
    replay(0, 1, -1);
    replay(2, 2, -1);
    replay(2, 2, -1);
    replay(5, 1, -1);
    for (guint32 record = 0; record < G_N_ELEMENTS(expected); record++) {
        const RpReplay *found = rp_replays_find(replays, record);
        cr_assert_eq(found != NULL ? (gint64)found->reject : -1, expected[record], "record %u", record);
    }
    cr_assert_null(rp_replays_find(replays, 6));
    g_array_set_size(replays, 0);
    cr_assert_null(rp_replays_find(replays, 0));
}
