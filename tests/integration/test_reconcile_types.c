/* `reconcile` over columns of every type: nothing is found that is not there, and what is planted in one
 * column of one row is found, named, and nothing else. */
#include "reconciling.h"

/* A column, two values of Redis and how PostgreSQL shows them; both are hostile where the type allows it. */
typedef struct {
    const char *name;
    const char *type;
    const char *first;
    const char *second;
    const char *first_text; /* NULL: as in Redis */
    const char *second_text;
} Column;

static const Column COLUMNS[] = {
    {"c_bool", "boolean", "true", "false", "true", "false"},
    {"c_int2", "smallint", "-32768", "32767", NULL, NULL},
    {"c_int4", "integer", "-2147483648", "2147483647", NULL, NULL},
    {"c_int8", "bigint", "-9223372036854775808", "9223372036854775807", NULL, NULL},
    {"c_float4", "real", "1e38", "-1e-45", "1e+38", "-1e-45"},
    {"c_float8", "double precision", "1e308", "-0.1", "1e+308", NULL},
    {"c_nan", "double precision", "NaN", "Infinity", NULL, NULL},
    {"c_zero", "double precision", "-0", "1", NULL, NULL},
    {"c_numeric", "numeric", "100000000000000000000.10", "-0.00000000000000000001", NULL, NULL},
    {"c_scale", "numeric(12,4)", "7.5", "7.5001", "7.5000", NULL},
    {"c_text", "text", "", "\xf0\x9f\x90\x98 \"'\\ \t\xc3\xa9", NULL, NULL},
    {"c_varchar", "varchar(8)", "abc", "abc ", NULL, NULL},
    {"c_char", "char(6)", "ab", "\xc3\xa9\xc3\xa9", NULL, NULL},
    {"c_bytea", "bytea", "a\\b", "\xc3\xa9", "\\x615c62", "\\xc3a9"},
    {"c_uuid", "uuid", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-4fff-8fff-ffffffffffff", NULL,
     "ffffffff-ffff-4fff-8fff-ffffffffffff"},
    {"c_date", "date", "0001-01-01", "9999-12-31", NULL, NULL},
    {"c_time", "time", "00:00:00", "23:59:59.999999", NULL, NULL},
    {"c_timestamp", "timestamp", "9999-12-31T23:59:59.999999", "0001-01-01T00:00:00",
     "9999-12-31 23:59:59.999999", "0001-01-01 00:00:00"},
    {"c_timestamptz", "timestamptz", "2000-01-01T00:00:00+14:00", "1969-12-31T23:59:59.999999Z",
     "1999-12-31 10:00:00+00", "1969-12-31 23:59:59.999999+00"},
    {"c_json", "json", "{ \"b\":1, \"a\" :2, \"a\":1.0 }", "{}", NULL, NULL},
    {"c_jsonb", "jsonb",
     "{\"b\": 1e2, \"a\": 1, \"\\u00e9\": \"\\u0041\\n\", \"a\": [1.0, -0.0, null, 1E-3]}", "[]",
     "{\"a\": [1.0, 0.0, null, 0.001], \"b\": 100, \"\xc3\xa9\": \"A\\n\"}", NULL},
    {"c_enum", "mood", "sad", "glad", NULL, NULL},
    {"c_domain", "percent", "100", "0", NULL, NULL},
    {"c_ints", "integer[]", "[1, null, -3]", "[]", "{1,NULL,-3}", "{}"},
    {"c_texts", "text[]", "[\"\", \"NULL\", null, \"a,b\\\"\"]", "[\"x\"]",
     "{\"\",\"NULL\",NULL,\"a,b\\\"\"}", "{x}"},
    {"c_numerics", "numeric[]", "[1.0, 2]", "[1]", "{1.0,2}", "{1}"},
    {"c_floats", "double precision[]", "[0.1]", "[1e300]", "{0.1}", "{1e+300}"},
    {"c_days", "date[]", "[\"2024-02-29\"]", "[\"2024-02-28\"]", "{2024-02-29}", "{2024-02-28}"},
    {"c_moods", "mood[]", "[\"sad\", \"glad\"]", "[\"sad\"]", "{sad,glad}", "{sad}"},
    {"c_percents", "percent[]", "[1]", "[2]", "{1}", "{2}"},
    {"c_inet", "inet", "10.0.0.1/8", "::1/64", NULL, NULL},
    {"c_interval", "interval", "1 day 02:03:04", "-1 mons", NULL, NULL},
    {"c_money", "money", "1234.50", "-1", "$1,234.50", "-$1.00"},
    {"c_range", "int4range", "[1,5]", "empty", "[1,6)", NULL},
    {"c_numrange", "numrange", "[1.0,2.50)", "(,)", NULL, NULL},
    {"c_point", "point", "(1.5,-2)", "(0,0)", NULL, NULL},
    {"c_bits", "bit varying(9)", "0101", "1", NULL, NULL},
    {"c_timetz", "timetz", "10:00:00+02", "10:00:00-07", NULL, NULL},
    {"c_inets", "inet[]", "{10.0.0.1,NULL}", "{}", NULL, NULL},
    {"c_words", "tsvector", "'a':1 'b':2", "'a':1", NULL, NULL},
};

