/* The page: head, verdict, contents, sections. */
#include "report/html_page.h"

#include "report/document.h"
#include "report/field.h"
#include "report/html_sections.h"
#include "report/report-resource.h"

#include <gio/gio.h>

#define STYLE_PATH "/org/redis2pg/report/report.css"

static void write_style(RpHtml *html) {
    g_autoptr(GBytes) style =
        g_resource_lookup_data(rp_report_get_resource(), STYLE_PATH, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_assert(style != NULL); /* it is built into the program */
    g_autofree char *text = g_strndup(g_bytes_get_data(style, NULL), g_bytes_get_size(style));
    rp_html_open(html, "style", NULL);
    rp_html_append_literal(html, text);
    rp_html_close(html, "style");
}

/* "Run 12", "Dry run", "Rollback, run 13", "Reconciliation, run 14"; without a number what stands before the
 * comma. */
static char *name_of(const json_t *document) {
    static const struct {
        const char *kind, *name;
    } names[] = {{"run", "Run"},
                 {"dry_run", "Dry run"},
                 {"replay", "Replay, run"},
                 {"repair", "Repair, run"},
                 {"rollback", "Rollback, run"},
                 {"reconcile", "Reconciliation, run"},
                 {"cutover", "Cutover, run"}};
    const char *name = "Report";
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(rp_field_text(document, "kind"), names[i].kind))
            name = names[i].name;
    const guint64 number = rp_field_number(rp_document_result(document), "run");
    if (number > 0)
        return g_strdup_printf("%s %" G_GUINT64_FORMAT, name, number);
    return g_strndup(name, strcspn(name, ","));
}

static void write_head(RpHtml *html, const json_t *document, const char *name) {
    const json_t *verdict = json_object_get(document, "verdict");
    rp_html_open(html, "head", NULL);
    rp_html_void(html, "meta", "charset", "utf-8", NULL);
    rp_html_void(html, "meta", "http-equiv", "Content-Security-Policy", "content",
                 "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'", NULL);
    rp_html_void(html, "meta", "name", "viewport", "content", "width=device-width, initial-scale=1", NULL);
    rp_html_void(html, "meta", "name", "color-scheme", "content", "light dark", NULL);
    rp_html_void(html, "meta", "name", "robots", "content", "noindex", NULL);
    rp_html_open(html, "title", NULL);
    rp_html_printf(html, "%s: %s – redis2pg", name, rp_field_text(verdict, "headline"));
    rp_html_close(html, "title");
    write_style(html);
    rp_html_close(html, "head");
}

/* Text in which commands stand between backticks. */
static void write_sentence(RpHtml *html, const char *sentence) {
    g_auto(GStrv) parts = g_strsplit(sentence, "`", -1);
    rp_html_open(html, "p", NULL);
    for (guint i = 0; parts[i] != NULL; i++)
        if (i % 2 == 1 && parts[i + 1] != NULL)
            rp_html_element(html, "code", NULL, parts[i]);
        else
            rp_html_sentence(html, parts[i]);
    rp_html_close(html, "p");
}

/* The status in words, for those who do not see colours. */
static const char *word_of(const char *status) {
    static const struct {
        const char *status, *word;
    } words[] = {{"fine", "Done, nothing to look at"},
                 {"findings", "Done, with findings"},
                 {"interrupted", "Interrupted"},
                 {"refused", "Refused"},
                 {"failed", "Failed"},
                 {"undone", "Rolled back"},
                 {"open", "Not ended"}};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_equal(status, words[i].status))
            return words[i].word;
    return "Unknown";
}

static void write_sign(RpHtml *html, const char *status) {
    rp_html_literal(html, "<svg class=\"sign\" viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
                          "<circle cx=\"12\" cy=\"12\" r=\"12\"></circle>");
    if (g_str_equal(status, "fine"))
        rp_html_literal(html, "<path d=\"M6.5 12.5l3.7 3.7 7.3-8\"></path>");
    else if (g_str_equal(status, "failed") || g_str_equal(status, "refused"))
        rp_html_literal(html, "<path d=\"M7.8 7.8l8.4 8.4M16.2 7.8l-8.4 8.4\"></path>");
    else if (g_str_equal(status, "undone"))
        rp_html_literal(html, "<path d=\"M10 7l-4 4 4 4M6.5 11h7a3.5 3.5 0 0 1 0 7h-2\"></path>");
    else
        rp_html_literal(html, "<path d=\"M12 6v7.2M12 17.2v.6\"></path>");
    rp_html_literal(html, "</svg>");
}

static void write_fact(RpHtml *html, const char *name, const char *value) {
    if (value[0] == '\0')
        return;
    rp_html_open(html, "div", NULL);
    rp_html_element(html, "dt", NULL, name);
    rp_html_open(html, "dd", NULL);
    rp_html_data(html, rp_span(value));
    rp_html_close(html, "dd");
    rp_html_close(html, "div");
}

