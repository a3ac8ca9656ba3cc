/* Rolling back rows of all kinds: what comes back is what was there, byte for byte. */
#include "undo.h"

#include <string.h>

#define assert_same(a, b) cr_assert(strcmp((a), (b)) == 0, "%.4000s\ninstead of\n%.4000s", (a), (b))

#define HEAD "redis2pg: 1\nentities:\n  items:\n    keys: \"item:{id}\"\n    type: hash\n"

static json_t *load(RpCase *test_case, const char *text) {
    char *path = rp_file_write(text);
    json_t *run = rp_case_load(test_case, 0, "--mapping", path, NULL);
    rp_file_drop(path);
    return run;
}

static void set_item(RpCase *test_case, guint id, const char *value) {
    rp_case_redis(test_case, "HSET item:%u v %s", id, value);
}

/* Values that JSON would lose or bend, beside the one column that the mapping writes. */
static const char *const TYPES[][3] = {
    {"jsonb", "'null'", "'{\"a\": [1, null, \"x\"]}'"},
    {"jsonb", "'\"text\"'", "'3.10'"},
    {"json", "'null'", "' { \"b\" : 1,  \"b\" : 2 } '"},
    {"json[]", "'{\"{\\\"a\\\": null}\",null}'", "'{}'"},
    {"int[]", "'[3:5]={1,NULL,3}'", "'{{1,2},{3,4}}'"},
    {"text[]", "'{NULL,\"NULL\",\"\",\"a\\\"b\"}'", "'{}'"},
    {"bytea", "'\\x00ff5c27'", "''"},
    {"numeric", "1.2300", "'NaN'"},
    {"numeric", "123456789012345678901234567890.000000001", "-0.0"},
    {"float8", "0.1::float8 + 0.2", "'-0'"},
    {"float8", "'Infinity'", "'NaN'"},
    {"float4", "1e-38", "3.4028235e38"},
    {"timestamptz", "'0044-03-15 12:00:00.000001+00 BC'", "'infinity'"},
    {"timestamptz", "'294276-12-31 23:59:59.999999+00'", "'-infinity'"},
    {"timestamp", "'2025-01-02 03:04:05.678901'", "'10000-01-01 00:00:00'"},
    {"date", "'4713-01-01 BC'", "'infinity'"},
    {"time", "'24:00:00'", "'00:00:00.000001'"},
    {"timetz", "'12:00:00-03:30'", "'00:00:00+15:59'"},
    {"interval", "'1 year -2 mons 3 days -04:05:06.7'", "'30 days'"},
    {"char(5)", "'a'", "'     '"},
    {"varchar(3)", "''", "'  '"},
    {"text", "E'line\\nback\\\\slash \"quote\" \\u00e9 \\x7f'", "'null'"},
    {"\"char\"", "'x'", "''"},
    {"name", "'a b'", "''"},
    {"boolean", "true", "false"},
    {"int8", "9223372036854775807", "-9223372036854775808"},
    {"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"},
    {"bit(3)", "'101'", "'000'"},
    {"varbit", "'1'", "''"},
    {"inet", "'10.1.2.3/8'", "'::1'"},
    {"macaddr", "'08:00:2b:01:02:03'", "'00:00:00:00:00:00'"},
    {"point", "'(0.1,-1e300)'", "'(NaN,Infinity)'"},
    {"int4range", "'empty'", "'[1,)'"},
    {"tsvector", "'''a b'':1A c'", "''"},
    {"money", "12.34", "-1"},
    {"xml", "'<a>&lt;</a>'", "'text'"},
    {"pair", "ROW(NULL, '{\"k\": null}')", "ROW('a,b\"', 'null')"},
    {"mood", "'so so'", "'fine'"},
    {"small", "7", "1"},
    {"doc", "'null'", "'{\"a\":1}'"},
    {"pair[]", "ARRAY[ROW('x', 'null')::pair, NULL]", "'{}'"},
};

