/* Putting keys and indexes back over rows that stand against them: what is taken out, what the ledger says of
 * it then, and where it ends with a message. */
#include "bulking.h"
#include "fault.h"

#include <signal.h>

#define INTERRUPTED 5
#define FAILED      4

/* One table, whose keys are hashes thing:ID; and one of lists. */
static const char MAPPING[] =
    "redis2pg: 1\n"
    "entities:\n"
    "  things:\n    keys: 'thing:{id}'\n    type: hash\n    table: things\n    key: [id]\n"
    "    columns: {id: $key.id, a: a, b: b, note: note}\n"
    "    checks: {\"quotient\": \"a IS NULL OR 100 / a > 1\"}\n"
    "  links:\n    keys: 'links:{id}'\n    type: list\n    table: links\n"
    "    key: [link]\n"
    "    columns: {link: $value, thing: $key.id, place: $index}\n";

static const char TABLES[] =
    "CREATE TABLE things (id integer PRIMARY KEY, a integer, b integer, note text);"
    "CREATE TABLE links (link text PRIMARY KEY, thing integer NOT NULL, place bigint NOT NULL);";

typedef struct {
    RpCase *test_case;
    char *mapping;
    char *definitions;
} Scene;

static void scene_init(Scene *scene, const char *more) {
    scene->test_case = rp_case_new_empty();
    scene->mapping = rp_file_write(MAPPING);
    g_setenv("REDIS2PG_MAPPING", scene->mapping, TRUE);
    rp_case_sql(scene->test_case, TABLES);
    if (more != NULL)
        rp_case_sql(scene->test_case, more);
    scene->definitions = rp_case_definitions(scene->test_case);
}

static void scene_clear(Scene *scene) {
    rp_file_drop(scene->mapping);
    g_clear_pointer(&scene->definitions, g_free);
    g_clear_pointer(&scene->test_case, rp_case_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

static void add_thing(Scene *scene, int id, int a, int b) {
    rp_case_redis(scene->test_case, "HSET thing:%d a %d b %d note n%d", id, a, b, id);
}

#define OPTIONS "--writers", "1", "--batch-rows", "1", "--progress", "none", NULL
static const char *const RUN[] = {"run", "--strategy", "bulk", OPTIONS};
static const char *const MERGE[] = {"run", "--strategy", "merge", OPTIONS};
static const char *const RESUME[] = {"run", "--resume", OPTIONS};

static void run(Scene *scene, const char *const *words, const char *fault, int status, const char *says) {
    g_auto(RpOutcome) out = {0};
    rp_fault_run(scene->test_case, fault, &out, words);
    rp_outcome_assert_status(&out, status);
    if (says != NULL)
        rp_assert_says(out.errors, says);
}

/* Loads, and ends before what was taken out is merged. */
static void run_to_the_restored(Scene *scene) {
    run(scene, RUN, "kill:restored_all:1", 128 + SIGKILL, NULL);
    rp_case_assert_definitions(scene->test_case, scene->definitions, "before anything is merged again");
}

#define AGAIN                                                                                                \
    "SELECT coalesce(string_agg(convert_from(key, 'UTF8'), ' ' ORDER BY entity, batch, undo, place), '')"    \
    " FROM redis2pg.again"
#define THINGS "SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM things"

/* What the run's account, its undo log and the table say must be one. */
static void assert_one_account(Scene *scene, const char *table, const char *entity) {
    g_autofree char *sql = g_strdup_printf(
        "SELECT (SELECT count(*) FROM %s), (SELECT sum(inserted) FROM redis2pg.batch_counts WHERE entity = "
        "%s),"
        " (SELECT coalesce(sum(json_array_length(before)), 0) FROM redis2pg.undo WHERE entity = %s),"
        " (SELECT coalesce(sum(cardinality(loaded_keys)), 0) FROM redis2pg.undo WHERE entity = %s)",
        table, entity, entity, entity);
    g_autofree char *found = rp_case_sql_rows(scene->test_case, sql);
    g_auto(GStrv) numbers = g_strsplit(found, "|", -1);
    for (guint i = 1; numbers[i] != NULL; i++)
        cr_assert(eq(str, numbers[i], numbers[0]), "rows, account, identities, keys of %s: %s", table, found);
}

/* Rows, rejects and account of a load, by batches of one key. */
static char *load_by(Scene *scene, const char *const *words, int status) {
    RpCase *test_case = scene->test_case;
    run(scene, words, NULL, status, NULL);
    g_autofree char *rows = rp_case_sql_rows(
        test_case, "SELECT id::text, a, b, length(note), md5(note) FROM things UNION ALL SELECT link, thing, "
                   "place, 0, '' FROM links ORDER BY 1");
    g_autofree char *rejects = rp_case_sql_rows(
        test_case, "SELECT encode(key, 'escape'), code, constraint_name, message FROM redis2pg.rejects "
                   "ORDER BY 1, 2, 3, 4");
    g_autofree char *account = rp_case_sql_rows(
        test_case, "SELECT entity, sum(read), sum(inserted), sum(unchanged), sum(rejected) FROM"
                   " redis2pg.batch_counts GROUP BY 1 ORDER BY 1");
    rp_case_sql(test_case, "TRUNCATE things, links; SET client_min_messages = error;"
                           "DROP SCHEMA redis2pg CASCADE");
    return g_strjoin("\n--\n", rows, rejects, account, NULL);
}

static void assert_as_merged(Scene *scene, int status) {
    rp_case_settle_keys(scene->test_case);
    g_autofree char *merged = load_by(scene, MERGE, status);
    g_autofree char *loaded = load_by(scene, RUN, status);
    cr_assert(eq(str, loaded, merged));
    rp_case_assert_definitions(scene->test_case, scene->definitions, "after the load");
}

/* ---- twins ---- */

/* 1 and 2 share a, 1 and 3 share b: with 1 and 2 gone, 3 would stand alone, and keep 1 out later. */
Test(restore, rows_that_are_in_each_others_way_go_together) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "ALTER TABLE things ADD UNIQUE (a), ADD UNIQUE (b)");
    add_thing(&scene, 1, 1, 1);
    add_thing(&scene, 2, 1, 2);
    add_thing(&scene, 3, 3, 1);
    add_thing(&scene, 4, 4, 4);
    run_to_the_restored(&scene);
    rp_case_assert_rows(scene.test_case, THINGS, "4");
    rp_case_assert_rows(scene.test_case, "SELECT count(*), count(DISTINCT key) FROM redis2pg.again", "3|3");
    assert_one_account(&scene, "things", "0");
    run(&scene, RESUME, NULL, 1, NULL);
}

