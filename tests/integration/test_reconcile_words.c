/* `reconcile` and the words of a mapping: where, checks, look-ups, on_invalid, tables that entities share,
 * columns that cannot be compared, odd names. */
#include "reconciling.h"

static char *write_mapping(const char *entities) {
    g_autofree char *text = g_strdup_printf("redis2pg: 1\nentities:\n%s", entities);
    return rp_file_write(text);
}

#define THING "keys: 't:{id}', type: hash, table: t, key: [id]"

/* ---- rows that a mapping leaves out ---- */

Test(reconcile_words, where_leaves_rows_out_on_the_side_of_redis) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = write_mapping("  t: {" THING ", columns: {id: $key.id, n: n}, where: 'n > 0'}\n");
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n integer)");
    rp_case_redis(test_case, "HSET t:1 n 1");
    rp_case_redis(test_case, "HSET t:2 n 0");
    rp_case_redis(test_case, "HSET t:3 other 0");
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "INSERT INTO t VALUES ('2', 0)");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_differences(document, "t", "extra 2");
    assert_counts(document, "t", "source_rows 1, target_rows 2, equal 1, extra 1, filtered 2");
    rp_file_drop(mapping);
}

/* A key is read again because of one of its rows; the others are not counted again. */
Test(reconcile_words, filtered_and_refused_elements_are_counted_once) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping("  t: {keys: 'l:{id}', type: list, table: t, key: [id, no], columns: {id: "
                      "$key.id, no: $index, n: $value}, where: 'n <> 0', checks: {small: 'n < 9'}}\n"
                      "  u: {keys: 'l:{id}', type: list, table: u, key: [id, no], columns: {id: "
                      "$key.id, no: $index, n: $value}, checks: {small: 'n < 9'}}\n");
    rp_case_sql(test_case, "CREATE TABLE t (id text, no integer, n integer, PRIMARY KEY (id, no));"
                           "CREATE TABLE u (LIKE t INCLUDING ALL)");
    rp_case_redis(test_case, "RPUSH l:a 1 0 9 x 2 0");
    load_status(test_case, mapping, 1);
    rp_case_sql(test_case, "UPDATE t SET n = 5 WHERE no = 0; UPDATE u SET n = 5 WHERE no = 0");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_counts(document, "t",
                  "source_rows 2, target_rows 2, equal 1, different 1, rejected 2, filtered 2");
    assert_counts(document, "u", "source_rows 4, target_rows 4, equal 3, different 1, rejected 2");
    rp_file_drop(mapping);
}

Test(reconcile_words, what_a_check_refuses_is_rejected_and_on_record) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping("  t: {" THING ", columns: {id: $key.id, n: n}, checks: {small: 'n < 9'}}\n");
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n integer)");
    rp_case_redis(test_case, "HSET t:1 n 1");
    rp_case_redis(test_case, "HSET t:9 n 9");
    rp_case_redis(test_case, "HSET t:x n x");
    for (guint i = 0; i < 2; i++) {
        g_autoptr(json_t) before =
            reconcile(test_case, mapping, 1, "--level", i == 0 ? "rows" : "counts", NULL);
        assert_counts(before, "t", "source_rows 1, missing 1, rejected 2, unrecorded 2");
    }
    load_status(test_case, mapping, 1);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(json_t) after =
            reconcile(test_case, mapping, 0, "--level", i == 0 ? "rows" : "counts", NULL);
        assert_counts(after, "t", "source_rows 1, target_rows 1, equal 1, rejected 2");
    }
    rp_case_sql(test_case, "INSERT INTO t VALUES ('9', 5)");
    g_autoptr(json_t) extra = reconcile(test_case, mapping, 1, NULL);
    assert_differences(extra, "t", "extra 9");
    rp_file_drop(mapping);
}

