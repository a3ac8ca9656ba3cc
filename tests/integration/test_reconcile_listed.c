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
