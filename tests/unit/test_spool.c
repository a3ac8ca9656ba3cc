#include "reconcile/spool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static RpSpan span(const char *text) {
    return (RpSpan){text, strlen(text)};
}

static guint64 read_all(RpSpool *spool, GString *text) {
    RpSpoolEntry entry;
    gboolean is_end = FALSE;
    guint64 n_entries = 0;
    cr_assert(rp_spool_rewind(spool, NULL));
    for (;;) {
        cr_assert(rp_spool_next(spool, &entry, &is_end, NULL));
        if (is_end)
            return n_entries;
        n_entries++;
        g_string_append_printf(text, "%u %u %.*s; ", entry.unit, entry.bucket, (int)entry.data.size,
                               entry.data.data);
    }
}

Test(spool, gives_what_was_added_as_often_as_it_is_asked) {
    g_autoptr(RpSpool) spool = rp_spool_new(1000, NULL);
    rp_spool_add(spool, 1, 2, span("head "), span("tail"));
    rp_spool_add(spool, 0, G_MAXUINT16, span(""), span(""));
    rp_spool_add(spool, 3, 4, span("x"), (RpSpan){0});
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        cr_assert(eq(u64, read_all(spool, text), 3));
        cr_assert(eq(str, text->str, "1 2 head tail; 0 65535 ; 3 4 x; "));
    }
    cr_assert(eq(u64, rp_spool_get_size(spool), 3));
    cr_assert(not(rp_spool_is_lost(spool)));
}

Test(spool, is_lost_when_it_grows_too_large) {
    g_autoptr(RpSpool) spool = rp_spool_new(100, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 10; i++)
        rp_spool_add(spool, i, i, span("some bytes"), span("and more"));
    cr_assert(rp_spool_is_lost(spool));
    cr_assert(eq(u64, rp_spool_get_size(spool), 0));
    cr_assert(eq(u64, read_all(spool, text), 0));
}

Test(spool, holds_more_than_its_buffer) {
    g_autoptr(RpSpool) spool = rp_spool_new(G_MAXUINT64, NULL);
    g_autofree char *large = g_strnfill(100000, 'x');
    for (guint i = 0; i < 30; i++)
        rp_spool_add(spool, i, 0, span(large), span(large));
    g_autoptr(GString) text = g_string_new(NULL);
    cr_assert(eq(u64, read_all(spool, text), 30));
    cr_assert(gt(sz, text->len, 6000000));
}

/* The folder that glib looks for only once in a process. */
Test(spool, says_where_there_is_no_room) {
    g_setenv("TMPDIR", "/nowhere/at/all", TRUE);
    g_autoptr(GError) error = NULL;
    cr_assert(rp_spool_new(1, &error) == NULL);
    cr_assert(strstr(error->message, "/nowhere/at/all") != NULL);
}