/* Equal on both sides, and refused all the same: the row is extra, whatever else its bucket holds. */
Test(reconcile_words, what_a_check_refuses_is_not_equal) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping("  t: {" THING ", columns: {id: $key.id, n: n}, checks: {small: 'n < 9'}}\n"
                      "  u: {keys: 'u:{id}', type: list, table: u, key: [id, no], columns: {id: $key.id, no: "
                      "$index, n: $value}, checks: {small: 'n < 9'}}\n");
    rp_case_sql(test_case,
                "CREATE TABLE t (id text PRIMARY KEY, n integer); CREATE TABLE u (id text, no"
                " integer, n integer, PRIMARY KEY (id, no)); INSERT INTO t VALUES ('1', 9), ('2', 1);"
                " INSERT INTO u VALUES ('a', 0, 5), ('a', 1, 9)");
    rp_case_redis(test_case, "HSET t:1 n 9");
    rp_case_redis(test_case, "HSET t:2 n 1");
    rp_case_redis(test_case, "RPUSH u:a 1 9");
    for (guint i = 0; i < 3; i++) {
        static const char *const LEVELS[] = {"counts", "rows", "fields"};
        g_autoptr(json_t) document = reconcile(test_case, mapping, 1, "--level", LEVELS[i], NULL);
        g_autofree char *more =
            g_strconcat(", rejected 1, unrecorded 1", i > 0 ? ", extra_refused 1" : "", NULL);
        g_autofree char *of_t = g_strconcat("source_rows 1, target_rows 2, equal 1, extra 1", more, NULL);
        g_autofree char *of_u = g_strconcat("source_rows 1, target_rows 2, ",
                                            i == 0 ? "equal 1, extra 1" : "extra 1, different 1", more, NULL);
        assert_counts(document, "t", of_t);
        assert_counts(document, "u", of_u);
    }
    rp_file_drop(mapping);
}

/* PostgreSQL refuses these: domains, casts, CHECK constraints of the table. */
Test(reconcile_words, what_postgres_refuses) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping("  t: {" THING ", columns: {id: $key.id, share: share, n: n}}\n"
                      "  u: {keys: 'u:{id}', type: hash, table: u, key: [id], columns: {id: $key.id, net: "
                      "net, share: share}}\n");
    rp_case_sql(test_case, "CREATE DOMAIN percent AS smallint CHECK (VALUE <= 100);"
                           "CREATE TABLE t (id text PRIMARY KEY, share percent, n integer CHECK (n < 5));"
                           "CREATE TABLE u (id text PRIMARY KEY, net inet, share percent)");
    rp_case_redis(test_case, "HSET t:good share 1 n 1");
    rp_case_redis(test_case, "HSET t:share share 101 n 1");
    rp_case_redis(test_case, "HSET t:n share 1 n 5");
    rp_case_redis(test_case, "HSET u:good net ::1");
    rp_case_redis(test_case, "HSET u:net net nowhere");
    rp_case_redis(test_case, "HSET u:share net ::1 share 101");
    load_status(test_case, mapping, 1);
    g_autoptr(json_t) document = reconcile(test_case, mapping, 0, "--allow-rejects", NULL);
    assert_differences(document, "t", "missing n t:n (explained)\nmissing share t:share (explained)");
    assert_differences(document, "u", "missing share u:share (explained)");
    assert_counts(document, "u", "source_rows 2, target_rows 1, equal 1, missing 1, explained 1, rejected 1");
    rp_file_drop(mapping);
}

/* ---- values ---- */

Test(reconcile_words, look_ups) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping("  t: {" THING ", columns: {id: $key.id, owner: {lookup: {table: users, match: "
                      "{mail: mail}, take: id}}, n: n}}\n");
    rp_case_sql(test_case, "CREATE TABLE users (id integer PRIMARY KEY, mail text UNIQUE);"
                           "INSERT INTO users VALUES (1, 'a'), (2, 'b');"
                           "CREATE TABLE t (id text PRIMARY KEY, n integer, owner integer)");
    rp_case_redis(test_case, "HSET t:1 mail a n 1");
    rp_case_redis(test_case, "HSET t:2 mail b n 2");
    rp_case_redis(test_case, "HSET t:3 mail c n 3");
    rp_case_redis(test_case, "HSET t:4 n 4");
    load_status(test_case, mapping, 1);
    g_autoptr(json_t) equal = reconcile(test_case, mapping, 0, NULL);
    assert_counts(equal, "t", "source_rows 3, target_rows 3, equal 3, rejected 1");
    rp_case_sql(test_case, "UPDATE users SET id = 7 WHERE mail = 'a'");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_differences(document, "t", "different 1 t:1 owner: 7 > 1");
    rp_file_drop(mapping);
}

