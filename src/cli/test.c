/* `redis2pg test`: fixture tests of mappings. */
#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "cli/progress.h"
#include "fixture/faces.h"
#include "fixture/play.h"
#include "fixture/rewrite.h"
#include "pipeline/signals.h"
#include "report/diff.h"
#include "report/tap.h"
#include "sink/wait.h"

#include <glib/gstdio.h>
#include <stdio.h>

static char *filter;
static char *junit_path;
static gboolean is_updating;

#define TIMEOUT_SECONDS 60

static const RpOption OPTIONS[] = {
    {.name = "filter",
     .kind = RP_OPTION_TEXT,
     .target = &filter,
     .argument = "TEXT",
     .help = "only tests whose name holds this text or, with * or ? in it, is like it"},
    {.name = "junit",
     .kind = RP_OPTION_TEXT,
     .target = &junit_path,
     .argument = "FILE",
     .help = "write the results as JUnit XML too"},
    {.name = "update",
     .kind = RP_OPTION_FLAG,
     .target = &is_updating,
     .help = "write what came into the files of tests that fail, and show the difference"},
    {.name = NULL},
};

/* What is under way. */
typedef struct {
    const RpGlobals *globals;
    RpFixtures *fixtures;
    GPtrArray *results; /* of RpFixtureResult, so far */
    RpProgress *progress;
    gint64 start;
} Session;