static void create_items(RpCase *test_case) {
    g_autoptr(GString) columns = g_string_new(NULL);
    g_autoptr(GString) first = g_string_new(NULL);
    g_autoptr(GString) second = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        g_string_append_printf(columns, ", c%u %s", i, TYPES[i][0]);
        g_string_append_printf(first, ", %s", TYPES[i][1]);
        g_string_append_printf(second, ", %s", TYPES[i][2]);
    }
    g_autofree char *sql = g_strdup_printf(
        "CREATE TYPE pair AS (a text, b jsonb); CREATE TYPE mood AS ENUM ('so so', 'fine');"
        "CREATE DOMAIN small AS int CHECK (VALUE < 10); CREATE DOMAIN doc AS jsonb;"
        "CREATE TABLE items (id int PRIMARY KEY, v text%s);"
        "INSERT INTO items VALUES (1, 'a'%s), (2, 'b'%s); INSERT INTO items (id, v) VALUES (3, 'c')",
        columns->str, first->str, second->str);
    rp_case_sql(test_case, sql);
}

static const char ITEMS[] =
    HEAD "    table: items\n    key: [id]\n    columns:\n      id: $key.id\n      v: v\n";

/* row_to_json and text of the row hide nothing between them; record_image would compare the bytes. */
static char *item_rows(RpCase *test_case) {
    return rp_case_sql_rows(test_case, "SELECT t::text FROM items t ORDER BY id");
}

Test(rollback_values, of_every_type_come_back_as_they_were) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    create_items(test_case);
    rp_case_sql(test_case, "CREATE TABLE before AS SELECT * FROM items");
    g_autofree char *before = item_rows(test_case);
    for (guint id = 1; id <= 3; id++)
        set_item(test_case, id, "new");
    g_autoptr(json_t) run = load(test_case, ITEMS);
    rp_assert_account(run, "items", "read 3, updated 3");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_assert_undone(undone, "public.items", "restored 3");
    g_autofree char *after = item_rows(test_case);
    assert_same(after, before);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM items i JOIN before b USING (id) WHERE i *= b", "3");
}

/* Of rows that were deleted and are inserted again too. */
Test(rollback_values, of_every_type_come_back_when_they_were_deleted) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    create_items(test_case);
    rp_case_sql(test_case, "CREATE TABLE sample AS SELECT * FROM items; DELETE FROM items");
    for (guint id = 1; id <= 3; id++)
        set_item(test_case, id, "new");
    g_autoptr(json_t) run = load(test_case, ITEMS);
    rp_case_sql(test_case, "SELECT 1");
    /* As if the run had written them all: the rows get their values in its transaction's place. */
    g_autofree char *columns = rp_case_sql_text(
        test_case, "SELECT string_agg(format('%I = s.%I', attname, attname), ', ') FROM pg_attribute "
                   "WHERE attrelid = 'items'::regclass AND attnum > 2");
    g_autofree char *update = g_strdup_printf("BEGIN; UPDATE items i SET %s FROM sample s WHERE s.id = i.id; "
                                              "INSERT INTO redis2pg.batches (run, pass, number, "
                                              "cursor_after, is_pass_end, keys_scanned, keys_mapped, "
                                              "keys_ignored, keys_unmapped) VALUES (1, 9, 9, 0, true, 0, "
                                              "0, 0, 0); COMMIT",
                                              columns);
    rp_case_sql(test_case, update);
    rp_case_sql(test_case, "CREATE TABLE before AS SELECT * FROM items");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_assert_undone(undone, "public.items", "deleted 3");
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_assert_undone(back, "public.items", "reinserted 3");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM items i JOIN before b USING (id) WHERE i *= b", "3");
}

