/* `cutover`: its checks, its verdict and its evidence, beside a sync that is only pretended. */
#include "gating.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

Test(cutover, goes_when_all_has_arrived) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autoptr(json_t) document = cut_over(&gate, 0, "--yes", NULL);
    cr_assert(eq(str, (char *)rp_json_text(document, "reconcile.status"), "equal"));
    cr_assert(eq(str, (char *)rp_json_text(document, "capture"), "replica"));
    cr_assert(ge(i64, rp_json_number(document, "offset"), 0));
    cr_assert(ge(i64, rp_json_number(document, "paused_ms"), rp_json_number(document, "drained_ms")));
    cr_assert(eq(int, json_is_null(rp_json_at(document, "report")), 1));
    drop_gate(&gate);
}

Test(cutover, keeps_its_evidence) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autofree char *folder = g_dir_make_tmp("redis2pg-XXXXXX", NULL);
    static const char *const FILES[] = {"report.json", "report.html", "report.txt", "junit.xml"};
    g_autoptr(json_t) document = cut_over(&gate, 0, "--yes", "--report", folder, NULL);
    cr_assert(eq(str, (char *)rp_json_text(document, "report"), folder));
    for (guint i = 0; i < G_N_ELEMENTS(FILES); i++) {
        g_autofree char *path = g_build_filename(folder, FILES[i], NULL), *text = NULL;
        cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
        rp_assert_says(text, i == 3 ? "the verdict is go" : "Go: all that Redis has is in PostgreSQL");
        g_unlink(path);
    }
    g_rmdir(folder);
    g_autofree char *run = g_strdup_printf("%d", (int)rp_json_number(document, "run"));
    g_auto(RpOutcome) shown = {0}, undone = {0};
    rp_case_run(gate.test_case, &shown, "runs", "show", run, "--json", NULL);
    rp_outcome_assert_status(&shown, 0);
    g_autoptr(json_t) kept = rp_outcome_json(&shown);
    cr_assert(eq(str, (char *)rp_json_text(kept, "kind"), "cutover"));
    cr_assert(eq(str, (char *)rp_json_text(kept, "reconcile.status"), "equal"));
    rp_case_run(gate.test_case, &undone, "rollback", run, NULL);
    rp_outcome_assert_status(&undone, 2);
    rp_case_assert_rows(gate.test_case, "SELECT kind, status FROM redis2pg.runs ORDER BY run DESC LIMIT 1",
                        "cutover|completed");
    drop_gate(&gate);
}

Test(cutover, keeps_what_was_refused) {
    Gate gate = new_gate();
    g_autofree char *folder = g_dir_make_tmp("redis2pg-XXXXXX", NULL);
    g_autoptr(json_t) document =
        cut_over(&gate, 6, "--yes", "--report", folder, "--format", "html,junit", NULL);
    static const char *const FILES[] = {"report.html", "junit.xml"};
    for (guint i = 0; i < G_N_ELEMENTS(FILES); i++) {
        g_autofree char *path = g_build_filename(folder, FILES[i], NULL), *text = NULL;
        cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
        rp_assert_says(text, "no sync has ever been started");
        g_unlink(path);
    }
    g_rmdir(folder);
    rp_case_assert_rows(
        gate.test_case,
        "SELECT kind, status, error LIKE 'refused: no sync%' FROM redis2pg.runs ORDER BY run DESC"
        " LIMIT 1",
        "cutover|failed|t");
    drop_gate(&gate);
}

/* ---- checks ---- */

