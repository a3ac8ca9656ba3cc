/* `reconcile` and the differences that it lists: what it costs to describe them, and what they show. */
#include "reconciling.h"

/* How often Redis was asked by that command since the last CONFIG RESETSTAT. */
static gint64 count_calls(RpCase *test_case, const char *command) {
    g_autofree char *stats = rp_case_redis_text(test_case, "INFO commandstats");
    g_autofree char *name = g_strdup_printf("cmdstat_%s:calls=", command);
    const char *at = strstr(stats, name);
    return at != NULL ? g_ascii_strtoll(at + strlen(name), NULL, 10) : 0;
}

#define LISTS                                                                                                \
    "redis2pg: 1\nentities:\n  t: {keys: 'l:{id}', type: list, table: t, key: [id, no], columns: {id: "      \
    "$key.id, no: $index, v: $value}}\n"

/* The first reading, the look, and the one for what is shown: three, where two keys are read. */
Test(reconcile_listed, rows_of_one_key_cost_one_reading) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(LISTS);
    rp_case_sql(test_case, "CREATE TABLE t (id text, no integer, v text, PRIMARY KEY (id, no))");
    for (guint i = 0; i < 40; i++)
        rp_case_redis(test_case, "RPUSH l:%s v%u", i % 2 == 0 ? "a" : "b", i);
    rp_case_redis(test_case, "CONFIG RESETSTAT");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_counts(document, "t", "source_rows 40, missing 40");
    cr_assert(eq(i64, count_listed(rp_json_at(document, "entities.t"), "missing"), 40));
    cr_assert(le(i64, count_calls(test_case, "lrange"), 6));
    cr_assert(ge(i64, count_calls(test_case, "lrange"), 2));
    rp_file_drop(mapping);
}

/* What a sensitive column takes from the key shows neither as a value nor in the key. */
Test(reconcile_listed, keys_that_hold_what_is_sensitive_are_masked) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 'c:{mail}', type: hash, table: t, key: "
                      "[id], columns: {id: id, mail: {from: $key.mail, sensitive: true}, n: n}}\n");
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, mail text, n integer)");
    rp_case_redis(test_case, "HSET c:anna@secret.io id 1 n 1");
    rp_case_redis(test_case, "HSET c:bert@secret.io id 2 n 2");
    rp_case_redis(test_case, "HSET %b id 3 n 3", "c:secret\xff", (size_t)9);
    load_status(test_case, mapping, 1);
    rp_case_sql(test_case, "UPDATE t SET n = 7 WHERE id = '1'; DELETE FROM t WHERE id = '2'");
    g_auto(RpOutcome) json = {0}, text = {0};
    rp_case_run(test_case, &json, "reconcile", "--json", "--mapping", mapping, NULL);
    rp_case_run(test_case, &text, "reconcile", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&json, 1);
    rp_outcome_assert_status(&text, 1);
    rp_assert_keeps_quiet(json.output, "secret");
    rp_assert_keeps_quiet(text.output, "secret");
    g_autoptr(json_t) document = rp_outcome_json(&json);
    cr_assert(eq(i64, count_listed(rp_json_at(document, "entities.t"), NULL), 2));
    rp_file_drop(mapping);
}
