/* Identities that are made of tuples, against what PostgreSQL itself makes of the same rows. */
#include "encoding.h"
#include "handmade.h"

#include "ledger/identity_json.h"
#include "mapping/mapper.h"

TestSuite(identity_json, .init = encoding_start, .fini = encoding_stop, .timeout = 120);

static RpTable *table;
static RpMapping *mapping;
static RpBatch *batch;

/* A table t of those columns, its key for SQL and for YAML, and an entity of hashes whose columns are the
 * fields of the same names. */
static void bind(const char *definitions, const char *sql_key, const char *key, const char *columns) {
    g_autoptr(GError) error = NULL;
    g_autoptr(RpFindings) findings = rp_findings_new();
    cr_assert(rp_postgres_runf(connection, &error,
                               "DROP TABLE IF EXISTS t; CREATE TABLE t (%s, PRIMARY KEY (%s))", definitions,
                               sql_key),
              "%s", error != NULL ? error->message : "");
    cr_assert(rp_catalog_read_table(connection, "t", &table, &error) && table != NULL);
    g_autofree char *yaml =
        g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n"
                        "    table: t\n    key: [%s]\n    columns: {%s}\n",
                        key, columns);
    mapping = handmade_mapping(yaml, findings);
    rp_entity_bind(g_ptr_array_index(mapping->entities, 0), table, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 0, "%s", shown);
    batch = rp_batch_new(1);
}

static void unbind(void) {
    g_clear_pointer(&batch, rp_batch_free);
    g_clear_pointer(&mapping, rp_mapping_free);
    g_clear_pointer(&table, rp_table_free);
}

/* A hash of fields, which name and value stand for in turn; NULL ends them. */
static void add_hash(const char *const *fields) {
    rp_records_begin(&batch->records, 0, RP_RECORD_HASH, rp_span("t:1"));
    for (; *fields != NULL; fields++)
        rp_records_add_value(&batch->records, rp_span(*fields));
}

static void map(guint n_rows) {
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapping, &(RpOccasion){0}, 1000, 1 << 20);
    rp_mapper_map(mapper, batch);
    cr_assert(batch->tuples[0].rows->len == n_rows, "%u rows", batch->tuples[0].rows->len);
}

static char *identity_of(guint ordinal) {
    g_autoptr(RpIdentityJson) json = rp_identity_json_new(g_ptr_array_index(mapping->entities, 0));
    g_auto(RpBuffer) text = {0};
    rp_identity_json_append(json, &batch->tuples[0], ordinal, &text);
    return g_strndup(text.data, text.size);
}

static char *ask(const char *sql) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, &error);
    cr_assert(result != NULL, "%s: %s", sql, error != NULL ? error->message : "");
    return g_strdup(PQgetvalue(result, 0, 0));
}

/* Each value is the key of a row; theirs gives PostgreSQL's value of the text v. is_exact: the texts are the
 * same; else they are the same value. */
