/* `reconcile` and a target that is not as the mapping was bound to it, or that it may not read. */
#include "fault.h"
#include "reconciling.h"

#include <signal.h>

static char *fill(RpCase *test_case) {
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n integer, v text)");
    for (guint i = 0; i < 50; i++)
        rp_case_redis(test_case, "HSET t:%u n %u v a", i, i);
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 't:{id}', type: hash, table: t, key: [id], "
                      "columns: {id: $key.id, n: n, v: v}}\n");
    load_status(test_case, mapping, 0);
    return mapping;
}

/* ---- before ---- */

static void assert_refused(RpCase *test_case, const char *mapping, int status, const char *says) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--json", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, status);
    rp_assert_says(out.errors, says);
}

Test(reconcile_shape, a_column_more_is_named) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    rp_case_sql(test_case, "ALTER TABLE t ADD w text DEFAULT 'x'");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 0, NULL);
    cr_assert(eq(str, (char *)rp_json_text(document, "entities.t.not_compared.0.column"), "w"));
    rp_file_drop(mapping);
}

Test(reconcile_shape, a_column_less_and_a_table_less_are_refused) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    rp_case_sql(test_case, "ALTER TABLE t DROP n");
    assert_refused(test_case, mapping, 2, "\"n\"");
    rp_case_sql(test_case, "DROP TABLE t");
    assert_refused(test_case, mapping, 2, "t");
    rp_file_drop(mapping);
}

/* The mapping is bound to the type that is there: values are equal in it, or they are not. */
Test(reconcile_shape, another_type_is_compared_as_such) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    rp_case_sql(test_case, "ALTER TABLE t ALTER n TYPE numeric(20,5)");
    g_autoptr(json_t) numeric = reconcile(test_case, mapping, 0, NULL);
    rp_case_sql(test_case, "ALTER TABLE t ALTER n TYPE text USING n::text");
    g_autoptr(json_t) text = reconcile(test_case, mapping, 1, NULL);
    assert_counts(text, "t", "source_rows 50, target_rows 50, different 50");
    rp_case_sql(test_case, "ALTER TABLE t ALTER n TYPE boolean USING true");
    g_autoptr(json_t) boolean = reconcile(test_case, mapping, 1, NULL);
    assert_counts(boolean, "t",
                  "source_rows 2, target_rows 50, equal 1, extra 48, different 1, rejected 48, "
                  "unrecorded 48, extra_refused 48");
    rp_file_drop(mapping);
}

/* ---- meanwhile ---- */

/* ALTER waits for the first reading, and goes before the look. */
static void alter_meanwhile(const char *alteration, int status, const char *says) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    rp_case_sql(test_case, "UPDATE t SET v = 'b' WHERE id = '7'");
    const char *const words[] = {"reconcile", "--json", "--mapping", mapping, NULL};
    RpProcess *process = rp_fault_spawn(test_case, "stop:batch_filled:1", words);
    rp_process_await_stopped(process);
    PGconn *other = PQconnectdb(test_case->conninfo);
    cr_assert(PQsendQuery(other, alteration));
    rp_case_await_blocked(test_case, "t", 1);
    rp_process_signal(process, SIGCONT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    PQclear(PQgetResult(other));
    PQfinish(other);
    rp_outcome_assert_status(&out, status);
    rp_assert_says(status == 1 ? out.output : out.errors, says);
    rp_file_drop(mapping);
}

Test(reconcile_shape, a_column_that_goes_meanwhile) {
    alter_meanwhile("ALTER TABLE t DROP n", 2, "column \"n\" is gone");
}

Test(reconcile_shape, a_type_that_changes_meanwhile) {
    alter_meanwhile("ALTER TABLE t ALTER n TYPE bigint", 2, "column \"n\" has another type");
}

Test(reconcile_shape, a_table_that_goes_meanwhile) {
    alter_meanwhile("DROP TABLE t", 2, "t");
}

Test(reconcile_shape, a_column_that_comes_meanwhile) {
    alter_meanwhile("ALTER TABLE t ADD w integer", 1, "\"different\": 1");
}

