/* What the undo log holds of a row. */
#pragma once

#include "model/table.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* The columns of a row t of the table as a select list ("a", "b", …): values whose JSON form PostgreSQL would
 * not read back as they were become text. row_to_json of such a row is an image. The caller frees it. */
char *rp_ledger_image_columns(PGconn *connection, const RpTable *table);

/* An expression that gives the image of a row t of the table. The caller frees it. */
char *rp_ledger_image_sql(PGconn *connection, const RpTable *table);

/* Whether an image holds the column's value as a string of its text. */
gboolean rp_ledger_image_is_text(const RpColumn *column);

/* A statement that keeps the keys of the rows of a query named written, as one row of undo: $1 run, $2 pass,
 * $3 batch, $4 number of the entity, $5 the table as it is shown. */
#define RP_LEDGER_KEEP_INSERTED                                                                              \
    "INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before) "                       \
    "SELECT $1::bigint, $2::integer, $3::bigint, $4::integer, $5::text, 'insert', "                          \
    "json_agg(row_to_json(written.*)) "                                                                      \
    "FROM written HAVING count(*) > 0"

G_END_DECLS
