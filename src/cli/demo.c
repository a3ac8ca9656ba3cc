/* `redis2pg demo`: the whole story on private servers with generated data. */
#include "cli/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/span.h"
#include "demo/child.h"
#include "demo/locate.h"
#include "demo/shop.h"
#include "demo/verdict.h"
#include "sandbox/sandbox.h"
#include "sink/connection.h"
#include "source/connection.h"

static gint64 n_customers;
static gint64 n_orders;
static gint64 n_payments;
static gint64 seed;
static char *fault_percent;
static gboolean is_kept;
static gboolean is_fill;
static gboolean is_forced;

/* clang-format off */
static const RpOption OPTIONS[] = {
    {.name = "customers", .kind = RP_OPTION_NUMBER, .target = &n_customers, .argument = "N",
     .fallback = "10000", .minimum = 0, .maximum = G_MAXUINT32, .help = "customers to generate (default 10000)"},
    {.name = "orders", .kind = RP_OPTION_NUMBER, .target = &n_orders, .argument = "N",
     .fallback = "50000", .minimum = 0, .maximum = G_MAXUINT32, .help = "orders to generate (default 50000)"},
    {.name = "payments", .kind = RP_OPTION_NUMBER, .target = &n_payments, .argument = "N",
     .fallback = "40000", .minimum = 0, .maximum = G_MAXUINT32, .help = "payments to generate (default 40000)"},
    {.name = "seed", .kind = RP_OPTION_NUMBER, .target = &seed, .argument = "N",
     .fallback = "1", .minimum = 0, .maximum = G_MAXINT64, .help = "the same seed gives the same data (default 1)"},
    {.name = "faults", .kind = RP_OPTION_TEXT, .target = &fault_percent, .argument = "PERCENT",
     .fallback = "1", .help = "share of faulty hashes, 0 to 100, at most half of each kind (default 1)"},
    {.name = "keep", .kind = RP_OPTION_FLAG, .target = &is_kept, .help = "leave the servers running"},
    {.name = "fill", .kind = RP_OPTION_FLAG, .target = &is_fill,
     .help = "only write the generated data to the Redis of --redis, which must be empty"},
    {.name = "force", .kind = RP_OPTION_FLAG, .target = &is_forced, .help = "--fill: even if it is not empty"},
    {.name = NULL},
};
/* clang-format on */

#define REDIS_TIMEOUT_SECONDS 60
#define N_STEPS               6
#define MAX_EXAMPLES          3 /* of an entity */
#define MAX_KEY_BYTES         60

/* One telling of the story. */
typedef struct {
    const RpGlobals *globals;
    RpShopSpec spec;
    RpShopReport report;
    RpSandbox *sandbox;
    char *mapping;
    char *schema;
    char **environment; /* of the children */
    guint n_steps;
    json_t *run;     /* the run's JSON */
    json_t *rejects; /* {"orders": {"out_of_range": 3}} */
    json_t *differences;
    int status; /* of the child that ended the story early; 0 otherwise */
} Demo;

static void demo_clear(Demo *demo) {
    rp_sandbox_stop(demo->sandbox);
    g_free(demo->mapping);
    g_free(demo->schema);
    g_strfreev(demo->environment);
    json_decref(demo->run);
    json_decref(demo->rejects);
    json_decref(demo->differences);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Demo, demo_clear)