/* Generated and identity columns, quoted names, a key of two columns, triggers that always fire. */
Test(rollback_values, of_odd_tables_come_back) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(
        test_case,
        "CREATE SCHEMA \"My Schema\"; CREATE TABLE \"My Schema\".\"Odd \"\"Table\" (\"Key A\" int, "
        "\"written\" text, "
        "\"v %s\" text, \"select\" int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (\"Key "
        "A\" * 2) "
        "STORED, touched int NOT NULL DEFAULT 0, gone int, PRIMARY KEY (\"Key A\", \"written\"));"
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.touched := 99; RETURN NEW; "
        "END$$;"
        "CREATE TRIGGER \"Touch It\" BEFORE INSERT OR UPDATE ON \"My Schema\".\"Odd \"\"Table\" FOR EACH ROW "
        "EXECUTE "
        "FUNCTION touch(); ALTER TABLE \"My Schema\".\"Odd \"\"Table\" ENABLE ALWAYS TRIGGER \"Touch It\";"
        "INSERT INTO \"My Schema\".\"Odd \"\"Table\" (\"Key A\", \"written\", \"v %s\") VALUES (1, 'it''s', "
        "'a'), (2, "
        "'x', 'b'); ALTER TABLE \"My Schema\".\"Odd \"\"Table\" DISABLE TRIGGER \"Touch It\"; UPDATE \"My "
        "Schema\".\"Odd \"\"Table\" SET touched = 7; ALTER TABLE \"My Schema\".\"Odd \"\"Table\" ENABLE "
        "ALWAYS TRIGGER "
        "\"Touch It\"");
    static const char *const ROWS = "SELECT t::text FROM \"My Schema\".\"Odd \"\"Table\" t ORDER BY 1";
    static const char *const TRIGGER = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'Touch It'";
    rp_case_redis(test_case, "HSET item:1:it's v new");
    rp_case_redis(test_case, "HSET item:3:y v new");
    g_autofree char *before = rp_case_sql_rows(test_case, ROWS);
    g_autoptr(json_t) run = load(
        test_case,
        "redis2pg: 1\nentities:\n  items:\n    keys: \"item:{a}:{b}\"\n    type: hash\n    table: 'My "
        "Schema.Odd \"Table'\n    key: [Key A, written]\n    columns:\n      Key A: $key.a\n      written: "
        "$key.b\n      \"v %s\": v\n");
    rp_assert_account(run, "items", "read 2, inserted 1, updated 1");
    g_autofree char *changed = rp_case_sql_rows(test_case, ROWS);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    g_autofree char *after = rp_case_sql_rows(test_case, ROWS);
    assert_same(after, before);
    rp_case_assert_rows(test_case, TRIGGER, "A");
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "2", NULL);
    g_autofree char *again = rp_case_sql_rows(test_case, ROWS);
    assert_same(again, changed);
    rp_case_assert_rows(test_case, TRIGGER, "A");
}

/* The statements of a rollback have names of their own, which columns may have too. */
Test(rollback_values, of_columns_that_are_called_as_in_our_statements) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(
        test_case,
        "CREATE TYPE pair AS (x int); CREATE TABLE t (t text PRIMARY KEY, s text, u text, x pair DEFAULT "
        "ROW(5), i int, gone int, log int, written int, c int, o int, k int, key int, before int, undo int, "
        "writer int, a int, n int, l int, kept int, b int, w int, now int);"
        "INSERT INTO t (t, s, b, now, writer) VALUES ('1', 'old', 2, 3, 4)");
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 't:{t}', type: hash, table: t, key: [t],\n"
                      "    columns: {t: $key.t, s: s, u: u, c: c}}\n");
    g_autofree char *before = rp_case_sql_rows(test_case, "SELECT * FROM t ORDER BY t");
    rp_case_redis(test_case, "HSET t:1 s a u b c 3");
    rp_case_redis(test_case, "HSET t:2 s a u b c 3");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--mapping", mapping, NULL);
    rp_file_drop(mapping);
    g_autofree char *changed = rp_case_sql_rows(test_case, "SELECT * FROM t ORDER BY t");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_case_assert_rows(test_case, "SELECT * FROM t ORDER BY t", before);
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_case_assert_rows(test_case, "SELECT * FROM t ORDER BY t", changed);
    rp_case_sql(test_case, "UPDATE t SET now = 1");
    g_autoptr(json_t) kept = rp_case_roll_back(test_case, 6, "3", NULL);
    rp_assert_undone(kept, "public.t", "kept 2");
}

