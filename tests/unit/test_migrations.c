/* Versions, file names, checksums, statements: what the migrations decide without a server. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "migrations/checksum.h"
#include "migrations/execute.h"
#include "migrations/migrations.h"
#include "migrations/split.h"
#include "migrations/version.h"

/* ---- versions ---- */

static void assert_version(const char *text, const char *expected) {
    g_autofree char *version = rp_version_parse(text);
    cr_assert(g_strcmp0(version, expected) == 0, "\"%s\" gave %s, not %s", text,
              version != NULL ? version : "NULL", expected != NULL ? expected : "NULL");
}

Test(version, has_one_normal_form) {
    assert_version("1", "1");
    assert_version("001", "1");
    assert_version("1.0", "1");
    assert_version("1.0.0", "1");
    assert_version("1.02", "1.2");
    assert_version("0.1", "0.1");
    assert_version("1.0.2", "1.0.2");
    assert_version("10", "10");
    assert_version("0", "0");
    assert_version("000", "0");
    assert_version("20240131120000123456789", "20240131120000123456789");
}

Test(version, is_numbers_and_dots) {
    static const char *const BAD[] = {"",   ".",  "1.", ".1",  "1..2", "a",  "1a",
                                      "-1", "1 ", " 1", "1_2", "+1",   "1,2"};
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        assert_version(BAD[i], NULL);
}

static void assert_order(const char *smaller, const char *greater) {
    cr_assert(rp_version_compare(smaller, greater) < 0, "%s is not before %s", smaller, greater);
    cr_assert(rp_version_compare(greater, smaller) > 0, "%s is not after %s", greater, smaller);
    cr_assert(rp_version_compare(smaller, smaller) == 0);
}

Test(version, compares_as_numbers) {
    assert_order("2", "10");
    assert_order("1.2", "1.10");
    assert_order("1", "1.1");
    assert_order("1.9.9", "2");
    assert_order("0.1", "1");
    assert_order("0", "0.0.1");
    assert_order("1.0.2", "1.2");
    assert_order("99999999999999999998", "99999999999999999999");
    assert_order("18446744073709551616", "18446744073709551617"); /* beyond 64 bits */
}

/* ---- file names ---- */

static void assert_name(const char *name, RpScriptNameKind kind, const char *version,
                        const char *description) {
    g_autofree char *read_version = NULL;
    g_autofree char *read_description = NULL;
    const RpScriptNameKind read_kind = rp_script_name_parse(name, &read_version, &read_description);
    cr_assert(read_kind == kind, "%s is of kind %d, not %d", name, (int)read_kind, (int)kind);
    cr_assert(g_strcmp0(read_version, version) == 0, "%s has version %s", name, read_version);
    cr_assert(g_strcmp0(read_description, description) == 0, "%s is described as %s", name, read_description);
}

Test(script_name, gives_version_and_description) {
    assert_name("V1.2__text.sql", RP_SCRIPT_NAME_VERSIONED, "1.2", "text");
    assert_name("V001__add_an_index.sql", RP_SCRIPT_NAME_VERSIONED, "1", "add an index");
    assert_name("V3__a__b.sql", RP_SCRIPT_NAME_VERSIONED, "3", "a  b");
    assert_name("U001__text.sql", RP_SCRIPT_NAME_UNDO, "1", "text");
    assert_name("V2__a.b-c.sql", RP_SCRIPT_NAME_VERSIONED, "2", "a.b-c");
}

Test(script_name, of_other_files_is_left_alone) {
    static const char *const OTHER[] = {"README.md", "R__view.sql", "seed.sql", "v1__x.sql",
                                        "1__x.sql",  ".V1__x.sql",  ""};
    for (guint i = 0; i < G_N_ELEMENTS(OTHER); i++)
        assert_name(OTHER[i], RP_SCRIPT_NAME_OTHER, NULL, NULL);
}

