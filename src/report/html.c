/* The one place where text becomes HTML. */
#include "report/html.h"

#include "report/shown.h"

#define MAX_LETTERS               300u
#define LETTERS_BEFORE_DIFFERENCE 40u

struct RpHtml {
    GString *text;
    GPtrArray *open; /* tags, borrowed */
};

RpHtml *rp_html_new(void) {
    RpHtml *html = g_new(RpHtml, 1);
    html->text = g_string_new(NULL);
    html->open = g_ptr_array_new();
    return html;
}

void rp_html_free(RpHtml *html) {
    if (html == NULL)
        return;
    if (html->text != NULL)
        g_string_free(html->text, TRUE);
    g_ptr_array_unref(html->open);
    g_free(html);
}

char *rp_html_take(RpHtml *html) {
    g_assert(html->open->len == 0);
    char *text = g_string_free(html->text, FALSE);
    html->text = NULL;
    return text;
}

/* ---- escaping ---- */

static void escape(GString *out, RpSpan plain) {
    for (gsize i = 0; i < plain.size; i++)
        switch (plain.data[i]) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        case '\'':
            g_string_append(out, "&#39;");
            break;
        default:
            g_string_append_c(out, plain.data[i]);
        }
}

static void append_text(GString *out, RpSpan text, gboolean marks_spelled) {
    for (RpShownPiece piece; rp_shown_next(&text, &piece);) {
        if (piece.is_plain)
            escape(out, piece.plain);
        else if (marks_spelled)
            g_string_append_printf(out, "<span class=\"spelled\">%s</span>", piece.spelled);
        else
            g_string_append(out, piece.spelled);
    }
}

/* ---- elements ---- */

static void append_tag(RpHtml *html, const char *tag, va_list attributes) {
    g_string_append_printf(html->text, "<%s", tag);
    for (const char *name = va_arg(attributes, const char *); name != NULL;
         name = va_arg(attributes, const char *)) {
        const char *value = va_arg(attributes, const char *);
        if (value == NULL)
            continue;
        g_string_append_printf(html->text, " %s=\"", name);
        append_text(html->text, rp_span(value), FALSE);
        g_string_append_c(html->text, '"');
    }
    g_string_append_c(html->text, '>');
}

void rp_html_open(RpHtml *html, const char *tag, ...) {
    va_list attributes;
    va_start(attributes, tag);
    append_tag(html, tag, attributes);
    va_end(attributes);
    g_ptr_array_add(html->open, (gpointer)tag);
}

void rp_html_void(RpHtml *html, const char *tag, ...) {
    va_list attributes;
    va_start(attributes, tag);
    append_tag(html, tag, attributes);
    va_end(attributes);
}

static gboolean ends_a_line(const char *tag) {
    static const char *const blocks[] = {"p",    "li",     "tr",  "table",   "section", "dl",
                                         "div",  "h1",     "h2",  "caption", "ul",      "svg",
                                         "main", "header", "nav", "head",    "style",   NULL};
    return g_strv_contains(blocks, tag);
}

void rp_html_close(RpHtml *html, const char *tag) {
    g_assert(html->open->len > 0 && g_str_equal(g_ptr_array_index(html->open, html->open->len - 1), tag));
    g_ptr_array_set_size(html->open, (int)html->open->len - 1);
    g_string_append_printf(html->text, "</%s>%s", tag, ends_a_line(tag) ? "\n" : "");
}

/* ---- texts ---- */

void rp_html_text(RpHtml *html, const char *text) {
    append_text(html->text, rp_span(text), FALSE);
}

/* A narrow blank in a number is ours; in data it would be spelled out. */
void rp_html_sentence(RpHtml *html, const char *text) {
    const gsize size = strlen(text);
    gsize from = 0;
    for (gsize i = 1; i < size; i++) {
        if (text[i] != ' ' || !g_ascii_isdigit(text[i - 1]) || strspn(text + i + 1, "0123456789") != 3)
            continue;
        append_text(html->text, (RpSpan){text + from, i - from}, FALSE);
        g_string_append(html->text, "\u202f");
        from = i + 1;
    }
    append_text(html->text, (RpSpan){text + from, size - from}, FALSE);
}

void rp_html_printf(RpHtml *html, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    rp_html_text(html, text);
}

void rp_html_element(RpHtml *html, const char *tag, const char *class_name, const char *text) {
    rp_html_open(html, tag, "class", class_name, NULL);
    rp_html_text(html, text);
    rp_html_close(html, tag);
}

void rp_html_number(RpHtml *html, guint64 number) {
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    const gsize size = strlen(digits);
    rp_html_open(html, "data", "value", digits, NULL);
    for (gsize i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            g_string_append(html->text, "\u202f");
        g_string_append_c(html->text, digits[i]);
    }
    rp_html_close(html, "data");
}

void rp_html_append_literal(RpHtml *html, const char *markup) {
    g_string_append(html->text, markup);
}

/* ---- data ---- */

static void open_data(RpHtml *html) {
    rp_html_open(html, "bdi", "class", "data", NULL);
}

/* n_letters: how long a value is that is not shown whole; 0: it is. */
static void close_data(RpHtml *html, gsize n_letters) {
    rp_html_close(html, "bdi");
    if (n_letters == 0)
        return;
    rp_html_open(html, "span", "class", "length", NULL);
    rp_html_printf(html, " (%" G_GSIZE_FORMAT " characters)", n_letters);
    rp_html_close(html, "span");
}

static gboolean write_special(RpHtml *html, RpSpan data) {
    if (data.data != NULL && data.size > 0)
        return FALSE;
    rp_html_element(html, "span", "nothing", data.data == NULL ? "NULL" : "empty text");
    return TRUE;
}

void rp_html_data(RpHtml *html, RpSpan data) {
    if (write_special(html, data))
        return;
    const RpSpan shown = rp_shown_cut(data, 0, MAX_LETTERS);
    const gboolean is_cut = shown.size < data.size;
    open_data(html);
    append_text(html->text, shown, TRUE);
    if (is_cut)
        g_string_append(html->text, "…");
    close_data(html, is_cut ? rp_shown_letters(data) : 0);
}

void rp_html_difference(RpHtml *html, RpSpan data, RpSpan other) {
    if (data.data == NULL || data.size == 0 || other.data == NULL || other.size == 0) {
        rp_html_data(html, data);
        return;
    }
    gsize before, after;
    rp_shown_compare(data, other, &before, &after);
    const gsize n_letters = rp_shown_letters(data);
    const gboolean is_long = n_letters > MAX_LETTERS;
    if (!is_long && 2 * (before + after) < n_letters)
        before = after = 0; /* letters that two words share by chance */
    const gsize from = is_long && before > LETTERS_BEFORE_DIFFERENCE ? before - LETTERS_BEFORE_DIFFERENCE : 0;
    const gsize end = is_long ? MIN(from + MAX_LETTERS, n_letters) : n_letters;
    const gsize changed_end = MIN(n_letters - after, end);
    open_data(html);
    if (from > 0)
        g_string_append(html->text, "…");
    append_text(html->text, rp_shown_cut(data, from, before - from), TRUE);
    if (changed_end > before) {
        rp_html_open(html, "mark", NULL);
        append_text(html->text, rp_shown_cut(data, before, changed_end - before), TRUE);
        rp_html_close(html, "mark");
    }
    append_text(html->text, rp_shown_cut(data, changed_end, end - changed_end), TRUE);
    if (end < n_letters)
        g_string_append(html->text, "…");
    close_data(html, is_long ? n_letters : 0);
}
