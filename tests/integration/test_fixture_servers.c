/* The servers of fixture tests: private or named, what is left of them, and how long it takes. */
#include "fixturing.h"

#include <signal.h>

/* A case whose databases can be told from those of other tests: they are a role's of its own. */
static RpCase *case_new(void) {
    RpCase *test_case = rp_case_new_empty();
    g_autofree char *sql = g_strdup_printf("CREATE ROLE fixture_%d SUPERUSER LOGIN", (int)getpid());
    rp_case_sql(test_case, sql);
    char *conninfo = g_strdup_printf("%s user=fixture_%d", test_case->conninfo, (int)getpid());
    g_free(test_case->conninfo);
    test_case->conninfo = conninfo;
    return test_case;
}

static int count_databases(RpCase *test_case) {
    g_autofree char *sql =
        g_strdup_printf("SELECT count(*) FROM pg_database WHERE datname LIKE 'redis2pg\\_test\\_%%' AND "
                        "pg_get_userbyid(datdba) = 'fixture_%d'",
                        (int)getpid());
    return (int)rp_case_sql_number(test_case, sql);
}

Test(fixture_servers, run_on_named_servers_and_leave_nothing) {
    g_autoptr(RpCase) test_case = case_new();
    g_auto(Folder) folder = folder_new();
    g_autofree char *path =
        write_file(&folder, "a.yaml",
                   "test: one\n" HEAD "expect: {rows: {users: [{customer_id: c1}]}}\n---\n"
                   "test: two\n" HEAD "expect: {rows: {users: []}}\n---\n"
                   "test: three\n" HEAD "expect: {rejects: []}\n");
    g_auto(RpOutcome) out;
    rp_case_run(test_case, &out, "test", path, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.output, "ok 1 - one\nnot ok 2 - two\n");
    rp_assert_says(out.output, "ok 3 - three\n");
    cr_assert(eq(int, count_databases(test_case), 0));
    cr_assert(eq(int, (int)rp_case_redis_number(test_case, "DBSIZE"), 0));
}

Test(fixture_servers, refuse_a_redis_that_is_not_empty) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml", "test: one\n" HEAD "expect: {rejects: []}\n");
    rp_case_redis(test_case, "SET precious a");
    g_auto(RpOutcome) out;
    rp_case_run(test_case, &out, "test", path, NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "holds 1 keys");
    cr_assert(eq(int, (int)rp_case_redis_number(test_case, "EXISTS precious"), 1));
}

/* Steps of PostgreSQL that last until a session of this process is called "go", and say that they began. */
#define WAIT_SQL                                                                                             \
    "PERFORM set_config('application_name', 'waits_$PID', FALSE); "                                          \
    "WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'go_$PID') LOOP "               \
    "PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); END LOOP; "

/* HEAD, whose load waits in its first INSERT. */
#define HALTING                                                                                              \
    HEAD "postgres:\n"                                                                                       \
         "  - CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " WAIT_SQL                 \
         "RETURN NULL; END $$\n"                                                                             \
         "  - CREATE TRIGGER halt BEFORE INSERT ON users EXECUTE FUNCTION halt()\n"

static char *write_waiting(const Folder *folder, const char *text) {
    g_autoptr(GString) filled = g_string_new(text);
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_string_replace(filled, "$PID", pid, 0);
    return write_file(folder, "a.yaml", filled->str);
}

static void await_waiting(RpCase *test_case) {
    g_autofree char *sql = g_strdup_printf(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waits_%d'", (int)getpid());
    while (rp_case_sql_number(test_case, sql) == 0)
        g_usleep(2000);
}

static void let_go(RpCase *test_case) {
    g_autofree char *sql = g_strdup_printf("SET application_name = 'go_%d'", (int)getpid());
    rp_case_sql(test_case, sql);
}

/* A test that is over before its commands looks at no Redis, and empties none. */
Test(fixture_servers, leave_a_redis_alone_that_the_test_did_not_reach, .timeout = 150) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(Folder) folder = folder_new();
    g_autofree char *path =
        write_waiting(&folder, "test: one\nmapping: $MAPPING\nschema: $SCHEMA\npostgres:\n"
                               "  - DO $$ BEGIN " WAIT_SQL "END $$\n  - SELECT 1/0\nexpect: {}\n");
    RpProcess *process = rp_case_spawn(test_case, "test", path, NULL);
    await_waiting(test_case);
    rp_case_redis(test_case, "SET precious a");
    let_go(test_case);
    g_auto(RpOutcome) out;
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.output, "not ok 1 - one\n");
    cr_assert(eq(int, (int)rp_case_redis_number(test_case, "EXISTS precious"), 1));
}

/* In the middle of a load: nothing of the test stays, and nothing is said of a way on. */
Test(fixture_servers, that_are_named_hold_nothing_after_an_interruption, .timeout = 150) {
    g_autoptr(RpCase) test_case = case_new();
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_waiting(&folder, "test: zero\n" HEAD "expect: {}\n---\ntest: one\n" HALTING
                                                   "expect: {}\n---\ntest: two\n" HEAD "expect: {}\n");
    g_autofree char *junit = g_build_filename(folder.path, "junit.xml", NULL);
    RpProcess *process = rp_case_spawn(test_case, "test", path, "--junit", junit, NULL);
    await_waiting(test_case);
    rp_process_signal(process, SIGINT);
    let_go(test_case);
    g_auto(RpOutcome) out;
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 5);
    rp_assert_says(out.output, "Bail out! interrupted by a signal\n");
    rp_assert_keeps_quiet(out.errors, "resume");
    g_autofree char *xml = read_file(junit);
    rp_assert_says(xml, "tests=\"2\" failures=\"0\" errors=\"1\"");
    rp_assert_says(xml, "message=\"interrupted by a signal\"");
    cr_assert(eq(int, (int)rp_case_redis_number(test_case, "DBSIZE"), 0));
    cr_assert(eq(int, count_databases(test_case), 0));
}

