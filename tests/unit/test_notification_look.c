/* What two looks at INFO say about commands that send no event. */
#include "source/info.h"
#include "source/notification_looks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char CALM[] =
    "run_id:ab\r\nrole:master\r\ntotal_commands_processed:100\r\n"
    "cmdstat_info:calls=4,usec=9\r\ncmdstat_flushall:calls=2,usec=7,rejected_calls=0\r\n"
    "db0:keys=5,expires=1,avg_ttl=0\r\ndb1:keys=7,expires=0\r\n";

static RpNotificationLook look_at(const char *more) {
    g_autofree char *text = g_strconcat(CALM, more, NULL);
    g_autoptr(GHashTable) info = rp_redis_info_parse(text);
    RpNotificationLook look = {0};
    rp_notification_look_parse(info, 1, &look);
    return look;
}

/* words: in what is told; NULL: nothing is. */
static void assert_told(const char *more, const char *words) {
    RpNotificationLook before = look_at("");
    RpNotificationLook now = look_at(more);
    g_autofree char *what = rp_notification_look_compare(&before, &now);
    cr_assert(words != NULL ? what != NULL && g_str_has_prefix(what, words) : what == NULL, "%s: %s", more,
              what);
    rp_notification_look_clear(&before);
    rp_notification_look_clear(&now);
}

Test(notification_look, commands_without_events_are_seen_by_their_counters) {
    assert_told("", NULL);
    assert_told("total_commands_processed:900\r\ncmdstat_set:calls=800\r\ndb1:keys=0\r\n", NULL);
    assert_told("cmdstat_flushall:calls=3,usec=8\r\n", "FLUSHALL, of which");
    assert_told("cmdstat_flushdb:calls=1,usec=8\r\n", "FLUSHDB (of this database or another), of which");
    assert_told("cmdstat_swapdb:calls=1,usec=8\r\n", "SWAPDB, of which");
    assert_told("cmdstat_swapdb:calls=1\r\ncmdstat_flushall:calls=9\r\n", "FLUSHALL, SWAPDB, of which");
    assert_told("cmdstat_flushall:calls=1\r\n", "FLUSHALL, of which");
    assert_told("total_commands_processed:3\r\n", "the counters of commands were set back");
}

Test(notification_look, a_look_knows_the_process_and_the_database) {
    RpNotificationLook look = look_at("");
    cr_assert(eq(str, look.run_id, "ab"));
    cr_assert(eq(u64, look.n_keys, 7));
    cr_assert(look.has_calls);
    cr_assert(not(look.is_replica));
    rp_notification_look_clear(&look);
    look = look_at("role:slave\r\n");
    cr_assert(look.is_replica);
    rp_notification_look_clear(&look);
}

Test(notification_look, an_empty_database_is_explained_by_events) {
    static const struct {
        guint64 n_before, n_removals, n_late; /* events before the look and between it and the next */
        gboolean is_told;
    } cases[] = {{5, 5, 0, FALSE}, {5, 4, 0, TRUE}, {5, 0, 5, FALSE}, {5, 2, 3, FALSE},
                 {5, 0, 0, TRUE},  {1, 0, 0, TRUE}, {0, 0, 0, FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        RpNotificationSize size = {.n_removals = cases[i].n_removals};
        cr_assert(rp_notification_size_judge(&size, cases[i].n_before, 0) == NULL, "%u", i);
        size.n_removals += cases[i].n_late;
        g_autofree char *what = rp_notification_size_judge(&size, 0, i % 2 == 0 ? 0 : 3);
        cr_assert(cases[i].is_told == (what != NULL), "%u", i);
        cr_assert(rp_notification_size_judge(&size, 0, 0) == NULL, "%u: told twice", i);
        cr_assert(size.n_removals == 0 && size.n_emptied == 0, "%u", i);
    }
}
