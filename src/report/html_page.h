/* A report as one page of HTML. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* The page of a document: one file that loads nothing and needs no script. The caller frees it. */
char *rp_html_page(const json_t *document);

G_END_DECLS