static void session_clear(Session *session) {
    g_clear_pointer(&session->results, g_ptr_array_unref);
    g_clear_pointer(&session->fixtures, rp_fixtures_free);
    g_clear_pointer(&session->progress, rp_progress_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

static double seconds_of(const Session *session) {
    return (double)(g_get_monotonic_time() - session->start) / G_USEC_PER_SEC;
}

/* ---- stdout ---- */

/* Each line as soon as it is known: somebody may be looking. */
static void print(const Session *session, GString *tap) {
    if (session->globals->is_json)
        return;
    fputs(tap->str, stdout);
    fflush(stdout);
}

static void print_plan(const Session *session) {
    g_autoptr(GString) tap = g_string_new(NULL);
    rp_tap_append_plan(tap, session->fixtures->tests->len);
    print(session, tap);
}

static void print_result(const Session *session, const RpFixtureResult *result) {
    g_autoptr(GString) tap = g_string_new(NULL);
    rp_fixture_append_tap(tap, session->results->len, result);
    print(session, tap);
}

static void print_bail_out(const Session *session, const GError *error) {
    g_autoptr(GString) tap = g_string_new(NULL);
    rp_tap_append_bail_out(tap, error->message);
    print(session, tap);
}

/* ---- the tests ---- */

static gboolean play(Session *session, RpFixtureServers *servers, GError **error) {
    const GPtrArray *tests = session->fixtures->tests;
    for (guint i = 0; i < tests->len; i++) {
        const RpFixture *test = g_ptr_array_index(tests, i);
        g_autofree char *line = g_strdup_printf("test %u of %u: %s", i + 1, tests->len, test->name);
        rp_progress_say(session->progress, seconds_of(session), line);
        g_autoptr(RpFixtureResult) result = rp_fixture_result_new(test);
        if (!rp_fixture_play(servers, result, error))
            return FALSE;
        g_ptr_array_add(session->results, g_steal_pointer(&result));
        print_result(session, g_ptr_array_index(session->results, i));
    }
    return TRUE;
}

/* What failed first is what is told; that databases are left is told beside it. */
static gboolean drop_databases(RpFixtureServers *servers, gboolean is_played, GError **error) {
    g_autoptr(GError) trouble = NULL;
    if (rp_fixture_servers_drop_databases(servers, &trouble))
        return is_played;
    if (is_played)
        g_propagate_error(error, g_steal_pointer(&trouble));
    else
        rp_log(RP_LOG_WARNING, "%s", trouble->message);
    return FALSE;
}

/* Signals are taken between and within tests, not as they come: servers end, and databases are dropped. */
static gboolean play_on_servers(Session *session, GError **error) {
    const RpGlobals *globals = session->globals;
    const gboolean is_postgres_named = globals->postgres_conninfo[0] != '\0';
    RpSignals signals;
    rp_signals_block(&signals);
    g_autoptr(RpFixtureServers) servers =
        rp_fixture_servers_new(globals->is_redis_named ? globals->redis_url : NULL,
                               is_postgres_named ? globals->postgres_conninfo : NULL, error);
    gboolean is_played = FALSE;
    if (servers != NULL) {
        g_autoptr(GError) trouble = NULL;
        print_plan(session);
        is_played = play(session, servers, &trouble);
        if (!is_played) {
            print_bail_out(session, trouble);
            g_propagate_error(error, g_steal_pointer(&trouble));
        }
        is_played = drop_databases(servers, is_played, error);
    }
    g_clear_pointer(&servers, rp_fixture_servers_free);
    rp_signals_unblock(&signals);
    return is_played;
}

/* ---- what comes after ---- */

static gboolean update_file(const RpFixtureFile *file, const GPtrArray *results, GError **error) {
    GError *trouble = NULL;
    g_autofree char *text = rp_fixture_rewrite(file, results, &trouble);
    if (text == NULL) {
        if (trouble != NULL)
            g_propagate_error(error, trouble);
        return trouble == NULL;
    }
    g_autofree char *diff = rp_diff_unified(file->path, file->text, text);
    if (!rp_fixture_rewrite_save(file, text, error))
        return FALSE;
    rp_log_draw(diff);
    return TRUE;
}

/* A file that cannot be rewritten does not keep the others from it. */
static gboolean update_files(const Session *session, GError **error) {
    g_autoptr(GString) problems = g_string_new(NULL);
    for (guint i = 0; i < session->fixtures->files->len; i++) {
        g_autoptr(GError) trouble = NULL;
        if (!update_file(g_ptr_array_index(session->fixtures->files, i), session->results, &trouble))
            g_string_append_printf(problems, "%s%s", problems->len > 0 ? "\n" : "", trouble->message);
    }
    if (problems->len == 0)
        return TRUE;
    g_set_error_literal(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, problems->str);
    return FALSE;
}

static guint count(const Session *session, RpFixtureOutcome outcome) {
    guint n = 0;
    for (guint i = 0; i < session->results->len; i++)
        n += ((const RpFixtureResult *)g_ptr_array_index(session->results, i))->outcome == outcome;
    return n;
}

/* With trouble, which ended the tests too early, too: who reads files only is to learn of it. */
static gboolean tell_all(const Session *session, const GError *trouble, GError **error) {
    if (session->globals->is_json)
        rp_print_json(
            rp_fixture_json(session->results, session->fixtures->tests->len, seconds_of(session), trouble));
    if (junit_path == NULL)
        return TRUE;
    g_autoptr(RpJunit) junit = rp_fixture_junit(session->results, trouble);
    return rp_junit_write(junit, junit_path, error);
}

static gboolean conclude_early(const Session *session, GError *trouble, GError **error) {
    g_autoptr(GError) other = NULL;
    if (!tell_all(session, trouble, &other))
        rp_log(RP_LOG_WARNING, "%s", other->message);
    g_propagate_error(error, trouble);
    return FALSE;
}

static gboolean conclude(const Session *session, int *status, GError **error) {
    const guint n_broken = count(session, RP_FIXTURE_BROKEN);
    if (!tell_all(session, NULL, error) || (is_updating && !update_files(session, error)))
        return FALSE;
    *status = count(session, RP_FIXTURE_FAILED) > 0 ? 1 : 0;
    if (n_broken > 0)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "%u of %u fixture tests have mistakes of their own", n_broken, session->results->len);
    return n_broken == 0;
}

/* ---- what comes before ---- */

static gboolean is_same_file(const char *path, const char *other) {
    GStatBuf first, second;
    return g_stat(path, &first) == 0 && g_stat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* Old results are gone from here on, whatever comes. */
static gboolean prepare_junit(const Session *session, GError **error) {
    for (guint i = 0; i < session->fixtures->files->len; i++) {
        const RpFixtureFile *file = g_ptr_array_index(session->fixtures->files, i);
        if (is_same_file(file->path, junit_path)) {
            g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                        "%s cannot be written: it is one of the fixture files", junit_path);
            return FALSE;
        }
    }
    return rp_junit_check_path(junit_path, error) && rp_junit_remove(junit_path, error);
}

static gboolean read_files(Session *session, char **words, GError **error) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    session->fixtures = rp_fixtures_load((const char *const *)words, findings);
    if ((junit_path != NULL && !prepare_junit(session, error)) || !rp_findings_check(findings, error))
        return FALSE;
    const guint n_all = session->fixtures->tests->len;
    if (filter != NULL)
        rp_fixtures_filter(session->fixtures, filter);
    if (session->fixtures->tests->len > 0)
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "there is no fixture test%s%s%s",
                filter != NULL && n_all > 0 ? " like \"" : "", filter != NULL && n_all > 0 ? filter : "",
                filter != NULL && n_all > 0 ? "\"" : "");
    return FALSE;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    g_auto(Session) session = {.globals = globals, .start = g_get_monotonic_time()};
    if (!rp_expect_words(&RP_COMMAND_TEST, n_words, 1, G_MAXINT, error))
        return FALSE;
    session.results = g_ptr_array_new_with_free_func((GDestroyNotify)rp_fixture_result_free);
    session.progress = rp_progress_new(globals->progress, globals->is_quiet, error);
    rp_wait_default(TIMEOUT_SECONDS);
    if (session.progress == NULL || !read_files(&session, words, error))
        return FALSE;
    GError *trouble = NULL;
    const gboolean is_played = play_on_servers(&session, &trouble);
    g_clear_pointer(&session.progress, rp_progress_free);
    return is_played ? conclude(&session, status, error) : conclude_early(&session, trouble, error);
}

const RpCommand RP_COMMAND_TEST = {
    .name = "test",
    .arguments = "PATH…",
    .summary =
        "Fixture tests of mappings: what Redis holds, and which rows and rejects are to come of it.\n"
        "PATH is a file of tests or a folder of them. They run on a private Redis and PostgreSQL, unless "
        "--redis\n"
        "or --postgres name some; results go to stdout as TAP.",
    .example = "redis2pg test fixtures --junit results.xml",
    .options = OPTIONS,
    .execute = execute,
};