Test(restore, chains_of_twins_end_as_a_merge_ends_them) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "ALTER TABLE things ADD UNIQUE (a), ADD UNIQUE (b)");
    for (int i = 1; i < 40; i++)
        add_thing(&scene, i, (i * 7) % 23, (i * 5) % 31);
    rp_case_redis(scene.test_case, "HDEL thing:5 a");
    rp_case_redis(scene.test_case, "HDEL thing:6 a b");
    assert_as_merged(&scene, 1);
}

Test(restore, all_kinds_of_unique_indexes_find_their_twins) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "CREATE UNIQUE INDEX ON things ((a % 10)) WHERE b > 2;"
                       "CREATE UNIQUE INDEX ON things (lower(note), b)");
    for (int i = 1; i < 30; i++)
        rp_case_redis(scene.test_case, "HSET thing:%d a %d b %d note %s", i, i % 17, i % 4,
                      i % 3 == 0   ? "Same"
                      : i % 3 == 1 ? "sAME"
                                   : "other");
    assert_as_merged(&scene, 1);
}

Test(restore, nulls_that_are_equal_are_twins) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, NULL);
    if (PQserverVersion(scene.test_case->postgres) < 150000)
        cr_skip_test("NULLS NOT DISTINCT is of PostgreSQL 15");
    rp_case_sql(scene.test_case, "CREATE UNIQUE INDEX ON things (a, b) NULLS NOT DISTINCT");
    g_free(scene.definitions);
    scene.definitions = rp_case_definitions(scene.test_case);
    for (int i = 1; i < 10; i++)
        rp_case_redis(scene.test_case, "HSET thing:%d %s %d", i, i % 2 ? "b" : "note", i % 3);
    run_to_the_restored(&scene);
    rp_case_assert_rows(scene.test_case, "SELECT count(*) FROM things", "1");
    assert_one_account(&scene, "things", "0");
}

