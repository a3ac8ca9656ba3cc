/* A batch's rows straight into their table.
 *
 * 1. Every row that is sent is stored, or the statement fails: COPY's own count says so.
 * 2. Tuples are copied through one buffer of a fixed size; what is larger is sent from where it stands. */
#include "sink/bulk.h"

#include "sink/copy.h"
#include "sink/merge_sql.h"

#include <stdlib.h>

#define BUFFER_BYTES  (64 * 1024)
#define COUNT_BYTES   2 /* the field count before the fields */
#define ORDINAL_BYTES 8 /* the last field, with its size */

void rp_bulk_make_statements(RpMergeSql *generator, const char *names, const char *staged) {
    RpMergePlan *plan = generator->plan;
    const char *target = generator->table->quoted;
    plan->load_sql = g_strdup_printf("COPY %s (%s) FROM STDIN (FORMAT binary)", target, names);
    plan->load_staged_sql =
        g_strdup_printf("INSERT INTO %s (%s) SELECT %s FROM %s s ORDER BY s." RP_SQL_ORDINAL, target, names,
                        staged, plan->stage);
    plan->staged_sql = g_strdup_printf("SELECT " RP_SQL_ORDINAL " FROM %s ORDER BY 1", plan->stage);
}

typedef struct {
    const RpTuples *tuples;
    char *buffer;
    gsize size; /* of what is in it */
} Sending;

static gboolean flush(Sending *sending, PGconn *connection, GError **error) {
    const gsize size = sending->size;
    sending->size = 0;
    return size == 0 || rp_copy_put(connection, sending->buffer, size, error);
}

/* The tuple without its ordinal, which is only of the staging table. */
static gboolean send_row(Sending *sending, PGconn *connection, guint ordinal, GError **error) {
    const char *tuple = sending->tuples->bytes.data + rp_tuples_get(sending->tuples, ordinal)->offset;
    const char *end = sending->tuples->bytes.data + rp_tuples_row_end(sending->tuples, ordinal);
    const gsize size = (gsize)(end - tuple) - ORDINAL_BYTES;
    guint16 n_fields;
    memcpy(&n_fields, tuple, COUNT_BYTES);
    n_fields = GUINT16_TO_BE((guint16)(GUINT16_FROM_BE(n_fields) - 1));
    if (size > BUFFER_BYTES - sending->size && !flush(sending, connection, error))
        return FALSE;
    memcpy(sending->buffer + sending->size, &n_fields, COUNT_BYTES);
    sending->size += COUNT_BYTES;
    if (size > BUFFER_BYTES)
        return flush(sending, connection, error) &&
               rp_copy_put(connection, tuple + COUNT_BYTES, size - COUNT_BYTES, error);
    memcpy(sending->buffer + sending->size, tuple + COUNT_BYTES, size - COUNT_BYTES);
    sending->size += size - COUNT_BYTES;
    return TRUE;
}

static gboolean send_rows(PGconn *connection, gpointer data, GError **error) {
    Sending *sending = data;
    for (guint ordinal = 0; ordinal < sending->tuples->rows->len; ordinal++)
        if (rp_tuples_get(sending->tuples, ordinal)->state == RP_ROW_IN &&
            !send_row(sending, connection, ordinal, error))
            return FALSE;
    return flush(sending, connection, error);
}

static guint64 count_rows(const RpTuples *tuples) {
    guint64 n_rows = 0;
    for (guint ordinal = 0; ordinal < tuples->rows->len; ordinal++)
        n_rows += rp_tuples_get(tuples, ordinal)->state == RP_ROW_IN;
    return n_rows;
}

static gboolean is_all_stored(const RpMergePlan *plan, guint64 n_sent, guint64 n_stored, GError **error) {
    if (n_sent == n_stored)
        return TRUE;
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_FATAL,
                "of %" G_GUINT64_FORMAT " rows sent to %s, PostgreSQL stored %" G_GUINT64_FORMAT
                ", and said nothing: a trigger or a rule of the table drops some, or adds to them; "
                "--strategy merge tells which",
                n_sent, plan->entity->table->shown, n_stored);
    return FALSE;
}

gboolean rp_bulk_copy(PGconn *connection, const RpMergePlan *plan, const RpBatch *batch, guint64 *n_rows,
                      GError **error) {
    const RpTuples *tuples = &batch->tuples[plan->number];
    g_assert(plan->raw == NULL);
    *n_rows = count_rows(tuples);
    if (*n_rows == 0)
        return TRUE;
    g_autofree char *buffer = g_malloc(BUFFER_BYTES);
    Sending sending = {tuples, buffer, 0};
    guint64 n_stored = 0;
    if (rp_copy_binary_by(connection, plan->load_sql, send_rows, &sending, &n_stored, error) &&
        is_all_stored(plan, *n_rows, n_stored, error))
        return TRUE;
    g_prefix_error(error, "loading %s: ", plan->entity->name);
    return FALSE;
}

gboolean rp_bulk_insert(PGconn *connection, const RpMergePlan *plan, guint64 n_rows, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, plan->load_staged_sql, 0, NULL, error);
    if (result != NULL && is_all_stored(plan, n_rows, rp_postgres_affected(result), error))
        return TRUE;
    g_prefix_error(error, "inserting %s: ", plan->entity->name);
    return FALSE;
}

GArray *rp_bulk_list_staged(PGconn *connection, const RpMergePlan *plan, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, plan->staged_sql, 0, NULL, error);
    if (result == NULL)
        return NULL;
    GArray *ordinals = g_array_sized_new(FALSE, FALSE, sizeof(guint32), (guint)PQntuples(result));
    for (int row = 0; row < PQntuples(result); row++) {
        const guint32 ordinal = (guint32)strtoul(PQgetvalue(result, row, 0), NULL, 10);
        g_array_append_val(ordinals, ordinal);
    }
    return ordinals;
}
