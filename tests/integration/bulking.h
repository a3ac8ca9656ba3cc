/* What the tests of bulk loads share: what a table's keys are, and that they are back. */
#pragma once

#include "outcome.h"

#include <string.h>

/* Every constraint and index of the case's tables, with what else is known of them. The caller frees it. */
static inline char *rp_case_definitions(RpCase *test_case) {
    return rp_case_sql_rows(
        test_case,
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text,"
        "  coalesce(obj_description(oid, 'pg_constraint'), '') FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace"
        " UNION ALL SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid),"
        "  (indisvalid AND indisready)::text, coalesce(obj_description(indexrelid, 'pg_class'), '') FROM "
        "pg_index x"
        "  JOIN pg_class c ON c.oid = x.indrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, "
        "2, 3");
}

static inline void rp_case_assert_definitions(RpCase *test_case, const char *expected, const char *what) {
    g_autofree char *found = rp_case_definitions(test_case);
    cr_assert(strcmp(found, expected) == 0, "%s: keys and indexes are not what they were:\n%s\n---\n%s", what,
              expected, found);
}

/* Two loads of one Redis read its keys in one order only when no table of it is being resized meanwhile: each
 * look-up moves a bucket on. */
static inline void rp_case_settle_keys(RpCase *test_case) {
    for (gint64 n = rp_case_redis_number(test_case, "DBSIZE") + 100; n > 0; n--)
        rp_case_redis(test_case, "EXISTS nothing");
}

static inline void rp_case_assert_nothing_set_aside(RpCase *test_case) {
    rp_case_assert_rows(
        test_case,
        "SELECT (SELECT count(*) FROM redis2pg.set_aside WHERE restored_at IS NULL), (SELECT "
        "count(*) FROM redis2pg.again), (SELECT count(*) FROM redis2pg.undo WHERE loaded_keys IS NOT "
        "NULL)",
        "0|0|0");
}
