/* Position, counts, rejects and before-images of a batch.
 *
 * 1. They are written by the transaction that writes the batch's rows.
 * 2. (run, pass, number, portion) is the primary key: no portion of a batch can be counted twice. */
#include "ledger/batches.h"

#include "base/error.h"
#include "ledger/image.h"
#include "ledger/settle.h"
#include "ledger/write_rejects.h"
#include "sink/unit.h"

#include <jansson.h>

/* A run may have very many batches: each row is looked up by the index on their transactions. */
#define WRITTEN_BY_RUN(which)                                                                                \
    "EXISTS (SELECT FROM redis2pg.batches b WHERE b.xid::xid = t.xmin AND b.run = $1::bigint AND " which ")"

const RpMergeLedger RP_LEDGER_FOR_MERGE = {
    .written_by_run = WRITTEN_BY_RUN("NOT b.is_superseded"),
    .counted_before = WRITTEN_BY_RUN("b.is_superseded"),
    .claims = "redis2pg.claims",
    .keep_inserted = RP_LEDGER_KEEP_INSERTED,
};

const RpMergeLedger RP_LEDGER_FOR_REPLAY = {
    .written_by_run = "true",
    .counted_before = WRITTEN_BY_RUN("b.is_superseded"),
    .claims = "redis2pg.claims",
    .keep_inserted = RP_LEDGER_KEEP_INSERTED,
};

const RpMergeLedger RP_LEDGER_FOR_SYNC = {
    .written_by_run = "false",
    .counted_before = WRITTEN_BY_RUN("b.is_superseded"),
    .claims = "redis2pg.claims",
    .holders = "redis2pg.holders",
    .keep_inserted = RP_LEDGER_KEEP_INSERTED,
};

/* Only a sync deletes rows that the same run has changed. */
static char *identity_of(PGconn *connection, const RpMergePlan *plan) {
    if (!plan->is_for_sync)
        return g_strdup("NULL::uuid");
    GString *sql = g_string_new("md5(ROW(");
    for (char **name = plan->entity->key; *name != NULL; name++) {
        g_autofree char *quoted = rp_postgres_identifier(connection, *name);
        g_string_append_printf(sql, "%st.%s", name == plan->entity->key ? "" : ", ", quoted);
    }
    g_string_append(sql, ")::text)::uuid");
    return g_string_free(sql, FALSE);
}

gboolean rp_ledger_keep_before_images(PGconn *connection, const RpMergePlan *plan, guint64 run,
                                      const RpBatch *batch, GError **error) {
    if (plan->update_sql == NULL)
        return TRUE;
    /* In a statement of its own: whose row it is that another batch of this run has just changed shows only
     * to one that begins after the wait for it. */
    g_autofree char *lock =
        g_strdup_printf("SELECT count(*) FROM (SELECT %s FOR UPDATE OF t) l", plan->changed_sql);
    g_autofree char *image = rp_ledger_image_sql(connection, plan->entity->table);
    g_autofree char *identity = identity_of(connection, plan);
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before, author, "
        "identity) SELECT $1::bigint, $2::integer, $3::bigint, $4::integer, $5, 'update', %s, t.xmin, %s %s "
        "AND t.xmin <> " RP_UNIT_XID " AND (%s) IS NOT TRUE",
        image, identity, plan->changed_sql, WRITTEN_BY_RUN("true"));
    g_autofree char *entity = g_strdup_printf("%u", plan->number);
    g_autofree char *run_text = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    g_autofree char *pass = g_strdup_printf("%u", batch->pass);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, batch->number);
    const char *const parameters[] = {run_text, pass, number, entity, plan->entity->table->shown};
    g_autoptr(PGresult) locked = rp_postgres_query(connection, lock, 0, NULL, error);
    g_autoptr(PGresult) result =
        locked != NULL ? rp_postgres_query(connection, sql, G_N_ELEMENTS(parameters), parameters, error)
                       : NULL;
    if (result != NULL)
        return TRUE;
    g_prefix_error(error, "keeping the rows of %s that will change: ", plan->entity->table->shown);
    return FALSE;
}

