/* From options to a load, and from a load to an exit status. */
#include "cli/load_settings.h"

#include "base/error.h"
#include "cli/prepare.h"
#include "report/run_report.h"

json_t *rp_load_settings_json(const RpLoadSettings *settings) {
    json_t *object =
        json_pack("{sI sI sI sI sI}", "batch_rows", (json_int_t)settings->batch_rows, "batch_bytes",
                  (json_int_t)settings->batch_bytes, "mappers", (json_int_t)settings->mappers, "writers",
                  (json_int_t)settings->writers, "max_value_bytes", (json_int_t)settings->max_value_bytes);
    rp_throttle_options_add(&settings->throttle, object);
    return object;
}

void rp_load_settings_apply(const RpLoadSettings *settings, RpLoadOptions *options) {
    options->batch_rows = (guint)settings->batch_rows;
    options->batch_bytes = (gsize)settings->batch_bytes;
    options->n_mappers = (guint)settings->mappers;
    options->n_writers = (guint)settings->writers;
    options->max_value_bytes = (gsize)settings->max_value_bytes;
    options->retry_seconds = (guint)settings->retry_seconds;
    options->timeout_seconds = (guint)settings->timeout_seconds;
    rp_throttle_options_apply(&settings->throttle, options);
    options->max_rejects = settings->max_rejects < 0 ? G_MAXUINT64 : (guint64)settings->max_rejects;
}

static void print_summary(const RpGlobals *globals, const RpRunSummary *summary) {
    if (globals->is_json) {
        rp_print_json(rp_report_run_json(summary));
        return;
    }
    g_autofree char *text = rp_report_run_text(summary);
    g_print("%s", text);
}

gboolean rp_load_settings_conclude(const RpLoadSettings *settings, const RpGlobals *globals,
                                   gboolean was_fine, const RpRunSummary *summary, int *status,
                                   GError **error) {
    if (summary != NULL)
        print_summary(globals, summary);
    if (!was_fine)
        return FALSE;
    if (!summary->is_balanced) {
        g_set_error(error, RP_DEFECT_ERROR, RP_DEFECT_ERROR_UNBALANCED,
                    "run %" G_GUINT64_FORMAT " does not balance: rows are unaccounted for", summary->run);
        return FALSE;
    }
    *status = summary->n_rejects > 0 && !settings->allows_rejects ? 1 : 0;
    return TRUE;
}