/* SCAN gives a key twice when Redis changes its tables meanwhile. */
Test(restore, a_key_that_was_read_twice_is_listed_twice) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, NULL);
    add_thing(&scene, 1, 1, 1);
    add_thing(&scene, 2, 2, 2);
    run(&scene, RUN, "kill:pass_ended:1", 128 + SIGKILL, NULL);
    rp_case_sql(
        scene.test_case,
        "WITH batch AS (INSERT INTO redis2pg.batches (run, pass, number, cursor_after, is_pass_end,"
        " keys_scanned, keys_mapped, keys_ignored, keys_unmapped, is_page_end) SELECT 1, 0, max(number) + 1, "
        "0,"
        " true, 1, 1, 0, 0, true FROM redis2pg.batches RETURNING number), counts AS (INSERT INTO"
        " redis2pg.batch_counts SELECT 1, 0, number, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0 FROM batch), undo AS ("
        " INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before, loaded_keys,"
        " loaded_by) SELECT 1, 0, number, 0, 'public.things', 'insert', '[{\"id\":1}]', "
        "ARRAY['thing:1'::bytea],"
        " pg_current_xact_id()::xid FROM batch) INSERT INTO things SELECT * FROM things WHERE id = 1");
    run(&scene, RESUME, "kill:restored_all:1", 128 + SIGKILL, NULL);
    rp_case_assert_rows(scene.test_case, AGAIN, "thing:1 thing:1");
    rp_case_assert_rows(scene.test_case, THINGS, "2");
    assert_one_account(&scene, "things", "0");
    run(&scene, RESUME, NULL, 0, NULL);
    rp_case_assert_rows(scene.test_case, THINGS, "1 2");
}

/* ---- keys that give many rows ---- */

Test(restore, a_key_goes_with_all_of_its_rows_and_rejects) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "ALTER TABLE links ADD CHECK (link <> 'bad')");
    rp_case_redis(scene.test_case, "RPUSH links:1 x bad y shared");
    rp_case_redis(scene.test_case, "RPUSH links:2 shared z");
    rp_case_redis(scene.test_case, "RPUSH links:3 alone bad");
    rp_case_redis(scene.test_case, "RPUSH links:4 twice twice");
    run_to_the_restored(&scene);
    rp_case_assert_rows(scene.test_case, "SELECT string_agg(link, ' ' ORDER BY link) FROM links", "alone");
    rp_case_assert_rows(scene.test_case,
                        "SELECT string_agg(convert_from(key, 'UTF8'), ' ' ORDER BY key) FROM redis2pg.again",
                        "links:1 links:2 links:4");
    rp_case_assert_rows(
        scene.test_case,
        "SELECT sum(read), sum(inserted), sum(rejected) FROM redis2pg.batch_counts WHERE entity = 1",
        "2|1|1");
    assert_one_account(&scene, "links", "1");
    run(&scene, RESUME, NULL, 1, NULL);
}

Test(restore, elements_end_as_a_merge_ends_them) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "ALTER TABLE links ADD CHECK (link <> 'bad')");
    for (int i = 1; i < 20; i++)
        rp_case_redis(scene.test_case, "RPUSH links:%d l%d %s l%d l%d", i, i, i % 4 ? "fine" : "bad", i + 7,
                      i % 5 ? i + 100 : i);
    assert_as_merged(&scene, 1);
}

/* ---- checks, and what PostgreSQL cannot tell of a row ---- */

/* Of a = 0 the mapping's check cannot be told, of a = 200 it is false. */
Test(restore, rows_that_a_check_refuses_or_fails_over_end_as_a_merge_ends_them) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "ALTER TABLE things ADD UNIQUE (b)");
    for (int i = 1; i < 60; i++)
        add_thing(&scene, i, i % 11 == 0 ? 0 : i % 7 == 0 ? 200 : i, i % 50);
    assert_as_merged(&scene, 1);
}

Test(restore, rows_of_which_an_index_cannot_tell_its_expression_end_as_a_merge_ends_them) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "CREATE INDEX ON things ((100 / b))");
    for (int i = 1; i < 40; i++)
        add_thing(&scene, i, i, i % 9);
    assert_as_merged(&scene, 1);
}

