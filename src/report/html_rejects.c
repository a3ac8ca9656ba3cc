/* Rejects by code, with examples. */
#include "report/html_sections.h"
#include "report/html_table.h"

#include "report/document.h"
#include "report/field.h"
#include "report/meaning.h"

#include <stdlib.h>

/* With more codes than this, examples are folded away. */
#define CODES_UNFOLDED 8

typedef struct {
    const char *code;
    guint64 count;
} Code;

static int by_count(gconstpointer a, gconstpointer b) {
    const Code *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : g_strcmp0(x->code, y->code);
}

static GArray *codes_of(const json_t *rejects) {
    GArray *codes = g_array_new(FALSE, FALSE, sizeof(Code));
    const char *name;
    json_t *count;
    json_object_foreach(json_object_get(rejects, "by_code"), name, count) {
        const Code code = {name, (guint64)MAX(json_integer_value(count), 0)};
        g_array_append_val(codes, code);
    }
    g_array_sort(codes, by_count);
    return codes;
}

static void write_codes(RpHtml *html, const GArray *codes) {
    static const char *const headings[] = {"Code", ">Rejects", "Meaning", NULL};
    rp_html_table_open_as(html, "stacked codes", "Rejects by code, the most frequent first", headings);
    for (guint i = 0; i < codes->len; i++) {
        const Code *code = &g_array_index(codes, Code, i);
        rp_html_row_open(html);
        rp_html_heading_cell(html, code->code);
        rp_html_number_cell(html, code->count);
        rp_html_text_cell(html, rp_meaning_of_code(code->code));
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
}

static gboolean is_of(const json_t *example, const char *code) {
    return g_str_equal(rp_field_text(example, "code"), code);
}

static guint count_examples(const json_t *examples, const char *code) {
    guint n = 0;
    for (size_t i = 0; i < json_array_size(examples); i++)
        n += is_of(json_array_get(examples, i), code) ? 1 : 0;
    return n;
}

/* Where it went wrong: the column, or the constraint, or both. */
static void write_place(RpHtml *html, const json_t *example) {
    rp_html_open(html, "td", "class", "v", NULL);
    if (rp_field_has_text(example, "column"))
        rp_html_data(html, rp_field_span(example, "column"));
    if (rp_field_has_text(example, "column") && rp_field_has_text(example, "constraint"))
        rp_html_literal(html, "<br>");
    if (rp_field_has_text(example, "constraint"))
        rp_html_data(html, rp_field_span(example, "constraint"));
    rp_html_close(html, "td");
}

static void write_examples(RpHtml *html, const json_t *examples, const Code *code, gboolean is_unfolded) {
    static const char *const headings[] = {"Key", "Entity", "Column or constraint", "Value", "Message", NULL};
    const guint n = count_examples(examples, code->code);
    if (n == 0)
        return;
    g_autofree char *caption = g_strdup_printf("Examples of %s", code->code);
    rp_html_open(html, "details", "open", is_unfolded ? "" : NULL, NULL);
    rp_html_open(html, "summary", NULL);
    rp_html_element(html, "h3", NULL, code->code);
    rp_html_open(html, "span", "class", "length", NULL);
    rp_html_printf(html, " %u of %" G_GUINT64_FORMAT, n, code->count);
    rp_html_close(html, "span");
    rp_html_close(html, "summary");
    rp_html_table_open_as(html, "stacked examples", caption, headings);
    for (size_t i = 0; i < json_array_size(examples); i++) {
        const json_t *example = json_array_get(examples, i);
        if (!is_of(example, code->code))
            continue;
        rp_html_row_open(html);
        rp_html_heading_cell(html, rp_field_text(example, "key"));
        rp_html_member_cell(html, example, "entity");
        write_place(html, example);
        rp_html_member_cell(html, example, "value");
        rp_html_prose_cell(html, example, "message");
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
    rp_html_close(html, "details");
}

void rp_html_rejects(RpHtml *html, const json_t *document) {
    const json_t *rejects = json_object_get(rp_document_result(document), "rejects");
    const json_t *examples = rp_field_list(document, "reject_examples");
    g_autoptr(GArray) codes = codes_of(rejects);
    if (codes->len == 0) {
        rp_html_element(html, "p", "lead", "No row was rejected.");
        return;
    }
    write_codes(html, codes);
    for (guint i = 0; i < codes->len; i++)
        write_examples(html, examples, &g_array_index(codes, Code, i), codes->len <= CODES_UNFOLDED);
    if (g_str_equal(rp_field_text(document, "kind"), "dry_run"))
        return;
    g_autofree char *command = g_strdup_printf("redis2pg rejects list --run %" G_GUINT64_FORMAT,
                                               rp_field_number(rp_document_result(document), "run"));
    rp_html_literal(html, "<p class=\"lead\">All of them: ");
    rp_html_element(html, "code", NULL, command);
    rp_html_literal(html, "</p>\n");
}