#define N_COLUMNS G_N_ELEMENTS(COLUMNS)
#define N_FAST    30 /* the first ones; PostgreSQL casts the others */

/* A table without columns that are cast is compared in another way. */
static gboolean is_wanted(const Column *column, gboolean with_casts) {
    return with_casts || column < &COLUMNS[N_FAST];
}

static char *make_table(RpCase *test_case, gboolean with_casts) {
    g_autoptr(GString) sql = g_string_new(
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN percent AS smallint CHECK (VALUE <= 100);"
        "CREATE TABLE t (id text PRIMARY KEY");
    g_autoptr(GString) mapping = g_string_new("redis2pg: 1\nentities:\n  t:\n    keys: 't:{id}'\n    type: "
                                              "hash\n    table: t\n    key: [id]\n    columns:\n      id: "
                                              "$key.id\n");
    for (guint i = 0; i < N_COLUMNS; i++) {
        if (!is_wanted(&COLUMNS[i], with_casts))
            continue;
        g_string_append_printf(sql, ", %s %s", COLUMNS[i].name, COLUMNS[i].type);
        g_string_append_printf(mapping, "      %s: %s\n", COLUMNS[i].name, COLUMNS[i].name);
    }
    g_string_append(sql, "); SET lc_monetary = 'C'");
    rp_case_sql(test_case, sql->str);
    return rp_file_write(mapping->str);
}

/* A row for each column: all of its columns have their first value. */
static void fill(RpCase *test_case, gboolean with_casts) {
    for (guint row = 0; row < N_COLUMNS; row++)
        for (guint i = 0; i < N_COLUMNS; i++)
            if (is_wanted(&COLUMNS[i], with_casts))
                rp_case_redis(test_case, "HSET t:%s %s %b", COLUMNS[row].name, COLUMNS[i].name,
                              COLUMNS[i].first, strlen(COLUMNS[i].first));
    rp_case_redis(test_case, "HSET t:nulls other x");
}

static const char *shown(const char *text, const char *value) {
    return text != NULL ? text : value;
}

/* What reconcile must say when each row differs in its own column. */
static char *expect(RpCase *test_case, gboolean with_casts, gboolean source_is_second) {
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < N_COLUMNS; i++) {
        const Column *column = &COLUMNS[i];
        if (!is_wanted(column, with_casts))
            continue;
        g_autofree char *sql = g_strdup_printf("SELECT %s::text FROM t WHERE id = 'nulls'", column->name);
        g_autofree char *nothing = rp_case_sql_text(test_case, sql);
        cr_assert(nothing == NULL);
        const char *first = shown(column->first_text, column->first),
                   *second = shown(column->second_text, column->second);
        g_ptr_array_add(lines, g_strdup_printf("different %s t:%s %s: %s > %s", column->name, column->name,
                                               column->name, source_is_second ? second : first,
                                               source_is_second ? first : second));
    }
    qsort(lines->pdata, lines->len, sizeof(char *), compare_lines);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}

/* At level fields each column is counted once. */
static void assert_each_counted_once(json_t *document, gboolean with_casts) {
    json_t *columns = rp_json_at(document, "entities.t.columns");
    size_t i, n = 0;
    json_t *column;
    for (guint j = 0; j < N_COLUMNS; j++)
        n += is_wanted(&COLUMNS[j], with_casts);
    cr_assert(eq(sz, json_array_size(columns), n));
    json_array_foreach(columns, i, column) cr_assert(eq(i64, rp_json_number(column, "different"), 1));
}

