/* The text of a report: verdict, places, then what there is. */
#include "report/text_report.h"

#include "report/document.h"
#include "report/field.h"
#include "report/shown.h"
#include "report/table.h"

#define WIDTH        100
#define CELL_LETTERS 40u

void rp_text_heading(GString *text, const char *title) {
    g_string_append_printf(text, "\n%s\n", title);
    for (glong i = g_utf8_strlen(title, -1); i > 0; i--)
        g_string_append_c(text, '-');
    g_string_append_c(text, '\n');
}

void rp_text_wrap(GString *text, const char *words) {
    g_auto(GStrv) parts = g_strsplit(words, " ", -1);
    glong column = 0;
    for (guint i = 0; parts[i] != NULL; i++) {
        g_autofree char *part = rp_shown(rp_span(parts[i]), G_MAXSIZE);
        const glong width = g_utf8_strlen(part, -1);
        const gboolean breaks = column > 0 && column + 1 + width > WIDTH;
        g_string_append(text, breaks ? "\n" : column > 0 ? " " : "");
        g_string_append(text, part);
        column = breaks || column == 0 ? width : column + 1 + width;
    }
    g_string_append_c(text, '\n');
}

void rp_text_line(GString *text, const char *name, const char *value) {
    if (value == NULL || value[0] == '\0')
        return;
    g_autofree char *shown = rp_shown(rp_span(value), 2 * CELL_LETTERS);
    g_string_append_printf(text, "%-22s  %s\n", name, shown);
}

void rp_text_counts(GString *text, const json_t *objects, const char *const *names, guint n_texts) {
    const guint n = g_strv_length((char **)names);
    g_autoptr(GPtrArray) headings = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(headings, g_strconcat(i < n_texts ? "" : ">", names[i], NULL));
    g_ptr_array_add(headings, NULL);
    g_autoptr(RpTextTable) table = rp_text_table_new((const char *const *)headings->pdata);
    for (size_t o = 0; o < json_array_size(objects); o++) {
        const json_t *object = json_array_get(objects, o);
        g_auto(GStrv) cells = g_new0(char *, n + 1);
        for (guint i = 0; i < n; i++)
            cells[i] = i < n_texts ? rp_shown(rp_field_span(object, names[i]), CELL_LETTERS)
                                   : rp_text_number(rp_field_number(object, names[i]));
        rp_text_table_add(table, (const char *const *)cells);
    }
    g_autofree char *shown = rp_text_table_show(table);
    g_string_append(text, shown);
}

/* ---- the frame ---- */

static void append_verdict(GString *text, const json_t *document) {
    const json_t *verdict = json_object_get(document, "verdict");
    const json_t *sentences = rp_field_list(verdict, "sentences");
    const guint64 number = rp_field_number(rp_document_result(document), "run");
    g_autofree char *status = g_ascii_strup(rp_field_text(verdict, "status"), -1);
    g_string_append_printf(text, "redis2pg %s", rp_field_text(document, "kind"));
    if (number > 0)
        g_string_append_printf(text, ", run %" G_GUINT64_FORMAT, number);
    g_string_append_printf(text, "\n\n%s: %s\n\n", status, rp_field_text(verdict, "headline"));
    for (size_t i = 0; i < json_array_size(sentences); i++)
        rp_text_wrap(text, json_string_value(json_array_get(sentences, i)));
    g_string_append_c(text, '\n');
    rp_text_line(text, "from Redis", rp_field_text(document, "source"));
    rp_text_line(text, "to PostgreSQL", rp_field_text(document, "target"));
    rp_text_line(text, "mapping", rp_field_text(json_object_get(document, "mapping"), "path"));
    rp_text_line(text, "started", rp_field_text(document, "started_at"));
    rp_text_line(text, "ended", rp_field_text(document, "ended_at"));
}

static void append_throughput(GString *text, const json_t *document) {
    const json_t *points = rp_field_list(document, "throughput");
    if (json_array_size(points) == 0 || g_str_equal(rp_field_text(document, "kind"), "rollback"))
        return;
    const json_t *last = json_array_get(points, json_array_size(points) - 1);
    const double seconds = rp_field_real(last, "seconds");
    g_autofree char *rows = rp_text_number(rp_field_number(last, "rows"));
    g_autofree char *keys = rp_text_number(rp_field_number(last, "keys"));
    g_autofree char *rate =
        rp_text_number((guint64)((double)rp_field_number(last, "rows") / MAX(seconds, 0.001)));
    g_autofree char *time = rp_field_show_seconds(seconds);
    rp_text_heading(text, "Throughput");
    g_string_append_printf(text, "%s rows and %s keys within %s, %s rows a second on average\n", rows, keys,
                           time, rate);
}

static void append_details(GString *text, const json_t *document) {
    const json_t *versions = json_object_get(document, "versions");
    const char *name;
    json_t *value;
    rp_text_heading(text, "Settings and versions");
    rp_text_line(text, "redis2pg", rp_field_text(versions, "redis2pg"));
    rp_text_line(text, "Redis", rp_field_text(versions, "redis"));
    rp_text_line(text, "PostgreSQL", rp_field_text(versions, "postgres"));
    rp_text_line(text, "SHA-256 of the mapping",
                 rp_field_text(json_object_get(document, "mapping"), "digest"));
    rp_text_line(text, "ran on", rp_field_text(document, "host"));
    json_object_foreach(json_object_get(document, "settings"), name, value) {
        g_autofree char *shown = rp_field_show(value);
        rp_text_line(text, name, shown != NULL ? shown : "null");
    }
    rp_text_line(text, "report made", rp_field_text(document, "made_at"));
}

char *rp_text_report(const json_t *document) {
    const char *kind = rp_field_text(document, "kind");
    GString *text = g_string_new(NULL);
    append_verdict(text, document);
    if (g_str_equal(kind, "reconcile"))
        rp_text_reconcile(text, rp_document_result(document), FALSE);
    else if (g_str_equal(kind, "cutover"))
        rp_text_cutover(text, rp_document_result(document), FALSE);
    else if (g_str_equal(kind, "rollback"))
        rp_text_rollback(text, rp_document_result(document));
    else
        rp_text_run(text, document);
    append_throughput(text, document);
    append_details(text, document);
    return g_string_free(text, FALSE);
}
