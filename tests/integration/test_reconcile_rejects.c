/* `reconcile` and the rejects on record: what they explain, until a replay or a rollback settles them; and
 * rows of one identity. */
#include "reconciling.h"

#define LINES                                                                                                \
    "redis2pg: 1\nentities:\n"                                                                               \
    "  t: {keys: 'l:{id}', type: list, table: t, key: [id, value], columns: {id: $key.id, value: $value, "   \
    "no: "                                                                                                   \
    "$index}}\n"

static void run(RpCase *test_case, int status, const char *first, const char *second, const char *third,
                const char *fourth) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, first, second, third, fourth, NULL);
    rp_outcome_assert_status(&out, status);
}

static void fill_shop(RpCase *test_case) {
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "nobody");
    rp_case_add_order(test_case, "o3", "c1");
    rp_case_redis(test_case, "HSET order:o3 quantity 1001");
    rp_case_redis(test_case, "SADD customer:c1:orders o1");
}

/* The shop's links are others' subject. */
static char *without_links(void) {
    g_autofree char *path = rp_source_path("mappings/shop.yaml");
    g_autofree char *text = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, NULL));
    char *links = strstr(text, "\nlinks:");
    cr_assert(links != NULL);
    *links = '\0';
    return rp_file_write(text);
}

Test(reconcile_rejects, explain_missing_rows_until_a_replay_writes_them) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *mapping = without_links();
    fill_shop(test_case);
    g_autoptr(json_t) before = reconcile(test_case, mapping, 1, "--allow-rejects", NULL);
    assert_counts(before, "orders", "source_rows 2, missing 2, rejected 1, unrecorded 1");
    load_status(test_case, mapping, 1);
    g_autoptr(json_t) after = reconcile(test_case, mapping, 1, NULL);
    assert_counts(after, "orders",
                  "source_rows 2, target_rows 1, equal 1, missing 1, explained 1, rejected 1");
    assert_differences(after, "orders", "missing o2 order:o2 (explained)");
    g_autoptr(json_t) allowed = reconcile(test_case, mapping, 0, "--allow-rejects", NULL);
    rp_case_add_customer(test_case, "nobody");
    run(test_case, 1, "rejects", "replay", "--mapping", mapping);
    g_autoptr(json_t) replayed = reconcile(test_case, mapping, 1, NULL);
    assert_counts(replayed, "orders",
                  "source_rows 2, target_rows 1, equal 1, missing 1, explained 1, rejected 1");
    load_status(test_case, mapping, 1);
    g_autoptr(json_t) written = reconcile(test_case, mapping, 0, NULL);
    assert_counts(written, "orders", "source_rows 2, target_rows 2, equal 2, rejected 1");
    rp_case_sql(test_case, "DELETE FROM orders WHERE order_id = 'o2'");
    g_autoptr(json_t) gone = reconcile(test_case, mapping, 1, "--allow-rejects", NULL);
    assert_counts(gone, "orders", "source_rows 2, target_rows 1, equal 1, missing 1, rejected 1");
    rp_file_drop(mapping);
}

Test(reconcile_rejects, of_a_run_that_was_rolled_back_explain_nothing) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *mapping = without_links();
    fill_shop(test_case);
    load_status(test_case, mapping, 1);
    run(test_case, 0, "rollback", "1", NULL, NULL);
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, "--allow-rejects", NULL);
    assert_counts(document, "orders", "source_rows 2, missing 2, rejected 1, unrecorded 1");
    rp_file_drop(mapping);
}

/* Each reject explains one row of its key, of its own entity. */
Test(reconcile_rejects, of_another_database_explain_nothing) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *mapping = without_links();
    fill_shop(test_case);
    load_status(test_case, mapping, 1);
    rp_case_sql(test_case, "UPDATE redis2pg.runs SET source = 'elsewhere:6379 db 0'");
    g_autoptr(json_t) result = reconcile(test_case, mapping, 1, "--allow-rejects", NULL);
    assert_counts(result, "orders",
                  "source_rows 2, target_rows 1, equal 1, missing 1, rejected 1, unrecorded 1");
    rp_file_drop(mapping);
}

