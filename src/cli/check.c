/* `redis2pg check`: is everything there that a run needs, and does the mapping fit? */
#include "base/error.h"
#include "base/log.h"
#include "cli/check_servers.h"
#include "cli/commands.h"
#include "cli/prepare.h"
#include "ledger/set_aside.h"
#include "pipeline/passes.h"
#include "pipeline/trial.h"
#include "report/table.h"

static struct { gint64 sample; } settings;

static const RpOption OPTIONS[] = {
    {.name = "sample",
     .kind = RP_OPTION_NUMBER,
     .target = &settings.sample,
     .argument = "N",
     .fallback = "10000",
     .maximum = 100000000,
     .help = "look at so many keys, and try to map them"},
    {0},
};

static json_t *finding_json(const RpFinding *finding) {
    return json_pack("{ss ss ss ss so}", "severity", rp_severity_name(finding->severity), "code",
                     finding->code, "place", finding->place, "text", finding->text, "remedy",
                     finding->remedy != NULL ? json_string(finding->remedy) : json_null());
}

static gboolean has_trouble(const RpFindings *findings) {
    return rp_findings_count(findings, RP_SEVERITY_ERROR) + rp_findings_count(findings, RP_SEVERITY_WARNING) >
           0;
}

static void print_json(const RpFindings *findings) {
    json_t *array = json_array();
    for (guint i = 0; i < findings->items->len; i++)
        json_array_append_new(array, finding_json(g_ptr_array_index(findings->items, i)));
    rp_print_json(
        json_pack("{ss so}", "status", has_trouble(findings) ? "findings" : "ok", "findings", array));
}

static void print_text(const RpFindings *findings) {
    for (guint i = 0; i < findings->items->len; i++) {
        const RpFinding *finding = g_ptr_array_index(findings->items, i);
        g_print("%s: %s: %s [%s]\n", finding->place, rp_severity_name(finding->severity), finding->text,
                finding->code);
        if (finding->remedy != NULL)
            g_print("    remedy: %s\n", finding->remedy);
    }
    g_print("%s\n", has_trouble(findings) ? "check: there are findings" : "check: ok");
}

static void note_circle(const RpMapping *mapping, RpFindings *findings) {
    guint n_passes;
    g_autoptr(GError) circle = NULL;
    g_autoptr(GArray) passes = rp_passes_plan(mapping, &n_passes, &circle);
    if (passes == NULL)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "foreign_key_circle", mapping->path, NULL, "%s",
                        circle->message);
}

/* A mapping with mistakes was not bound: the entities without any are, so that one call finds all. *covers:
 * the mapping still says of every key what becomes of it. */
static gboolean bind_sound(const RpGlobals *globals, RpPrepared *prepared, RpFindings *findings,
                           gboolean *covers, GError **error) {
    *covers = TRUE;
    if (prepared->binding != NULL)
        return TRUE;
    *covers = rp_mapping_keep_sound(prepared->mapping);
    prepared->postgres = rp_postgres_connect(globals->postgres_conninfo, error);
    if (prepared->postgres == NULL)
        return FALSE;
    prepared->binding =
        rp_binding_new(prepared->postgres, prepared->mapping, rp_set_aside_complete, findings, error);
    return prepared->binding != NULL;
}

static gboolean inspect(const RpGlobals *globals, RpPrepared *prepared, RpFindings *findings,
                        GError **error) {
    gboolean covers;
    if (!rp_prepare(globals, 0, prepared, findings, error) ||
        !bind_sound(globals, prepared, findings, &covers, error))
        return FALSE;
    const gboolean is_fine = rp_findings_count(findings, RP_SEVERITY_ERROR) == 0;
    if (is_fine)
        note_circle(prepared->mapping, findings);
    return rp_check_servers(prepared->postgres, prepared->redis, prepared->mapping, findings, error) &&
           (!covers ||
            rp_trial(prepared->redis, prepared->mapping, is_fine, (guint64)settings.sample, findings, error));
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    (void)words;
    g_auto(RpPrepared) prepared = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    if (!rp_expect_words(&RP_COMMAND_CHECK, n_words, 0, 0, error))
        return FALSE;
    g_autoptr(GError) unreachable = NULL;
    if (!inspect(globals, &prepared, findings, &unreachable)) {
        if (rp_findings_count(findings, RP_SEVERITY_ERROR) == 0) {
            g_propagate_error(error, g_steal_pointer(&unreachable));
            return FALSE;
        }
        rp_log(RP_LOG_WARNING, "%s", unreachable->message); /* the mapping's mistakes are told all the same */
    }
    if (globals->is_json)
        print_json(findings);
    else
        print_text(findings);
    /* A run would refuse with 2: so does the check. */
    *status = rp_findings_count(findings, RP_SEVERITY_ERROR) > 0 ? 2 : has_trouble(findings) ? 1 : 0;
    return TRUE;
}

const RpCommand RP_COMMAND_CHECK = {
    .name = "check",
    .summary = "Looks at the mapping, both servers, the tables and a sample of keys, and writes nothing.",
    .example = "redis2pg check --redis redis://127.0.0.1:6379/0 --postgres 'dbname=shop' --mapping "
               "mappings/shop.yaml",
    .options = OPTIONS,
    .execute = execute,
};
