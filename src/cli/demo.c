/* `redis2pg demo`: the whole story on private servers with generated data. */
#include "cli/commands.h"
#include "cli/demo_story.h"
#include "cli/prepare.h"
#include "cli/report_option.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "demo/locate.h"
#include "demo/shop.h"
#include "sandbox/sandbox.h"
#include "source/connection.h"

static gint64 n_customers;
static gint64 n_orders;
static gint64 n_payments;
static gint64 seed;
static char *fault_percent;
static char *report_folder;
static gboolean is_kept;
static gboolean is_fill;
static gboolean is_forced;

/* clang-format off */
static const RpOption OPTIONS[] = {
    {.name = "customers", .kind = RP_OPTION_NUMBER, .target = &n_customers, .argument = "N",
     .fallback = "10000", .minimum = 0, .maximum = G_MAXUINT32, .help = "customers to generate"},
    {.name = "orders", .kind = RP_OPTION_NUMBER, .target = &n_orders, .argument = "N",
     .fallback = "50000", .minimum = 0, .maximum = G_MAXUINT32, .help = "orders to generate"},
    {.name = "payments", .kind = RP_OPTION_NUMBER, .target = &n_payments, .argument = "N",
     .fallback = "40000", .minimum = 0, .maximum = G_MAXUINT32, .help = "payments to generate"},
    {.name = "seed", .kind = RP_OPTION_NUMBER, .target = &seed, .argument = "N",
     .fallback = "1", .minimum = 0, .maximum = G_MAXINT64, .help = "the same seed gives the same data"},
    {.name = "faults", .kind = RP_OPTION_TEXT, .target = &fault_percent, .argument = "PERCENT",
     .fallback = "1", .help = "share of faulty hashes, 0 to 100, at most half of each kind"},
    RP_REPORT_OPTION(report_folder, NULL),
    {.name = "keep", .kind = RP_OPTION_FLAG, .target = &is_kept, .help = "leave the servers running"},
    {.name = "fill", .kind = RP_OPTION_FLAG, .target = &is_fill,
     .help = "only write the generated data to the Redis of --redis, which must be empty"},
    {.name = "force", .kind = RP_OPTION_FLAG, .target = &is_forced, .help = "--fill: even if it is not empty"},
    {.name = NULL},
};
/* clang-format on */

#define REDIS_TIMEOUT_SECONDS 60

static void demo_clear(RpDemo *demo) {
    rp_sandbox_stop(demo->sandbox);
    g_free(demo->mapping);
    g_free(demo->schema);
    g_strfreev(demo->environment);
    json_decref(demo->run);
    json_decref(demo->rejects);
    json_decref(demo->reconciliation);
    json_decref(demo->differences);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpDemo, demo_clear)

static gboolean read_spec(RpShopSpec *spec, GError **error) {
    char *end = NULL;
    const double percent = g_ascii_strtod(fault_percent, &end);
    if (end == fault_percent || *end != '\0' || !(percent >= 0 && percent <= 100)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--faults: \"%s\" is no percentage from 0 to 100", fault_percent);
        return FALSE;
    }
    *spec = (RpShopSpec){.customers = (guint64)n_customers,
                         .orders = (guint64)n_orders,
                         .payments = (guint64)n_payments,
                         .seed = (guint64)seed,
                         .fault_percent = percent};
    RpShopReport forecast;
    return rp_shop_forecast(spec, &forecast, error);
}

/* ---- Generating ---- */

static void draw_progress(guint64 n_done, guint64 n_total, gpointer user_data) {
    const RpGlobals *globals = user_data;
    const gboolean is_wanted =
        g_strcmp0(globals->progress, "bar") == 0 ||
        (isatty(STDERR_FILENO) && (globals->progress == NULL || strcmp(globals->progress, "auto") == 0));
    if (globals->is_quiet || !is_wanted)
        return;
    g_autofree char *line = g_strdup_printf("\rgenerating %3u %%", (guint)(n_done * 100 / MAX(n_total, 1)));
    rp_log_draw(n_done == n_total ? "\r\033[K" : line);
}

static redisContext *enter_redis(const char *url, GError **error) {
    g_autoptr(RpRedisAddress) address = rp_redis_address_parse(url, error);
    return address != NULL ? rp_redis_connect(address, REDIS_TIMEOUT_SECONDS, error) : NULL;
}

