/* `redis2pg rejects`: what was refused, and why. */
#include "ledger/rejects.h"
#include "base/error.h"
#include "base/span.h"
#include "base/suggest.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "cli/rejects.h"
#include "cli/report_option.h"
#include "ledger/summary.h"
#include "model/reject.h"
#include "report/json_values.h"
#include "report/run_report.h"
#include "report/table.h"

#include <string.h>

#define LIST_LIMIT 100

static RpRejectsSettings settings = {.limit = -1, .load = {.max_rejects = -1}};

static const RpOption OPTIONS[] = {
    {.name = "run",
     .kind = RP_OPTION_NUMBER,
     .goes_with = "list export replay",
     .target = &settings.run,
     .argument = "N",
     .fallback = "0",
     .maximum = G_MAXINT64,
     .help = "only rejects of this run"},
    {.name = "entity",
     .kind = RP_OPTION_TEXT,
     .goes_with = "list export replay",
     .target = &settings.entity,
     .argument = "NAME",
     .help = "only rejects of this entity"},
    {.name = "code",
     .kind = RP_OPTION_TEXT,
     .goes_with = "list export replay",
     .target = &settings.code,
     .argument = "CODE",
     .help = "only rejects with this code"},
    {.name = "limit",
     .kind = RP_OPTION_NUMBER,
     .goes_with = "list export",
     .target = &settings.limit,
     .argument = "N",
     .maximum = G_MAXINT64,
     .help = "list or export at most so many; 0: all. List gives 100, export all"},
    {.name = "open",
     .kind = RP_OPTION_FLAG,
     .goes_with = "list export",
     .target = &settings.is_open,
     .help = "only those that no run has settled since"},
    {.name = "reveal",
     .kind = RP_OPTION_FLAG,
     .goes_with = "export",
     .target = &settings.reveals,
     .help = "export: show sensitive values, too"},
    {.name = "from-source",
     .kind = RP_OPTION_FLAG,
     .goes_with = "replay",
     .target = &settings.is_from_source,
     .help = "replay: read the keys from Redis as they are now"},
    RP_LOAD_OPTIONS(settings.load, "replay", "60"),
    RP_REPORT_OPTION(settings.report, "replay"),
    {0},
};

RpRejectFilter rp_rejects_filter(const RpRejectsSettings *chosen) {
    return (RpRejectFilter){.run = (guint64)chosen->run,
                            .entity = chosen->entity,
                            .code = chosen->code,
                            .is_open = chosen->is_open};
}

static json_t *run_or_null(guint64 run) {
    return run != 0 ? json_integer((json_int_t)run) : json_null();
}

json_t *rp_rejects_json(const RpStoredReject *reject) {
    json_t *object =
        json_pack("{sI sI ss ss so ss so ss so ss so so so ss}", "id", (json_int_t)reject->id, "run",
                  (json_int_t)reject->run, "entity", reject->entity, "key", reject->key, "element",
                  rp_json_values_text(reject->element), "stage", reject->stage, "column",
                  rp_json_values_text(reject->column), "code", reject->code, "constraint",
                  rp_json_values_text(reject->constraint), "message", reject->message, "value",
                  rp_json_values_text(reject->value), "resolved_by", run_or_null(reject->resolved_by),
                  "replaced_by", run_or_null(reject->replaced_by), "rejected_at", reject->rejected_at);
    if (reject->key_hex != NULL)
        json_object_set_new(object, "key_hex", json_string(reject->key_hex));
    return object;
}

/* ---- list ---- */

static guint64 list_limit(void) {
    return settings.limit < 0 ? LIST_LIMIT : (guint64)settings.limit;
}

static void add_to_json(const RpStoredReject *reject, gpointer data) {
    json_array_append_new(data, rp_rejects_json(reject));
}

static void add_to_table(const RpStoredReject *reject, gpointer data) {
    g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, reject->id);
    g_autofree char *run = g_strdup_printf("%" G_GUINT64_FORMAT, reject->run);
    const char *const cells[] = {
        id, run, reject->entity, reject->key, reject->element, reject->code, reject->message, reject->value};
    rp_text_table_add(data, cells);
}

static guint64 sum_codes(const GPtrArray *codes) {
    guint64 total = 0;
    for (guint i = 0; i < codes->len; i++)
        total += ((const RpCodeCount *)g_ptr_array_index(codes, i))->count;
    return total;
}

static gboolean list_json(PGconn *connection, const RpRejectFilter *filter, const GPtrArray *codes,
                          GError **error) {
    json_t *rejects = json_array();
    if (codes->len > 0 &&
        !rp_ledger_visit_rejects(connection, filter, FALSE, list_limit(), add_to_json, rejects, error)) {
        json_decref(rejects);
        return FALSE;
    }
    rp_print_json(json_pack("{sI so so}", "total", (json_int_t)sum_codes(codes), "by_code",
                            rp_report_codes_json(codes), "rejects", rejects));
    return TRUE;
}

