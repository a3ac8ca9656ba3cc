/* Adding rows up on both sides. */
#include "reconcile/sides.h"

#include "base/error.h"
#include "reconcile/kept.h"
#include "sink/wait.h"

#define MOST_SPOOL_BYTES (G_GUINT64_CONSTANT(8) << 30)

void rp_side_init(RpSide *side, const RpUnits *units, guint64 seed, gboolean is_counting) {
    *side = (RpSide){.units = units, .is_counting = is_counting};
    side->n_rows = g_new0(guint64, units->units->len);
    side->digester = rp_digester_new(seed);
    rp_totals_init(&side->totals, units);
    rp_buckets_init(&side->buckets, units->units->len);
    side->is_doubtful = g_new0(guint8, (gsize)units->units->len * side->buckets.n_buckets);
    side->n_kept = g_new0(guint32, (gsize)units->units->len * side->buckets.n_buckets);
}

void rp_side_clear(RpSide *side) {
    g_clear_pointer(&side->n_rows, g_free);
    g_clear_pointer(&side->digester, rp_digester_free);
    rp_totals_clear(&side->totals);
    rp_buckets_clear(&side->buckets);
    g_clear_pointer(&side->is_doubtful, g_free);
    g_clear_pointer(&side->n_kept, g_free);
}

/* ---- the source ---- */

static gboolean take_source_row(const RpSourceRow *row, gpointer data, GError **error) {
    (void)error;
    RpSourceSide *source = data;
    RpSide *side = &source->side;
    RpDigest digest;
    side->n_rows[row->unit->number]++;
    rp_totals_add(&side->totals, row->unit, row->values);
    if (side->is_counting)
        return TRUE;
    rp_digester_digest(side->digester, row->unit, row->values, row->is_stored, &digest);
    rp_buckets_add(&side->buckets, row->unit, &digest);
    rp_spool_add(source->keys, row->unit->number, rp_buckets_find(&side->buckets, &digest.identity), row->key,
                 (RpSpan){0});
    return TRUE;
}

/* A refused record is among those to read again where rows of its identity differ. */
static void take_refused(const RpUnit *unit, const RpBatch *batch, const RpReject *reject, gpointer data) {
    RpSourceSide *source = data;
    RpSide *side = &source->side;
    RpHash identity = {0, 0};
    const RpSpan key = rp_records_key(&batch->records, reject->record);
    source->n_refused[unit->number]++;
    if (!side->is_counting &&
        rp_source_rows_identify(&source->rows, unit, batch, reject, side->digester, &identity))
        rp_spool_add(source->keys, unit->number, rp_buckets_find(&side->buckets, &identity), key,
                     (RpSpan){0});
    rp_spool_add(source->refused, unit->number, 0, (RpSpan){(const char *)&identity, sizeof identity}, key);
}

gboolean rp_source_side_init(RpSourceSide *source, const RpUnits *units, guint64 seed, gboolean is_counting,
                             GError **error) {
    rp_side_init(&source->side, units, seed, is_counting);
    source->rows.units = units;
    source->rows.take = take_source_row;
    source->rows.refuse = take_refused;
    source->rows.data = source;
    source->n_refused = g_new0(guint64, units->units->len);
    rp_source_rows_init(&source->rows);
    source->keys = rp_spool_new(MOST_SPOOL_BYTES, error);
    source->refused = source->keys != NULL ? rp_spool_new(MOST_SPOOL_BYTES, error) : NULL;
    return source->refused != NULL;
}

void rp_source_side_clear(RpSourceSide *source) {
    rp_side_clear(&source->side);
    rp_source_rows_clear(&source->rows);
    g_clear_pointer(&source->n_refused, g_free);
    g_clear_pointer(&source->keys, rp_spool_free);
    g_clear_pointer(&source->refused, rp_spool_free);
}

gboolean rp_source_side_take(RpBatch *batch, gpointer data, GError **error) {
    RpSourceSide *source = data;
    source->n_scanned += batch->keys.scanned;
    return rp_source_rows_walk(&source->rows, batch, error);
}