static void say(const Demo *demo, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(const Demo *demo, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!demo->globals->is_json)
        vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

static void begin_step(Demo *demo, const char *title) {
    say(demo, "\n== %u/%d  %s\n", ++demo->n_steps, N_STEPS, title);
}

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

static gboolean generate(Demo *demo, const char *url, gboolean must_be_empty, GError **error) {
    g_autoptr(redisContext) redis = enter_redis(url, error);
    if (redis == NULL || (must_be_empty && !check_empty(redis, error)))
        return FALSE;
    const gint64 start = g_get_monotonic_time();
    if (!rp_shop_generate(redis, &demo->spec, &demo->report, draw_progress, (gpointer)demo->globals, error))
        return FALSE;
    const double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    const double n_hashes = (double)(demo->spec.customers + demo->spec.orders + demo->spec.payments);
    g_autofree char *table = rp_shop_report_show(&demo->report);
    say(demo, "%s\n%.0f hashes written in %.1f s (%.0f a second)\n", table, n_hashes, seconds,
        n_hashes / MAX(seconds, 1e-6));
    return TRUE;
}

static void print_json(json_t *json) {
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    puts(text);
    free(text);
}

static gboolean fill(Demo *demo, GError **error) {
    if (!generate(demo, demo->globals->redis_url, !is_forced, error))
        return FALSE;
    if (demo->globals->is_json) {
        json_t *json = json_pack("{s:o}", "planted", rp_shop_report_json(&demo->report));
        print_json(json);
        json_decref(json);
    }
    return TRUE;
}

/* ---- Servers ---- */

static gboolean start_servers(Demo *demo, GError **error) {
    begin_step(demo, "Start a private Redis and a private PostgreSQL, reachable by Unix sockets only");
    demo->sandbox = rp_sandbox_start(NULL, error);
    if (demo->sandbox == NULL)
        return FALSE;
    const char *redis_url = rp_sandbox_get_redis_url(demo->sandbox);
    const char *conninfo = rp_sandbox_get_conninfo(demo->sandbox);
    char **environment = g_environ_unsetenv(g_get_environ(), "REDIS2PG_CONFIG");
    environment = g_environ_setenv(environment, "REDIS2PG_REDIS_URL", redis_url, TRUE);
    environment = g_environ_setenv(environment, "REDIS2PG_POSTGRES_URL", conninfo, TRUE);
    demo->environment = g_environ_setenv(environment, "REDIS2PG_MAPPING", demo->mapping, TRUE);
    say(demo,
        "$ export REDIS2PG_REDIS_URL='%s'\n$ export REDIS2PG_POSTGRES_URL=\"%s\"\n$ export "
        "REDIS2PG_MAPPING='%s'\n",
        redis_url, conninfo, demo->mapping);
    return TRUE;
}

/* ---- The other commands ---- */

/* Runs `redis2pg words…`, the words ending in NULL. A status over 1 ends the story: it is kept, and FALSE
 * comes back without an error, for the child has told its own. */
static gboolean call(Demo *demo, char **output, GError **error, ...) G_GNUC_NULL_TERMINATED;
static gboolean call(Demo *demo, char **output, GError **error, ...) {
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    va_list arguments;
    va_start(arguments, error);
    for (char *word = va_arg(arguments, char *); word != NULL; word = va_arg(arguments, char *))
        g_ptr_array_add(words, word);
    va_end(arguments);
    g_ptr_array_add(words, NULL);
    if (output == NULL) {
        g_autofree char *line = g_strjoinv(" ", (char **)words->pdata);
        say(demo, "$ redis2pg %s\n", line);
    }
    g_ptr_array_set_size(words, (int)words->len - 1);
    if (demo->globals->is_quiet)
        g_ptr_array_add(words, (gpointer) "--quiet");
    if (demo->globals->progress != NULL) {
        g_ptr_array_add(words, (gpointer) "--progress");
        g_ptr_array_add(words, demo->globals->progress);
    }
    if (output != NULL)
        g_ptr_array_add(words, (gpointer) "--json");
    g_ptr_array_add(words, NULL);
    int status = 0;
    if (!rp_child_run((char **)words->pdata, demo->environment, output, &status, error))
        return FALSE;
    demo->status = status > 1 ? status : 0;
    return demo->status == 0;
}

/* The JSON document that a command printed; NULL when it printed none. */
static json_t *parse_output(const char *command, const char *output, GError **error) {
    json_error_t where;
    json_t *json = json_loads(output, 0, &where);
    if (json == NULL)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "redis2pg %s --json printed no JSON document: %s", command, where.text);
    return json;
}

/* In JSON mode the child's result is captured, as stdout carries one document only. */
static gboolean call_step(Demo *demo, const char *word, const char *second, const char *third,
                          GError **error) {
    g_autofree char *output = NULL;
    return call(demo, demo->globals->is_json ? &output : NULL, error, word, second, third, NULL);
}

static gboolean run_load(Demo *demo, GError **error) {
    g_autofree char *output = NULL;
    begin_step(demo, "Load: every key becomes a row or a reject with its reason");
    if (demo->globals->is_json) {
        if (!call(demo, &output, error, "run", NULL))
            return FALSE;
        demo->run = parse_output("run", output, error);
        return demo->run != NULL;
    }
    if (!call(demo, NULL, error, "run", NULL) || !call(demo, &output, error, "runs", "list", NULL))
        return FALSE;
    json_t *list = parse_output("runs list", output, error);
    demo->run = json_incref(json_array_get(json_object_get(list, "runs"), 0));
    json_decref(list);
    if (list != NULL && demo->run == NULL)
        g_set_error_literal(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "redis2pg runs list knows no run");
    return demo->run != NULL;
}