static void assert_type(const char *type, const char *theirs, gboolean is_exact, const char *const *values) {
    g_autofree char *definitions = g_strdup_printf("n integer, c %s", type);
    guint n = 0;
    bind(definitions, "c", "c", "n: n, c: c");
    for (; values[n] != NULL; n++)
        add_hash((const char *const[]){"n", "7", "c", values[n], NULL});
    map(n);
    for (guint i = 0; i < n; i++) {
        g_autofree char *ours = identity_of(i);
        g_autofree char *literal = rp_postgres_literal(connection, values[i]);
        g_autofree char *our_literal = rp_postgres_literal(connection, ours);
        g_autofree char *from =
            g_strdup_printf("(SELECT %s AS c FROM (SELECT %s AS v) s) x", theirs, literal);
        g_autofree char *read = g_strdup_printf(
            "SELECT j.c = x.c FROM json_to_recordset(('[' || %s || ']')::json) AS j (c %s), %s", our_literal,
            type, from);
        g_autofree char *whole = g_strdup_printf("SELECT row_to_json(x) FROM %s", from);
        g_autofree char *expected = ask(whole), *is_read = ask(read);
        cr_assert(!is_exact || strcmp(ours, expected) == 0, "%s is not %s", ours, expected);
        cr_assert(strcmp(is_read, "t") == 0, "%s is read as another value than %s", ours, expected);
    }
    unbind();
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(identity_json, of_every_kind_is_that_of_postgres) {
    static const char *const TEXTS[] = {
        "",
        "a",
        "with \"quotes\" and \\ and /",
        "d\xc3\xa9j\xc3\xa0 \xf0\x9f\x98\x80 \xe2\x80\xa8",
        "\x7f",
        "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19"
        "\x1a\x1b\x1c\x1d\x1e\x1f ",
        "\n",
        "\"",
        "ends with \\",
        "{\"json\": null}",
        NULL};
    assert_type("text", "v::text", TRUE, TEXTS);
    assert_type("varchar(40)", "v::varchar(40)", TRUE, TEXTS);
    assert_type("uuid", "v::uuid", TRUE,
                VALUES("00112233-4455-6677-8899-aabbccddeeff", "ffffffff-ffff-ffff-ffff-ffffffffffff"));
    assert_type("smallint", "v::smallint", TRUE, VALUES("0", "-32768", "32767", "-1"));
    assert_type("integer", "v::integer", TRUE, VALUES("0", "-2147483648", "2147483647", "-10"));
    assert_type("bigint", "v::bigint", TRUE,
                VALUES("0", "-9223372036854775808", "9223372036854775807", "-1"));
    assert_type("boolean", "v::boolean", TRUE, VALUES("true", "false"));
    assert_type("mood", "v::mood", TRUE, VALUES("sad", "d\xc3\xa9j\xc3\xa0 vu", ""));
    assert_type("bytea", "convert_to(v, 'UTF8')", TRUE, VALUES("", "a\\b\"", "\xc3\xa9\x01"));
    assert_type("date", "v::date", TRUE, VALUES("2000-01-01", "1999-12-31", "0001-01-01", "9999-12-31"));
    assert_type("timestamp", "v::timestamp", FALSE,
                VALUES("2000-01-01T00:00:00", "1999-12-31T23:59:59.999999", "2024-02-29T12:30:00.5"));
    assert_type("timestamptz", "v::timestamptz", FALSE,
                VALUES("2000-01-01T00:00:00Z", "1969-12-31T23:59:59.000001Z", "2024-02-29T12:30:00+02"));
}

Test(identity_json, of_several_columns_follows_the_key_and_not_the_tuple) {
    bind("a text, \"odd \"\"name\" integer, b boolean NOT NULL, note text", "a, \"odd \"\"name\", b",
         "a, 'odd \"name', b", "note: note, b: b, 'odd \"name': n, a: a");
    cr_assert(rp_entity_find_column(g_ptr_array_index(mapping->entities, 0), "note") != NULL);
    add_hash((const char *const[]){"a", "x\ty", "n", "-5", "b", "true", NULL}); /* a null stands before */
    add_hash((const char *const[]){"a", "", "n", "0", "b", "false", "note", "something", NULL});
    map(2);
    g_autofree char *first = identity_of(0), *second = identity_of(1);
    g_autofree char *expected =
        ask("SELECT row_to_json(x) FROM (SELECT E'x\\ty' AS a, -5 AS \"odd \"\"name\", true AS b) x");
    cr_assert(strcmp(first, expected) == 0, "%s is not %s", first, expected);
    cr_assert(strcmp(second, "{\"a\":\"\",\"odd \\\"name\":0,\"b\":false}") == 0, "%s", second);
    unbind();
}

static void assert_takes(const char *type, gboolean expected) {
    g_autofree char *definitions = g_strdup_printf("c %s", type);
    bind(definitions, "c", "c", "c: c");
    const RpMapColumn *column = rp_entity_find_column(g_ptr_array_index(mapping->entities, 0), "c");
    cr_assert(rp_identity_json_takes(column) == expected, "%s", type);
    unbind();
}

Test(identity_json, takes_only_what_no_other_value_equals) {
    encoding_run("CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
                 "CREATE DOMAIN code AS varchar(10)");
    assert_takes("text", TRUE);
    assert_takes("code", TRUE);
    assert_takes("varchar(5)", TRUE);
    assert_takes("text COLLATE blind", FALSE);
    assert_takes("char(5)", FALSE);
    assert_takes("numeric", FALSE);
    assert_takes("double precision", FALSE);
    assert_takes("inet", FALSE);
    assert_takes("integer[]", FALSE);
}