Test(reconcile_words, on_invalid_gives_what_the_run_gave) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping("  t: {" THING ", columns: {id: $key.id, n: {from: n, on_invalid: null}, m: {from: "
                      "m, default: 3, on_invalid: default}, at: {from: at, timestamp: unix}, s: {from: s, "
                      "hash: sha256}, e: $expires_at}}\n");
    rp_case_sql(test_case,
                "CREATE TABLE t (id text PRIMARY KEY, n integer, m integer, at timestamptz, s bytea, "
                "e timestamptz)");
    rp_case_redis(test_case, "HSET t:1 n x m y at 1.5 s secret");
    rp_case_redis(test_case, "EXPIRE t:1 1000");
    rp_case_redis(test_case, "HSET t:2 n 1 m 2 at 0");
    load_equal(test_case, mapping);
    rp_file_drop(mapping);
}

/* Told with the reason, and a difference in them is none. */
Test(reconcile_words, columns_that_cannot_be_compared_are_named) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping("  t: {" THING ", columns: {id: $key.id, n: n, loaded: $now, ttl: $ttl_ms, twin: "
                      "{template: '{n} {$now}'}}}\n");
    rp_case_sql(test_case,
                "CREATE TABLE t (id text PRIMARY KEY, n integer, loaded timestamptz, ttl bigint, twin text, "
                "twice integer GENERATED ALWAYS AS (n * 2) STORED, mine text DEFAULT 'x')");
    rp_case_redis(test_case, "HSET t:1 n 1");
    rp_case_redis(test_case, "EXPIRE t:1 1000");
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET loaded = now(), ttl = 1, twin = '', mine = 'y'");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 0, "--level", "fields", NULL);
    json_t *columns = rp_json_at(document, "entities.t.not_compared");
    g_autoptr(GString) names = g_string_new(NULL);
    size_t i;
    json_t *column;
    json_array_foreach(columns, i, column) g_string_append_printf(
        names, "%s: %s\n", rp_json_text(column, "column"), rp_json_text(column, "why"));
    cr_assert(eq(str, names->str,
                 "loaded: it holds the time of the run ($now)\n"
                 "ttl: it holds the time that was left to live ($ttl_ms)\n"
                 "twin: it holds the time of the run ($now)\n"
                 "twice: the mapping does not write it\nmine: the mapping does not write it\n"));
    rp_file_drop(mapping);
}

/* ---- tables that are shared ---- */

#define SHARED(key_, name_, columns_)                                                                        \
    "  " name_ ": {keys: '" key_ ":{id}', type: hash, table: t, key: [id], columns: {id: " columns_ "}}\n"

Test(reconcile_words, entities_that_fill_one_table_together) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = write_mapping(SHARED("a", "a", "$key, n: n, s: s") SHARED("b", "b", "$key, s: s, n: n"));
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n integer, s text)");
    for (guint i = 0; i < 3; i++)
        rp_case_redis(test_case, "HSET a:%u n %u s x", i, i);
    for (guint i = 0; i < 5; i++)
        rp_case_redis(test_case, "HSET b:%u n %u s y", i, i);
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET n = 7 WHERE id = 'b:1'; DELETE FROM t WHERE id IN ('a:2', 'b:2');"
                           "INSERT INTO t VALUES ('c:1', 1, 'z')");
    static const char *const ONLY[] = {NULL, "a", "b"};
    for (guint i = 0; i < G_N_ELEMENTS(ONLY); i++) {
        g_autoptr(json_t) document =
            reconcile(test_case, mapping, 1, i > 0 ? "--entity" : NULL, ONLY[i], NULL);
        assert_differences(document, "a", "extra c:1\nmissing a:2 a:2");
        assert_differences(document, "b", "different b:1 b:1 n: 1 > 7\nmissing b:2 b:2");
    }
    rp_file_drop(mapping);
}

Test(reconcile_words, entities_that_fill_different_columns_of_one_table) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = write_mapping(SHARED("a", "a", "$key.id, n: n") SHARED("b", "b", "$key.id, s: s"));
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n integer DEFAULT 7, s text)");
    rp_case_redis(test_case, "HSET a:1 n 1");
    rp_case_redis(test_case, "HSET a:2 n 2");
    rp_case_redis(test_case, "HSET b:2 s y");
    rp_case_redis(test_case, "HSET b:3 s z");
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET n = 5, s = 'w' WHERE id = '2'; DELETE FROM t WHERE id = '3'");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_differences(document, "a", "different 2 a:2 n: 2 > 5");
    assert_differences(document, "b", "different 2 b:2 s: y > w\nmissing 3 b:3");
    g_autoptr(json_t) one = reconcile(test_case, mapping, 1, "--entity", "b", NULL);
    assert_differences(one, "b", "different 2 b:2 s: y > w\nmissing 3 b:3");
    rp_file_drop(mapping);
}

