/* The sections of a report's page. Each writes what stands under its heading, out of the document. */
#pragma once

#include "report/html.h"

#include <jansson.h>

G_BEGIN_DECLS

typedef struct {
    const char *id;
    const char *title;
    /* Whether the document has what the section shows. */
    gboolean (*is_wanted)(const json_t *document);
    void (*write)(RpHtml *html, const json_t *document);
} RpHtmlSection;

/* In the order of the page; the last has no id. */
extern const RpHtmlSection RP_HTML_SECTIONS[];

/* Figures beside the verdict: a list of number and word. */
void rp_html_figures(RpHtml *html, const json_t *document);

/* What RP_HTML_SECTIONS lists. */
void rp_html_balance(RpHtml *html, const json_t *document);
void rp_html_keys(RpHtml *html, const json_t *document);
void rp_html_unmapped(RpHtml *html, const json_t *document);
void rp_html_rejects(RpHtml *html, const json_t *document);
void rp_html_cutover(RpHtml *html, const json_t *document);
void rp_html_rows(RpHtml *html, const json_t *document);
void rp_html_differences(RpHtml *html, const json_t *document);
void rp_html_aggregates(RpHtml *html, const json_t *document);
void rp_html_links(RpHtml *html, const json_t *document);
void rp_html_orphans(RpHtml *html, const json_t *document);
void rp_html_undone(RpHtml *html, const json_t *document);
void rp_html_kept(RpHtml *html, const json_t *document);
void rp_html_speed(RpHtml *html, const json_t *document);
void rp_html_details(RpHtml *html, const json_t *document);

G_END_DECLS
