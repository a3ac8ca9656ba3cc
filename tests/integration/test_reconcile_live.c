/* `reconcile` while Redis and the target change: what both sides have in the end is no difference. The
 * program stands still at a named event of its first reading, or of a look, while everything changes. */
#include "fault.h"
#include "reconciling.h"

#include <signal.h>

#define N_KEYS 2000

static char *fill(RpCase *test_case) {
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n bigint, v text, at timestamptz)");
    rp_case_redis(test_case, "EVAL %s 0 %d",
                  "for i = 1, ARGV[1] do redis.call('HSET', 't:' .. i, 'n', i, 'v', 'a', 'at', i) end",
                  N_KEYS);
    return rp_file_write(
        "redis2pg: 1\nentities:\n  t: {keys: 't:{id}', type: hash, table: t, key: [id], columns: "
        "{id: $key.id, n: n, v: v, at: {from: at, timestamp: unix}}}\n");
}

/* Every row changes, a tenth goes, as many come as there were; and the target follows. */
static void change_all(RpCase *test_case, const char *mapping) {
    rp_case_redis(test_case, "EVAL %s 0 %d",
                  "for i = 1, ARGV[1] do if i % 10 == 0 then redis.call('DEL', 't:' .. i) else "
                  "redis.call('HSET', 't:' .. i, 'n', i * 2, 'at', i + 5) end "
                  "redis.call('HSET', 't:new' .. i, 'n', i) end",
                  N_KEYS);
    load_status(test_case, mapping, 0);
    rp_case_sql(test_case, "DELETE FROM t WHERE id ~ '^[0-9]*0$'");
}

static json_t *reconcile_while(RpCase *test_case, const char *mapping, const char *place, const char *rounds,
                               void (*change)(RpCase *, const char *), int status) {
    const char *const words[] = {"reconcile", "--json",  "--mapping", mapping, "--rounds",
                                 rounds,      "--level", "fields",    NULL};
    g_autofree char *fault = g_strdup_printf("stop:%s", place);
    g_auto(RpOutcome) out = {0};
    RpProcess *process = rp_fault_spawn(test_case, fault, words);
    rp_process_await_stopped(process);
    change(test_case, mapping);
    rp_process_signal(process, SIGCONT);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, status);
    json_t *document = rp_outcome_json(&out);
    check_document(test_case, document, TRUE); /* numbers of rows are of no one moment */
    return document;
}

static void change_at(const char *place, const char *rounds) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    load_status(test_case, mapping, 0);
    g_autoptr(json_t) document = reconcile_while(test_case, mapping, place, rounds, change_all, 0);
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(document, "is_live")));
    rp_file_drop(mapping);
}

Test(reconcile_live, before_values_are_read) {
    change_at("page_read:1", "3");
}

Test(reconcile_live, before_values_are_read_and_looked_at_once) {
    change_at("page_read:1", "1");
}

Test(reconcile_live, between_batches) {
    change_at("batch_filled:1", "3");
}

Test(reconcile_live, between_batches_and_looked_at_once) {
    change_at("batch_filled:1", "1");
}

/* ---- changes of one column that leave the numbers of rows alone ---- */

static void change_sums(RpCase *test_case, const char *mapping) {
    rp_case_redis(test_case, "HSET t:1 n 1000000 at 1000000");
    load_status(test_case, mapping, 0);
}

Test(reconcile_live, sums_are_those_of_the_rows_that_were_compared) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    load_status(test_case, mapping, 0);
    g_autoptr(json_t) document = reconcile_while(test_case, mapping, "page_read:1", "3", change_sums, 0);
    cr_assert(eq(str, (char *)rp_json_text(document, "entities.t.aggregates.0.source"),
                 (char *)rp_json_text(document, "entities.t.aggregates.0.target")));
    rp_file_drop(mapping);
}

/* ---- keys that go ---- */

static void expire_one(RpCase *test_case, const char *mapping) {
    (void)mapping;
    rp_case_redis(test_case, "PEXPIRE t:7 1");
    rp_case_redis(test_case, "DEL t:9");
    while (rp_case_redis_number(test_case, "EXISTS t:7") > 0)
        g_usleep(1000);
}

static void expire_at(const char *place) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    load_status(test_case, mapping, 0);
    rp_case_sql(test_case, "UPDATE t SET v = 'b' WHERE id IN ('7', '8'); DELETE FROM t WHERE id = '9'");
    g_autoptr(json_t) document = reconcile_while(test_case, mapping, place, "3", expire_one, 1);
    assert_differences(document, "t", "different 8 t:8 v: a > b\nextra 7");
    rp_file_drop(mapping);
}

Test(reconcile_live, keys_that_expire_while_they_are_read) {
    expire_at("page_read:2");
}

/* The last list of keys: those whose difference is described. One round: with more of them, other tests that
 * write beside this one make it look again, now and then, and the lists have other numbers. */
Test(reconcile_live, keys_that_expire_before_they_are_described) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    load_status(test_case, mapping, 0);
    rp_case_sql(test_case, "UPDATE t SET v = 'b' WHERE id = '7'");
    const char *const words[] = {"reconcile", "--mapping",   mapping, "--rounds",
                                 "1",         "--log-level", "debug", NULL};
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, words);
    g_autofree char *place =
        g_strdup_printf("batch_filled:%d", (int)rp_fault_count(&out, RP_EVENT_BATCH_FILLED) - 1);
    g_autoptr(json_t) document = reconcile_while(test_case, mapping, place, "1", expire_one, 1);
    cr_assert(le(i64, rp_json_number(document, "entities.t.different"), 1));
    rp_file_drop(mapping);
}

/* ---- a writer that never rests until it is told to ---- */

typedef struct {
    RpCase *test_case;
    const char *mapping;
    gint is_over;
} Writer;

static gpointer write_on(gpointer data) {
    Writer *writer = data;
    for (guint i = 1; !g_atomic_int_get(&writer->is_over); i++) {
        rp_case_redis(writer->test_case, "EVAL %s 0 %u",
                      "for i = 1, 200 do redis.call('HSET', 't:' .. (i * 7), 'n', ARGV[1]) "
                      "redis.call('HSET', 't:w' .. i, 'n', ARGV[1]) end",
                      i);
        g_autoptr(json_t) run = rp_case_load(writer->test_case, 0, "--mapping", writer->mapping, NULL);
    }
    return NULL;
}

Test(reconcile_live, once_it_is_quiet_nothing_differs) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    load_status(test_case, mapping, 0);
    Writer writer = {test_case, mapping, 0};
    const char *const words[] = {"reconcile", "--json", "--mapping", mapping, "--rounds", "100", NULL};
    GThread *thread = g_thread_new("writer", write_on, &writer);
    for (guint i = 0; i < 2; i++) {
        RpProcess *process = rp_fault_spawn(test_case, "stop:batch_filled:2", words);
        rp_process_await_stopped(process);
        rp_process_signal(process, SIGCONT);
        if (i == 1) {
            g_atomic_int_set(&writer.is_over, 1);
            g_thread_join(thread);
        }
        g_auto(RpOutcome) out = {0};
        rp_process_wait(process, &out);
        rp_outcome_assert_status(&out, 0);
    }
    rp_file_drop(mapping);
}
