/* A reading of Redis before extra rows are deleted: which of them have a record by now. */
#include "base/error.h"
#include "reconcile/extras.h"

#include <string.h>

void rp_extras_spare(RpExtras *extras, RpExtraRow *row) {
    GString *numbers = extras->spared[row->place];
    if (row->is_spared)
        return;
    row->is_spared = TRUE;
    g_string_append_printf(numbers, "%c%u", numbers->len == 0 ? '{' : ',', row->number);
    extras->n_spared[row->place]++;
}

static void spare(RpExtras *extras, const RpHash *identity) {
    RpExtraRow *row = g_hash_table_lookup(extras->rows, identity);
    if (row != NULL)
        rp_extras_spare(extras, row);
}

static gboolean take_record(const RpSourceRow *row, gpointer data, GError **error) {
    RpExtras *extras = data;
    RpHash identity;
    (void)error;
    if (extras->places[row->unit->leader] == RP_EXTRAS_NOWHERE)
        return TRUE;
    rp_digester_identify(extras->digester, row->unit, row->values, row->is_stored, &identity);
    spare(extras, &identity);
    return TRUE;
}

static void take_refused(const RpUnit *unit, const RpBatch *batch, const RpReject *reject, gpointer data) {
    RpExtras *extras = data;
    const guint place = extras->places[unit->leader];
    RpHash identity;
    if (place == RP_EXTRAS_NOWHERE)
        return;
    if (rp_source_rows_identify(&extras->source, unit, batch, reject, extras->digester, &identity))
        spare(extras, &identity);
    else
        extras->n_unknown[place]++;
}

static gboolean take_batch(RpBatch *batch, gpointer data, GError **error) {
    RpExtras *extras = data;
    if (g_atomic_int_get(&extras->crew->is_stopping) == 0)
        return rp_source_rows_walk(&extras->source, batch, error);
    g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while looking for extra rows");
    return FALSE;
}

/* Entities whose rows stand in the tables that are deleted from. */
static GPtrArray *name_entities(const RpExtras *extras) {
    const RpUnits *units = extras->repair->own->units;
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < units->units->len; i++) {
        const RpUnit *unit = rp_units_get(units, i);
        if (unit->link == NULL && extras->places[unit->leader] != RP_EXTRAS_NOWHERE)
            g_ptr_array_add(names, unit->entity->name);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

gboolean rp_extras_look(RpExtras *extras, GError **error) {
    const RpReconciliation *own = extras->repair->own;
    g_autoptr(GPtrArray) names = name_entities(extras);
    RpLoadOptions load = own->load;
    RpSurvey survey = own->survey;
    load.only = (const char *const *)names->pdata;
    load.observe = NULL;
    survey.load = &load;
    survey.take = take_batch;
    survey.next = NULL;
    survey.data = extras;
    survey.is_cancelled = &extras->crew->is_stopping;
    extras->source = (RpSourceRows){.units = own->units,
                                    .postgres = load.postgres,
                                    .is_cancelled = &extras->crew->is_cancelled,
                                    .timeout_seconds = load.timeout_seconds,
                                    .database = load.redis->database,
                                    .take = take_record,
                                    .refuse = take_refused,
                                    .data = extras};
    rp_source_rows_init(&extras->source);
    const gboolean is_fine = rp_survey(&survey, error);
    rp_source_rows_clear(&extras->source);
    return is_fine;
}