Test(reconcile_rejects, are_counted_by_element) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 'l:{id}', type: list, table: t, key: [id, no], "
                      "columns: {id: $key.id, no: $index, p: $value}}\n"
                      "  u: {keys: 'l:{id}', type: list, table: u, key: [id, no], "
                      "columns: {id: $key.id, no: $index, p: $value}}\n");
    rp_case_sql(test_case, "CREATE TABLE p (id text PRIMARY KEY); INSERT INTO p VALUES ('a');"
                           "CREATE TABLE t (id text, no integer, p text REFERENCES p, PRIMARY KEY (id, no));"
                           "CREATE TABLE u (id text, no integer, p text REFERENCES p, PRIMARY KEY (id, no))");
    rp_case_redis(test_case, "RPUSH l:1 a b a c");
    load_status(test_case, mapping, 1);
    rp_case_sql(test_case, "DELETE FROM t WHERE no = 0");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, "--allow-rejects", NULL);
    assert_counts(document, "t", "source_rows 4, target_rows 1, equal 1, missing 3, explained 2");
    assert_counts(document, "u", "source_rows 4, target_rows 2, equal 2, missing 2, explained 2");
    rp_file_drop(mapping);
}

/* ---- rows of one identity ---- */

#define TWINS                                                                                                \
    "redis2pg: 1\nentities:\n  t: {keys: 't:{any}', type: hash, table: t, key: [id], columns: {id: id, v: "  \
    "v}}\n"

static char *new_twins(RpCase *test_case) {
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, v text)");
    return rp_file_write(TWINS);
}

Test(reconcile_rejects, of_keys_with_one_identity_all_but_one_are_missing) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_twins(test_case);
    for (guint i = 0; i < 4; i++)
        rp_case_redis(test_case, "HSET t:%u id one v %u", i, i);
    rp_case_redis(test_case, "HSET t:x id other v x");
    load_status(test_case, mapping, 1);
    g_autoptr(json_t) document = reconcile(test_case, mapping, 0, "--allow-rejects", NULL);
    assert_counts(document, "t", "source_rows 5, target_rows 2, equal 2, missing 3, explained 3");
    size_t i;
    json_t *difference;
    json_array_foreach(rp_json_at(document, "entities.t.differences"), i, difference)
        cr_assert(eq(str, (char *)rp_json_text(difference, "key.id"), "one"));
    /* The first key meets the row now; who has written it has no reject. */
    g_autofree char *writer = rp_case_sql_text(test_case, "SELECT v FROM t WHERE id = 'one'");
    const char *counts = strcmp(writer, "0") == 0
                             ? "source_rows 5, target_rows 2, equal 1, missing 3, different 1, explained 3"
                             : "source_rows 5, target_rows 2, equal 1, missing 3, different 1, explained 2";
    rp_case_sql(test_case, "UPDATE t SET v = 'none' WHERE id = 'one'");
    g_autoptr(json_t) other = reconcile(test_case, mapping, 1, "--allow-rejects", NULL);
    assert_counts(other, "t", counts);
    rp_file_drop(mapping);
}

Test(reconcile_rejects, identical_rows_of_several_keys_are_one) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_twins(test_case);
    for (guint i = 0; i < 3; i++)
        rp_case_redis(test_case, "HSET t:%u id one v same", i);
    rp_case_sql(test_case, "INSERT INTO t VALUES ('one', 'same')");
    g_autoptr(json_t) equal = reconcile(test_case, mapping, 0, NULL);
    assert_counts(equal, "t", "source_rows 1, target_rows 1, equal 1");
    rp_case_sql(test_case, "UPDATE t SET v = 'other'");
    g_autoptr(json_t) different = reconcile(test_case, mapping, 1, NULL);
    assert_counts(different, "t", "source_rows 1, target_rows 1, different 1");
    rp_case_sql(test_case, "DELETE FROM t");
    g_autoptr(json_t) missing = reconcile(test_case, mapping, 1, NULL);
    assert_counts(missing, "t", "source_rows 1, missing 1");
    rp_file_drop(mapping);
}

