/* The steps of a sync, in their order.
 *
 * 1. Rows go before others come: what they hold but once is free then. What cannot go is tried again when the
 * merges have set it free.
 * 2. All of it, and the checkpoint, commits with the batch; done again it comes out the same. */
#include "sync/steps.h"

#include "ledger/checkpoints.h"
#include "ledger/departures.h"
#include "ledger/lifetimes.h"
#include "ledger/parked.h"
#include "pipeline/writer.h"

static guint park_seconds = RP_PARK_SECONDS;

void rp_sync_set_park_seconds(guint seconds) {
    park_seconds = seconds;
}

/* A writer's. */
typedef struct {
    RpDepartures *departures; /* NULL: nothing is deleted */
    RpLifetimes lifetimes;
    RpParking parking;
    RpMetKeys met;
    gboolean has_holders; /* of some entity identities do not follow from the key */
} Steps;

static void steps_free(gpointer data) {
    Steps *steps = data;
    rp_departures_free(steps->departures);
    rp_met_keys_clear(&steps->met);
    g_free(steps);
}

static const RpMapping *mapping_of(const RpWriter *writer) {
    return writer->crew->options->mapping;
}

static Steps *open_steps(RpWriter *writer) {
    if (writer->steps_data == NULL) {
        writer->steps_data = g_new0(Steps, 1);
        writer->steps_free = steps_free;
    }
    Steps *steps = writer->steps_data;
    steps->lifetimes = (RpLifetimes){0};
    steps->parking = (RpParking){0};
    for (guint i = 0; i < mapping_of(writer)->entities->len; i++)
        steps->has_holders |=
            !((const RpEntity *)g_ptr_array_index(mapping_of(writer)->entities, i))->has_key_identity;
    return steps;
}

static gboolean prepare(RpWriter *writer, GError **error) {
    Steps *steps = open_steps(writer);
    if (steps->departures == NULL)
        steps->departures = rp_departures_new(mapping_of(writer), &writer->crew->occasion);
    return rp_departures_prepare(steps->departures, writer->connection, error);
}

static gboolean prepare_load(RpWriter *writer, GError **error) {
    (void)error;
    open_steps(writer);
    return TRUE;
}

/* Rows of a key that is gone are nobody's: another key may have them. */
static gboolean release(Steps *steps, const RpWriter *writer, GError **error) {
    g_autoptr(GString) entities = g_string_new(NULL);
    g_autoptr(GString) digests = g_string_new(NULL);
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; steps->has_holders && i < steps->met.keys->len; i++) {
        RpMetKey *key = rp_met_keys_get(&steps->met, i);
        const RpEntity *entity = g_ptr_array_index(mapping_of(writer)->entities, key->entity);
        if (!key->is_gone || entity->has_key_identity)
            continue;
        rp_array_add(entities, entity->name);
        rp_array_add(digests, key->digest);
        g_array_append_val(numbers, i);
    }
    if (numbers->len == 0)
        return TRUE;
    const char *const parameters[] = {rp_array_end(entities), rp_array_end(digests)};
    g_autoptr(PGresult) result =
        rp_postgres_query(writer->connection,
                          "DELETE FROM redis2pg.holders h USING unnest($1::text[], $2::uuid[]) WITH "
                          "ORDINALITY m (entity, key_digest, n)"
                          " WHERE h.entity = m.entity AND h.key_digest = m.key_digest RETURNING m.n - 1",
                          G_N_ELEMENTS(parameters), parameters, error);
    for (int row = 0; row < PQntuples(result); row++) {
        const guint64 n = g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10);
        RpMetKey *key = rp_met_keys_get(&steps->met, g_array_index(numbers, guint, n));
        const RpEntity *entity = g_ptr_array_index(mapping_of(writer)->entities, key->entity);
        key->stays = key->stays || !entity->has_key_scope;
    }
    return result != NULL;
}

static gboolean before_merges(RpWriter *writer, RpBatch *batch, GError **error) {
    Steps *steps = writer->steps_data;
    rp_met_keys_list(&steps->met, batch);
    return rp_lifetimes_judge(&steps->lifetimes, writer->connection, mapping_of(writer), batch, &steps->met,
                              error) &&
           release(steps, writer, error) &&
           rp_departures_delete_first(steps->departures, writer->connection, &writer->crew->attempt, batch,
                                      &steps->met, error);
}

static gboolean conclude(RpWriter *writer, RpBatch *batch, gboolean has_judged, GError **error) {
    Steps *steps = writer->steps_data;
    return rp_parking_settle(&steps->parking, writer->connection, &writer->crew->attempt, mapping_of(writer),
                             batch, &steps->met, park_seconds, error) &&
           rp_lifetimes_write(&steps->lifetimes, writer->connection, mapping_of(writer), batch, &steps->met,
                              has_judged, error) &&
           (!batch->is_whole || rp_checkpoint_write(writer->connection, &batch->checkpoint, error));
}

static gboolean after_merges(RpWriter *writer, RpBatch *batch, GError **error) {
    Steps *steps = writer->steps_data;
    return rp_departures_delete_last(steps->departures, writer->connection, &writer->crew->attempt, batch,
                                     &steps->met, error) &&
           conclude(writer, batch, TRUE, error);
}

/* A key that a scan gave and that is gone since is in the stream as well. */
static gboolean after_load_merges(RpWriter *writer, RpBatch *batch, GError **error) {
    Steps *steps = writer->steps_data;
    rp_met_keys_list(&steps->met, batch);
    return conclude(writer, batch, FALSE, error);
}

static void written(RpWriter *writer, const RpBatch *batch) {
    Steps *steps = writer->steps_data;
    rp_departures_note_written(steps->departures, batch, &steps->met);
}

const RpFeedSteps RP_SYNC_STEPS = {
    .prepare = prepare, .before_merges = before_merges, .after_merges = after_merges, .written = written};

const RpFeedSteps RP_SYNC_LOAD_STEPS = {.prepare = prepare_load, .after_merges = after_load_merges};
