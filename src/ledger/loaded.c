/* Identities of rows, and the keys that they came from, as entries of the undo log.
 *
 * 1. They are written by the transaction that writes the rows.
 * 2. What a statement takes is bounded: a batch that has more makes several entries. */
#include "ledger/loaded.h"

#include "ledger/identity_json.h"
#include "sink/unit.h"
#include "sink/wait.h"

#define MAX_ENTRY_BYTES (4 * 1024 * 1024) /* of identities and keys, but for those of the last row */
#define BYTEA_OID       17
#define ARRAY_HEADER    20 /* bytes of an array of one dimension, before its elements */
#define ROWS_AT         12 /* where the number of elements stands in it */

static const char KEEP_SQL[] =
    "INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before, loaded_keys, loaded_by)"
    " VALUES ($1::bigint, $2::integer, $3::bigint, $4::integer, $5::text, 'insert', $6::json, "
    "$7::bytea[], CASE WHEN $7::bytea[] IS NOT NULL THEN " RP_UNIT_XID " END)";

const RpColumn *rp_ledger_loaded_obstacle(const RpEntity *entity) {
    for (char **name = entity->key; *name != NULL; name++) {
        const RpMapColumn *column = rp_entity_find_column(entity, *name);
        if (!rp_identity_json_takes(column))
            return column->conversion.column;
    }
    return NULL;
}

typedef struct {
    PGconn *connection;
    const RpMergePlan *plan;
    guint64 run;
    const RpBatch *batch;
    gboolean has_keys;
    RpBuffer identities; /* [{…},{…}  */
    RpBuffer keys;       /* postgresql: array_send() */
    guint32 n_rows;
} Entry;

static void begin_entry(Entry *entry) {
    entry->n_rows = 0;
    entry->identities.size = entry->keys.size = 0;
    const guint32 header[] = {1, 0, BYTEA_OID, 0, 1}; /* dimensions, no nulls, type, elements, first index */
    for (guint i = 0; i < G_N_ELEMENTS(header); i++)
        rp_buffer_append_u32(&entry->keys, header[i]);
    G_STATIC_ASSERT(sizeof header == ARRAY_HEADER);
}

static gboolean write_entry(Entry *entry, GError **error) {
    const guint64 run = GUINT64_TO_BE(entry->run), batch = GUINT64_TO_BE(entry->batch->number);
    const guint32 pass = GUINT32_TO_BE(entry->batch->pass), number = GUINT32_TO_BE(entry->plan->number);
    const guint32 n_rows = GUINT32_TO_BE(entry->n_rows);
    if (entry->n_rows == 0)
        return TRUE;
    memcpy(entry->keys.data + ROWS_AT, &n_rows, sizeof n_rows);
    rp_buffer_append(&entry->identities, "]", 1);
    const RpSpan values[] = {{(const char *)&run, sizeof run},
                             {(const char *)&pass, sizeof pass},
                             {(const char *)&batch, sizeof batch},
                             {(const char *)&number, sizeof number},
                             rp_span(entry->plan->entity->table->shown),
                             {entry->identities.data, entry->identities.size},
                             {entry->has_keys ? entry->keys.data : NULL, entry->keys.size}};
    g_autoptr(PGresult) result =
        rp_wait_execute_values(entry->connection, KEEP_SQL, G_N_ELEMENTS(values), values, error);
    if (result != NULL && PQresultStatus(result) != PGRES_COMMAND_OK)
        rp_postgres_set_error(error, entry->connection, result);
    begin_entry(entry);
    return result != NULL && PQresultStatus(result) == PGRES_COMMAND_OK;
}

static gboolean add_row(Entry *entry, const RpIdentityJson *json, guint ordinal, GError **error) {
    const RpTuples *tuples = &entry->batch->tuples[entry->plan->number];
    const RpSpan key = rp_records_key(&entry->batch->records, rp_tuples_get(tuples, ordinal)->record);
    rp_buffer_append(&entry->identities, entry->n_rows > 0 ? "," : "[", 1);
    rp_identity_json_append(json, tuples, ordinal, &entry->identities);
    rp_buffer_append_u32(&entry->keys, (guint32)key.size);
    rp_buffer_append(&entry->keys, key.data, key.size);
    entry->n_rows++;
    return entry->identities.size + entry->keys.size < MAX_ENTRY_BYTES || write_entry(entry, error);
}

static gboolean add_rows(Entry *entry, const RpIdentityJson *json, const GArray *ordinals, GError **error) {
    const RpTuples *tuples = &entry->batch->tuples[entry->plan->number];
    const guint n_rows = ordinals != NULL ? ordinals->len : tuples->rows->len;
    for (guint i = 0; i < n_rows; i++) {
        const guint ordinal = ordinals != NULL ? g_array_index(ordinals, guint32, i) : i;
        if ((ordinals != NULL || rp_tuples_get(tuples, ordinal)->state == RP_ROW_IN) &&
            !add_row(entry, json, ordinal, error))
            return FALSE;
    }
    return write_entry(entry, error);
}

gboolean rp_ledger_keep_loaded(PGconn *connection, const RpMergePlan *plan, guint64 run, const RpBatch *batch,
                               const GArray *ordinals, gboolean has_keys, GError **error) {
    g_autoptr(RpIdentityJson) json = rp_identity_json_new(plan->entity);
    Entry entry = {.connection = connection, .plan = plan, .run = run, .batch = batch, .has_keys = has_keys};
    begin_entry(&entry);
    const gboolean is_fine = add_rows(&entry, json, ordinals, error);
    rp_buffer_clear(&entry.identities);
    rp_buffer_clear(&entry.keys);
    if (!is_fine)
        g_prefix_error(error, "keeping the identities of rows of %s: ", plan->entity->table->shown);
    return is_fine;
}