static gboolean check_empty(redisContext *redis, GError **error) {
    const char *const argv[] = {"DBSIZE"};
    g_autoptr(redisReply) reply = rp_redis_command(redis, 1, argv, NULL, error);
    if (reply == NULL)
        return FALSE;
    if (reply->integer == 0)
        return TRUE;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "demo --fill: the Redis database holds %lld keys; --force writes into it all the same",
                reply->integer);
    return FALSE;
}

static gboolean generate(RpDemo *demo, const char *url, gboolean must_be_empty, GError **error) {
    g_autoptr(redisContext) redis = enter_redis(url, error);
    if (redis == NULL || (must_be_empty && !check_empty(redis, error)))
        return FALSE;
    const gint64 start = g_get_monotonic_time();
    if (!rp_shop_generate(redis, &demo->spec, &demo->report, draw_progress, (gpointer)demo->globals, error))
        return FALSE;
    const double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    const double n_hashes = (double)(demo->spec.customers + demo->spec.orders + demo->spec.payments);
    g_autofree char *table = rp_shop_report_show(&demo->report);
    rp_demo_say(demo, "%s\n%.0f hashes written in %.1f s (%.0f a second)\n", table, n_hashes, seconds,
                n_hashes / MAX(seconds, 1e-6));
    return TRUE;
}

static gboolean fill(RpDemo *demo, GError **error) {
    if (!generate(demo, demo->globals->redis_url, !is_forced, error))
        return FALSE;
    if (demo->globals->is_json) {
        json_t *json = json_pack("{s:o}", "planted", rp_shop_report_json(&demo->report));
        rp_print_json(json);
    }
    return TRUE;
}

/* ---- Servers ---- */

static gboolean start_servers(RpDemo *demo, GError **error) {
    rp_demo_begin_step(demo,
                       "Start a private Redis and a private PostgreSQL, reachable by Unix sockets only");
    demo->sandbox = rp_sandbox_start(NULL, error);
    if (demo->sandbox == NULL)
        return FALSE;
    const char *redis_url = rp_sandbox_get_redis_url(demo->sandbox);
    const char *conninfo = rp_sandbox_get_conninfo(demo->sandbox);
    char **environment = g_environ_unsetenv(g_get_environ(), "REDIS2PG_CONFIG");
    environment = g_environ_setenv(environment, "REDIS2PG_REDIS_URL", redis_url, TRUE);
    environment = g_environ_setenv(environment, "REDIS2PG_POSTGRES_URL", conninfo, TRUE);
    demo->environment = g_environ_setenv(environment, "REDIS2PG_MAPPING", demo->mapping, TRUE);
    rp_demo_say(demo,
                "$ export REDIS2PG_REDIS_URL='%s'\n$ export REDIS2PG_POSTGRES_URL=\"%s\"\n$ export "
                "REDIS2PG_MAPPING='%s'\n",
                redis_url, conninfo, demo->mapping);
    return TRUE;
}

/* In JSON mode the child's result is captured, as stdout carries one document only. */
static gboolean call_step(RpDemo *demo, const char *word, const char *second, const char *third,
                          GError **error) {
    g_autofree char *output = NULL;
    return rp_demo_call(demo, demo->globals->is_json ? &output : NULL, error, word, second, third, NULL);
}

static gboolean run_load(RpDemo *demo, GError **error) {
    g_autofree char *output = NULL;
    rp_demo_begin_step(demo, "Load: every key becomes a row or a reject with its reason");
    if (demo->globals->is_json) {
        if (!rp_demo_call(demo, &output, error, "run", NULL))
            return FALSE;
        demo->run = rp_demo_parse_output("run", output, error);
        return demo->run != NULL;
    }
    if (!rp_demo_call(demo, NULL, error, "run", NULL) ||
        !rp_demo_call(demo, &output, error, "runs", "list", NULL))
        return FALSE;
    json_t *list = rp_demo_parse_output("runs list", output, error);
    demo->run = json_incref(json_array_get(json_object_get(list, "runs"), 0));
    json_decref(list);
    if (list != NULL && demo->run == NULL)
        g_set_error_literal(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "redis2pg runs list knows no run");
    return demo->run != NULL;
}

/* ---- The end ---- */

static void say_next_steps(const RpDemo *demo) {
    rp_demo_say(demo, "\nNext, with servers of your own (or these, with --keep):\n"
                      "  redis2pg run                        # again: what stands is not written twice\n"
                      "  redis2pg runs list                  # what ran, and what came of it\n"
                      "  redis2pg rejects list --limit 0     # every record that was refused, and why\n"
                      "  redis2pg reconcile --report proof   # the comparison as a page to show\n"
                      "  redis2pg run --help                 # and so for each command\n");
}