/* A column that is gone is left out, one that is new is left alone. */
Test(rollback_values, of_columns_that_came_and_went_are_passed_over) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(
        test_case,
        "CREATE TABLE items (id int PRIMARY KEY, v text, old text); INSERT INTO items VALUES (1, 'a', 'o')");
    set_item(test_case, 1, "new");
    g_autoptr(json_t) run = load(test_case, ITEMS);
    rp_case_sql(test_case,
                "ALTER TABLE items DROP COLUMN old; ALTER TABLE items ADD COLUMN young text DEFAULT 'y'");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_case_assert_rows(test_case, "SELECT * FROM items", "1|a|y");
}

/* A table in partitions: keys, triggers and references of each. */
Test(rollback_values, of_partitions_come_back) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE items (id int PRIMARY KEY, v text, t int DEFAULT 0) PARTITION BY "
                           "RANGE (id); CREATE TABLE "
                           "items_a PARTITION OF items FOR VALUES FROM (0) TO (10); CREATE TABLE items_b "
                           "PARTITION OF items FOR VALUES "
                           "FROM (10) TO (20); CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
                           "$$BEGIN NEW.t := NEW.t + 1; "
                           "RETURN NEW; END$$; CREATE TRIGGER touch BEFORE UPDATE ON items FOR EACH ROW "
                           "EXECUTE FUNCTION touch(); "
                           "INSERT INTO items VALUES (1, 'a'), (11, 'b'); CREATE TABLE notes (item int "
                           "REFERENCES items ON DELETE "
                           "CASCADE, part int REFERENCES items_b ON DELETE CASCADE) PARTITION BY LIST "
                           "(item); CREATE TABLE notes_a "
                           "PARTITION OF notes DEFAULT");
    g_autofree char *before = item_rows(test_case);
    static const guint IDS[] = {1, 2, 3, 11, 12, 13};
    for (guint i = 0; i < G_N_ELEMENTS(IDS); i++)
        set_item(test_case, IDS[i], "new");
    g_autoptr(json_t) run = load(test_case, ITEMS);
    rp_assert_account(run, "items", "read 6, inserted 4, updated 2");
    rp_case_sql(test_case, "INSERT INTO notes VALUES (2, NULL), (NULL, 12)");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "1", NULL);
    rp_assert_undone(undone, "public.items", "deleted 2, restored 2, kept 2");
    rp_case_assert_rows(test_case, "SELECT * FROM notes ORDER BY 1", "2|null\nnull|12");
    rp_case_sql(test_case, "DELETE FROM items WHERE v = 'new'");
    g_autofree char *after = item_rows(test_case);
    assert_same(after, before);
}

