/* Tables, as rows of cells. */
#include "report/html_table.h"

#include "report/field.h"

void rp_html_table_open(RpHtml *html, const char *caption, const char *const *headings) {
    rp_html_table_open_as(html, NULL, caption, headings);
}

void rp_html_table_open_as(RpHtml *html, const char *class_name, const char *caption,
                           const char *const *headings) {
    rp_html_open(html, "div", "class", "scroll", "role", "region", "aria-label", caption, "tabindex", "0",
                 NULL);
    rp_html_open(html, "table", "class", class_name, NULL);
    rp_html_element(html, "caption", NULL, caption);
    rp_html_literal(html, "<thead><tr>");
    for (; *headings != NULL; headings++) {
        const gboolean is_number = (*headings)[0] == '>';
        rp_html_open(html, "th", "scope", "col", "class", is_number ? "n" : NULL, NULL);
        rp_html_text(html, *headings + (is_number ? 1 : 0));
        rp_html_close(html, "th");
    }
    rp_html_literal(html, "</tr></thead>\n");
    rp_html_open(html, "tbody", NULL);
}

void rp_html_table_close(RpHtml *html) {
    rp_html_close(html, "tbody");
    rp_html_close(html, "table");
    rp_html_close(html, "div");
}

void rp_html_row_open(RpHtml *html) {
    rp_html_open(html, "tr", NULL);
}

void rp_html_row_close(RpHtml *html) {
    rp_html_close(html, "tr");
}

/* What is not broken into lines: names mostly. */
static gboolean is_short(RpSpan text) {
    return text.size <= 28;
}

void rp_html_heading_cell(RpHtml *html, const char *text) {
    rp_html_open(html, "th", "scope", "row", "class", is_short(rp_span(text)) ? "short" : NULL, NULL);
    rp_html_data(html, rp_span(text));
    rp_html_close(html, "th");
}

void rp_html_text_cell(RpHtml *html, const char *text) {
    rp_html_element(html, "td", NULL, text);
}

void rp_html_data_cell(RpHtml *html, RpSpan data) {
    rp_html_open(html, "td", "class", is_short(data) ? "v short" : "v", NULL);
    rp_html_data(html, data);
    rp_html_close(html, "td");
}

void rp_html_member_cell(RpHtml *html, const json_t *object, const char *name) {
    if (json_is_string(json_object_get(object, name)))
        rp_html_data_cell(html, rp_field_span(object, name));
    else
        rp_html_literal(html, "<td></td>");
}

void rp_html_prose_cell(RpHtml *html, const json_t *object, const char *name) {
    rp_html_open(html, "td", "class", "v prose", NULL);
    if (rp_field_has_text(object, name))
        rp_html_data(html, rp_field_span(object, name));
    rp_html_close(html, "td");
}

void rp_html_number_cell(RpHtml *html, guint64 number) {
    rp_html_marked_cell(html, number, NULL);
}

void rp_html_marked_cell(RpHtml *html, guint64 number, const char *class_name) {
    g_autofree char *classes = g_strdup_printf("n%s%s",
                                               number == 0          ? " zero"
                                               : class_name != NULL ? " "
                                                                    : "",
                                               number > 0 && class_name != NULL ? class_name : "");
    rp_html_open(html, "td", "class", classes, NULL);
    rp_html_number(html, number);
    rp_html_close(html, "td");
}