/* A table that is written anew while its lock is waited for is not seen as empty. */
Test(reconcile_shape, a_table_that_is_rewritten_meanwhile) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(
        "redis2pg: 1\nentities:\n  s: {keys: 's:{id}', type: hash, table: s, key: [id], columns: {id: "
        "$key.id}}\n"
        "  t: {keys: 't:{id}', type: hash, table: t, key: [id], columns: {id: $key.id, n: n}}\n");
    rp_case_sql(test_case, "CREATE TABLE s (id text PRIMARY KEY);"
                           "CREATE TABLE t (id text PRIMARY KEY, n integer)");
    rp_case_redis(test_case, "HSET s:1 n 1");
    rp_case_redis(test_case, "HSET t:1 n 1");
    load_status(test_case, mapping, 0);
    PGconn *other = PQconnectdb(test_case->conninfo);
    PQclear(PQexec(other, "BEGIN; ALTER TABLE t ALTER n TYPE integer USING n + 0"));
    RpProcess *process = rp_case_spawn(test_case, "reconcile", "--mapping", mapping, NULL);
    rp_case_await_blocked(test_case, "t", 1);
    PQclear(PQexec(other, "COMMIT"));
    PQfinish(other);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    rp_file_drop(mapping);
}

/* ---- privileges ---- */

/* Roles are the whole server's: their names have the case's number. */
static char *made_role, *made_database;

static void drop_role(void) {
    if (made_role == NULL)
        return;
    g_autofree char *database = g_strdup_printf("DROP DATABASE IF EXISTS %s WITH (FORCE)", made_database);
    g_autofree char *role = g_strdup_printf("DROP ROLE IF EXISTS %s", made_role);
    rp_server_sql(database);
    rp_server_sql(role);
    g_clear_pointer(&made_role, g_free);
    g_clear_pointer(&made_database, g_free);
}

TestSuite(reconcile_shape, .fini = drop_role);

static void reconcile_as_reader(RpCase *test_case, const char *mapping, RpOutcome *out) {
    g_autofree char *conninfo = g_strdup_printf("%s user=%s", test_case->conninfo, made_role);
    rp_case_run(test_case, out, "reconcile", "--json", "--mapping", mapping, "--postgres", conninfo, NULL);
}

static void make_role(RpCase *test_case) {
    made_role = g_strdup_printf("rec_reader_%u", test_case->number);
    made_database = g_strdup_printf("case_%u", test_case->number);
    g_autofree char *sql = g_strdup_printf("CREATE ROLE %s LOGIN", made_role);
    rp_case_sql(test_case, sql);
}

static void grant(RpCase *test_case, const char *what) {
    g_autofree char *sql = g_strdup_printf("GRANT %s TO %s", what, made_role);
    rp_case_sql(test_case, sql);
}

static void take_away(RpCase *test_case, const char *what) {
    g_autofree char *sql = g_strdup_printf("REVOKE %s FROM %s", what, made_role);
    rp_case_sql(test_case, sql);
}

Test(reconcile_shape, takes_select_and_no_more) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill(test_case);
    rp_case_redis(test_case, "HSET t:1 n x");
    load_status(test_case, mapping, 1);
    make_role(test_case);
    g_auto(RpOutcome) refused = {0}, without = {0}, with = {0}, half = {0};
    reconcile_as_reader(test_case, mapping, &refused);
    rp_outcome_assert_status(&refused, 4);
    rp_assert_says(refused.errors, "GRANT SELECT ON");
    grant(test_case, "SELECT ON t");
    reconcile_as_reader(test_case, mapping, &without);
    rp_outcome_assert_status(&without, 1);
    rp_assert_says(without.errors, "the ledger is left out");
    g_autoptr(json_t) document = rp_outcome_json(&without);
    assert_counts(
        document, "t",
        "source_rows 49, target_rows 50, equal 49, extra 1, rejected 1, unrecorded 1, extra_refused 1");
    grant(test_case, "USAGE ON SCHEMA redis2pg");
    grant(test_case, "SELECT ON ALL TABLES IN SCHEMA redis2pg");
    reconcile_as_reader(test_case, mapping, &with);
    rp_outcome_assert_status(&with, 1);
    rp_assert_says(with.errors, "keeping the result in the ledger");
    g_autoptr(json_t) recorded = rp_outcome_json(&with);
    assert_counts(recorded, "t",
                  "source_rows 49, target_rows 50, equal 49, extra 1, rejected 1, extra_refused 1");
    take_away(test_case, "SELECT ON redis2pg.rejects");
    reconcile_as_reader(test_case, mapping, &half);
    rp_outcome_assert_status(&half, 4);
    rp_assert_says(half.errors, "asking the ledger for rejects of t");
    rp_file_drop(mapping);
}