static const struct {
    const char *sql, *reason;
} CHECKS[] = {
    {"DELETE FROM redis2pg.sync", "no sync has ever been started"},
    {"UPDATE redis2pg.sync SET mapping_digest = 'other'", "not this mapping as it is now"},
    {"UPDATE redis2pg.sync SET source = 'elsewhere:6379 db 0'", "follows elsewhere:6379 db 0"},
    {"UPDATE redis2pg.sync SET seen_at = now() - interval '1 minute'", "no sync is running"},
    {"UPDATE redis2pg.sync SET state = 'loading'", "it is loading"},
    {"UPDATE redis2pg.sync SET state = 'paused', is_to_pause = true", "it is paused"},
    {"UPDATE redis2pg.sync SET is_to_pause = true", "it is paused"},
    {"UPDATE redis2pg.sync SET rescan_reason = 'FLUSHDB'", "read again first: FLUSHDB"},
    {"UPDATE redis2pg.sync SET lag_ms = 5001", "5001 ms behind"},
    {"INSERT INTO redis2pg.parked (entity, key_digest, key, code, message) VALUES ('orders', md5('x')::uuid, "
     "'x',"
     " 'missing_reference', 'm')",
     "1 keys wait for other rows"},
    {"INSERT INTO redis2pg.rejects (run, pass, batch, entity, key, stage, code, message, raw) VALUES (1, 0, "
     "1,"
     " 'orders', 'order:x', 'map', 'missing_field', 'm', '')",
     "1 rejects are open"},
    {"ALTER TABLE orders DISABLE TRIGGER ALL", "has a disabled trigger"},
    {"ALTER TABLE orders ADD CONSTRAINT late CHECK (quantity > 0) NOT VALID",
     "late of orders is not validated"},
};

Test(cutover, refuses_before_anybody_is_asked_to_stop) {
    Gate gate = new_gate();
    for (guint i = 0; i < G_N_ELEMENTS(CHECKS); i++) {
        pretend_sync(&gate);
        rp_case_sql(gate.test_case, CHECKS[i].sql);
        g_autoptr(json_t) document = cut_over(&gate, 6, "--hook", "echo the hook ran; exit 1", NULL);
        assert_reason(document, CHECKS[i].reason);
        cr_assert(eq(int, json_is_null(rp_json_at(document, "paused_ms")), 1), "%s", CHECKS[i].sql);
        cr_assert(eq(int, json_is_null(rp_json_at(document, "reconcile")), 1), "%s", CHECKS[i].sql);
        rp_case_sql(gate.test_case, "DELETE FROM redis2pg.parked; DELETE FROM redis2pg.rejects; ALTER TABLE "
                                    "orders ENABLE TRIGGER ALL, DROP CONSTRAINT IF EXISTS late");
    }
    drop_gate(&gate);
}

Test(cutover, tells_all_reasons_at_once) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    for (guint i = 7; i < 10; i++)
        rp_case_sql(gate.test_case, CHECKS[i].sql);
    g_autoptr(json_t) document = cut_over(&gate, 6, "--yes", NULL);
    cr_assert(eq(sz, json_array_size(rp_json_at(document, "reasons")), 3));
    drop_gate(&gate);
}

/* ---- the verdict ---- */

Test(cutover, refuses_what_differs) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    rp_case_redis(gate.test_case, "HSET order:o1 quantity 7");
    rp_case_redis(gate.test_case, "SADD customer:c1:orders ghost");
    g_autoptr(json_t) document = cut_over(&gate, 6, "--yes", NULL);
    assert_reason(document, "1 rows different, 1 members of links");
    cr_assert(eq(str, (char *)rp_json_text(document, "reconcile.status"), "different"));
    g_autoptr(json_t) allowed = cut_over(&gate, 0, "--yes", "--allow", "2", NULL);
    assert_note(allowed, "tolerated (--allow 2)");
    drop_gate(&gate);
}

Test(cutover, lets_rows_stand_that_the_mapping_keeps) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    rp_case_redis(gate.test_case, "DEL payment:p1");
    g_autoptr(json_t) document = cut_over(&gate, 0, "--yes", NULL);
    assert_note(document, "payments: 1 rows of PostgreSQL have no key");
    rp_case_redis(gate.test_case, "DEL order:o1 customer:c1:orders");
    g_autoptr(json_t) again = cut_over(&gate, 6, "--yes", NULL);
    assert_reason(again, "1 rows extra");
    drop_gate(&gate);
}