/* Ends the newer of the two sessions that make and drop. */
static void end_dropper(RpCase *test_case) {
    g_autofree char *sql = g_strdup_printf(
        "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE usename = "
        "'fixture_%d' AND datname = current_database() ORDER BY backend_start DESC LIMIT 1) a",
        (int)getpid());
    cr_assert(eq(int, (int)rp_case_sql_number(test_case, sql), 1));
}

Test(fixture_servers, that_lose_the_session_which_drops_leave_no_database, .timeout = 150) {
    g_autoptr(RpCase) test_case = case_new();
    g_auto(Folder) folder = folder_new();
    g_autoptr(GString) text = g_string_new("test: one\nmapping: $MAPPING\nschema: $SCHEMA\npostgres:\n"
                                           "  - DO $$ BEGIN " WAIT_SQL "END $$\nexpect: {}\n");
    for (guint i = 0; i < 10; i++)
        g_string_append_printf(text, "---\ntest: %u\n%s", i, HEAD "expect: {}\n");
    g_autofree char *path = write_waiting(&folder, text->str);
    RpProcess *process = rp_case_spawn(test_case, "test", path, NULL);
    await_waiting(test_case);
    end_dropper(test_case);
    let_go(test_case);
    g_auto(RpOutcome) out;
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    cr_assert(eq(int, count_databases(test_case), 0));
}

/* What cannot be dropped is named, that somebody can. */
Test(fixture_servers, that_let_nobody_in_any_more_say_what_is_left, .timeout = 150) {
    g_autoptr(RpCase) test_case = case_new();
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_waiting(&folder, "test: one\n" HALTING "expect: {}\n");
    g_autofree char *closing = g_strdup_printf("ALTER ROLE fixture_%d NOLOGIN", (int)getpid());
    RpProcess *process = rp_case_spawn(test_case, "test", path, NULL);
    await_waiting(test_case);
    end_dropper(test_case);
    rp_case_sql(test_case, closing);
    let_go(test_case);
    g_auto(RpOutcome) out;
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 4);
    rp_assert_says(out.output, "ok 1 - one\n");
    cr_assert(eq(int, count_databases(test_case), 3));
    g_autofree char *names = rp_case_sql_text(
        test_case,
        "SELECT string_agg(datname, ',') FROM pg_database WHERE datname LIKE 'redis2pg\\_test\\_%' "
        "AND pg_get_userbyid(datdba) = 'fixture_' || substr(current_setting('application_name'), 4)");
    g_auto(GStrv) list = g_strsplit(names, ",", -1);
    for (guint i = 0; list[i] != NULL; i++) {
        g_autofree char *drop = g_strdup_printf("DROP DATABASE %s", list[i]);
        rp_assert_says(out.errors, list[i]);
        rp_case_sql(test_case, drop);
    }
}

/* Whether some process has text on its command line. */
static gboolean is_running(const char *text) {
    g_autoptr(GDir) processes = g_dir_open("/proc", 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(processes)) != NULL) {
        g_autofree char *path = g_build_filename("/proc", name, "cmdline", NULL);
        g_autofree char *words = NULL;
        gsize size;
        if (g_ascii_isdigit(name[0]) && g_file_get_contents(path, &words, &size, NULL) &&
            memmem(words, size, text, strlen(text)) != NULL)
            return TRUE;
    }
    return FALSE;
}

Test(fixture_servers, that_are_interrupted_leave_nothing, .timeout = 150) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *temporary = g_build_filename(folder.path, "tmp", NULL);
    g_mkdir(temporary, 0777);
    g_chmod(temporary, 0777);
    g_chmod(folder.path, 0755);
    g_autoptr(GString) text = g_string_new("test: 0\n" HEAD "expect: {rejects: []}\n");
    for (guint i = 1; i < 300; i++)
        g_string_append_printf(text, "---\ntest: %u\n%s", i, HEAD "expect: {rejects: []}\n");
    g_autofree char *path = write_file(&folder, "a.yaml", text->str);
    const char *const words[] = {g_getenv("REDIS2PG_BINARY"), "test", path, NULL};
    g_auto(GStrv) environment = bare_environment(temporary);
    GPid pid;
    int output;
    cr_assert(g_spawn_async_with_pipes(NULL, (char **)words, environment,
                                       G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                                       &pid, NULL, &output, NULL, NULL));
    g_autoptr(GString) said = g_string_new(NULL);
    char part[1024];
    ssize_t size;
    gboolean is_told = FALSE;
    while ((size = read(output, part, sizeof part)) > 0) {
        g_string_append_len(said, part, size);
        if (!is_told && strstr(said->str, "ok 2") != NULL) {
            is_told = TRUE;
            cr_assert(is_running(temporary), "the servers are private");
            kill(pid, SIGINT);
        }
    }
    close(output);
    int status;
    waitpid(pid, &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    cr_assert(code == 5, "status %d\n%s", code, said->str);
    rp_assert_says(said->str, "Bail out! ");
    rp_assert_keeps_quiet(said->str, "ok 300");
    const gboolean is_left = is_running(temporary);
    cr_assert(is_left == FALSE, "no server is left");
    cr_assert(eq(int, g_rmdir(temporary), 0), "nothing is left in it");
}
