/* A writer at work on batches of the bulk pass, on a private server: rows straight into tables without keys.
 */
#include "base/event.h"
#include "ledger/batches.h"
#include "ledger/loaded.h"
#include "ledger/runs.h"
#include "mapping/mapper.h"
#include "migrations/migrations.h"
#include "pipeline/session.h"
#include "pipeline/writer.h"
#include "sandbox/sandbox.h"
#include "sink/binding.h"
#include "sink/bulk.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

static const char SCHEMA_SQL[] =
    "CREATE TABLE t (id text NOT NULL, n integer, note text, at date, CONSTRAINT small CHECK (n < 100));"
    "CREATE UNIQUE INDEX ON t (id);";

#define COLUMNS "    columns: {id: $key.id, note: note, n: n, at: at}\n"

static RpSandbox *sandbox;
static PGconn *connection, *watcher;
static RpMapping *mapping;
static RpBinding *binding;
static RpLoadOptions options;
static RpRedisAddress redis;
static RpFeed feed;
static RpCrew crew;
static RpWriter writer;
static RpBatch *batch;

static void assert_fine(gboolean is_fine, const GError *error) {
    cr_assert(is_fine, "%s", error != NULL ? error->message : "no error");
}

static void run_sql(const char *sql) {
    g_autoptr(GError) error = NULL;
    assert_fine(rp_postgres_run(watcher, sql, &error), error);
}

static void start(void) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions servers = {.is_without_redis = TRUE};
    assert_fine((sandbox = rp_sandbox_start(&servers, &error)) != NULL, error);
    assert_fine((watcher = rp_postgres_connect(rp_sandbox_get_conninfo(sandbox), &error)) != NULL, error);
    run_sql(SCHEMA_SQL);
    assert_fine(rp_migrations_apply_ledger(watcher, &error), error);
}

static void clean_up(void) {
    if (batch != NULL) {
        rp_session_close(&writer);
        rp_outage_clear(&writer.outage);
        rp_predecessor_clear(&writer.session);
        g_free(writer.experience);
        rp_batch_free(batch);
        rp_crew_clear(&crew);
        rp_binding_free(binding);
        rp_mapping_free(mapping);
    }
    PQfinish(watcher);
    rp_sandbox_stop(sandbox);
}

TestSuite(bulk_load, .init = start, .fini = clean_up, .timeout = 120);

static void bind(const char *words) {
    g_autoptr(GError) error = NULL;
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autofree char *yaml =
        g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n"
                        "    table: t\n    key: [id]\n%s",
                        words);
    mapping = rp_mapping_load_text("m.yaml", yaml, strlen(yaml), findings);
    binding = rp_binding_new(watcher, mapping, NULL, findings, &error);
    assert_fine(binding != NULL, error);
    for (guint i = 0; i < findings->items->len; i++)
        cr_assert(((RpFinding *)findings->items->pdata[i])->severity != RP_SEVERITY_ERROR, "%s",
                  ((RpFinding *)findings->items->pdata[i])->text);
}

/* A run of that mapping whose first pass is a bulk one, a writer of it, and an empty batch. */
static void open_run(const char *words) {
    g_autoptr(GError) error = NULL;
    bind(words);
    options = (RpLoadOptions){.redis = &redis,
                              .postgres = rp_sandbox_get_conninfo(sandbox),
                              .mapping = mapping,
                              .n_mappers = 1,
                              .n_writers = 1,
                              .retry_seconds = 20,
                              .timeout_seconds = 60,
                              .max_rejects = G_MAXUINT64};
    feed = (RpFeed){.ledger = &RP_LEDGER_FOR_MERGE};
    assert_fine(rp_crew_init(&crew, &options, &feed, watcher, &error), error);
    crew.strategy = RP_STRATEGY_BULK;
    const RpRunHead head = {.kind = "run",
                            .strategy = "bulk",
                            .mapping = mapping,
                            .source = "s",
                            .source_run_id = "r",
                            .settings = "{}"};
    assert_fine(rp_ledger_open_run(watcher, &head, &crew.attempt, &error), error);
    writer = (RpWriter){.crew = &crew, .experience = g_new0(RpExperience, crew.plans->len)};
    rp_outage_init(&writer.outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK, 20);
    assert_fine(rp_session_open(&writer, &error), error);
    connection = writer.connection;
    batch = rp_batch_new(1);
    rp_batch_reset(batch, 0);
}