/* Nobody has ever loaded anything. */
Test(reconcile_shape, takes_no_ledger) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 't:{id}', type: hash, table: t, key: [id], "
                      "columns: {id: $key.id, n: n}}\n");
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n integer); INSERT INTO t VALUES ('1', 1)");
    rp_case_redis(test_case, "HSET t:1 n 1");
    rp_case_redis(test_case, "HSET t:2 n x");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, "--allow-rejects", NULL);
    assert_counts(document, "t", "source_rows 1, target_rows 1, equal 1, rejected 1, unrecorded 1");
    rp_file_drop(mapping);
}

/* ---- references that are not in force ---- */

/* A row that refers to nothing, behind a foreign key that nobody has validated. */
static char *fill_orphans(RpCase *test_case) {
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  t: {keys: 't:{id}', type: hash, table: t, key: [id], "
                      "columns: {id: $key.id, n: n}}\n");
    rp_case_sql(test_case,
                "CREATE TABLE p (id text PRIMARY KEY); CREATE TABLE t (id text PRIMARY KEY, n text)");
    rp_case_redis(test_case, "HSET t:1 n ghost");
    load_status(test_case, mapping, 0);
    rp_case_sql(test_case, "ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES p NOT VALID");
    return mapping;
}

Test(reconcile_shape, a_parent_that_may_not_be_read_is_not_looked_into) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill_orphans(test_case);
    g_autoptr(json_t) found = reconcile(test_case, mapping, 1, NULL);
    cr_assert(eq(i64, rp_json_number(found, "orphans.0.rows"), 1));
    const gboolean is_checked = json_is_null(rp_json_at(found, "orphans.0.not_checked"));
    cr_assert(is_checked);
    make_role(test_case);
    grant(test_case, "SELECT ON t");
    g_auto(RpOutcome) out = {0};
    reconcile_as_reader(test_case, mapping, &out);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) document = rp_outcome_json(&out);
    rp_assert_says(rp_json_text(document, "orphans.0.not_checked"), "permission denied");
    cr_assert(eq(i64, rp_json_number(document, "orphans.0.rows"), 0));
    assert_counts(document, "t", "source_rows 1, target_rows 1, equal 1");
    rp_file_drop(mapping);
}

/* PostgreSQL works on it for longer than an answer may take: here it waits for a lock. */
Test(reconcile_shape, looking_for_orphans_may_take_its_time) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = fill_orphans(test_case);
    rp_case_sql(test_case, "BEGIN; LOCK TABLE p IN ACCESS EXCLUSIVE MODE");
    RpProcess *process =
        rp_case_spawn(test_case, "reconcile", "--json", "--timeout-seconds", "1", "--mapping", mapping, NULL);
    const gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (rp_case_sql_number(test_case, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
                                         "'Lock' AND clock_timestamp() - query_start > interval '2 s'"
                                         " AND datname = current_database()") == 0) {
        cr_assert(lt(i64, g_get_monotonic_time(), deadline));
        rp_case_sql(test_case, "SELECT pg_stat_clear_snapshot()");
        g_usleep(20000);
    }
    rp_case_sql(test_case, "ROLLBACK");
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) document = rp_outcome_json(&out);
    cr_assert(eq(i64, rp_json_number(document, "orphans.0.rows"), 1));
    rp_file_drop(mapping);
}