Test(script_name, that_begins_like_ours_must_go_on_like_ours) {
    static const char *const BAD[] = {"V1_text.sql",
                                      "V__text.sql",
                                      "V1__.sql",
                                      "V1__text.SQL",
                                      "V1__text.sql~",
                                      "V1.__x.sql",
                                      "Vx__text.sql",
                                      "V1__text",
                                      "V",
                                      "U",
                                      "U1_text.sql",
                                      "V1.a__x.sql",
                                      "V-1__x.sql",
                                      "V1__text.sql.bak",
                                      "V1__sql",
                                      "Vagrantfile"};
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        assert_name(BAD[i], RP_SCRIPT_NAME_BAD, NULL, NULL);
}

/* ---- checksums: expected values from zlib's crc32 over the lines that Python reads ---- */

typedef struct {
    const char *text;
    gint32 checksum;
} ChecksumCase;

Test(checksum, is_flyways) {
    static const ChecksumCase CASES[] = {
        {"", 0},
        {"\n", 0},
        {"SELECT 1", 1719613851},
        {"SELECT 1\n", 1719613851},
        {"123456789", -873187034},
        {"1234\n56789", -873187034},
        {"a\r\nb\r\n", -1635563411},
        {"a\nb", -1635563411},
        {"a\rb", -1635563411},
        {"ab", -1635563411},
        {"\xef\xbb\xbfSELECT 1\n", 1719613851},
        {"SELECT '\xe2\x98\x83 \xc3\xa9';\n\n-- x\n", 34235027},
        {"SELECT \xef\xbb\xbf"
         "1",
         -46529948},
        {" SELECT 1", 1738895615},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const gint32 checksum = rp_migration_checksum(CASES[i].text, strlen(CASES[i].text));
        cr_assert(checksum == CASES[i].checksum, "case %u gave %d, not %d", i, checksum, CASES[i].checksum);
    }
}

/* ---- statements ---- */

typedef struct {
    const char *sql;
    const char *statements; /* each with its line: "1:SELECT 1|2:SELECT 2" */
} SplitCase;