Test(restore, values_that_are_too_long_for_an_index_end_as_a_merge_ends_them) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "CREATE INDEX ON things (note)");
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    for (int i = 1; i < 12; i++) {
        add_thing(&scene, i, i, i);
        for (int n = 0; n < 500; n++)
            g_string_append_printf(text, "%c", (char)('!' + g_rand_int_range(rand, 0, 90)));
        rp_case_redis(scene.test_case, "HSET thing:%d note %s", i, text->str); /* 500 to 5500 bytes */
    }
    assert_as_merged(&scene, 1);
}

/* ---- rows of others ---- */

Test(restore, rows_of_others_that_are_twins_end_it_with_the_indexs_name) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "ALTER TABLE things ADD CONSTRAINT one_a UNIQUE (a)");
    add_thing(&scene, 1, 1, 1);
    run(&scene, RUN, "kill:pass_ended:1", 128 + SIGKILL, NULL);
    rp_case_sql(scene.test_case, "INSERT INTO things VALUES (10, 5), (11, 5)");
    run(&scene, RESUME, NULL, FAILED, "putting index one_a of public.things back");
    run(&scene, RESUME, NULL, FAILED, "are not this run's");
    rp_case_assert_rows(scene.test_case, THINGS, "1 10 11");
    rp_case_sql(scene.test_case, "DELETE FROM things WHERE id = 11");
    run(&scene, RESUME, NULL, 0, NULL);
    rp_case_assert_definitions(scene.test_case, scene.definitions, "after the others' row went");
}

Test(restore, a_row_that_somebody_else_changed_meanwhile_is_his) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, "ALTER TABLE things ADD UNIQUE (a)");
    add_thing(&scene, 1, 1, 1);
    add_thing(&scene, 2, 2, 2);
    run(&scene, RUN, "kill:pass_ended:1", 128 + SIGKILL, NULL);
    rp_case_sql(scene.test_case, "UPDATE things SET a = 2 WHERE id = 1");
    run(&scene, RESUME, "kill:restored_all:1", 128 + SIGKILL, NULL);
    rp_case_assert_rows(scene.test_case, "SELECT id, a FROM things", "1|2");
    rp_case_assert_rows(scene.test_case, AGAIN, "thing:2");
}

/* ---- foreign keys ---- */

/* Children of what is taken out go too, over two levels; what is validated already is taken off and put back.
 */
Test(restore, orphans_go_over_two_levels) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
    g_autofree char *definitions = rp_case_definitions(test_case);
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "nobody");
    rp_case_add_payment(test_case, "p1", "o1");
    rp_case_add_payment(test_case, "p2", "o2");
    rp_case_add_payment(test_case, "p3", "nothing");
    g_auto(RpOutcome) out = {0};
    rp_fault_run(test_case, "kill:restored_all:1", &out, RUN);
    rp_outcome_assert_status(&out, 128 + SIGKILL);
    rp_case_assert_definitions(test_case, definitions, "before anything is merged again");
    rp_case_assert_rows(test_case,
                        "SELECT string_agg(convert_from(key, 'UTF8'), ' ' ORDER BY key) FROM redis2pg.again",
                        "order:o2 payment:p2 payment:p3");
    rp_case_assert_rows(test_case,
                        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders), (SELECT "
                        "count(*) FROM payments)",
                        "1|1|1");
}

/* ---- where it stops ---- */

/* A lock of somebody else keeps an index from being built; waiting for it ends with the signal. */
Test(restore, a_stop_ends_what_is_under_way_at_once) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, NULL);
    add_thing(&scene, 1, 1, 1);
    run(&scene, RUN, "kill:pass_ended:1", 128 + SIGKILL, NULL);
    PGconn *holder = rp_case_hold(scene.test_case, "things");
    const gint64 start = g_get_monotonic_time();
    RpProcess *process = rp_fault_spawn(scene.test_case, NULL, RESUME);
    rp_case_await_blocked(scene.test_case, "things", 1);
    rp_process_signal(process, SIGINT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, INTERRUPTED);
    cr_assert(lt(i64, g_get_monotonic_time() - start, 20 * G_USEC_PER_SEC));
    rp_case_release(holder);
    run(&scene, RESUME, NULL, 0, NULL);
    rp_case_assert_definitions(scene.test_case, scene.definitions, "after it went on");
}

