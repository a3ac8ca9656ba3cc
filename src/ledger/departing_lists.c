/* The keys and rows that a deletion goes by, as tuples of COPY. */
#include "ledger/departing.h"
#include "sink/copy.h"

static void add_boolean(RpBuffer *tuples, gboolean value) {
    const char byte = value ? 1 : 0;
    rp_buffer_append_u32(tuples, 1);
    rp_buffer_append(tuples, &byte, 1);
}

gboolean rp_departing_add_key(const RpDeparting *departing, RpMapper *mapper, const RpBatch *batch,
                              const RpMetKey *key, guint number, RpBuffer *tuples) {
    g_autofree RpSpan *values = g_new0(RpSpan, departing->n_keys);
    guint n_fields = 2;
    if (!rp_mapper_identify_key(mapper, batch, key->record, values))
        return FALSE;
    for (guint i = 0; i < departing->n_keys; i++) {
        if (departing->is_scope[i] && values[i].data == NULL)
            return FALSE;
        n_fields += (guint)departing->is_scope[i];
    }
    rp_buffer_append_u16(tuples, (guint16)n_fields);
    rp_buffer_append_u32(tuples, 4);
    rp_buffer_append_u32(tuples, number);
    add_boolean(tuples, key->is_gone);
    for (guint i = 0; i < departing->n_keys; i++)
        if (departing->is_scope[i]) {
            rp_buffer_append_u32(tuples, (guint32)values[i].size);
            rp_buffer_append(tuples, values[i].data, values[i].size);
        }
    return TRUE;
}

/* A key that was met twice gives what it gave last. */
void rp_departing_add_given(const RpDeparting *departing, const RpBatch *batch, const RpMetKeys *met,
                            const RpMetKey *only, const gboolean *is_listed, RpBuffer *tuples) {
    const RpTuples *rows = &batch->tuples[departing->table->entity];
    for (guint ordinal = 0; ordinal < rows->rows->len; ordinal++) {
        const RpRow *row = rp_tuples_get(rows, ordinal);
        const RpMetKey *key = rp_met_keys_of(met, row->record);
        if (row->is_filtered || row->record < key->record || (only != NULL && key != only) ||
            (is_listed != NULL && !is_listed[met->numbers[row->record]]))
            continue;
        rp_buffer_append_u16(tuples, (guint16)departing->n_keys);
        for (guint i = 0; i < departing->n_keys; i++) {
            const RpSpan field = rp_tuples_get_field(rows, ordinal, departing->fields[i]);
            rp_buffer_append(tuples, field.data, field.size);
        }
    }
}

gboolean rp_departing_copy(PGconn *connection, const char *table, const char *names, const RpBuffer *tuples,
                           GError **error) {
    if (!rp_postgres_runf(connection, error, "DELETE FROM %s", table))
        return FALSE;
    if (tuples->size == 0)
        return TRUE;
    g_autofree char *sql = g_strdup_printf("COPY %s (%s) FROM STDIN (FORMAT binary)", table, names);
    const RpSpan span = {tuples->data, tuples->size};
    return rp_copy_binary(connection, sql, &span, 1, error);
}