/* What one entity says of a column holds for the rows of both. */
Test(reconcile_words, what_is_sensitive_for_one_entity_is_masked_for_both) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping(SHARED("a", "a", "$key, n: n") SHARED("b", "b", "$key, n: {from: n, sensitive: true}"));
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n integer)");
    rp_case_redis(test_case, "HSET a:1 n 1");
    rp_case_redis(test_case, "HSET b:1 n 123456");
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET n = n + 1000000");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--json", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_keeps_quiet(out.output, "12345");
    rp_file_drop(mapping);
}

/* The second of three says it; and another one, of other columns of the table. */
Test(reconcile_words, what_is_sensitive_for_one_entity_is_masked_for_all_of_its_table) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping(SHARED("a", "a", "$key, n: n") SHARED("b", "b", "$key, n: {from: n, sensitive: true}")
                          SHARED("c", "c", "$key, n: n") SHARED("d", "d", "$key, n: n, s: s"));
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n integer, s text)");
    rp_case_redis(test_case, "HSET a:1 n 123451");
    rp_case_redis(test_case, "HSET b:1 n 123452");
    rp_case_redis(test_case, "HSET c:1 n 123453");
    rp_case_redis(test_case, "HSET d:1 n 123454 s x");
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET n = n + 1");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--json", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_keeps_quiet(out.output, "12345");
    g_auto(RpOutcome) one = {0};
    rp_case_run(test_case, &one, "reconcile", "--json", "--entity", "d", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&one, 1);
    rp_assert_keeps_quiet(one.output, "12345");
    rp_file_drop(mapping);
}

/* ---- names ---- */

Test(reconcile_words, odd_names_are_quoted) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        write_mapping("  'My \"Odd\" ents': {keys: 't:{id}', type: hash, table: 'Sch Ema.T\xc3\xa4 "
                      "B'';', key: ['I d'], columns: {'I d': $key.id, 'q\"uote': n, \xe2\x82\xac: e, "
                      "select: s}}\n");
    rp_case_sql(test_case,
                "CREATE SCHEMA \"Sch Ema\"; CREATE TABLE \"Sch Ema\".\"T\xc3\xa4 B';\" (\"I d\" text PRIMARY "
                "KEY, \"q\"\"uote\" integer, \"\xe2\x82\xac\" inet, \"select\" text)");
    rp_case_redis(test_case, "HSET t:1 n 1 e ::1 s x");
    rp_case_redis(test_case, "HSET t:2 n 2 e ::1 s x");
    load_equal(test_case, mapping);
    rp_case_sql(test_case,
                "UPDATE \"Sch Ema\".\"T\xc3\xa4 B';\" SET \"q\"\"uote\" = 7, \"\xe2\x82\xac\" = '1.1.1.1/8', "
                "\"select\" = NULL WHERE \"I d\" = '1'");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_differences(document, "My \"Odd\" ents",
                       "different 1 t:1 q\"uote: 1 > 7, \xe2\x82\xac: ::1/128 > 1.1.1.1/8, select: x > null");
    rp_file_drop(mapping);
}

/* Partitions, columns that were dropped long ago, and an order of columns that is not the mapping's. */
Test(reconcile_words, tables_of_another_make) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = write_mapping("  t: {" THING ", columns: {n: n, id: $key.id, net: net}}\n");
    rp_case_sql(test_case,
                "CREATE TABLE t (gone text, net inet, id text PRIMARY KEY, n integer) PARTITION BY HASH (id);"
                "CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
                "CREATE TABLE t1 (n integer, id text NOT NULL, gone text, net inet);"
                "ALTER TABLE t ATTACH PARTITION t1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
                "ALTER TABLE t DROP gone");
    for (guint i = 0; i < 20; i++)
        rp_case_redis(test_case, "HSET t:%u n %u net ::1", i, i);
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET n = n + 100 WHERE n IN (3, 4); DELETE FROM t WHERE n = 5");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, "--level", "fields", NULL);
    assert_differences(document, "t",
                       "different 3 t:3 n: 3 > 103\ndifferent 4 t:4 n: 4 > 104\nmissing 5 t:5");
    rp_file_drop(mapping);
}