Test(cutover, notes_that_notifications_prove_nothing) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    rp_case_sql(gate.test_case, "UPDATE redis2pg.sync SET capture = 'notify', replication_id = NULL");
    g_autoptr(json_t) late = cut_over(&gate, 6, "--yes", "--max-pause", "1", NULL);
    assert_reason(late, "the pause ran out"); /* one state is not enough, and there comes no second */
    cr_assert(eq(int, json_is_null(rp_json_at(late, "offset")), 1));
    assert_note(late, "at most once");
    drop_gate(&gate);
}

Test(cutover, says_so_in_text) {
    Gate gate = new_gate();
    g_auto(RpOutcome) refused = {0}, go = {0};
    rp_case_run(gate.test_case, &refused, "cutover", "--yes", "--mapping", gate.mapping, NULL);
    rp_outcome_assert_status(&refused, 6);
    rp_assert_says(refused.output, "Refused: everything goes on as before");
    rp_assert_says(refused.output, "Why not: no sync has ever been started");
    pretend_sync(&gate);
    rp_case_run(gate.test_case, &go, "cutover", "--yes", "--mapping", gate.mapping, NULL);
    rp_outcome_assert_status(&go, 0);
    rp_assert_says(go.output, "Go: all that Redis has is in PostgreSQL");
    rp_assert_says(go.output, "until all had arrived");
    drop_gate(&gate);
}

/* ---- usage ---- */

Test(cutover, asks_nobody_without_a_terminal) {
    Gate gate = new_gate();
    g_auto(RpOutcome) out = {0}, counts = {0};
    rp_case_run(gate.test_case, &out, "cutover", "--mapping", gate.mapping, NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "--hook COMMAND or --pause-writes");
    rp_case_run(gate.test_case, &counts, "cutover", "--yes", "--level", "counts", "--mapping", gate.mapping,
                NULL);
    rp_outcome_assert_status(&counts, 2);
    drop_gate(&gate);
}

/* ---- asking ---- */

/* Runs the gate on a terminal, gives the answer when it is asked for, and reads all that is said. */
static int ask_on_terminal(const Gate *gate, const char *answer, GString *said) {
    struct pollfd terminal = {.events = POLLIN};
    const gint64 limit = g_get_monotonic_time() + 60 * G_TIME_SPAN_SECOND;
    gboolean is_answered = FALSE;
    char bytes[4096];
    int status = -1;
    const pid_t child = forkpty(&terminal.fd, NULL, NULL, NULL);
    if (child == 0) {
        execl(g_getenv("REDIS2PG_BINARY"), "redis2pg", "--redis", gate->test_case->redis_url, "--postgres",
              gate->test_case->conninfo, "cutover", "--mapping", gate->mapping, NULL);
        _exit(127);
    }
    while (g_get_monotonic_time() < limit) {
        const gssize n = poll(&terminal, 1, 100) > 0 ? read(terminal.fd, bytes, sizeof bytes) : 0;
        if (n < 0) /* the other end is closed */
            break;
        g_string_append_len(said, bytes, n);
        if (!is_answered && strstr(said->str, "type yes") != NULL)
            is_answered = write(terminal.fd, answer, strlen(answer)) > 0;
    }
    waitpid(child, &status, 0);
    close(terminal.fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

Test(cutover, asks_when_all_checks_have_passed) {
    static const struct {
        const char *answer, *words;
        int status;
    } answers[] = {{"yes\n", "Go: all that Redis has", 0},
                   {"no\n", "not confirmed: nothing was done", 6},
                   {"\003", "there is no verdict", 5}};
    Gate gate = new_gate();
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(GString) said = g_string_new(NULL);
        pretend_sync(&gate);
        const int status = ask_on_terminal(&gate, answers[i].answer, said);
        cr_assert(eq(int, status, answers[i].status), "%s", said->str);
        rp_assert_says(said->str, answers[i].words);
    }
    g_autoptr(GString) refused = g_string_new(NULL);
    rp_case_sql(gate.test_case, "DELETE FROM redis2pg.sync");
    cr_assert(eq(int, ask_on_terminal(&gate, "yes\n", refused), 6));
    rp_assert_keeps_quiet(refused->str, "type yes");
    drop_gate(&gate);
}
