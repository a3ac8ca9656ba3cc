/* Figures beside the verdict, what a rollback did, throughput, settings and versions. */
#include "report/html_chart.h"
#include "report/html_sections.h"
#include "report/html_table.h"

#include "report/document.h"
#include "report/field.h"

/* ---- figures ---- */

static void write_figure(RpHtml *html, guint64 number, const char *word, const char *class_name) {
    rp_html_open(html, "div", "class", number > 0 ? class_name : NULL, NULL);
    rp_html_element(html, "dt", NULL, word);
    rp_html_open(html, "dd", NULL);
    rp_html_number(html, number);
    rp_html_close(html, "dd");
    rp_html_close(html, "div");
}

static void write_sums(RpHtml *html, const json_t *list, const char *const (*names)[3], guint n_names) {
    for (guint i = 0; i < n_names; i++)
        write_figure(html, rp_field_sum(list, names[i][0]), names[i][1], names[i][2]);
}

void rp_html_figures(RpHtml *html, const json_t *document) {
    static const char *const of_run[][3] = {{"read", "rows read", NULL},
                                            {"inserted", "inserted", NULL},
                                            {"updated", "updated", NULL},
                                            {"unchanged", "unchanged", NULL},
                                            {"rejected", "rejected", "bad"}};
    static const char *const of_reconcile[][3] = {{"source_rows", "rows in Redis", NULL},
                                                  {"target_rows", "in PostgreSQL", NULL},
                                                  {"equal", "equal", NULL},
                                                  {"different", "different", "bad"},
                                                  {"missing", "missing", "bad"},
                                                  {"extra", "extra", "bad"}};
    static const char *const of_rollback[][3] = {{"deleted", "deleted", NULL},
                                                 {"restored", "restored", NULL},
                                                 {"reinserted", "inserted again", NULL},
                                                 {"kept", "kept", "bad"}};
    const char *kind = rp_field_text(document, "kind");
    const json_t *result = rp_document_result(document);
    rp_html_open(html, "dl", "class", "figures", NULL);
    if (g_str_equal(kind, "reconcile") || g_str_equal(kind, "cutover"))
        write_sums(html, rp_field_list(json_object_get(document, "reconcile"), "entities"), of_reconcile,
                   G_N_ELEMENTS(of_reconcile));
    else if (g_str_equal(kind, "rollback"))
        write_sums(html, rp_field_list(result, "tables"), of_rollback, G_N_ELEMENTS(of_rollback));
    else
        write_sums(html, rp_field_list(result, "entities"), of_run, G_N_ELEMENTS(of_run));
    const json_t *keys = json_object_get(result, "keys");
    if (json_is_object(keys))
        write_figure(html, rp_field_number(keys, "unmapped"), "keys not covered", "bad");
    rp_html_close(html, "dl");
}

/* ---- rollback ---- */

void rp_html_undone(RpHtml *html, const json_t *document) {
    static const char *const headings[] = {"Table",           ">Deleted", ">Restored",
                                           ">Inserted again", ">Kept",    NULL};
    const json_t *tables = rp_field_list(rp_document_result(document), "tables");
    rp_html_table_open(html, "Rows by table", headings);
    for (size_t i = 0; i < json_array_size(tables); i++) {
        const json_t *table = json_array_get(tables, i);
        rp_html_row_open(html);
        rp_html_heading_cell(html, rp_field_text(table, "table"));
        rp_html_number_cell(html, rp_field_number(table, "deleted"));
        rp_html_number_cell(html, rp_field_number(table, "restored"));
        rp_html_number_cell(html, rp_field_number(table, "reinserted"));
        rp_html_marked_cell(html, rp_field_number(table, "kept"), "bad");
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
}

void rp_html_kept(RpHtml *html, const json_t *document) {
    static const char *const headings[] = {"Key", "Table", "Why it stays", "Changed columns", NULL};
    const json_t *rollback = rp_document_result(document);
    const json_t *kept = rp_field_list(rollback, "kept");
    g_autofree char *caption =
        g_strdup_printf("Rows that stay as they are: %zu of %" G_GUINT64_FORMAT, json_array_size(kept),
                        rp_field_number(rollback, "kept_total"));
    rp_html_table_open_as(html, "stacked kept", caption, headings);
    for (size_t i = 0; i < json_array_size(kept); i++) {
        const json_t *row = json_array_get(kept, i);
        g_autofree char *key = rp_field_show_key(json_object_get(row, "key"));
        g_autofree char *changed = rp_field_show(json_object_get(row, "changed"));
        rp_html_row_open(html);
        rp_html_heading_cell(html, key != NULL ? key : "");
        rp_html_member_cell(html, row, "table");
        rp_html_prose_cell(html, row, "reason");
        rp_html_text_cell(html, changed != NULL ? changed : "");
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
}

/* ---- throughput, settings, versions ---- */

void rp_html_speed(RpHtml *html, const json_t *document) {
    const json_t *points = rp_field_list(document, "throughput");
    const json_t *last = json_array_get(points, json_array_size(points) - 1);
    g_autofree char *seconds = rp_field_show_seconds(rp_field_real(last, "seconds"));
    rp_html_open(html, "p", "class", "lead", NULL);
    rp_html_number(html, rp_field_number(last, "rows"));
    rp_html_text(html, " rows were written or found equal, and ");
    rp_html_number(html, rp_field_number(last, "keys"));
    rp_html_printf(html, " keys scanned, within %s.", seconds);
    rp_html_close(html, "p");
    rp_html_throughput(html, points);
}

static void write_line(RpHtml *html, const char *name, const json_t *value, const char *absent) {
    g_autofree char *text = rp_field_show(value);
    rp_html_row_open(html);
    rp_html_heading_cell(html, name);
    rp_html_data_cell(html, rp_span(text != NULL ? text : absent));
    rp_html_row_close(html);
}

static void write_versions(RpHtml *html, const json_t *document) {
    const json_t *versions = json_object_get(document, "versions");
    const json_t *mapping = json_object_get(document, "mapping");
    const struct {
        const char *name;
        const json_t *value;
    } lines[] = {{"redis2pg", json_object_get(versions, "redis2pg")},
                 {"Redis", json_object_get(versions, "redis")},
                 {"PostgreSQL", json_object_get(versions, "postgres")},
                 {"mapping", json_object_get(mapping, "path")},
                 {"SHA-256 of the mapping", json_object_get(mapping, "digest")},
                 {"source", json_object_get(document, "source")},
                 {"target", json_object_get(document, "target")},
                 {"ran on", json_object_get(document, "host")},
                 {"started", json_object_get(document, "started_at")},
                 {"ended", json_object_get(document, "ended_at")}};
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        write_line(html, lines[i].name, lines[i].value, "not known");
}

void rp_html_details(RpHtml *html, const json_t *document) {
    static const char *const headings[] = {"Name", "Value", NULL};
    const char *name;
    json_t *value;
    rp_html_table_open_as(html, "stacked", "Versions and places", headings);
    write_versions(html, document);
    rp_html_table_close(html);
    const json_t *settings = json_object_get(document, "settings");
    if (json_object_size(settings) == 0)
        return;
    rp_html_table_open_as(html, "stacked", "Settings", headings);
    json_object_foreach((json_t *)settings, name, value) write_line(html, name, value, "not set");
    rp_html_table_close(html);
}