static void add(const char *key, const char *n, const char *note) {
    rp_records_begin(&batch->records, 0, RP_RECORD_HASH, rp_span(key));
    const char *const values[] = {"n", n, "note", note};
    for (guint i = 0; i < G_N_ELEMENTS(values); i += 2)
        if (values[i + 1] != NULL) {
            rp_records_add_value(&batch->records, rp_span(values[i]));
            rp_records_add_value(&batch->records, rp_span(values[i + 1]));
        }
}

static void map(void) {
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapping, &(RpOccasion){0}, G_MAXUINT, G_MAXSIZE);
    rp_mapper_map(mapper, batch);
}

static void write_batch(void) {
    g_autoptr(GError) error = NULL;
    map();
    assert_fine(rp_repeat_until_written(&writer, batch, &error), error);
}

static void next_batch(void) {
    const guint64 number = batch->number;
    rp_batch_reset(batch, 0);
    batch->number = number + 1;
}

static void assert_answer(const char *sql, const char *expected) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PGresult) result = rp_postgres_query(watcher, sql, 0, NULL, &error);
    assert_fine(result != NULL, error);
    const char *answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "(nothing)";
    cr_assert(strcmp(answer, expected) == 0, "%s gives %s, not %s", sql, answer, expected);
}

#define ROWS_SQL "SELECT string_agg(concat_ws('|', id, n, coalesce(note, '-')), ' ' ORDER BY id) FROM t"
#define REJECTS_SQL                                                                                          \
    "SELECT string_agg(concat_ws(' ', convert_from(key, 'UTF8'), stage, code, constraint_name), ', ' ORDER " \
    "BY"                                                                                                     \
    " key) FROM redis2pg.rejects"
/* Identities beside the keys that stand in the same place, and whether they agree. */
#define KEPT_SQL                                                                                             \
    "SELECT string_agg(u.batch || ':' || (x.before ->> 'id') || '<' || convert_from(x.key, 'UTF8'), ' ' "    \
    "ORDER "                                                                                                 \
    "BY u.undo, x.n) FROM redis2pg.undo u CROSS JOIN LATERAL ROWS FROM (json_array_elements(u.before),"      \
    " unnest(u.loaded_keys)) WITH ORDINALITY AS x (before, key, n) WHERE u.operation = 'insert' AND"         \
    " u.target = 'public.t' AND u.entity = 0 AND u.pass = 0 AND u.loaded_by = (SELECT xmin FROM t WHERE"     \
    " id = x.before ->> 'id')"
#define COUNTS_SQL                                                                                           \
    "SELECT string_agg(concat_ws(' ', read, inserted, rejected, filtered), ', ' ORDER BY batch) FROM"        \
    " redis2pg.batch_counts"

Test(bulk_load, rows_go_straight_into_the_table_and_the_undo_log_has_them) {
    const guint64 n_staged = rp_event_count(RP_EVENT_ROWS_STAGED);
    open_run(COLUMNS);
    add("t:a", "1", NULL);
    add("t:b\"\\", NULL, "x\ty");
    add("t:-", "-3", "");
    write_batch();
    next_batch();
    add("t:c", "4", "d");
    write_batch();
    assert_answer(ROWS_SQL, "-|-3| a|1|- b\"\\|x\ty c|4|d");
    assert_answer(KEPT_SQL, "0:a<t:a 0:b\"\\<t:b\"\\ 0:-<t:- 1:c<t:c");
    assert_answer(COUNTS_SQL, "3 3 0 0, 1 1 0 0");
    cr_assert(rp_event_count(RP_EVENT_ROWS_STAGED) == n_staged && rp_event_count(RP_EVENT_ROWS_LOADED) == 2);
}

