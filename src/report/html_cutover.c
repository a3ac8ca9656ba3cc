/* The section of a cutover: what was measured, and why it was refused. */
#include "report/field.h"
#include "report/html_sections.h"
#include "report/html_table.h"

static void write_number(RpHtml *html, const char *name, const json_t *cutover, const char *member) {
    g_autofree char *shown = rp_field_show(json_object_get(cutover, member));
    rp_html_row_open(html);
    rp_html_heading_cell(html, name);
    rp_html_text_cell(html, shown != NULL ? shown : "–");
    rp_html_row_close(html);
}

static void write_sentences(RpHtml *html, const json_t *cutover, const char *member) {
    const json_t *sentences = rp_field_list(cutover, member);
    if (json_array_size(sentences) == 0)
        return;
    rp_html_open(html, "ul", NULL);
    for (size_t i = 0; i < json_array_size(sentences); i++) {
        rp_html_open(html, "li", NULL);
        rp_html_sentence(html, json_string_value(json_array_get(sentences, i)));
        rp_html_close(html, "li");
    }
    rp_html_close(html, "ul");
}

void rp_html_cutover(RpHtml *html, const json_t *document) {
    static const char *const headings[] = {"What", "Measured", NULL};
    const json_t *cutover = json_object_get(document, "cutover");
    write_sentences(html, cutover, "reasons");
    write_sentences(html, cutover, "notes");
    rp_html_table_open(html, "What was measured", headings);
    write_number(html, "Verdict", cutover, "verdict");
    write_number(html, "Capture", cutover, "capture");
    write_number(html, "Offset of the stream", cutover, "offset");
    write_number(html, "Writers stood still, ms", cutover, "paused_ms");
    write_number(html, "Until all had arrived, ms", cutover, "drained_ms");
    write_number(html, "Open rejects", cutover, "open_rejects");
    write_number(html, "Parked keys", cutover, "parked");
    rp_html_table_close(html);
}
