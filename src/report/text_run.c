/* Runs and rollbacks as text. */
#include "report/text_report.h"

#include "report/document.h"
#include "report/field.h"
#include "report/meaning.h"
#include "report/shown.h"
#include "report/table.h"

static void append_keys(GString *text, const json_t *run) {
    static const char *const names[] = {"pattern", "example", "keys", NULL};
    const json_t *keys = json_object_get(run, "keys"), *patterns = rp_field_list(run, "unmapped_patterns");
    g_autofree char *scanned = rp_text_number(rp_field_number(keys, "scanned"));
    g_autofree char *mapped = rp_text_number(rp_field_number(keys, "mapped"));
    g_autofree char *ignored = rp_text_number(rp_field_number(keys, "ignored"));
    g_autofree char *unmapped = rp_text_number(rp_field_number(keys, "unmapped"));
    rp_text_heading(text, "Keys");
    g_string_append_printf(text, "%s scanned = %s mapped + %s ignored + %s unmapped\n", scanned, mapped,
                           ignored, unmapped);
    if (json_array_size(patterns) == 0)
        return;
    rp_text_heading(text, "Keys that nothing covers");
    rp_text_counts(text, patterns, names, 2);
}

static void append_example(GString *text, const json_t *example) {
    g_autofree char *entity = rp_shown(rp_field_span(example, "entity"), 40);
    g_autofree char *key = rp_shown(rp_field_span(example, "key"), 60);
    g_autofree char *message = rp_shown(rp_field_span(example, "message"), 90);
    g_string_append_printf(text, "    %s  %s\n", entity, key);
    static const char *const names[] = {"column", "constraint", "value"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!json_is_string(json_object_get(example, names[i])))
            continue;
        g_autofree char *shown = rp_shown(rp_field_span(example, names[i]), 80);
        g_string_append_printf(text, "      %-10s  %s\n", names[i], shown);
    }
    g_string_append_printf(text, "      %s\n", message);
}

static void append_rejects(GString *text, const json_t *document) {
    const json_t *rejects = json_object_get(rp_document_result(document), "rejects");
    const json_t *examples = rp_field_list(document, "reject_examples");
    g_autofree char *total = rp_text_number(rp_field_number(rejects, "total"));
    const char *code;
    json_t *count;
    rp_text_heading(text, "Rejects");
    g_string_append_printf(text, "%s\n", total);
    json_object_foreach(json_object_get(rejects, "by_code"), code, count) {
        g_autofree char *number = rp_text_number((guint64)MAX(json_integer_value(count), 0));
        g_string_append_printf(text, "\n  %s: %s. %s\n", code, number, rp_meaning_of_code(code));
        for (size_t i = 0; i < json_array_size(examples); i++)
            if (g_str_equal(rp_field_text(json_array_get(examples, i), "code"), code))
                append_example(text, json_array_get(examples, i));
    }
}

void rp_text_run(GString *text, const json_t *document) {
    static const char *const names[] = {"entity",   "read",     "inserted", "updated",  "unchanged",
                                        "filtered", "vanished", "parked",   "rejected", NULL};
    const json_t *run = rp_document_result(document);
    rp_text_heading(text, "Balance by entity");
    rp_text_counts(text, rp_field_list(run, "entities"), names, 1);
    g_string_append(text,
                    rp_field_is_true(run, "balanced") ? "every row is accounted for\n" : "NOT BALANCED\n");
    append_keys(text, run);
    append_rejects(text, document);
}

/* ---- rollback ---- */

static void append_kept(GString *text, const json_t *kept) {
    g_autofree char *key_text = rp_field_show_key(json_object_get(kept, "key"));
    g_autofree char *changed_text = rp_field_show(json_object_get(kept, "changed"));
    g_autofree char *table = rp_shown(rp_field_span(kept, "table"), 40);
    g_autofree char *key = rp_shown(rp_span(key_text != NULL ? key_text : ""), 60);
    g_autofree char *reason = rp_shown(rp_field_span(kept, "reason"), 90);
    g_string_append_printf(text, "  %s  %s\n    %s\n", table, key, reason);
    if (changed_text == NULL)
        return;
    g_autofree char *changed = rp_shown(rp_span(changed_text), 80);
    g_string_append_printf(text, "    changed: %s\n", changed);
}

void rp_text_rollback(GString *text, const json_t *rollback) {
    static const char *const names[] = {"table", "deleted", "restored", "reinserted", "kept", NULL};
    const json_t *kept = rp_field_list(rollback, "kept");
    rp_text_heading(text, "What was undone");
    rp_text_counts(text, rp_field_list(rollback, "tables"), names, 1);
    if (rp_field_number(rollback, "kept_total") == 0)
        return;
    rp_text_heading(text, "What was kept");
    for (size_t i = 0; i < json_array_size(kept); i++)
        append_kept(text, json_array_get(kept, i));
    if (json_array_size(kept) < rp_field_number(rollback, "kept_total"))
        g_string_append_printf(text, "  … of %" G_GUINT64_FORMAT "\n",
                               rp_field_number(rollback, "kept_total"));
}