Test(bulk_load, a_batch_without_rows_is_written_too) {
    open_run(COLUMNS);
    write_batch();
    next_batch();
    add("t:a", "no number", NULL);
    write_batch();
    assert_answer("SELECT count(*) FROM t", "0");
    assert_answer("SELECT count(*) FROM redis2pg.batches", "2");
    assert_answer("SELECT count(*) FROM redis2pg.undo", "0");
    assert_answer(REJECTS_SQL, "t:a map invalid_integer");
}

/* More than one buffer, and more than one entry of the undo log. */
Test(bulk_load, huge_rows_and_many_rows_arrive_whole) {
    open_run(COLUMNS);
    g_autofree char *big = g_strnfill(3 * 1024 * 1024 + 5, 'x');
    g_autofree char *near_buffer = g_strnfill(64 * 1024 - 30, 'y');
    g_autofree char *long_key = g_strconcat("t:", big, NULL);
    run_sql("DROP INDEX t_id_idx");
    add("t:a", "1", "before");
    add("t:b", "2", big);
    add("t:c", "3", "between");
    add(long_key, "4", NULL);
    for (guint i = 0; i < 40; i++) {
        g_autofree char *key = g_strdup_printf("t:near%02u", i);
        add(key, "5", near_buffer + i);
    }
    for (guint i = 0; i < 20000; i++) {
        g_autofree char *key = g_strdup_printf("t:many%u", i);
        add(key, "6", key);
    }
    write_batch();
    assert_answer("SELECT count(*) FROM t", "20044");
    assert_answer("SELECT count(*) FROM t WHERE n = 6 AND note = 't:' || id", "20000");
    assert_answer(
        "SELECT count(*) FROM t WHERE n = 5 AND length(note) = 65506 - right(id, 2)::int AND note ~ "
        "'^y+$'",
        "40");
    assert_answer("SELECT note = repeat('x', 3145733) FROM t WHERE id = 'b'", "t");
    assert_answer("SELECT length(id) FROM t WHERE n = 4", "3145733");
    assert_answer("SELECT count(*) > 1 AND sum(cardinality(loaded_keys)) = 20044 AND"
                  " sum(json_array_length(before)) = 20044 FROM redis2pg.undo",
                  "t");
}

/* What PostgreSQL refuses alone: a CHECK is foreseen by the checks of a merge, a trigger is searched for. */
Test(bulk_load, refused_rows_are_rejects_like_those_of_a_merge) {
    run_sql("CREATE FUNCTION no_seven() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.n = 7 THEN RAISE "
            "EXCEPTION 'no seven'; END IF; RETURN NEW; END$$; CREATE TRIGGER no_seven BEFORE INSERT ON t FOR "
            "EACH ROW EXECUTE FUNCTION no_seven()");
    open_run(COLUMNS);
    add("t:a", "1", NULL);
    add("t:b", "700", NULL);
    add("t:c", "7", NULL);
    add("t:d", "2", NULL);
    write_batch();
    assert_answer(ROWS_SQL, "a|1|- d|2|-");
    assert_answer(REJECTS_SQL, "t:b stage check_failed small, t:c write database_error");
    assert_answer("SELECT message FROM redis2pg.rejects WHERE code = 'check_failed'",
                  "constraint \"small\" of public.t is false: (n < 100)");
    assert_answer(KEPT_SQL, "0:a<t:a 0:d<t:d");
    assert_answer(COUNTS_SQL, "4 2 2 0");
    next_batch();
    add("t:e", "5", NULL);
    write_batch();
    next_batch();
    const guint64 n_staged = rp_event_count(RP_EVENT_ROWS_STAGED);
    add("t:f", "6", NULL);
    write_batch();
    cr_assert(rp_event_count(RP_EVENT_ROWS_STAGED) == n_staged, "after a clean batch none is staged");
    assert_answer(ROWS_SQL, "a|1|- d|2|- e|5|- f|6|-");
    assert_answer(KEPT_SQL, "0:a<t:a 0:d<t:d 1:e<t:e 2:f<t:f");
}