static const SplitCase SPLITS[] = {
    {"", ""},
    {"  \n\t ", ""},
    {";;  ; -- nothing\n/* nothing; */ ;", ""},
    {"SELECT 1", "1:SELECT 1"},
    {"SELECT 1;", "1:SELECT 1"},
    {"SELECT 1 ;\nSELECT 2\n;", "1:SELECT 1|2:SELECT 2"},
    {"\n\n-- first\nSELECT 1; SELECT 2;\r\nSELECT 3", "4:SELECT 1|4:SELECT 2|5:SELECT 3"},
    {"SELECT 1; -- tail; of the file\n/* and; more */", "1:SELECT 1"},
    {"SELECT -- a; b\n1; SELECT 2", "1:SELECT -- a; b\n1|2:SELECT 2"},
    {"SELECT /* a; /* nested; */ b; */ 1; SELECT 2", "1:SELECT /* a; /* nested; */ b; */ 1|1:SELECT 2"},
    {"SELECT /* '; */ 1; SELECT /* \n\n */ 2", "1:SELECT /* '; */ 1|1:SELECT /* \n\n */ 2"},
    {"SELECT 1 */* ; */ 2; SELECT 3", "1:SELECT 1 */* ; */ 2|1:SELECT 3"},
    {"SELECT 1 -- it's\n; SELECT 2", "1:SELECT 1 -- it's|2:SELECT 2"},
    /* quotes */
    {"SELECT 'a;b'; SELECT 2", "1:SELECT 'a;b'|1:SELECT 2"},
    {"SELECT 'it''s; fine'; SELECT 2", "1:SELECT 'it''s; fine'|1:SELECT 2"},
    {"SELECT 'a\nb;\nc'; SELECT 2", "1:SELECT 'a\nb;\nc'|3:SELECT 2"},
    {"SELECT '\\'; SELECT 2", "1:SELECT '\\'|1:SELECT 2"},
    {"SELECT E'\\';'; SELECT 2", "1:SELECT E'\\';'|1:SELECT 2"},
    {"SELECT e'\\\\'; SELECT 2", "1:SELECT e'\\\\'|1:SELECT 2"},
    {"SELECT E'a''\\';'; SELECT 2", "1:SELECT E'a''\\';'|1:SELECT 2"},
    {"SELECT E'a'\n'\\';'; SELECT 2", "1:SELECT E'a'\n'\\';'|2:SELECT 2"},
    {"SELECT E'a' -- c\n '\\';'; SELECT 2", "1:SELECT E'a' -- c\n '\\';'|2:SELECT 2"},
    {"SELECT E'a', '\\'; SELECT 2", "1:SELECT E'a', '\\'|1:SELECT 2"},
    {"SELECT 'a'\n'\\'; SELECT 2", "1:SELECT 'a'\n'\\'|2:SELECT 2"},
    {"SELECT date'\\'; SELECT 2", "1:SELECT date'\\'|1:SELECT 2"},
    {"SELECT U&'\\'; SELECT N'\\'; SELECT B'1;'", "1:SELECT U&'\\'|1:SELECT N'\\'|1:SELECT B'1;'"},
    {"SELECT '--'; SELECT '/*'; SELECT '$$'", "1:SELECT '--'|1:SELECT '/*'|1:SELECT '$$'"},
    {"SELECT \"a;b\"; SELECT 2", "1:SELECT \"a;b\"|1:SELECT 2"},
    {"SELECT \"a\"\";\"; SELECT 2", "1:SELECT \"a\"\";\"|1:SELECT 2"},
    {"SELECT \"a'\"; SELECT \"b'\"", "1:SELECT \"a'\"|1:SELECT \"b'\""},
    {"SELECT U&\"a\\\"; SELECT 2", "1:SELECT U&\"a\\\"|1:SELECT 2"},
    /* dollar quotes */
    {"DO $$ BEGIN; END; $$; SELECT 2", "1:DO $$ BEGIN; END; $$|1:SELECT 2"},
    {"DO $a$ $$ ; $b$ ; $a$; SELECT 2", "1:DO $a$ $$ ; $b$ ; $a$|1:SELECT 2"},
    {"DO $\xc3\xa9_1$ ; $\xc3\xa9_1$; SELECT 2", "1:DO $\xc3\xa9_1$ ; $\xc3\xa9_1$|1:SELECT 2"},
    {"DO $$ it's; \" $$; SELECT 2", "1:DO $$ it's; \" $$|1:SELECT 2"},
    {"DO $$\n;\n$$;\nSELECT 2", "1:DO $$\n;\n$$|4:SELECT 2"},
    {"SELECT a$$; SELECT b$$", "1:SELECT a$$|1:SELECT b$$"},
    {"SELECT $1; SELECT $2", "1:SELECT $1|1:SELECT $2"},
    {"SELECT 1$; SELECT 2", "1:SELECT 1$|1:SELECT 2"},
    {"SELECT $1a$; SELECT $1a$", "1:SELECT $1a$|1:SELECT $1a$"},
    {"SELECT $A$ $a$; $A$; SELECT 2", "1:SELECT $A$ $a$; $A$|1:SELECT 2"},
    /* parentheses and routines */
    {"CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); SELECT 3",
     "1:CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)|1:SELECT 3"},
    {"SELECT 1); SELECT 2", "1:SELECT 1)|1:SELECT 2"},
    {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
     "1:CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END|1:SELECT 3"},
    {"create or replace procedure p() begin atomic select case when a then 1 end; end; select 3",
     "1:create or replace procedure p() begin atomic select case when a then 1 end; end|1:select 3"},
    {"BEGIN; SELECT 1; END; SELECT 2", "1:BEGIN|1:SELECT 1|1:END|1:SELECT 2"},
    {"CREATE TABLE t (f text); BEGIN; SELECT 1", "1:CREATE TABLE t (f text)|1:BEGIN|1:SELECT 1"},
    {"CREATE INDEX CONCURRENTLY a ON t (i);\nCREATE INDEX CONCURRENTLY b ON t (j)",
     "1:CREATE INDEX CONCURRENTLY a ON t (i)|2:CREATE INDEX CONCURRENTLY b ON t (j)"},
    /* what is left open goes to the server as it is */
    {"SELECT 'a; SELECT 2", "1:SELECT 'a; SELECT 2"},
    {"SELECT \"a; SELECT 2", "1:SELECT \"a; SELECT 2"},
    {"SELECT $$a; SELECT 2", "1:SELECT $$a; SELECT 2"},
    {"SELECT E'a\\", "1:SELECT E'a\\"},
    {"SELECT E'a'", "1:SELECT E'a'"},
    {"SELECT (1; SELECT 2", "1:SELECT (1; SELECT 2"},
    {"SELECT 1 /* open; ", "1:SELECT 1"},
    {"\xe2\x98\x83; \xe2\x98\x83", "1:\xe2\x98\x83|1:\xe2\x98\x83"},
};