/* ---- the target ---- */

typedef struct {
    const RpUnit *unit;
    const gint *is_cancelled;
    RpSpan *values;
    RpTargetTake take;
    gpointer data;
} Reading;

static gboolean take_tuple(RpSpan tuple, gpointer data, GError **error) {
    const Reading *reading = data;
    if (g_atomic_int_get(reading->is_cancelled)) {
        g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "given up");
        return FALSE;
    }
    if (rp_digester_target_values(reading->unit, tuple, reading->values))
        return reading->take(reading->unit, reading->values, reading->data, error);
    g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_FATAL,
                "PostgreSQL: rows of %s have other columns than asked for", reading->unit->entity->name);
    return FALSE;
}

static gboolean read_rows(PGconn *connection, const char *sql, Reading *reading, GError **error) {
    g_autofree RpSpan *values = g_new0(RpSpan, reading->unit->columns->len);
    reading->values = values;
    /* A link's rows come of a join, which may take long before its first row. */
    const guint limit = reading->unit->link != NULL ? rp_wait_change(connection, RP_TARGET_JOIN_SECONDS) : 0;
    const gboolean is_fine = rp_copy_out_binary(connection, sql, take_tuple, reading, error);
    rp_wait_change(connection, limit);
    if (is_fine)
        return TRUE;
    g_prefix_error(error, "reading the rows of %s: ", reading->unit->entity->name);
    return FALSE;
}

gboolean rp_target_read_where(PGconn *connection, const RpUnit *unit, const char *where,
                              const gint *is_cancelled, RpTargetTake take, gpointer data, GError **error) {
    g_autofree char *sql = rp_unit_copy_sql(unit, where);
    return read_rows(connection, sql, &(Reading){unit, is_cancelled, NULL, take, data}, error);
}

/* Nothing is asked of each row where no row is kept. */
gboolean rp_target_read(PGconn *connection, const RpUnit *unit, const gint *is_cancelled, RpTargetTake take,
                        gpointer data, GError **error) {
    gboolean has_kept;
    return rp_kept_probe(connection, unit, &has_kept, error) &&
           rp_target_read_where(connection, unit, has_kept ? unit->not_kept : "", is_cancelled, take, data,
                                error);
}

gboolean rp_target_read_refused(PGconn *connection, const RpUnit *unit, const gint *is_cancelled,
                                RpTargetTake take, gpointer data, GError **error) {
    g_autofree char *sql = rp_unit_refused_sql(unit);
    return read_rows(connection, sql, &(Reading){unit, is_cancelled, NULL, take, data}, error);
}

gboolean rp_target_side_doubt(const RpUnit *unit, const RpSpan *values, gpointer data, GError **error) {
    (void)error;
    RpSide *side = data;
    RpDigest digest;
    rp_digester_digest(side->digester, unit, values, TRUE, &digest);
    side->is_doubtful[(gsize)unit->leader * side->buckets.n_buckets +
                      rp_buckets_find(&side->buckets, &digest.identity)] = 1;
    return TRUE;
}

gboolean rp_target_side_keep(const RpUnit *leader, guint keeper, const RpSpan *values, gpointer data,
                             GError **error) {
    (void)error;
    RpSide *side = data;
    RpHash identity = {0, 0};
    if (!side->is_counting)
        rp_digester_identify(side->digester, leader, values, TRUE, &identity);
    side->n_kept[(gsize)keeper * side->buckets.n_buckets + rp_buckets_find(&side->buckets, &identity)]++;
    return TRUE;
}

gboolean rp_target_side_take(const RpUnit *unit, const RpSpan *values, gpointer data, GError **error) {
    (void)error;
    RpSide *side = data;
    RpDigest digest;
    side->n_rows[unit->number]++;
    rp_totals_add(&side->totals, unit, values);
    if (side->is_counting)
        return TRUE;
    rp_digester_digest(side->digester, unit, values, TRUE, &digest);
    rp_buckets_add(&side->buckets, unit, &digest);
    return TRUE;
}
