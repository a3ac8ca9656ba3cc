/* One result of a rollback, two faces. */
#include "report/rollback_report.h"

#include "report/json_values.h"
#include "report/table.h"

#define KEPT_IN_TEXT 100

static json_t *tables_json(const RpRollbackSummary *summary) {
    json_t *tables = json_array();
    for (guint i = 0; i < summary->tables->len; i++) {
        const RpUndoneTable *table = g_ptr_array_index(summary->tables, i);
        json_array_append_new(tables, json_pack("{ss so so so so}", "table", table->table, "deleted",
                                                rp_json_values_number(table->deleted), "restored",
                                                rp_json_values_number(table->restored), "reinserted",
                                                rp_json_values_number(table->reinserted), "kept",
                                                rp_json_values_number(table->kept)));
    }
    return tables;
}

static json_t *kept_json(const RpKeptRow *kept) {
    json_t *key = json_loads(kept->key, JSON_DECODE_ANY, NULL);
    json_t *object = json_pack("{ss so ss}", "table", kept->table, "key",
                               key != NULL ? key : json_string(kept->key), "reason", kept->reason);
    if (kept->changed == NULL)
        return object;
    json_t *changed = json_array();
    for (char **name = kept->changed; *name != NULL; name++)
        json_array_append_new(changed, json_string(*name));
    json_object_set_new(object, "changed", changed);
    return object;
}

json_t *rp_report_rollback_json(const RpRollbackSummary *summary, gboolean is_dry_run) {
    json_t *kept = json_array();
    for (guint i = 0; i < summary->kept->len; i++)
        json_array_append_new(kept, kept_json(g_ptr_array_index(summary->kept, i)));
    json_t *report = json_pack(
        "{so ss so sb sf ss so so so}", "run", is_dry_run ? json_null() : rp_json_values_number(summary->run),
        "kind", "rollback", "of", rp_json_values_number(summary->undoes), "dry_run", is_dry_run, "seconds",
        summary->seconds, "status", is_dry_run ? "dry_run" : summary->status, "tables", tables_json(summary),
        "kept", kept, "kept_total", rp_json_values_number(summary->n_kept));
    if (summary->error != NULL)
        json_object_set_new(report, "error", json_string(summary->error));
    return report;
}

/* ---- text ---- */

static char *tables_text(const RpRollbackSummary *summary) {
    static const char *const headings[] = {"table", ">deleted", ">restored", ">reinserted", ">kept", NULL};
    g_autoptr(RpTextTable) text = rp_text_table_new(headings);
    for (guint i = 0; i < summary->tables->len; i++) {
        const RpUndoneTable *table = g_ptr_array_index(summary->tables, i);
        g_autofree char *deleted = rp_text_number(table->deleted);
        g_autofree char *restored = rp_text_number(table->restored);
        g_autofree char *reinserted = rp_text_number(table->reinserted);
        g_autofree char *kept = rp_text_number(table->kept);
        const char *const cells[] = {table->table, deleted, restored, reinserted, kept};
        rp_text_table_add(text, cells);
    }
    return rp_text_table_show(text);
}

static char *kept_text(const RpRollbackSummary *summary) {
    static const char *const headings[] = {"table", "key", "why it stays", "changed", NULL};
    g_autoptr(RpTextTable) text = rp_text_table_new(headings);
    for (guint i = 0; i < MIN(summary->kept->len, KEPT_IN_TEXT); i++) {
        const RpKeptRow *kept = g_ptr_array_index(summary->kept, i);
        g_autofree char *changed = kept->changed != NULL ? g_strjoinv(", ", kept->changed) : NULL;
        const char *const cells[] = {kept->table, kept->key, kept->reason, changed};
        rp_text_table_add(text, cells);
    }
    return rp_text_table_show(text);
}

char *rp_report_rollback_text(const RpRollbackSummary *summary, gboolean is_dry_run) {
    g_autofree char *tables = tables_text(summary);
    GString *text = g_string_new(NULL);
    if (is_dry_run)
        g_string_append_printf(
            text, "dry run of a rollback of run %" G_GUINT64_FORMAT ": nothing was changed\n\n%s",
            summary->undoes, tables);
    else
        g_string_append_printf(
            text, "run %" G_GUINT64_FORMAT ", rollback of run %" G_GUINT64_FORMAT ": %s in %.1f s\n\n%s",
            summary->run, summary->undoes, summary->status, summary->seconds, tables);
    if (summary->n_kept > 0) {
        g_autofree char *kept = kept_text(summary);
        g_autofree char *total = rp_text_number(summary->n_kept);
        g_string_append_printf(text, "\nkept: %s%s\n%s", total,
                               summary->n_kept > KEPT_IN_TEXT ? ", of which the first 100:" : "", kept);
    }
    if (summary->error != NULL)
        g_string_append_printf(text, "\nwhy it ended: %s\n", summary->error);
    return g_string_free(text, FALSE);
}
