/* SQL text cut into its statements. */
#pragma once

#include <glib.h>

#include "base/span.h"

G_BEGIN_DECLS

typedef struct {
    RpSpan text;     /* from its first token to before its semicolon; points into the SQL */
    RpSpan words[3]; /* its first bare words, empty where it has fewer */
    guint line;      /* of its first token, from 1 */
} RpStatement;

/* The statements of sql, in order; empty ones are left out, as the server does. Knows what psql knows:
 * quotes, E'' and dollar quotes, quoted identifiers, nested comments, parentheses, and the bodies of BEGIN
 * ATOMIC functions (PostgreSQL's psqlscan.l and scan.l). What is left open at the end is one last statement,
 * for the server to complain of. Assumes standard_conforming_strings = on. An array of RpStatement, to be
 * unreffed by the caller. */
GArray *rp_sql_split(const char *sql);

/* Whether the statement begins or ends a transaction: BEGIN, START TRANSACTION, COMMIT, END, ABORT, ROLLBACK,
 * PREPARE TRANSACTION; ROLLBACK TO does not. */
gboolean rp_statement_is_transaction_control(const RpStatement *statement);

/* The line, from 1, of the character at position (from 1, counted in characters, as PostgreSQL counts). */
guint rp_sql_line_of(RpSpan sql, gulong position);

G_END_DECLS