static gboolean list_text(PGconn *connection, const RpRejectFilter *filter, const GPtrArray *codes,
                          GError **error) {
    static const char *const headings[] = {">id",  ">run",    "entity", "key", "element",
                                           "code", "message", "value",  NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(headings);
    if (codes->len == 0) {
        g_print("no rejects\n");
        return TRUE;
    }
    if (!rp_ledger_visit_rejects(connection, filter, FALSE, list_limit(), add_to_table, table, error))
        return FALSE;
    g_autofree char *text = rp_text_table_show(table);
    g_print("%s\n%" G_GUINT64_FORMAT " rejects\n", text, sum_codes(codes));
    for (guint i = 0; i < codes->len; i++) {
        const RpCodeCount *code = g_ptr_array_index(codes, i);
        g_print("  %-20s %" G_GUINT64_FORMAT "\n", code->code, code->count);
    }
    return TRUE;
}

static gboolean list(PGconn *connection, gboolean is_json, gboolean exists, GError **error) {
    const RpRejectFilter filter = rp_rejects_filter(&settings);
    g_autoptr(GPtrArray) codes =
        exists ? rp_ledger_count_rejects(connection, &filter, error) : g_ptr_array_new();
    if (codes == NULL)
        return FALSE;
    return is_json ? list_json(connection, &filter, codes, error)
                   : list_text(connection, &filter, codes, error);
}

/* ---- show ---- */

typedef struct {
    gboolean is_json;
    gboolean is_found;
} Showing;

static void print_line(const char *name, const char *value) {
    if (value != NULL)
        g_print("%-11s %s\n", name, value);
}

static void print_run(const char *name, guint64 run) {
    if (run != 0)
        g_print("%-11s run %" G_GUINT64_FORMAT "\n", name, run);
}

/* The raw record may hold sensitive values: its size is told, not its content. */
static void show_one(const RpStoredReject *reject, gpointer data) {
    Showing *showing = data;
    showing->is_found = TRUE;
    const gsize raw_bytes = g_bytes_get_size(reject->raw);
    if (showing->is_json) {
        json_t *object = rp_rejects_json(reject);
        json_object_set_new(object, "raw_bytes", json_integer((json_int_t)raw_bytes));
        rp_print_json(object);
        return;
    }
    g_print("reject %" G_GUINT64_FORMAT " of run %" G_GUINT64_FORMAT "\n", reject->id, reject->run);
    print_line("entity", reject->entity);
    print_line("key", reject->key);
    print_line("element", reject->element);
    print_line("code", reject->code);
    print_line("stage", reject->stage);
    print_line("column", reject->column);
    print_line("constraint", reject->constraint);
    print_line("message", reject->message);
    print_line("value", reject->value);
    print_line("rejected", reject->rejected_at);
    print_run("resolved by", reject->resolved_by);
    print_run("replaced by", reject->replaced_by);
    if (raw_bytes > 0)
        g_print("%-11s %" G_GSIZE_FORMAT " bytes, kept in redis2pg.rejects.raw\n", "raw record", raw_bytes);
    else
        print_line("raw record", "kept with the first reject of this key in the same batch");
}

static gboolean show(PGconn *connection, gboolean is_json, gboolean exists, const char *text,
                     GError **error) {
    RpRejectFilter filter = {0};
    Showing showing = {.is_json = is_json};
    if (!rp_parse_number(text, "reject", &filter.id, error) ||
        (exists && !rp_ledger_visit_rejects(connection, &filter, TRUE, 1, show_one, &showing, error)))
        return FALSE;
    if (showing.is_found)
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "the ledger has no reject %s (see redis2pg rejects list)", text);
    return FALSE;
}

static gboolean check_code(GError **error) {
    const char *const *names = rp_reject_code_names();
    if (settings.code == NULL || g_strv_contains(names, settings.code))
        return TRUE;
    g_autofree char *hint = rp_suggest_hint(settings.code, names);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--code: there is no reject code \"%s\"%s",
                settings.code, hint);
    return FALSE;
}

static gboolean look(const RpGlobals *globals, const char *reject, GError **error) {
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, error);
    gboolean exists;
    if (connection == NULL || !rp_ledger_exists(connection, &exists, error))
        return FALSE;
    return reject != NULL ? show(connection, globals->is_json, exists, reject, error)
                          : list(connection, globals->is_json, exists, error);
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    *status = 0;
    if (!rp_expect_words(&RP_COMMAND_REJECTS, n_words, 1, 2, error) || !check_code(error))
        return FALSE;
    if (n_words == 2 && g_str_equal(words[0], "show"))
        return look(globals, words[1], error);
    if (n_words == 1 && g_str_equal(words[0], "list"))
        return look(globals, NULL, error);
    if (n_words == 1 && g_str_equal(words[0], "export"))
        return rp_rejects_export(globals, &settings, error);
    if (n_words == 1 && g_str_equal(words[0], "replay"))
        return rp_rejects_replay(globals, &settings, status, error);
    return rp_expect_words(&RP_COMMAND_REJECTS, -1, 0, 0, error);
}

const RpCommand RP_COMMAND_REJECTS = {
    .name = "rejects",
    .arguments = "list|show REJECT|export|replay",
    .summary = "Lists the records that runs refused, with counts by code, or shows one.\n"
               "Exports them with what was read, as JSON Lines; or replays them: what was read goes through "
               "the\n"
               "mapping as it is now, and what passes is written.",
    .example = "redis2pg rejects replay --run 12 --postgres 'dbname=shop' --mapping mappings/shop.yaml",
    .options = OPTIONS,
    .execute = execute,
};
