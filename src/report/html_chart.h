/* Charts in inline SVG: they stretch with the page, and say in words what they show. */
#pragma once

#include "report/html.h"

#include <jansson.h>

G_BEGIN_DECLS

/* One account of a stacked bar; class_name is its colour. */
typedef struct {
    const char *name;
    const char *class_name;
    guint64 value;
} RpHtmlShare;

/* A bar of shares, each as long as its part of the whole; what is not 0 can be seen. id is the SVG's. */
void rp_html_bar(RpHtml *html, const char *id, const char *title, const RpHtmlShare *shares, guint n_shares);

/* The names of the shares with their colours. */
void rp_html_legend(RpHtml *html, const RpHtmlShare *shares, guint n_shares);

/* Rows a second over time, of the totals of a document's throughput; at least two points. */
void rp_html_throughput(RpHtml *html, const json_t *points);

G_END_DECLS
