/* Differences, side by side. */
#include "report/html_sections.h"
#include "report/html_table.h"

#include "report/field.h"

/* As many of an entity as a person reads; report.json has all that were listed. */
#define MAX_SHOWN 500u

static RpSpan span_of(const char *text) {
    return text != NULL ? rp_span(text) : (RpSpan){NULL, 0};
}

static void write_side(RpHtml *html, const char *mine, const char *other) {
    rp_html_open(html, "td", "class", "v side", NULL);
    rp_html_difference(html, span_of(mine), span_of(other));
    rp_html_close(html, "td");
}

/* A missing row may be explained by an open reject. */
static void write_kind(RpHtml *html, const char *kind, gboolean is_explained) {
    g_autofree char *classes = g_strdup_printf("kind k-%s", kind);
    rp_html_open(html, "td", NULL);
    rp_html_element(html, "span", classes, kind);
    if (is_explained)
        rp_html_element(html, "span", "length", " explained by a reject");
    rp_html_close(html, "td");
}

/* The row's key, and the key of Redis that it comes from. */
static void write_key(RpHtml *html, const json_t *difference) {
    g_autofree char *key = rp_field_show_key(json_object_get(difference, "key"));
    rp_html_open(html, "th", "scope", "row", NULL);
    rp_html_data(html, span_of(key));
    if (rp_field_has_text(difference, "source_key")) {
        rp_html_open(html, "span", "class", "length", NULL);
        rp_html_data(html, rp_field_span(difference, "source_key"));
        rp_html_close(html, "span");
    }
    rp_html_close(html, "th");
}

static void write_whole_row(RpHtml *html, const char *kind) {
    const gboolean is_missing = g_str_equal(kind, "missing");
    rp_html_literal(html, "<td></td>");
    rp_html_element(html, "td", is_missing ? "v side" : "v side absent",
                    is_missing ? "the row" : "no such row");
    rp_html_element(html, "td", is_missing ? "v side absent" : "v side",
                    is_missing ? "no such row" : "the row");
}

static void write_column(RpHtml *html, const json_t *column) {
    g_autofree char *source = rp_field_show(json_object_get(column, "source"));
    g_autofree char *target = rp_field_show(json_object_get(column, "target"));
    rp_html_data_cell(html, rp_field_span(column, "column"));
    write_side(html, source, target);
    write_side(html, target, source);
}

/* One row of the table for each column that differs; the key stands in each, so that each can be read alone.
 */
static void write_difference(RpHtml *html, const json_t *difference) {
    const char *kind = rp_field_text(difference, "kind");
    const json_t *columns = g_str_equal(kind, "different") ? rp_field_list(difference, "columns") : NULL;
    for (size_t i = 0; i < MAX(json_array_size(columns), 1); i++) {
        rp_html_row_open(html);
        write_key(html, difference);
        write_kind(html, kind, rp_field_is_true(difference, "explained"));
        if (json_array_size(columns) > 0)
            write_column(html, json_array_get(columns, i));
        else if (g_str_equal(kind, "different"))
            rp_html_literal(html, "<td></td><td>values differ</td><td>values differ</td>");
        else
            write_whole_row(html, kind);
        rp_html_row_close(html);
    }
}

static void write_column_counts(RpHtml *html, const json_t *entity) {
    const json_t *columns = rp_field_list(entity, "columns");
    gboolean is_open = FALSE;
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        if (rp_field_number(column, "different") == 0)
            continue;
        if (!is_open)
            rp_html_open(html, "p", "class", "lead", NULL);
        rp_html_text(html, is_open ? ", " : "Rows that differ, by column: ");
        is_open = TRUE;
        rp_html_data(html, rp_field_span(column, "column"));
        rp_html_text(html, " ");
        rp_html_number(html, rp_field_number(column, "different"));
    }
    if (is_open)
        rp_html_close(html, "p");
}

static void write_entity(RpHtml *html, const json_t *entity, guint64 n_all) {
    static const char *const headings[] = {"Key", "Kind", "Column", "In Redis", "In PostgreSQL", NULL};
    const json_t *differences = rp_field_list(entity, "differences");
    const size_t n_shown = MIN(json_array_size(differences), MAX_SHOWN);
    rp_html_element(html, "h3", NULL, rp_field_text(entity, "entity"));
    write_column_counts(html, entity);
    if (n_shown == 0) {
        g_autofree char *none = g_strdup_printf("%" G_GUINT64_FORMAT " rows, none of them listed.", n_all);
        rp_html_element(html, "p", NULL, none);
        return;
    }
    g_autofree char *caption =
        n_shown < n_all ? g_strdup_printf("The first %zu of %" G_GUINT64_FORMAT " differences of %s", n_shown,
                                          n_all, rp_field_text(entity, "entity"))
                        : g_strdup_printf("Differences of %s", rp_field_text(entity, "entity"));
    rp_html_table_open_as(html, "stacked differences", caption, headings);
    for (size_t i = 0; i < n_shown; i++)
        write_difference(html, json_array_get(differences, i));
    rp_html_table_close(html);
}

void rp_html_differences(RpHtml *html, const json_t *document) {
    const json_t *entities = rp_field_list(json_object_get(document, "reconcile"), "entities");
    const gboolean is_counts =
        g_str_equal(rp_field_text(json_object_get(document, "reconcile"), "level"), "counts");
    guint64 n_total = 0;
    for (size_t i = 0; i < json_array_size(entities); i++) {
        const json_t *entity = json_array_get(entities, i);
        const guint64 n = rp_field_number(entity, "missing") + rp_field_number(entity, "extra") +
                          rp_field_number(entity, "different");
        if (n > 0)
            write_entity(html, entity, n);
        n_total += n;
    }
    if (n_total == 0)
        rp_html_element(html, "p", "lead",
                        is_counts ? "Rows were not compared at this level: only numbers were."
                                  : "No row differs.");
}