/* "2026-01-01T00:00:00.000Z" as a person reads it. */
static char *show_time(const char *iso) {
    if (strlen(iso) < strlen("2026-01-01T00:00:00"))
        return g_strdup(iso);
    return g_strdup_printf("%.10s %.8s UTC", iso, iso + 11);
}

static void write_facts(RpHtml *html, const json_t *document) {
    g_autofree char *started = show_time(rp_field_text(document, "started_at"));
    g_autofree char *seconds = rp_field_show_seconds(rp_field_real(rp_document_result(document), "seconds"));
    rp_html_open(html, "dl", "class", "facts", NULL);
    write_fact(html, "From Redis", rp_field_text(document, "source"));
    write_fact(html, "To PostgreSQL", rp_field_text(document, "target"));
    write_fact(html, "Mapping", rp_field_text(json_object_get(document, "mapping"), "path"));
    write_fact(html, "Started", started);
    write_fact(html, "Took", seconds);
    rp_html_close(html, "dl");
}

static void write_verdict(RpHtml *html, const json_t *document, const char *name) {
    const json_t *verdict = json_object_get(document, "verdict");
    const json_t *sentences = rp_field_list(verdict, "sentences");
    const char *status = rp_field_text(verdict, "status");
    g_autofree char *classes = g_strdup_printf("verdict %s", status);
    rp_html_open(html, "section", "class", classes, "aria-labelledby", "verdict", NULL);
    rp_html_open(html, "p", "class", "kicker", NULL);
    rp_html_element(html, "strong", "status", word_of(status));
    rp_html_element(html, "span", NULL, name);
    rp_html_close(html, "p");
    rp_html_open(html, "div", "class", "headline", NULL);
    write_sign(html, status);
    rp_html_open(html, "h1", "id", "verdict", NULL);
    rp_html_sentence(html, rp_field_text(verdict, "headline"));
    rp_html_close(html, "h1");
    rp_html_close(html, "div");
    rp_html_open(html, "div", "class", "sentences", NULL);
    for (size_t i = 0; i < json_array_size(sentences); i++)
        write_sentence(html, json_string_value(json_array_get(sentences, i)));
    rp_html_close(html, "div");
    write_facts(html, document);
    rp_html_close(html, "section");
    rp_html_figures(html, document);
}

static void write_contents(RpHtml *html, const json_t *document) {
    rp_html_open(html, "nav", "aria-label", "Contents", NULL);
    rp_html_open(html, "ul", NULL);
    for (const RpHtmlSection *section = RP_HTML_SECTIONS; section->id != NULL; section++) {
        if (!section->is_wanted(document))
            continue;
        g_autofree char *target = g_strdup_printf("#%s", section->id);
        rp_html_open(html, "li", NULL);
        rp_html_open(html, "a", "href", target, NULL);
        rp_html_text(html, section->title);
        rp_html_close(html, "a");
        rp_html_close(html, "li");
    }
    rp_html_close(html, "ul");
    rp_html_close(html, "nav");
}

static void write_sections(RpHtml *html, const json_t *document) {
    for (const RpHtmlSection *section = RP_HTML_SECTIONS; section->id != NULL; section++) {
        if (!section->is_wanted(document))
            continue;
        g_autofree char *heading = g_strdup_printf("%s-heading", section->id);
        rp_html_open(html, "section", "id", section->id, "aria-labelledby", heading, NULL);
        rp_html_open(html, "h2", "id", heading, NULL);
        rp_html_text(html, section->title);
        rp_html_close(html, "h2");
        section->write(html, document);
        rp_html_close(html, "section");
    }
}

char *rp_html_page(const json_t *document) {
    g_autoptr(RpHtml) html = rp_html_new();
    g_autofree char *name = name_of(document);
    g_autofree char *made_at = show_time(rp_field_text(document, "made_at"));
    rp_html_literal(html, "<!DOCTYPE html>\n");
    rp_html_open(html, "html", "lang", "en", NULL);
    write_head(html, document, name);
    rp_html_open(html, "body", NULL);
    rp_html_literal(html, "<a class=\"skip\" href=\"#content\">Skip to the numbers</a>\n");
    rp_html_literal(html, "<header class=\"page\"><span class=\"brand\">redis<b>2</b>pg</span>");
    rp_html_element(html, "span", NULL, "Report");
    rp_html_literal(html, "</header>\n");
    rp_html_open(html, "main", NULL);
    write_verdict(html, document, name);
    write_contents(html, document);
    rp_html_open(html, "div", "id", "content", "tabindex", "-1", NULL);
    write_sections(html, document);
    rp_html_close(html, "div");
    rp_html_close(html, "main");
    rp_html_open(html, "footer", NULL);
    rp_html_printf(html, "Made %s, out of report.json beside it. Sensitive values are shown as ***.",
                   made_at);
    rp_html_close(html, "footer");
    rp_html_close(html, "body");
    rp_html_close(html, "html");
    rp_html_literal(html, "\n");
    return rp_html_take(html);
}