static char *show_split(const char *sql) {
    g_autoptr(GArray) statements = rp_sql_split(sql);
    GString *shown = g_string_new(NULL);
    for (guint i = 0; i < statements->len; i++) {
        const RpStatement *statement = &g_array_index(statements, RpStatement, i);
        g_string_append_printf(shown, "%s%u:%.*s", i > 0 ? "|" : "", statement->line,
                               (int)statement->text.size, statement->text.data);
    }
    return g_string_free(shown, FALSE);
}

Test(split, knows_where_statements_end) {
    for (guint i = 0; i < G_N_ELEMENTS(SPLITS); i++) {
        g_autofree char *shown = show_split(SPLITS[i].sql);
        cr_assert(strcmp(shown, SPLITS[i].statements) == 0, "%s\n gave %s\n  not %s", SPLITS[i].sql, shown,
                  SPLITS[i].statements);
    }
}

static void assert_control(const char *sql, gboolean expected) {
    g_autoptr(GArray) statements = rp_sql_split(sql);
    cr_assert(eq(u32, statements->len, 1));
    cr_assert(rp_statement_is_transaction_control(&g_array_index(statements, RpStatement, 0)) == expected,
              "%s", sql);
}

Test(split, knows_transaction_control) {
    static const char *const CONTROL[] = {"BEGIN",
                                          "begin work",
                                          "START TRANSACTION READ ONLY",
                                          "COMMIT",
                                          "END",
                                          "ROLLBACK",
                                          "rollback work",
                                          "ABORT",
                                          "COMMIT AND CHAIN",
                                          "PREPARE TRANSACTION 'x'",
                                          "/* c */ COMMIT -- d",
                                          "ROLLBACK PREPARED 'x'",
                                          "BEGIN/**/TRANSACTION"};
    static const char *const OTHER[] = {"SELECT 1",
                                        "ROLLBACK TO a",
                                        "ROLLBACK WORK TO SAVEPOINT a",
                                        "SAVEPOINT a",
                                        "PREPARE p AS SELECT 1",
                                        "RELEASE a",
                                        "\"commit\"",
                                        "'commit'",
                                        "(SELECT 1)",
                                        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
                                        "DO $$BEGIN COMMIT; END$$"};
    for (guint i = 0; i < G_N_ELEMENTS(CONTROL); i++)
        assert_control(CONTROL[i], TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(OTHER); i++)
        assert_control(OTHER[i], FALSE);
}

Test(split, counts_characters_for_a_position) {
    const RpSpan sql = RP_SPAN_OF("\xe2\x98\x83\xe2\x98\x83\n\xc3\xa9\nx\n");
    cr_assert(eq(u32, rp_sql_line_of(sql, 0), 1));
    cr_assert(eq(u32, rp_sql_line_of(sql, 1), 1));
    cr_assert(eq(u32, rp_sql_line_of(sql, 3), 1)); /* the newline ends its own line */
    cr_assert(eq(u32, rp_sql_line_of(sql, 4), 2));
    cr_assert(eq(u32, rp_sql_line_of(sql, 6), 3));
    cr_assert(eq(u32, rp_sql_line_of(sql, 1000), 4));
}

/* ---- sets of files ---- */

static char *folder;

static void make_folder(void) {
    folder = g_dir_make_tmp("redis2pg-migrations-XXXXXX", NULL);
    cr_assert(folder != NULL);
}

static void remove_folder(void) {
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_remove(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
    g_free(folder);
}

static void write_file(const char *name, const char *text) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    cr_assert(g_file_set_contents(path, text, -1, NULL));
}