static guint64 staged_by(const char *key, const char *n) {
    const guint64 n_before = rp_event_count(RP_EVENT_ROWS_STAGED);
    next_batch();
    add(key, n, NULL);
    write_batch();
    return rp_event_count(RP_EVENT_ROWS_STAGED) - n_before;
}

Test(bulk_load, the_more_often_rows_are_refused_the_longer_batches_are_staged) {
    open_run(COLUMNS);
    cr_assert(staged_by("t:a", "1") == 0);
    cr_assert(staged_by("t:bad1", "100") == 1);
    cr_assert(staged_by("t:b", "1") == 1 && staged_by("t:c", "1") == 0);
    cr_assert(staged_by("t:bad2", "100") == 1);
    cr_assert(staged_by("t:d", "1") == 1 && staged_by("t:bad3", "100") == 1 && staged_by("t:e", "1") == 1);
    cr_assert(staged_by("t:f", "1") == 1 && staged_by("t:g", "1") == 0);
    assert_answer("SELECT string_agg(id, ' ' ORDER BY id) FROM t", "a b c d e f g");
}

/* The mapping knows of the foreign key, as it will be put back. */
Test(bulk_load, rows_whose_parents_are_not_there_yet_are_loaded_in_any_way) {
    run_sql("CREATE TABLE parent (note text PRIMARY KEY); ALTER TABLE t ADD CONSTRAINT of_parent FOREIGN KEY "
            "(note) "
            "REFERENCES parent");
    open_run(COLUMNS);
    run_sql("ALTER TABLE t DROP CONSTRAINT of_parent");
    add("t:a", "1", "orphan");
    add("t:b", "100", "orphan");
    write_batch();
    assert_answer(ROWS_SQL, "a|1|orphan");
    assert_answer(REJECTS_SQL, "t:b stage check_failed small");
}

Test(bulk_load, a_batch_of_which_every_row_is_refused_leaves_none) {
    open_run(COLUMNS);
    add("t:a", "100", NULL);
    add("t:b", "700", NULL);
    write_batch();
    assert_answer("SELECT count(*) FROM t", "0");
    assert_answer("SELECT count(*) FROM redis2pg.undo", "0");
    assert_answer(COUNTS_SQL, "2 0 2 0");
}

Test(bulk_load, filtered_rows_are_counted_and_not_written) {
    open_run("    where: \"n <> 5\"\n" COLUMNS);
    add("t:a", "1", NULL);
    add("t:b", "5", NULL);
    add("t:c", NULL, NULL);
    add("t:d", "500", NULL);
    add("t:e", "2", NULL);
    write_batch();
    assert_answer(ROWS_SQL, "a|1|- e|2|-");
    assert_answer(REJECTS_SQL, "t:d stage check_failed small");
    assert_answer(KEPT_SQL, "0:a<t:a 0:e<t:e");
    assert_answer(COUNTS_SQL, "5 2 1 2");
}

/* They are looked at once the table is loaded, but for batches that are staged anyway. */
Test(bulk_load, checks_of_the_mapping_do_not_keep_rows_from_being_copied) {
    open_run("    checks: {even: \"n % 2 = 0\"}\n" COLUMNS);
    add("t:a", "1", NULL);
    add("t:b", "2", NULL);
    write_batch();
    cr_assert(rp_event_count(RP_EVENT_ROWS_STAGED) == 0);
    assert_answer(ROWS_SQL, "a|1|- b|2|-");
    next_batch();
    add("t:c", "3", NULL);
    add("t:d", "400", NULL);
    add("t:e", "4", NULL);
    write_batch();
    assert_answer(ROWS_SQL, "a|1|- b|2|- e|4|-");
    assert_answer(REJECTS_SQL, "t:c stage rule_failed even, t:d stage check_failed small");
}

Test(bulk_load, values_that_postgres_makes_are_staged) {
    run_sql("ALTER TABLE t ADD ip inet");
    open_run("    columns: {id: $key.id, n: n, ip: note}\n");
    add("t:a", "1", "10.0.0.1");
    add("t:b", "2", "no address");
    add("t:c", "3", NULL);
    write_batch();
    assert_answer("SELECT string_agg(concat_ws('|', id, n, ip), ' ' ORDER BY id) FROM t", "a|1|10.0.0.1 c|3");
    assert_answer(REJECTS_SQL, "t:b stage invalid_value");
    assert_answer(KEPT_SQL, "0:a<t:a 0:c<t:c");
}

