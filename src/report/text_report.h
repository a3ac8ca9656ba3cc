/* A report as plain text: sentences in lines of at most 100 columns, tables as wide as their cells, which are
 * cut at 40 characters (of aggregates at 32). */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* The caller frees it. */
char *rp_text_report(const json_t *document);

/* Its parts, for rp_text_report: each appends the sections of one kind of result. */
void rp_text_run(GString *text, const json_t *document);
/* In brief: the first differences and examples, and nothing of what is as it should be. */
void rp_text_reconcile(GString *text, const json_t *reconcile, gboolean is_brief);
/* In brief: the reconciliation is as rp_text_reconcile has it. */
void rp_text_cutover(GString *text, const json_t *cutover, gboolean is_brief);
void rp_text_rollback(GString *text, const json_t *rollback);

/* A heading, underlined. */
void rp_text_heading(GString *text, const char *title);
/* Words with lines broken at blanks. */
void rp_text_wrap(GString *text, const char *words);
/* "  name: value" of data; nothing when it is empty. */
void rp_text_line(GString *text, const char *name, const char *value);
/* Columns of counts: a table of the objects of an array, a row each. names ends in NULL; the first
 * n_texts of them are texts, the rest numbers. */
void rp_text_counts(GString *text, const json_t *objects, const char *const *names, guint n_texts);

G_END_DECLS