TestSuite(set, .init = make_folder, .fini = remove_folder);

Test(set, orders_versions_and_pairs_undo_files) {
    write_file("V10__ten.sql", "SELECT 10");
    write_file("V2__two.sql", "\xef\xbb\xbfSELECT 2\r\n");
    write_file("U002__back.sql", "SELECT -2");
    write_file("V1.10__x.sql", "-- redis2pg: no-transaction  \r\nSELECT 1");
    write_file("V1.2__x.sql", "\n-- redis2pg: no-transaction\nSELECT 1");
    write_file("README.md", "not SQL");
    g_autoptr(GError) error = NULL;
    g_autoptr(RpMigrationSet) set = rp_migration_set_load_folder(folder, &error);
    cr_assert(set != NULL, "%s", error != NULL ? error->message : "");
    cr_assert(eq(u32, rp_migration_set_get_size(set), 4));
    static const char *const VERSIONS[] = {"1.2", "1.10", "2", "10"};
    for (guint i = 0; i < G_N_ELEMENTS(VERSIONS); i++)
        cr_assert(eq(str, rp_migration_set_get(set, i)->version, (char *)VERSIONS[i]));
    const RpMigration *two = rp_migration_set_find(set, "2");
    cr_assert(eq(str, two->description, "two"));
    cr_assert(eq(str, two->undo->name, "U002__back.sql"));
    cr_assert(eq(str, two->apply->sql, "SELECT 2\r\n"));
    cr_assert(eq(i32, two->apply->checksum, rp_migration_checksum("SELECT 2", 8)));
    cr_assert(rp_migration_set_find(set, "10")->undo == NULL);
    cr_assert(rp_migration_set_find(set, "1.10")->apply->is_transactional == FALSE);
    cr_assert(rp_migration_set_find(set, "1.2")->apply->is_transactional, "only the first line counts");
    cr_assert(rp_migration_set_find(set, "3") == NULL);
}

static void assert_refused(const char *first, const char *second) {
    g_autoptr(GError) error = NULL;
    g_autoptr(RpMigrationSet) set = rp_migration_set_load_folder(folder, &error);
    cr_assert(set == NULL);
    cr_assert(g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID));
    cr_assert(strstr(error->message, first) != NULL && strstr(error->message, second) != NULL, "%s",
              error->message);
}

Test(set, refuses_two_files_of_one_version) {
    write_file("V1__a.sql", "");
    write_file("V001.0__b.sql", "");
    assert_refused("V1__a.sql", "V001.0__b.sql");
}

Test(set, refuses_two_undo_files_of_one_version) {
    write_file("V1__a.sql", "");
    write_file("U1__a.sql", "");
    write_file("U01__b.sql", "");
    assert_refused("U1__a.sql", "U01__b.sql");
}

Test(set, refuses_a_name_that_it_cannot_read) {
    write_file("V1_a.sql", "");
    assert_refused("V1_a.sql", "version");
}

Test(set, refuses_text_that_is_not_utf8) {
    write_file("V1__a.sql", "SELECT '\xff'");
    assert_refused("V1__a.sql", "UTF-8");
}

Test(set, refuses_a_folder_that_is_not_there) {
    g_autoptr(GError) error = NULL;
    cr_assert(rp_migration_set_load_folder("/there/is/no/such/folder", &error) == NULL);
    cr_assert(g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID));
}

Test(set, leaves_an_undo_file_without_version_out) {
    write_file("U1__a.sql", "");
    g_autoptr(RpMigrationSet) set = rp_migration_set_load_folder(folder, NULL);
    cr_assert(set != NULL);
    cr_assert(eq(u32, rp_migration_set_get_size(set), 0));
}

Test(set, finds_the_ledger_in_the_program) {
    g_autoptr(GError) error = NULL;
    g_autoptr(RpMigrationSet) set = rp_migration_set_load_resource("/org/redis2pg/ledger", &error);
    cr_assert(set != NULL, "%s", error != NULL ? error->message : "");
    const RpMigration *first = rp_migration_set_find(set, "1");
    cr_assert(first != NULL && first->undo != NULL);
    cr_assert(strlen(first->apply->sql) > 0);
    cr_assert(rp_execute_check(first->apply, &error), "%s", error != NULL ? error->message : "");
}

