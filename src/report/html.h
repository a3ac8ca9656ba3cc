/* Writing HTML: elements that close in order, and text that cannot become markup. Every text goes through
 * here; markup of our own is literals. */
#pragma once

#include "base/span.h"

G_BEGIN_DECLS

typedef struct RpHtml RpHtml;

RpHtml *rp_html_new(void);
void rp_html_free(RpHtml *html);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpHtml, rp_html_free)

/* What was written; a defect when an element is open. The caller frees it. */
char *rp_html_take(RpHtml *html);

/* Opens an element with attributes, pairs of a name and a value that is escaped, up to NULL; tag is a literal
 * and outlives the writer. A value that is NULL leaves its attribute out. */
void rp_html_open(RpHtml *html, const char *tag, ...) G_GNUC_NULL_TERMINATED;
/* An element that has no end tag and no content (meta, rect). */
void rp_html_void(RpHtml *html, const char *tag, ...) G_GNUC_NULL_TERMINATED;
/* Closes the element opened last, which must be this one. */
void rp_html_close(RpHtml *html, const char *tag);

/* Our own words and names, all of them. */
void rp_html_text(RpHtml *html, const char *text);
/* The same of a sentence: numbers in it, "1 600", are not broken. */
void rp_html_sentence(RpHtml *html, const char *text);
void rp_html_printf(RpHtml *html, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* <tag class="…">text</tag>; class_name may be NULL. */
void rp_html_element(RpHtml *html, const char *tag, const char *class_name, const char *text);

/* Data of unknown content, set apart from what stands around it: long values are cut, and say how long they
 * are; what cannot be seen is spelled out and marked. NULL data is shown as NULL. */
void rp_html_data(RpHtml *html, RpSpan data);

/* The same for the first of two values, with the part marked in which it differs from the other; of long ones
 * the part around that is shown. */
void rp_html_difference(RpHtml *html, RpSpan data, RpSpan other);

/* A number with its digits in groups; the plain number is the value of a data element. */
void rp_html_number(RpHtml *html, guint64 number);

/* Markup as it is: a literal, never data. */
#define rp_html_literal(html, markup) rp_html_append_literal((html), "" markup)
void rp_html_append_literal(RpHtml *html, const char *markup);

G_END_DECLS