/* References over two columns, of which one may be NULL, and within the table itself. */
Test(rollback_values, of_tables_that_refer_to_themselves) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(
        test_case,
        "CREATE TABLE items (id int PRIMARY KEY, v text, up int REFERENCES items ON DELETE CASCADE, UNIQUE "
        "(id, v)); CREATE TABLE notes (item int, v text, FOREIGN KEY (item, v) REFERENCES items (id, v) ON "
        "DELETE SET NULL)");
    for (guint id = 1; id <= 8; id++)
        set_item(test_case, id, "new");
    g_autoptr(json_t) run = load(test_case, ITEMS);
    /* As the run left them, in a chain from 8 to 1; 5 belongs to somebody else, 7 has a note; 6 to 8 can go
     * only if nothing below them stays. */
    rp_case_sql(
        test_case,
        "BEGIN; UPDATE items SET up = id - 1 WHERE id > 1; INSERT INTO redis2pg.batches (run, pass, number, "
        "cursor_after, is_pass_end, keys_scanned, keys_mapped, keys_ignored, keys_unmapped) VALUES (1, 9, "
        "9, 0, true, 0, 0, 0, 0); COMMIT; UPDATE items SET v = 'theirs' WHERE id = 5;"
        "INSERT INTO notes VALUES (7, 'new'), (8, NULL)");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "1", NULL);
    rp_assert_undone(undone, "public.items", "deleted 1, kept 7");
    rp_case_assert_rows(test_case, "SELECT id, v, up FROM items ORDER BY id",
                        "1|new|null\n2|new|1\n3|new|2\n4|new|3\n5|theirs|4\n6|new|5\n7|new|6");
    rp_case_assert_rows(test_case, "SELECT * FROM notes ORDER BY 1", "7|new\n8|null");
    rp_case_sql(test_case, "DELETE FROM notes");
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_assert_undone(back, "public.items", "reinserted 1");
}

/* What was in a column that is there no more cannot come back: that is said, once. */
Test(rollback_values, of_a_column_that_was_renamed) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_customer(test_case, "c2");
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_redis(test_case, "HSET customer:c1 email new@example.com");
    rp_case_redis(test_case, "HSET customer:c2 email other@example.com");
    g_autoptr(json_t) second = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, "ALTER TABLE users RENAME COLUMN email TO mail");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rollback", "2", NULL);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.errors, "table public.users has no column email any more");
    rp_case_assert_rows(test_case, "SELECT mail FROM users ORDER BY 1", "new@example.com\nother@example.com");
}

/* ---- a role that owns nothing ---- */

static void grant_all(RpCase *test_case, const char *role) {
    g_autofree char *sql =
        g_strdup_printf("DO $$BEGIN IF to_regrole('%s') IS NULL THEN CREATE ROLE %s LOGIN; END IF; END$$; "
                        "GRANT SELECT, INSERT, UPDATE, DELETE "
                        "ON users, orders, payments TO %s; GRANT CREATE ON DATABASE case_%u TO %s",
                        role, role, role, test_case->number, role);
    rp_case_sql(test_case, sql);
}

Test(rollback_values, by_a_role_that_does_not_own_the_table) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *role = g_strdup_printf("mover_%u", test_case->number);
    grant_all(test_case, role);
    g_autofree char *conninfo = g_strdup_printf("%s user=%s", test_case->conninfo, role);
    rp_case_add_customer(test_case, "c1");
    g_autoptr(json_t) first = rp_case_load(test_case, 0, "--postgres", conninfo, NULL);
    rp_case_redis(test_case, "HSET customer:c1 email new@example.com");
    g_autoptr(json_t) second = rp_case_load(test_case, 0, "--postgres", conninfo, NULL);
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "--postgres", conninfo, "rollback", "2", NULL);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.errors,
                   "trigger public.users: users_set_updated_at stays on, because this role does not own");
    rp_case_assert_rows(test_case, "SELECT email, updated_at > created_at FROM users", "c1@example.com|t");
    /* Rows that would follow a delete have to be seen. */
    rp_case_sql(test_case, "CREATE TABLE notes (u uuid REFERENCES users ON DELETE CASCADE)");
    g_auto(RpOutcome) refused = {0};
    rp_case_run(test_case, &refused, "--postgres", conninfo, "rollback", "1", NULL);
    rp_outcome_assert_status(&refused, 2);
    rp_assert_says(refused.errors, "GRANT SELECT ON public.notes");
    g_autofree char *drop = g_strdup_printf("DROP OWNED BY %s CASCADE; DROP ROLE %s", role, role);
    rp_case_sql(test_case, drop);
}
