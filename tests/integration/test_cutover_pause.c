/* `cutover` and the time in which writers stand still: it ends, whatever happens. */
#include "gating.h"

#include <signal.h>

Test(cutover_pause, holds_writers_until_the_verdict) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autofree char *stop = rp_fault_text("stop", RP_EVENT_CUTOVER_DRAINED, 1);
    const char *const words[] = {GATE_WORDS, gate.mapping, "--pause-writes", NULL};
    RpProcess *process = rp_fault_spawn(gate.test_case, stop, words);
    rp_process_await_stopped(process);
    g_autofree char *reply = rp_case_redis_text(gate.test_case, "GET nothing"); /* readers go on */
    cr_assert(reply == NULL);
    redisAppendCommand(gate.test_case->redis, "SET held 1");
    int is_sent = 0;
    while (!is_sent)
        redisBufferWrite(gate.test_case->redis, &is_sent);
    redisContext *other = redisConnectUnix(gate.test_case->redis->unix_sock.path);
    g_autofree char *select = g_strdup_printf("SELECT %u", gate.test_case->number);
    freeReplyObject(redisCommand(other, select));
    redisReply *held = redisCommand(other, "EXISTS held");
    cr_assert(eq(i64, held->integer, 0));
    freeReplyObject(held);
    rp_process_signal(process, SIGCONT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) document = rp_outcome_json(&out);
    assert_note(document, "Redis takes writes again");
    redisReply *written = NULL;
    cr_assert(eq(int, redisGetReply(gate.test_case->redis, (void **)&written), REDIS_OK));
    freeReplyObject(written);
    redisFree(other);
    assert_released(&gate);
    drop_gate(&gate);
}

/* Ends the gate at an event, in some way; whatever its exit status is, Redis goes on. */
static void interrupt_at(RpEvent event, int number, int status) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autofree char *stop = rp_fault_text("stop", event, 1);
    const char *const words[] = {GATE_WORDS, gate.mapping, "--pause-writes", "--max-pause", "600", NULL};
    RpProcess *process = rp_fault_spawn(gate.test_case, stop, words);
    rp_process_await_stopped(process);
    rp_process_signal(process, number);
    rp_process_signal(process, SIGCONT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, status);
    assert_released(&gate);
    cr_assert(eq(
        i64, rp_case_sql_number(gate.test_case, "SELECT count(*) FROM redis2pg.runs WHERE kind = 'cutover'"),
        0));
    drop_gate(&gate);
}

Test(cutover_pause, ends_with_a_signal_before_the_drain) {
    interrupt_at(RP_EVENT_CUTOVER_STOPPED, SIGTERM, 5);
}

Test(cutover_pause, ends_with_a_signal_before_the_comparison) {
    interrupt_at(RP_EVENT_CUTOVER_DRAINED, SIGINT, 5);
}

Test(cutover_pause, ends_by_itself_when_we_are_killed) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autofree char *kill = rp_fault_text("kill", RP_EVENT_CUTOVER_DRAINED, 1);
    const char *const words[] = {GATE_WORDS, gate.mapping, "--pause-writes", "--max-pause", "2", NULL};
    g_auto(RpOutcome) out = {0};
    rp_fault_run(gate.test_case, kill, &out, words);
    rp_outcome_assert_status(&out, 128 + SIGKILL);
    const gint64 start = g_get_monotonic_time();
    rp_case_redis(gate.test_case, "SET released 1");
    cr_assert(lt(i64, g_get_monotonic_time() - start, 3 * G_TIME_SPAN_SECOND));
    drop_gate(&gate);
}

Test(cutover_pause, ends_when_an_error_does) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autofree char *stop = rp_fault_text("stop", RP_EVENT_CUTOVER_DRAINED, 1);
    const char *const words[] = {GATE_WORDS, gate.mapping, "--pause-writes", "--max-pause", "600", NULL};
    RpProcess *process = rp_fault_spawn(gate.test_case, stop, words);
    rp_process_await_stopped(process);
    rp_case_sql(gate.test_case, "DROP TABLE payments");
    rp_process_signal(process, SIGCONT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 2);
    assert_released(&gate);
    drop_gate(&gate);
}