/* For the JSON document the places are values. */
static json_t *servers_json(const RpDemo *demo, pid_t keeper) {
    if (keeper == 0)
        return json_null();
    return json_pack("{s:s, s:s, s:i}", "redis", rp_sandbox_get_redis_url(demo->sandbox), "postgres",
                     rp_sandbox_get_conninfo(demo->sandbox), "stop_pid", (int)keeper);
}

static pid_t keep_servers(RpDemo *demo) {
    if (!is_kept || demo->sandbox == NULL)
        return 0;
    const pid_t keeper = rp_sandbox_keep(demo->sandbox);
    rp_demo_say(
        demo, "\nThe servers go on running:\n  redis-cli -s %s\n  psql \"%s\"\nand end with\n  kill %d\n",
        rp_sandbox_get_redis_socket(demo->sandbox), rp_sandbox_get_conninfo(demo->sandbox), (int)keeper);
    return keeper;
}

static gboolean tell(RpDemo *demo, GError **error) {
    if (!start_servers(demo, error))
        return FALSE;
    rp_demo_begin_step(demo, "Generate the shop's keys, some of them faulty");
    rp_demo_say(demo,
                "$ redis2pg demo --fill --customers %" G_GINT64_FORMAT " --orders %" G_GINT64_FORMAT
                " --payments %" G_GINT64_FORMAT " --seed %" G_GINT64_FORMAT " --faults %s\n",
                n_customers, n_orders, n_payments, seed, fault_percent);
    if (!generate(demo, rp_sandbox_get_redis_url(demo->sandbox), TRUE, error))
        return FALSE;
    rp_demo_begin_step(demo, "Create the tables with their constraints, and check the mapping against them");
    if (!call_step(demo, "schema", "apply", demo->schema, error) ||
        !call_step(demo, "check", NULL, NULL, error))
        return FALSE;
    return run_load(demo, error) && rp_demo_look_at_rejects(demo, error) && rp_demo_prove(demo, error) &&
           rp_demo_ask(demo, error);
}

static gboolean full_story(RpDemo *demo, GError **error) {
    demo->mapping = rp_demo_locate("mappings/shop.yaml", error);
    demo->schema = demo->mapping != NULL ? rp_demo_locate("schema/shop", error) : NULL;
    if (demo->schema == NULL)
        return FALSE;
    const gboolean is_told = tell(demo, error);
    if (is_told)
        say_next_steps(demo);
    const pid_t keeper = keep_servers(demo);
    if (!is_told)
        return FALSE;
    rp_demo_say_verdict(demo);
    if (!demo->globals->is_json)
        return TRUE;
    json_t *json =
        json_pack("{s:o, s:O, s:O, s:O, s:b, s:O, s:o}", "planted", rp_shop_report_json(&demo->report), "run",
                  demo->run, "rejects_by_entity", demo->rejects, "reconcile", demo->reconciliation, "matches",
                  json_array_size(demo->differences) == 0, "differences", demo->differences, "servers",
                  servers_json(demo, keeper));
    rp_print_json(json);
    return TRUE;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    g_auto(RpDemo) demo = {.globals = globals, .report_folder = report_folder};
    if (n_words > 0) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "demo takes no words: \"%s\"", words[0]);
        return FALSE;
    }
    if (!read_spec(&demo.spec, error) || !rp_report_option_prepare(report_folder, error))
        return FALSE;
    *status = 0;
    if (is_fill)
        return fill(&demo, error);
    g_autoptr(GError) story_error = NULL;
    if (full_story(&demo, &story_error)) {
        *status = json_array_size(demo.differences) == 0 ? 0 : 1;
        return TRUE;
    }
    if (story_error != NULL) {
        g_propagate_error(error, g_steal_pointer(&story_error));
        return FALSE;
    }
    /* A child failed and said why: its status is ours. */
    *status = demo.status;
    return TRUE;
}

const RpCommand RP_COMMAND_DEMO = {
    .name = "demo",
    .arguments = NULL,
    .summary = "Tells the whole story on private servers with generated data: generate, check, load, prove.",
    .example = "redis2pg demo --orders 1000 --faults 5",
    .options = OPTIONS,
    .execute = execute,
};
