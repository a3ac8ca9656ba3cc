/* A sync in the background of a test, and waiting for what it does. */
#pragma once

#include "harness.h"
#include "shop.h"

#include <signal.h>

G_BEGIN_DECLS

#define SYNC_PATIENCE_US (30 * (gint64)G_USEC_PER_SEC)

/* Waits until the statement gives that text. */
static inline void await_rows(RpCase *test_case, const char *sql, const char *expected) {
    const gint64 limit = g_get_monotonic_time() + SYNC_PATIENCE_US;
    for (;;) {
        g_autofree char *rows = rp_case_sql_rows(test_case, sql);
        if (g_str_equal(rows, expected))
            return;
        cr_assert(g_get_monotonic_time() < limit, "%s: %s instead of %s", sql, rows, expected);
        g_usleep(20 * 1000);
    }
}

/* Waits until this process of a sync, and not an earlier one, says so. */
static inline void await_state(RpCase *test_case, const char *state) {
    const gint64 limit = g_get_monotonic_time() + SYNC_PATIENCE_US;
    g_autofree char *sql = g_strdup_printf(
        "SELECT count(*) FROM redis2pg.sync s WHERE state = '%s' AND EXISTS (SELECT FROM redis2pg.runs r "
        "WHERE "
        "r.owner = s.owner AND r.kind = 'sync' AND (r.status = 'open' OR s.state = 'stopped'))",
        state);
    for (;;) {
        g_autofree char *has_ledger =
            rp_case_sql_text(test_case, "SELECT to_regclass('redis2pg.sync') IS NOT NULL");
        if (has_ledger[0] == 't' && rp_case_sql_number(test_case, sql) == 1)
            return;
        cr_assert(g_get_monotonic_time() < limit, "the sync is not %s", state);
        g_usleep(20 * 1000);
    }
}

/* Starts a sync that follows when this returns. */
static inline RpProcess *start_sync(RpCase *test_case) {
    RpProcess *process = rp_case_spawn(test_case, "sync", "--progress", "none", NULL);
    await_state(test_case, "following");
    return process;
}

/* Ends it as an operator does. */
static inline void stop_sync(RpProcess *process) {
    g_auto(RpOutcome) out = {0};
    rp_process_signal(process, SIGTERM);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 5);
}

/* Has all that Redis has written, and gives the result. */
static inline json_t *catch_up(RpCase *test_case, int status) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "sync", "--until-caught-up", "--json", "--progress", "none", NULL);
    rp_outcome_assert_status(&out, status);
    return rp_outcome_json(&out);
}

G_END_DECLS
