/* The harness itself: cases that do not see each other, and programs that are read to their end. */
#include "harness.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>

/* These stand in for redis2pg: the first argument after its own ones is what the shell runs. */
static void use_script(const char *script) {
    char *path = g_strdup_printf("%s/redis2pg-script-XXXXXX", g_get_tmp_dir());
    const int fd = g_mkstemp_full(path, 0, 0700);
    cr_assert(fd >= 0);
    g_close(fd, NULL);
    cr_assert(g_file_set_contents(path, script, -1, NULL));
    cr_assert(eq(int, chmod(path, 0700), 0));
    g_setenv("REDIS2PG_BINARY", path, TRUE);
    g_free(path);
}

static void drop_script(void) {
    g_remove(g_getenv("REDIS2PG_BINARY"));
}

/* Both run at once with others; each would see the other's data in a shared database. */
static void fill_and_count(void) {
    g_autoptr(RpCase) test_case = rp_case_new();
    for (int i = 0; i < 100; i++)
        rp_case_redis(test_case, "HSET order:%d status %s", i, "two words");
    rp_case_sql(
        test_case,
        "INSERT INTO users (id, customer_id) VALUES (gen_random_uuid(), 'a'), (gen_random_uuid(), 'b')");
    cr_assert(eq(i64, rp_case_redis_number(test_case, "DBSIZE"), 100));
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM users"), 2));
    g_autofree char *status = rp_case_redis_text(test_case, "HGET order:%d status", 7);
    cr_assert(eq(str, status, "two words"));
}

Test(harness, a_case_has_data_of_its_own) {
    fill_and_count();
    fill_and_count();
}

Test(harness, a_case_has_data_of_its_own_at_the_same_time) {
    fill_and_count();
}

Test(harness, redis_database_0_is_nobodys) {
    g_autoptr(RpCase) test_case = rp_case_new();
    cr_assert(ne(u32, test_case->number, 0));
    rp_case_redis(test_case, "SELECT 0");
    cr_assert(eq(i64, rp_case_redis_number(test_case, "DBSIZE"), 0));
}

Test(harness, an_empty_case_has_no_tables) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    cr_assert(eq(
        i64, rp_case_sql_number(test_case, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), 0));
    g_autofree char *nothing = rp_case_sql_text(test_case, "SELECT NULL");
    cr_assert(nothing == NULL);
}

Test(harness, free_drops_the_database_although_it_is_in_use) {
    RpCase *first = rp_case_new();
    g_autoptr(RpCase) second = rp_case_new_empty();
    PGconn *other = PQconnectdb(first->conninfo);
    cr_assert(PQstatus(other) == CONNECTION_OK);
    g_autofree char *sql =
        g_strdup_printf("SELECT count(*) FROM pg_database WHERE datname = 'case_%u'", first->number);
    rp_case_free(first);
    cr_assert(eq(i64, rp_case_sql_number(second, sql), 0));
    PQfinish(other);
}

Test(harness, run_gives_both_outputs_and_the_status) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    use_script("#!/bin/sh\nprintf '{\"words\": \"%s %s|%s\"}' \"$1\" \"$3\" \"$5\"\n"
               "head -c 300000 /dev/zero | tr '\\0' x >&2\nexit 6\n");
    rp_case_run(test_case, &out, "status", "--json", NULL);
    drop_script();
    rp_outcome_assert_status(&out, 6);
    g_autoptr(json_t) document = rp_outcome_json(&out);
    cr_assert(
        eq(str, (char *)json_string_value(json_object_get(document, "words")), "--redis --postgres|status"));
    cr_assert(eq(sz, strlen(out.errors), 300000));
}

Test(harness, a_spawned_program_can_be_interrupted) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    use_script("#!/bin/sh\nexec sleep 50\n");
    RpProcess *process = rp_case_spawn(test_case, "run", NULL);
    rp_process_signal(process, SIGINT);
    rp_process_wait(process, &out);
    drop_script();
    rp_outcome_assert_status(&out, 128 + SIGINT);
}