static void compare(RpCase *test_case, const char *mapping, gboolean with_casts, gboolean source_is_second) {
    g_autofree char *expected = expect(test_case, with_casts, source_is_second);
    g_autoptr(json_t) rows = reconcile(test_case, mapping, 1, NULL);
    assert_differences(rows, "t", expected);
    cr_assert(eq(sz, json_array_size(rp_json_at(rows, "entities.t.columns")), 0));
    g_autoptr(json_t) fields = reconcile(test_case, mapping, 1, "--level", "fields", NULL);
    assert_differences(fields, "t", expected);
    assert_each_counted_once(fields, with_casts);
}

static void plant_in_postgres(RpCase *test_case, gboolean with_casts) {
    for (guint i = 0; i < N_COLUMNS; i++) {
        const Column *column = &COLUMNS[i];
        if (!is_wanted(column, with_casts))
            continue;
        char *literal = PQescapeLiteral(test_case->postgres, shown(column->second_text, column->second),
                                        strlen(shown(column->second_text, column->second)));
        g_autofree char *sql =
            g_strdup_printf("UPDATE t SET %s = %s WHERE id = '%s'", column->name, literal, column->name);
        rp_case_sql(test_case, sql);
        PQfreemem(literal);
    }
}

static void plant_in_redis(RpCase *test_case, gboolean with_casts) {
    for (guint i = 0; i < N_COLUMNS; i++)
        if (is_wanted(&COLUMNS[i], with_casts))
            rp_case_redis(test_case, "HSET t:%s %s %b", COLUMNS[i].name, COLUMNS[i].name, COLUMNS[i].second,
                          strlen(COLUMNS[i].second));
}

static void plant_everywhere(gboolean with_casts) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = make_table(test_case, with_casts);
    fill(test_case, with_casts);
    load_equal(test_case, mapping);
    plant_in_postgres(test_case, with_casts);
    compare(test_case, mapping, with_casts, FALSE);
    load_equal(test_case, mapping);
    plant_in_redis(test_case, with_casts);
    compare(test_case, mapping, with_casts, TRUE);
    rp_file_drop(mapping);
}

Test(reconcile_types, a_difference_in_a_column_of_each_fast_type) {
    plant_everywhere(FALSE);
}

Test(reconcile_types, a_difference_in_a_column_of_each_type_that_is_cast) {
    plant_everywhere(TRUE);
}

/* ---- what is equal, and looks different ---- */

static char *make_equals(RpCase *test_case) {
    rp_case_sql(
        test_case,
        "CREATE EXTENSION citext;"
        "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "CREATE TABLE t (id text PRIMARY KEY, mail citext, name text COLLATE folding, span interval, "
        "share numrange, price numeric, doc jsonb, zero double precision, code char(4))");
    rp_case_redis(test_case,
                  "HSET t:1 mail A@b name Me span %s share [1.0,2) price 1.0 doc %s zero -0 code a",
                  "30 days", "{\"b\": 1.0, \"a\": 2}");
    rp_case_redis(test_case, "HSET t:2 mail A@b name Me span %s share [1.0,2) price 1.0 doc {} zero 0 code a",
                  "30 days");
    return rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 't:{id}', type: hash, table: t, key: [id], "
                         "columns: {id: $key.id, mail: mail, name: name, span: span, share: share, price: "
                         "price, doc: doc, zero: zero, code: code}}\n");
}

Test(reconcile_types, what_postgres_holds_equal_is_no_difference) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = make_equals(test_case);
    load_equal(test_case, mapping);
    rp_case_sql(test_case,
                "UPDATE t SET mail = 'a@B', name = 'mE', span = '1 mon', share = '[1.00,2)', price "
                "= 1.000, doc = '{\"a\": 2.0, \"b\": 1}', zero = 0, code = 'a   ' WHERE id = '1'");
    g_autoptr(json_t) rows = reconcile(test_case, mapping, 0, NULL);
    assert_counts(rows, "t", "source_rows 2, target_rows 2, equal 2");
    g_autoptr(json_t) fields = reconcile(test_case, mapping, 0, "--level", "fields", "--limit", "0", NULL);
    cr_assert(eq(sz, json_array_size(rp_json_at(fields, "entities.t.columns")), 0));
    rp_file_drop(mapping);
}

