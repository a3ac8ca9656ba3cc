/* Transaction ids that may have come round: on a server whose counter was set forward. */
#include "undo.h"

#include "sandbox/sandbox.h"

#include <string.h>
#include <unistd.h>

/* Runs a script as whoever owns the server's data; TRUE when it ended well. */
static gboolean run_script(const char *script, char **output) {
    const char *as_owner[] = {"runuser", "-u", "postgres", "--", "sh", "-c", script, NULL};
    const char *plainly[] = {"sh", "-c", script, NULL};
    int status = 0;
    return g_spawn_sync("/", (char **)(getuid() == 0 ? as_owner : plainly), NULL, G_SPAWN_SEARCH_PATH, NULL,
                        NULL, output, NULL, &status, NULL) &&
           g_spawn_check_wait_status(status, NULL);
}

static char *ask(PGconn *connection, const char *sql) {
    PGresult *result = PQexec(connection, sql);
    cr_assert(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(connection));
    char *text = g_strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return text;
}

/* A copy of the server: it lives beside its data, in the sandbox's folder, and goes with it. */
static const char COPY[] =
    "cd '%s' && D=later && P='%s' && S=\"-k $PWD -p 5444 -c listen_addresses= -c fsync=off\" && "
    "$P/pg_basebackup -h \"$PWD\" -p 5432 -U postgres -D $D -c fast >later.log 2>&1 && "
    "for epoch in 0 1; do "
    "test $epoch = 0 || $P/pg_resetwal -e $epoch $D >>later.log 2>&1 || exit 1; "
    "$P/pg_ctl -D $D -w -t 30 -l later.log -o \"$S\" start >>later.log 2>&1 || exit 2; "
    "test $epoch = 1 || $P/pg_ctl -D $D -w -m fast stop >>later.log 2>&1 || exit 3; done";
static const char STOP[] =
    "cd '%s' && '%s'/pg_ctl -D later -w -m immediate stop >>later.log 2>&1; rm -rf later";

/* 2^32 transactions lie between the run and its rollback, as far as the server knows. */
Test(rollback_ids, that_may_have_come_round_are_refused) {
    const RpSandboxOptions options = {.is_without_redis = TRUE};
    g_autoptr(GError) error = NULL;
    g_autoptr(RpSandbox) sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    g_autoptr(RpCase) test_case = rp_case_new();
    const char *conninfo = rp_sandbox_get_conninfo(sandbox);
    g_autofree char *schema = rp_source_path("schema/shop");
    g_auto(RpOutcome) applied = {0};
    rp_case_run(test_case, &applied, "--postgres", conninfo, "schema", "apply", schema, NULL);
    rp_outcome_assert_status(&applied, 0);
    rp_case_add_customer(test_case, "c1");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--postgres", conninfo, NULL);
    PGconn *connection = PQconnectdb(conninfo);
    g_autofree char *programs = ask(connection, "SELECT setting FROM pg_config WHERE name = 'BINDIR'");
    g_autofree char *folder = ask(connection, "SHOW unix_socket_directories");
    PQfinish(connection);

    g_autofree char *copy = g_strdup_printf(COPY, folder, programs);
    g_autofree char *stop = g_strdup_printf(STOP, folder, programs);
    g_autofree char *later = g_strdup_printf("%s port=5444", conninfo);
    const gboolean is_copied = run_script(copy, NULL);
    g_auto(RpOutcome) out = {0};
    if (is_copied)
        rp_case_run(test_case, &out, "--postgres", later, "rollback", "1", NULL);
    run_script(stop, NULL);
    cr_assert(is_copied, "the server could not be copied to %s/later", folder);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, "run 1 lies more than 2^31 transactions back");
    g_auto(RpOutcome) before = {0};
    rp_case_run(test_case, &before, "--postgres", conninfo, "rollback", "1", NULL);
    rp_outcome_assert_status(&before, 0);
}