Test(bulk_load, rows_that_vanish_in_silence_stop_the_run) {
    g_autoptr(GError) error = NULL;
    run_sql("CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;"
            "CREATE TRIGGER drop_row BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.n = 3) EXECUTE FUNCTION "
            "drop_row()");
    open_run(COLUMNS);
    add("t:a", "1", NULL);
    add("t:b", "3", NULL);
    map();
    cr_assert(!rp_repeat_until_written(&writer, batch, &error));
    cr_assert(strstr(error->message, "of 2 rows sent to public.t, PostgreSQL stored 1") != NULL, "%s",
              error->message);
    assert_answer("SELECT count(*) FROM t", "0");
}

/* The answer to its COMMIT is lost, or the step before it fails: it stands once. */
static void assert_survives(const char *fault) {
    g_autoptr(GError) error = NULL;
    assert_fine(rp_event_arm(fault, &error), error);
    add("t:a", "1", NULL);
    add("t:b", "2", NULL);
    write_batch();
    assert_answer(ROWS_SQL, "a|1|- b|2|-");
    assert_answer(KEPT_SQL, "0:a<t:a 0:b<t:b");
    assert_answer(COUNTS_SQL, "2 2 0 0");
}

#ifdef RP_FAULT_INJECTION
Test(bulk_load, a_lost_answer_to_commit_writes_nothing_twice) {
    open_run(COLUMNS);
    assert_survives("fail:after_commit:1");
    cr_assert(rp_event_count(RP_EVENT_COMMIT_SETTLED) == 1 && rp_event_count(RP_EVENT_ROWS_LOADED) == 1);
}

Test(bulk_load, a_session_lost_before_commit_is_written_again) {
    open_run(COLUMNS);
    assert_survives("fail:rows_loaded:1,fail:before_commit:1");
    cr_assert(rp_event_count(RP_EVENT_BATCH_REPEATED) == 2);
}
#endif

Test(bulk_load, later_passes_merge) {
    open_run(COLUMNS);
    add("t:a", "1", NULL);
    write_batch();
    next_batch();
    batch->pass = 1;
    add("t:a", "2", NULL);
    add("t:b", "3", NULL);
    write_batch();
    assert_answer(ROWS_SQL, "a|2|- b|3|-");
    assert_answer("SELECT string_agg(concat_ws(' ', inserted, updated), ', ' ORDER BY pass) FROM "
                  "redis2pg.batch_counts",
                  "1 0, 1 1");
}

Test(bulk_load, names_the_key_column_that_no_identity_can_be_kept_of) {
    run_sql("CREATE TABLE u (a numeric, b text, PRIMARY KEY (b, a))");
    bind(COLUMNS);
    cr_assert(rp_ledger_loaded_obstacle(g_ptr_array_index(mapping->entities, 0)) == NULL);
    rp_binding_free(binding);
    rp_mapping_free(mapping);
    g_autoptr(GError) error = NULL;
    g_autoptr(RpFindings) findings = rp_findings_new();
    static const char YAML[] =
        "redis2pg: 1\nentities:\n  u:\n    keys: \"u:{id}\"\n    type: hash\n"
        "    table: u\n    key: [b, a]\n    columns: {b: $key.id, a: {from: a, required: true}}\n";
    g_autoptr(RpMapping) other = rp_mapping_load_text("m.yaml", YAML, strlen(YAML), findings);
    g_autoptr(RpBinding) bound = rp_binding_new(watcher, other, NULL, findings, &error);
    assert_fine(bound != NULL, error);
    const RpColumn *obstacle = rp_ledger_loaded_obstacle(g_ptr_array_index(other->entities, 0));
    cr_assert(obstacle != NULL && strcmp(obstacle->name, "a") == 0);
}
