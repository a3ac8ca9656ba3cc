/* Tables in HTML, with a caption, scopes, and a frame that scrolls where a page is narrow. */
#pragma once

#include "report/html.h"

#include <jansson.h>

G_BEGIN_DECLS

/* Opens a table; headings end in NULL, and one that begins with '>' is of numbers. */
void rp_html_table_open(RpHtml *html, const char *caption, const char *const *headings);
/* The same with a class of report.css; "stacked …": where the page is narrow, its cells stand under each
 * other. */
void rp_html_table_open_as(RpHtml *html, const char *class_name, const char *caption,
                           const char *const *headings);
void rp_html_table_close(RpHtml *html);

void rp_html_row_open(RpHtml *html);
void rp_html_row_close(RpHtml *html);

/* Cells: our own words; data; a number. The first of a row is its heading. */
void rp_html_heading_cell(RpHtml *html, const char *text);
void rp_html_text_cell(RpHtml *html, const char *text);
void rp_html_data_cell(RpHtml *html, RpSpan data);
/* A member that may be null: nothing is shown then. */
void rp_html_member_cell(RpHtml *html, const json_t *object, const char *name);
/* The same of words, such as a message. */
void rp_html_prose_cell(RpHtml *html, const json_t *object, const char *name);
void rp_html_number_cell(RpHtml *html, guint64 number);
/* A number that should be 0: marked with class_name when it is not. */
void rp_html_marked_cell(RpHtml *html, guint64 number, const char *class_name);

G_END_DECLS