#define SLOW(seconds)                                                                                        \
    "CREATE OR REPLACE FUNCTION public.slow(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN" \
    " PERFORM pg_sleep(" #seconds "); RETURN $1; END $$"

Test(restore, a_stop_cancels_a_build_that_is_under_way) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, SLOW(0) "; CREATE INDEX ON things (public.slow(a))");
    add_thing(&scene, 1, 1, 1);
    run(&scene, RUN, "kill:pass_ended:1", 128 + SIGKILL, NULL);
    rp_case_sql(scene.test_case, SLOW(60));
    const gint64 start = g_get_monotonic_time();
    RpProcess *process = rp_fault_spawn(scene.test_case, NULL, RESUME);
    while (rp_case_sql_number(scene.test_case, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = "
                                               "'PgSleep' AND datname = current_database()") == 0)
        cr_assert(lt(i64, g_get_monotonic_time() - start, 20 * G_USEC_PER_SEC));
    rp_process_signal(process, SIGINT);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, INTERRUPTED);
    cr_assert(lt(i64, g_get_monotonic_time() - start, 40 * G_USEC_PER_SEC));
    rp_case_sql(scene.test_case, SLOW(0));
    run(&scene, RESUME, NULL, 0, NULL);
    rp_case_assert_definitions(scene.test_case, scene.definitions, "after it went on");
}

/* Longer than one turn of waiting for a lock. */
Test(restore, a_lock_of_somebody_else_is_waited_for) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, NULL);
    add_thing(&scene, 1, 1, 1);
    run(&scene, RUN, "kill:pass_ended:1", 128 + SIGKILL, NULL);
    PGconn *holder = rp_case_hold(scene.test_case, "things");
    RpProcess *process = rp_fault_spawn(scene.test_case, NULL, RESUME);
    rp_case_await_blocked(scene.test_case, "things", 1);
    g_usleep(3 * G_USEC_PER_SEC);
    rp_case_release(holder);
    g_auto(RpOutcome) out = {0};
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    rp_case_assert_definitions(scene.test_case, scene.definitions, "after the lock went");
}

Test(restore, a_right_that_is_missing_ends_it_and_coming_back_it_goes_on) {
    g_auto(Scene) scene = {0};
    scene_init(&scene, NULL);
    RpCase *test_case = scene.test_case;
    g_autofree char *database = rp_case_sql_text(test_case, "SELECT current_database()");
    g_autofree char *role = g_strdup_printf("restorer_%s", database);
    g_autofree char *sql =
        g_strdup_printf("CREATE ROLE \"%s\" LOGIN; GRANT ALL ON DATABASE \"%s\" TO \"%s\";"
                        "GRANT ALL ON SCHEMA public TO \"%s\"; ALTER TABLE things OWNER TO "
                        "\"%s\"; ALTER TABLE links OWNER TO \"%s\"",
                        role, database, role, role, role, role);
    rp_case_sql(test_case, sql);
    add_thing(&scene, 1, 1, 1);
    g_autofree char *conninfo = g_steal_pointer(&test_case->conninfo);
    test_case->conninfo = g_strdup_printf("%s user=%s", conninfo, role);
    run(&scene, RUN, "kill:pass_ended:1", 128 + SIGKILL, NULL);
    g_autofree char *away =
        g_strdup_printf("ALTER TABLE things OWNER TO CURRENT_USER; GRANT ALL ON things TO \"%s\"", role);
    rp_case_sql(test_case, away);
    run(&scene, RESUME, NULL, FAILED, "putting index things_pkey of public.things back");
    g_autofree char *back = g_strdup_printf("ALTER TABLE things OWNER TO \"%s\"", role);
    rp_case_sql(test_case, back);
    run(&scene, RESUME, NULL, 0, NULL);
    rp_case_assert_definitions(test_case, scene.definitions, "after the right came back");
    g_free(test_case->conninfo);
    test_case->conninfo = g_steal_pointer(&conninfo);
    g_autofree char *drop =
        g_strdup_printf("REASSIGN OWNED BY \"%s\" TO CURRENT_USER; DROP OWNED BY \"%s\"; DROP "
                        "ROLE \"%s\"",
                        role, role, role);
    rp_case_sql(test_case, drop);
}
