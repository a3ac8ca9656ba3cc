/* Plain tables of text: columns padded to their widest cell, numbers to the right. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpTextTable RpTextTable;

/* headings is NULL-terminated; a heading that begins with '>' makes its column stand to the right. */
RpTextTable *rp_text_table_new(const char *const *headings);
void rp_text_table_free(RpTextTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpTextTable, rp_text_table_free)

/* Adds a row of as many cells as there are headings; NULL is shown as nothing. Copied. */
void rp_text_table_add(RpTextTable *table, const char *const *cells);

/* The table as lines; the caller frees it. */
char *rp_text_table_show(const RpTextTable *table);

/* A number with a blank between groups of three digits: "1 000 000". The caller frees it. */
char *rp_text_number(guint64 number);

G_END_DECLS