static char *unmapped_json(const RpBatch *batch) {
    if (g_hash_table_size(batch->unmapped) == 0)
        return NULL;
    json_t *object = json_object();
    GHashTableIter iterator;
    gpointer pattern, value;
    g_hash_table_iter_init(&iterator, batch->unmapped);
    while (g_hash_table_iter_next(&iterator, &pattern, &value)) {
        const RpUnmapped *unmapped = value;
        json_object_set_new(
            object, pattern,
            json_pack("{sIss}", "keys", (json_int_t)unmapped->keys, "example", unmapped->example));
    }
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

/* Until its last portion is written the scan stands before the batch. */
static gboolean write_position(PGconn *connection, const char *run, guint32 attempt, const RpBatch *batch,
                               GError **error) {
    g_autofree char *pass = g_strdup_printf("%u", batch->pass);
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, batch->number);
    g_autofree char *cursor =
        g_strdup_printf("%" G_GUINT64_FORMAT, batch->is_whole ? batch->position.cursor : batch->before);
    g_autofree char *scanned = g_strdup_printf("%" G_GUINT64_FORMAT, batch->keys.scanned);
    g_autofree char *mapped = g_strdup_printf("%" G_GUINT64_FORMAT, batch->keys.mapped);
    g_autofree char *ignored = g_strdup_printf("%" G_GUINT64_FORMAT, batch->keys.ignored);
    g_autofree char *unmapped = g_strdup_printf("%" G_GUINT64_FORMAT, batch->keys.unmapped);
    g_autofree char *patterns = unmapped_json(batch);
    g_autofree char *portion = g_strdup_printf("%u", batch->portion);
    g_autofree char *attempt_text = g_strdup_printf("%u", attempt);
    const char *const parameters[] = {run,
                                      pass,
                                      number,
                                      cursor,
                                      batch->is_whole && batch->position.is_pass_end ? "t" : "f",
                                      scanned,
                                      mapped,
                                      ignored,
                                      unmapped,
                                      patterns,
                                      portion,
                                      batch->is_whole ? "t" : "f",
                                      attempt_text,
                                      batch->is_whole && batch->position.is_page_end ? "t" : "f"};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "INSERT INTO redis2pg.batches (run, pass, number, cursor_after, is_pass_end, keys_scanned, "
        "keys_mapped,"
        " keys_ignored, keys_unmapped, unmapped, portion, is_whole, attempt, is_page_end, xid) SELECT run, "
        "$2::integer,"
        " $3::bigint, $4::numeric, $5::boolean, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::jsonb,"
        " $11::integer, $12::boolean, attempt, $14::boolean, " RP_UNIT_XID8 " FROM redis2pg.runs"
        " WHERE run = $1 AND status = 'open' AND attempt = $13::integer FOR SHARE",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL || rp_postgres_affected(result) == 1)
        return result != NULL;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "run %s was closed, or is continued by another process", run);
    return FALSE;
}

static gboolean write_counts(PGconn *connection, const char *run, const RpBatch *batch, GError **error) {
    g_autoptr(GString) sql = g_string_new(NULL);
    for (guint entity = 0; entity < batch->n_entities; entity++) {
        const RpCounts *counts = &batch->counts[entity];
        if (counts->read == 0 && counts->deleted == 0)
            continue;
        g_string_append(sql, sql->len > 0 ? ", "
                                          : "INSERT INTO redis2pg.batch_counts (run, pass, batch, portion,"
                                            " entity, read, inserted, updated, unchanged, deleted, rejected,"
                                            " filtered, vanished, parked) VALUES ");
        g_string_append_printf(sql, "(%s, %u, %" G_GUINT64_FORMAT ", %u, %u", run, batch->pass, batch->number,
                               batch->portion, entity);
        const guint64 numbers[] = {counts->read - counts->counted_before,
                                   counts->inserted,
                                   counts->updated,
                                   counts->unchanged,
                                   counts->deleted,
                                   counts->rejected,
                                   counts->filtered,
                                   counts->vanished,
                                   counts->parked};
        for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
            g_string_append_printf(sql, ", %" G_GUINT64_FORMAT, numbers[i]);
        g_string_append_c(sql, ')');
    }
    return sql->len == 0 || rp_postgres_run(connection, sql->str, error);
}

gboolean rp_ledger_write_batch(PGconn *connection, const RpAttempt *attempt, const RpMapping *mapping,
                               const RpBatch *batch, GError **error) {
    g_autofree char *run_text = g_strdup_printf("%" G_GUINT64_FORMAT, attempt->run);
    if (write_position(connection, run_text, attempt->number, batch, error) &&
        write_counts(connection, run_text, batch, error) &&
        rp_ledger_write_rejects(connection, attempt->run, mapping, batch, error) &&
        rp_ledger_settle_replays(connection, attempt->run, batch, error))
        return TRUE;
    g_prefix_error(error, "writing batch %" G_GUINT64_FORMAT " to the ledger: ", batch->number);
    return FALSE;
}
