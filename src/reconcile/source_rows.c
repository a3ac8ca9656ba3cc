/* From batches to rows. */
#include "reconcile/source_rows.h"

#include "sink/merge_plan.h"

void rp_source_rows_init(RpSourceRows *rows) {
    rows->values = g_new0(RpSpan, rp_units_most_columns(rows->units));
    rows->filtered = g_new0(guint64, rows->units->units->len);
}

void rp_source_rows_clear(RpSourceRows *rows) {
    g_clear_pointer(&rows->values, g_free);
    g_clear_pointer(&rows->filtered, g_free);
    g_clear_pointer(&rows->mapper, rp_mapper_free);
    g_clear_pointer(&rows->plans, g_ptr_array_unref);
    g_clear_pointer(&rows->connection, PQfinish);
}

/* What tells the elements of a key apart: the index in an array or a list, else what the element itself is.
 */
static guint64 element_of(const RpUnit *unit, const RpBatch *batch, const RpRow *row) {
    const RpRecord *record = rp_records_get(&batch->records, row->record);
    RpSpan value;
    if (unit->entity->scope.has_each)
        return row->element;
    if (!rp_record_type_has_elements((RpRecordType)record->type))
        return 0;
    if (record->index >= 0)
        return (guint64)record->index;
    return rp_records_values(&batch->records, row->record, &value, 1) > 0 ? rp_digest_bytes(value) : 0;
}

gboolean rp_source_rows_give(RpSourceRows *rows, const RpUnit *unit, const RpBatch *batch, guint ordinal,
                             gboolean is_stored, GError **error) {
    const RpRow *row = rp_tuples_get(&batch->tuples[unit->number], ordinal);
    const RpSourceRow given = {unit, rows->values, is_stored, rp_records_key(&batch->records, row->record),
                               element_of(unit, batch, row)};
    return rows->take(&given, rows->data, error);
}

static gboolean walk_unit(RpSourceRows *rows, const RpUnit *unit, RpBatch *batch, GError **error) {
    const RpTuples *tuples = &batch->tuples[unit->number];
    if (tuples->rows->len == 0)
        return TRUE;
    if (unit->is_staged || (rows->judges && unit->has_checks))
        return rp_staged_rows_walk(rows, unit, batch, error);
    for (guint ordinal = 0; ordinal < tuples->rows->len; ordinal++) {
        rp_digester_source_values(unit, tuples, ordinal, rows->values);
        if (!rp_source_rows_give(rows, unit, batch, ordinal, FALSE, error))
            return FALSE;
    }
    return TRUE;
}

gboolean rp_source_rows_walk(RpSourceRows *rows, RpBatch *batch, GError **error) {
    for (guint i = 0; i < rows->units->units->len; i++)
        if (rp_units_get(rows->units, i)->is_wanted &&
            !walk_unit(rows, rp_units_get(rows->units, i), batch, error))
            return FALSE;
    for (guint i = 0; i < batch->rejects->len; i++) {
        const RpReject *reject = &g_array_index(batch->rejects, RpReject, i);
        const RpUnit *unit = rp_units_get(rows->units, reject->entity);
        if (unit->is_wanted)
            rows->refuse(unit, batch, reject, rows->data);
    }
    return TRUE;
}

/* ---- what is refused ---- */

static guint place_in_key(const RpEntity *entity, const char *column) {
    guint place = 0;
    while (!g_str_equal(entity->key[place], column))
        place++;
    return place;
}

gboolean rp_source_rows_identify(RpSourceRows *rows, const RpUnit *unit, const RpBatch *batch,
                                 const RpReject *reject, RpDigester *digester, RpHash *identity) {
    const RpOccasion occasion = {.database = rows->database};
    if (unit->link != NULL)
        return FALSE;
    g_autofree RpSpan *made = g_new(RpSpan, unit->n_keys);
    g_autofree RpSpan *values = g_new(RpSpan, unit->n_keys);
    if (rows->mapper == NULL)
        rows->mapper = rp_mapper_new(&rows->units->mapping, &occasion, 1, 1);
    if (!rp_mapper_identify(rows->mapper, batch, reject->record, reject->element, made))
        return FALSE;
    for (guint i = 0; i < unit->n_keys; i++)
        values[i] = made[place_in_key(unit->entity, rp_unit_column(unit, i)->name)];
    rp_digester_identify(digester, unit, values, FALSE, identity);
    return TRUE;
}