Test(set, of_a_resource_that_is_not_there_is_refused) {
    g_autoptr(GError) error = NULL;
    cr_assert(rp_migration_set_load_resource("/org/redis2pg/nothing", &error) == NULL);
    cr_assert(g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID));
}

/* ---- files that run in a transaction ---- */

Test(set, a_file_must_not_commit) {
    write_file("V1__a.sql", "CREATE TABLE a (i int);\n\nCOMMIT;");
    write_file("V2__b.sql", "-- redis2pg: no-transaction\nBEGIN; SELECT 1; COMMIT");
    g_autoptr(GError) error = NULL;
    g_autoptr(RpMigrationSet) set = rp_migration_set_load_folder(folder, NULL);
    cr_assert(rp_execute_check(rp_migration_set_find(set, "2")->apply, NULL));
    cr_assert(rp_execute_check(rp_migration_set_find(set, "1")->apply, &error) == FALSE);
    cr_assert(strstr(error->message, "V1__a.sql:3: COMMIT") != NULL, "%s", error->message);
}

/* ---- states ---- */

static void add_entry(RpHistory *history, const char *version, gint32 checksum) {
    RpHistoryEntry *entry = g_new0(RpHistoryEntry, 1);
    entry->version = g_strdup(version);
    entry->description = g_strdup("recorded");
    entry->script = g_strdup_printf("V%s__recorded.sql", version);
    entry->checksum = checksum;
    entry->applied_by = g_strdup("somebody");
    entry->applied_at = g_strdup("2026-01-01T00:00:00Z");
    g_ptr_array_add(history->entries, entry);
}

static void assert_state(const GPtrArray *states, guint index, const char *version,
                         RpMigrationStanding standing, const char *fault) {
    const RpMigrationState *state = states->pdata[index];
    g_autofree char *found = rp_migration_state_fault(state);
    cr_assert(eq(str, state->version, (char *)version));
    cr_assert(eq(int, (int)state->standing, (int)standing));
    const gboolean is_expected =
        fault == NULL ? found == NULL : found != NULL && strstr(found, fault) != NULL;
    cr_assert(is_expected, "%s: %s", version, found != NULL ? found : "no fault");
}

static void entry_free(gpointer data) {
    RpHistoryEntry *entry = data;
    g_free(entry->version);
    g_free(entry->description);
    g_free(entry->script);
    g_free(entry->applied_by);
    g_free(entry->applied_at);
    g_free(entry);
}

Test(set, is_compared_with_the_history) {
    write_file("V1__a.sql", "a");
    write_file("V2__b.sql", "b");
    write_file("V3.5__c.sql", "c");
    write_file("V11__d.sql", "d");
    g_autoptr(RpMigrationSet) set = rp_migration_set_load_folder(folder, NULL);
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
    RpHistory history = {.entries = entries};
    add_entry(&history, "1", rp_migration_checksum("a", 1));
    add_entry(&history, "2", 17);
    add_entry(&history, "3", 18);
    add_entry(&history, "10", 19);
    g_autoptr(GPtrArray) states = rp_migration_states_new(set, &history);
    cr_assert(eq(u32, states->len, 6));
    assert_state(states, 0, "1", RP_MIGRATION_APPLIED, NULL);
    assert_state(states, 1, "2", RP_MIGRATION_CHANGED, "was 17");
    assert_state(states, 2, "3", RP_MIGRATION_MISSING, "V3__recorded.sql");
    assert_state(states, 3, "3.5", RP_MIGRATION_PENDING, "older than version 10");
    assert_state(states, 4, "10", RP_MIGRATION_MISSING, "missing");
    assert_state(states, 5, "11", RP_MIGRATION_PENDING, NULL);
    g_autoptr(GPtrArray) findings = rp_migrations_verify(states);
    cr_assert(eq(u32, findings->len, 5)); /* all but the first: what is pending counts too */
}