/* A list of an element that stands twice; two identities of one key. */
Test(reconcile_rejects, elements_of_one_identity) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(LINES);
    rp_case_sql(test_case, "CREATE TABLE t (id text, value text, no integer, PRIMARY KEY (id, value))");
    rp_case_redis(test_case, "RPUSH l:1 x y x x");
    load_status(test_case, mapping, 1);
    g_autoptr(json_t) document = reconcile(test_case, mapping, 0, "--allow-rejects", NULL);
    assert_differences(document, "t", "missing 1 x l:1 (explained)\nmissing 1 x l:1 (explained)");
    rp_file_drop(mapping);
}

Test(reconcile_rejects, elements_of_json_of_one_identity) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 'c:{id}', type: json, each: $value, table: t, "
                      "key: [id, sku], columns: {id: $key.id, sku: $element.s, n: $element.n}}\n");
    rp_case_sql(test_case, "CREATE TABLE t (id text, sku text, n integer, PRIMARY KEY (id, sku))");
    rp_case_redis(test_case, "SET c:1 %s",
                  "[{\"s\":\"a\",\"n\":1},{\"s\":\"b\",\"n\":2},{\"s\":\"a\",\"n\":3}]");
    load_status(test_case, mapping, 1);
    g_autoptr(json_t) document = reconcile(test_case, mapping, 0, "--allow-rejects", NULL);
    assert_counts(document, "t", "source_rows 3, target_rows 2, equal 2, missing 1, explained 1");
    rp_file_drop(mapping);
}

/* A run holds the row unchanged when only the case of its key is another one. */
Test(reconcile_rejects, identities_whose_case_says_nothing) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(TWINS);
    rp_case_sql(test_case, "CREATE EXTENSION citext; CREATE TABLE t (id citext PRIMARY KEY, v text)");
    rp_case_redis(test_case, "HSET t:1 id Anna v x");
    rp_case_redis(test_case, "HSET t:2 id Bert v x");
    load_equal(test_case, mapping);
    rp_case_redis(test_case, "HSET t:1 id anna");
    load_equal(test_case, mapping);
    rp_case_redis(test_case, "HSET t:2 id berT v y");
    rp_case_redis(test_case, "HSET t:3 id aNNa v x");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_differences(document, "t", "different berT t:2 v: y > x\nmissing aNNa t:3");
    rp_case_sql(test_case, "ALTER TABLE t ALTER id TYPE text");
    g_autoptr(json_t) exact = reconcile(test_case, mapping, 1, NULL);
    assert_counts(exact, "t", "source_rows 3, target_rows 2, missing 3, extra 2");
    rp_file_drop(mapping);
}

/* A table whose key is not unique holds a row twice. */
Test(reconcile_rejects, rows_that_stand_twice_in_the_table) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_twins(test_case);
    rp_case_redis(test_case, "HSET t:1 id one v same");
    load_status(test_case, mapping, 0);
    rp_case_sql(test_case,
                "CREATE TABLE s (LIKE t); INSERT INTO s SELECT * FROM t; INSERT INTO s SELECT * FROM t;"
                "INSERT INTO s VALUES ('one', 'other'); DROP TABLE t; CREATE TABLE t (id text, v text, "
                "UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)");
    rp_case_sql(test_case, "ALTER TABLE t DROP CONSTRAINT t_id_key; INSERT INTO t SELECT * FROM s");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--json", "--mapping", mapping, NULL);
    cr_assert(out.status == 2 || out.status == 1, "%s%s", out.output, out.errors);
    if (out.status == 1) {
        g_autoptr(json_t) document = rp_outcome_json(&out);
        assert_counts(document, "t", "source_rows 1, target_rows 3, equal 1, extra 2");
    }
    rp_file_drop(mapping);
}