Test(cutover_pause, is_bounded) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    rp_case_sql(
        gate.test_case,
        "UPDATE redis2pg.sync SET stream_offset = 0, source_offset = 0, lag_bytes = 10, keys_waiting = 3");
    rp_case_redis(gate.test_case, "CONFIG SET repl-backlog-size 1mb");
    g_autoptr(json_t) document = NULL;
    /* Only a server that has replicas counts its offset: here it is 0, and the checkpoint before it. */
    rp_case_sql(gate.test_case, "UPDATE redis2pg.sync SET capture = 'notify', lag_ms = 1");
    document = cut_over(&gate, 6, "--pause-writes", "--max-pause", "1", NULL);
    assert_reason(document, "the pause ran out (--max-pause 1)");
    assert_reason(document, "3 keys wait");
    cr_assert(lt(i64, rp_json_number(document, "paused_ms"), 3000));
    cr_assert(eq(int, json_is_null(rp_json_at(document, "drained_ms")), 1));
    assert_released(&gate);
    drop_gate(&gate);
}

Test(cutover_pause, bounds_the_comparison) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autofree char *stop = rp_fault_text("stop", RP_EVENT_CUTOVER_DRAINED, 1);
    const char *const words[] = {GATE_WORDS, gate.mapping, "--pause-writes", "--max-pause", "1", NULL};
    RpProcess *process = rp_fault_spawn(gate.test_case, stop, words);
    rp_process_await_stopped(process);
    PGconn *holder = PQconnectdb(gate.test_case->conninfo);
    PQclear(PQexec(holder, "BEGIN; LOCK TABLE orders"));
    rp_process_signal(process, SIGCONT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    PQfinish(holder);
    rp_outcome_assert_status(&out, 6);
    g_autoptr(json_t) document = rp_outcome_json(&out);
    assert_reason(document, "the comparison had not come to its end");
    assert_released(&gate);
    drop_gate(&gate);
}

Test(cutover_pause, notices_who_writes_all_the_same) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autofree char *stop = rp_fault_text("stop", RP_EVENT_CUTOVER_DRAINED, 1);
    const char *const words[] = {GATE_WORDS, gate.mapping, "--yes", NULL};
    RpProcess *process = rp_fault_spawn(gate.test_case, stop, words);
    rp_process_await_stopped(process);
    rp_case_redis(gate.test_case, "SET session:1 x");
    rp_process_signal(process, SIGCONT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 6);
    g_autoptr(json_t) document = rp_outcome_json(&out);
    assert_reason(document, "somebody wrote to Redis during the check (1 changes)");
    drop_gate(&gate);
}

/* ---- hooks ---- */

Test(cutover_pause, of_a_hook) {
    Gate gate = new_gate();
    pretend_sync(&gate);
    g_autofree char *place = rp_file_write("");
    g_autofree char *command = g_strdup_printf("echo to stdout; echo ran > %s", place);
    g_autoptr(json_t) document = cut_over(&gate, 0, "--hook", command, NULL);
    g_autofree char *text = NULL;
    cr_assert(g_file_get_contents(place, &text, NULL, NULL));
    cr_assert(eq(str, text, "ran\n"));
    g_unlink(place);
    drop_gate(&gate);
}

Test(cutover_pause, of_a_hook_that_fails) {
    static const struct {
        const char *command, *reason;
    } hooks[] = {{"exit 3", "it ended with status 3"},
                 {"kill -9 $$", "signal 9 ended it"},
                 {"trap '' TERM; sleep 60 & sleep 60", "it did not end in time"}};
    Gate gate = new_gate();
    pretend_sync(&gate);
    for (guint i = 0; i < G_N_ELEMENTS(hooks); i++) {
        const gint64 start = g_get_monotonic_time();
        g_autoptr(json_t) document =
            cut_over(&gate, 6, "--pause-writes", "--max-pause", "1", "--hook", hooks[i].command, NULL);
        assert_reason(document, hooks[i].reason);
        cr_assert(eq(int, json_is_null(rp_json_at(document, "reconcile")), 1));
        cr_assert(lt(i64, g_get_monotonic_time() - start, 20 * G_TIME_SPAN_SECOND));
        assert_released(&gate);
    }
    drop_gate(&gate);
}