/* ---- Rejects ---- */

static void say_example(const Demo *demo, json_t *reject) {
    const char *value = json_string_value(json_object_get(reject, "value"));
    const char *column = json_string_value(json_object_get(reject, "column"));
    g_autofree char *key =
        rp_span_show(rp_span(json_string_value(json_object_get(reject, "key"))), MAX_KEY_BYTES);
    say(demo, "  %s  %s%s%s: %s%s%s%s\n", key, json_string_value(json_object_get(reject, "code")),
        column != NULL ? " in " : "", column != NULL ? column : "",
        json_string_value(json_object_get(reject, "message")), value != NULL ? " (\"" : "",
        value != NULL ? value : "", value != NULL ? "\")" : "");
}

/* Some rejects of an entity, each with a code of which there was no example yet. */
static void say_examples(const Demo *demo, json_t *listed, GHashTable *codes) {
    guint n_examples = 0;
    gsize i;
    json_t *reject;
    json_array_foreach(listed, i, reject) {
        const char *code = json_string_value(json_object_get(reject, "code"));
        if (n_examples == MAX_EXAMPLES || code == NULL || !json_is_string(json_object_get(reject, "key")) ||
            !g_hash_table_add(codes, (gpointer)g_intern_string(code)))
            continue;
        say_example(demo, reject);
        n_examples++;
    }
}

static gboolean read_rejects(Demo *demo, GHashTable *codes, GError **error) {
    g_autofree char *run =
        g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(demo->run, "run")));
    say(demo, "$ redis2pg rejects list --run %s\n", run);
    demo->rejects = json_object();
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        const char *entity = rp_shop_entity_name((RpShopEntity)i);
        g_autofree char *output = NULL;
        if (!call(demo, &output, error, "rejects", "list", "--run", run, "--entity", entity, NULL))
            return FALSE;
        json_t *list = parse_output("rejects list", output, error);
        if (list == NULL)
            return FALSE;
        json_object_set(demo->rejects, entity, json_object_get(list, "by_code"));
        say_examples(demo, json_object_get(list, "rejects"), codes);
        json_decref(list);
    }
    return TRUE;
}

static gboolean look_at_rejects(Demo *demo, GError **error) {
    g_autoptr(GHashTable) codes = g_hash_table_new(NULL, NULL); /* interned */
    begin_step(demo, "Look at the rejects: some examples, then all by code beside what was planted");
    if (!read_rejects(demo, codes, error))
        return FALSE;
    g_autofree char *table = rp_shop_compare_show(&demo->report, demo->rejects);
    say(demo, "\n%s", table);
    demo->differences = rp_shop_differences(&demo->report, demo->run, demo->rejects);
    return TRUE;
}

/* ---- SQL ---- */

static const struct {
    const char *question;
    const char *sql;
} QUERIES[] = {
    {"Revenue by status", "SELECT status, count(*) AS orders, sum(total_amount) AS revenue FROM orders "
                          "GROUP BY status ORDER BY status"},
    {"Orders that count as done and have no completed payment",
     "SELECT o.status, count(*) AS orders, sum(o.total_amount) AS unpaid FROM orders o WHERE o.status IN "
     "('paid', 'processing', 'completed') AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id "
     "AND "
     "p.status = 'completed') GROUP BY o.status ORDER BY o.status"},
    {"What was JSON text is JSON now",
     "SELECT metadata ->> 'source' AS source, count(*) AS orders, "
     "round(avg(quantity), 1) AS mean_quantity FROM orders GROUP BY 1 ORDER BY 1"},
    {"Best customers", "SELECT u.customer_id, count(*) AS orders, sum(o.total_amount) AS total FROM users u "
                       "JOIN orders o ON o.customer_id = u.id GROUP BY u.id ORDER BY total DESC LIMIT 5"},
};

static gboolean ask(PGconn *connection, const char *question, const char *sql, GError **error) {
    static const PQprintOpt PLAIN = {.header = 1, .align = 1, .fieldSep = (char *)"|"};
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    printf("\n%s:\n$ psql \"$REDIS2PG_POSTGRES_URL\" -c \"%s\"\n", question, sql);
    PQprint(stdout, result, &PLAIN);
    return TRUE;
}