/* Beside a column that differs, one that only looks different. */
Test(reconcile_types, of_a_row_that_differs_only_unequal_columns_are_told) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = make_equals(test_case);
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET mail = 'a@B', price = 2 WHERE id = '1'");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, "--level", "fields", NULL);
    assert_differences(document, "t", "different 1 t:1 price: 1.0 > 2");
    json_t *columns = rp_json_at(document, "entities.t.columns");
    cr_assert(eq(sz, json_array_size(columns), 1));
    cr_assert(eq(str, (char *)rp_json_text(columns, "0.column"), "price"));
    rp_file_drop(mapping);
}

/* ---- rows ---- */

Test(reconcile_types, rows_that_one_side_lacks) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = make_table(test_case, TRUE);
    fill(test_case, TRUE);
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "DELETE FROM t WHERE id = 'c_int4'; INSERT INTO t (id, c_int4) VALUES ('new', 5)");
    rp_case_redis(test_case, "DEL t:c_text");
    rp_case_redis(test_case, "HSET t:%b c_int4 7", "\xc3\xa9 \"1", (size_t)5);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(json_t) document =
            reconcile(test_case, mapping, 1, "--level", i == 0 ? "rows" : "fields", NULL);
        assert_differences(document, "t",
                           "extra c_text\nextra new\nmissing c_int4 t:c_int4\n"
                           "missing \xc3\xa9 \"1 t:\xc3\xa9 \"1");
    }
    g_autoptr(json_t) counts = reconcile(test_case, mapping, 1, "--level", "counts", NULL);
    assert_differences(counts, "t", "");
    rp_file_drop(mapping);
}

/* Numbers agree, and what they are numbers of does not. */
Test(reconcile_types, level_counts_sees_only_numbers_and_sums) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = make_table(test_case, FALSE);
    fill(test_case, FALSE);
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET c_text = 'other' WHERE id = 'nulls'");
    g_autoptr(json_t) blind = reconcile(test_case, mapping, 0, "--level", "counts", NULL);
    rp_case_sql(test_case, "UPDATE t SET c_numeric = 1 WHERE id = 'nulls'");
    g_autoptr(json_t) seeing = reconcile(test_case, mapping, 1, "--level", "counts", NULL);
    cr_assert(eq(i64, rp_json_number(seeing, "entities.t.different"), 0));
    assert_differences(seeing, "t", "");
    rp_file_drop(mapping);
}

Test(reconcile_types, identities_of_several_types) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 't:{any}', type: hash, table: t, key: [net, n, "
                      "at, code, zero], columns: {net: net, n: n, at: at, code: code, zero: zero, v: v}}\n");
    rp_case_sql(test_case,
                "CREATE TABLE t (v text, zero float8, code char(3), at timestamptz, n numeric, net inet, "
                "PRIMARY KEY (net, n, at, code, zero))");
    for (guint i = 0; i < 3; i++)
        rp_case_redis(test_case, "HSET t:%u net 10.0.0.1 n 1.0 at 2025-01-0%uT00:00:00Z code a zero -0 v x",
                      i, i + 1);
    load_equal(test_case, mapping);
    rp_case_sql(test_case, "UPDATE t SET n = 1.00, zero = 0, net = '10.0.0.1/32'");
    g_autoptr(json_t) equal = reconcile(test_case, mapping, 0, NULL);
    rp_case_sql(test_case,
                "UPDATE t SET v = 'y' WHERE at = '2025-01-01'; UPDATE t SET net = '::1/64' WHERE at = "
                "'2025-01-02'");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_differences(document, "t",
                       "different 10.0.0.1/32 1.0 2025-01-01 00:00:00+00 a -0 t:0 v: x > y\n"
                       "extra ::1/64 1.00 2025-01-02 00:00:00+00 a 0\n"
                       "missing 10.0.0.1/32 1.0 2025-01-02 00:00:00+00 a -0 t:1");
    rp_file_drop(mapping);
}