static gboolean ask_all(Demo *demo, GError **error) {
    if (demo->globals->is_json)
        return TRUE;
    begin_step(demo, "Ask PostgreSQL what Redis could not answer");
    g_autoptr(PGconn) connection = rp_postgres_connect(rp_sandbox_get_conninfo(demo->sandbox), error);
    if (connection == NULL)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(QUERIES); i++)
        if (!ask(connection, QUERIES[i].question, QUERIES[i].sql, error))
            return FALSE;
    return TRUE;
}

/* ---- The end ---- */

static void say_next_steps(const Demo *demo) {
    say(demo, "\nNext, with servers of your own (or these, with --keep):\n"
              "  redis2pg run                        # again: what stands is not written twice\n"
              "  redis2pg rejects export             # to mend at the source, or in the mapping\n"
              "  redis2pg rejects replay             # then through the mended mapping\n"
              "  redis2pg rollback RUN               # take a run back\n"
              "  redis2pg run --help                 # and so for each command\n");
}

/* For the JSON document the places are values. */
static json_t *servers_json(const Demo *demo, pid_t keeper) {
    if (keeper == 0)
        return json_null();
    return json_pack("{s:s, s:s, s:i}", "redis", rp_sandbox_get_redis_url(demo->sandbox), "postgres",
                     rp_sandbox_get_conninfo(demo->sandbox), "stop_pid", (int)keeper);
}

static pid_t keep_servers(Demo *demo) {
    if (!is_kept || demo->sandbox == NULL)
        return 0;
    const pid_t keeper = rp_sandbox_keep(demo->sandbox);
    say(demo, "\nThe servers go on running:\n  redis-cli -s %s\n  psql \"%s\"\nand end with\n  kill %d\n",
        rp_sandbox_get_redis_socket(demo->sandbox), rp_sandbox_get_conninfo(demo->sandbox), (int)keeper);
    return keeper;
}

static void say_verdict(const Demo *demo) {
    guint64 n_rejects = 0;
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++)
        n_rejects += demo->report.entities[i].rejected;
    if (json_array_size(demo->differences) == 0) {
        say(demo,
            "\nVerdict: the run rejected exactly what was planted, %" G_GUINT64_FORMAT
            " hashes, and wrote all others.\n",
            n_rejects);
        return;
    }
    say(demo, "\nVerdict: the run did NOT find what was planted:\n");
    gsize i;
    json_t *difference;
    json_array_foreach(demo->differences, i, difference) {
        char *planted = json_dumps(json_object_get(difference, "planted"), JSON_ENCODE_ANY);
        char *found = json_dumps(json_object_get(difference, "found"), JSON_ENCODE_ANY);
        say(demo, "  %s: %s due, %s found\n", json_string_value(json_object_get(difference, "what")), planted,
            found);
        free(planted);
        free(found);
    }
}

static gboolean tell(Demo *demo, GError **error) {
    if (!start_servers(demo, error))
        return FALSE;
    begin_step(demo, "Generate the shop's keys, some of them faulty");
    say(demo,
        "$ redis2pg demo --fill --customers %" G_GINT64_FORMAT " --orders %" G_GINT64_FORMAT
        " --payments %" G_GINT64_FORMAT " --seed %" G_GINT64_FORMAT " --faults %s\n",
        n_customers, n_orders, n_payments, seed, fault_percent);
    if (!generate(demo, rp_sandbox_get_redis_url(demo->sandbox), TRUE, error))
        return FALSE;
    begin_step(demo, "Create the tables with their constraints, and check the mapping against them");
    if (!call_step(demo, "schema", "apply", demo->schema, error) ||
        !call_step(demo, "check", NULL, NULL, error))
        return FALSE;
    return run_load(demo, error) && look_at_rejects(demo, error) && ask_all(demo, error);
}

static gboolean full_story(Demo *demo, GError **error) {
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
    say_verdict(demo);
    if (!demo->globals->is_json)
        return TRUE;
    json_t *json = json_pack("{s:o, s:O, s:O, s:b, s:O, s:o}", "planted", rp_shop_report_json(&demo->report),
                             "run", demo->run, "rejects_by_entity", demo->rejects, "matches",
                             json_array_size(demo->differences) == 0, "differences", demo->differences,
                             "servers", servers_json(demo, keeper));
    print_json(json);
    json_decref(json);
    return TRUE;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    g_auto(Demo) demo = {.globals = globals};
    if (n_words > 0) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "demo takes no words: \"%s\"", words[0]);
        return FALSE;
    }
    if (!read_spec(&demo.spec, error))
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
    .summary = "the whole story on private servers with generated data",
    .example = "redis2pg demo --orders 1000 --faults 5",
    .options = OPTIONS,
    .execute = execute,
};
