/* Looking at buckets again.
 *
 * 1. The target is read first: what is written to both sides meanwhile is missing at most, and a missing
 *    row's key is known.
 * 2. A key is read once, however many of its rows are in question. */
#include "reconcile/look.h"

#include "base/error.h"
#include "reconcile/kept.h"
#include "reconcile/shape.h"
#include "reconcile/wishes.h"

#include <string.h>

#define MOST_ROWS 8000000u /* far more than are asked for: when one identity has millions of rows */

typedef struct {
    guint unit;
    RpHash identity; /* all zero: not known */
    GBytes *key;
} Refused;

static void clear_refused(gpointer refused) {
    g_bytes_unref(((Refused *)refused)->key);
}

void rp_look_init(RpLook *look, const RpLookPlace *place) {
    *look = (RpLook){.place = place};
    rp_suspects_init(&look->suspects);
    look->kept = rp_kept_rows_new();
    look->refused = g_array_new(FALSE, FALSE, sizeof(Refused));
    g_array_set_clear_func(look->refused, clear_refused);
}

void rp_look_clear(RpLook *look) {
    rp_suspects_clear(&look->suspects);
    rp_totals_clear(&look->source);
    rp_totals_clear(&look->target);
    g_clear_pointer(&look->kept, g_hash_table_unref);
    g_clear_pointer(&look->refused, g_array_unref);
}

/* ---- rows ---- */

typedef struct {
    RpLook *look;
    RpDigester *digester;
    RpBuffer name;
    guint64 *columns; /* hashes of a row's columns */
    RpSourceRows rows;
    RpWishes wishes; /* the keys to read */
} Looking;

/* Where the row's bucket stands in a list of all. */
static gsize bucket_of(const RpLook *look, const RpUnit *unit, const RpHash *identity) {
    const guint32 n_buckets = look->place->n_buckets;
    return (gsize)unit->leader * n_buckets + (identity->high & (n_buckets - 1));
}

/* Fills in what is known of a row but its name; FALSE when it is in no wanted bucket. */
static gboolean suspect_row(Looking *looking, const RpUnit *unit, const RpSpan *values, gboolean is_stored,
                            RpSuspect *suspect) {
    const RpLook *look = looking->look;
    *suspect = (RpSuspect){.unit = unit->number};
    /* Most rows are of other buckets: of those the key is enough. */
    rp_digester_identify(looking->digester, unit, values, is_stored, &suspect->digest.identity);
    if (look->is_wanted[bucket_of(look, unit, &suspect->digest.identity)] == 0)
        return FALSE;
    rp_digester_digest(looking->digester, unit, values, is_stored, &suspect->digest);
    if (look->place->has_columns) {
        rp_digester_digest_columns(looking->digester, unit, values, is_stored, looking->columns);
        suspect->columns = looking->columns;
        suspect->n_columns = unit->columns->len;
    }
    return TRUE;
}

static gboolean check_room(const RpLook *look, const RpUnit *unit, GError **error) {
    if (rp_suspects_get_size(&look->suspects) < MOST_ROWS)
        return TRUE;
    g_set_error(
        error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
        "too many rows of %s share an identity or differ to be compared at once: compare fewer entities "
        "(--entity), or load first",
        unit->entity->name);
    return FALSE;
}

void rp_look_join_key(const RpUnit *unit, const RpSpan *values, RpBuffer *joined) {
    for (guint i = 0; i < unit->n_keys; i++) {
        rp_buffer_append_u32(joined, values[i].data != NULL ? (guint32)values[i].size : G_MAXUINT32);
        rp_buffer_append(joined, values[i].data, values[i].size);
    }
}

void rp_look_part_key(const RpUnit *unit, RpSpan joined, RpSpan *values) {
    RpTupleFields fields = {joined.data, unit->n_keys};
    for (guint i = 0; i < unit->n_keys; i++)
        values[i] = rp_tuple_next(&fields);
}

static gboolean add_target(Looking *looking, const RpUnit *unit, const RpSpan *values, RpSuspect *suspect,
                           GError **error) {
    looking->name.size = 0;
    rp_look_join_key(unit, values, &looking->name);
    suspect->name = (RpSpan){looking->name.data, looking->name.size};
    rp_suspects_add_target(&looking->look->suspects, suspect);
    return check_room(looking->look, unit, error);
}

static gboolean take_target(const RpUnit *unit, const RpSpan *values, gpointer data, GError **error) {
    Looking *looking = data;
    RpLook *look = looking->look;
    RpSuspect suspect;
    if (!suspect_row(looking, unit, values, TRUE, &suspect)) {
        if (look->is_differing != NULL &&
            look->is_differing[bucket_of(look, unit, &suspect.digest.identity)] == 0)
            rp_totals_add(look->rest, unit, values);
        return TRUE;
    }
    rp_totals_add(&look->target, unit, values);
    return add_target(looking, unit, values, &suspect, error);
}

/* Of a row that is kept, it is of interest only if its key is there. */
static gboolean take_kept(const RpUnit *leader, guint keeper, const RpSpan *values, gpointer data,
                          GError **error) {
    Looking *looking = data;
    RpSuspect suspect;
    if (!suspect_row(looking, leader, values, TRUE, &suspect) ||
        !rp_kept_rows_add(looking->look->kept, &suspect.digest.identity, keeper))
        return TRUE;
    return add_target(looking, leader, values, &suspect, error);
}

static gboolean take_source(const RpSourceRow *row, gpointer data, GError **error) {
    Looking *looking = data;
    RpSuspect suspect;
    if (!suspect_row(looking, row->unit, row->values, row->is_stored, &suspect))
        return TRUE;
    if (rp_kept_rows_find(looking->look->kept, &suspect.digest.identity) >= 0)
        looking->look->has_come_back = TRUE;
    else
        rp_totals_add(&looking->look->source, row->unit, row->values);
    suspect.name = row->key;
    suspect.element = row->element;
    rp_suspects_add_source(&looking->look->suspects, &suspect);
    return check_room(looking->look, row->unit, error);
}

/* Rows that the mapping's checks refuse are counted with the look that asks for them; all others were with
 * the first reading. */
static void take_refused(const RpUnit *unit, const RpBatch *batch, const RpReject *reject, gpointer data) {
    Looking *looking = data;
    RpLook *look = looking->look;
    Refused refused = {.unit = unit->number};
    if (!rp_source_rows_identify(&looking->rows, unit, batch, reject, looking->digester, &refused.identity) ||
        look->is_wanted[bucket_of(look, unit, &refused.identity)] == 0)
        return;
    rp_suspects_add_refused(&look->suspects, unit->number, &refused.identity);
    if (unit->is_staged || reject->stage != RP_STAGE_STAGE)
        return;
    const RpSpan key = rp_records_key(&batch->records, reject->record);
    refused.key = g_bytes_new(key.data, key.size);
    g_array_append_val(look->refused, refused);
}

void rp_look_take_refused(const RpLook *look, RpSpool *refused, guint64 *n_refused) {
    for (guint i = 0; i < look->refused->len; i++) {
        const Refused *one = &g_array_index(look->refused, Refused, i);
        RpSpan key;
        key.data = g_bytes_get_data(one->key, &key.size);
        n_refused[one->unit]++;
        rp_spool_add(refused, one->unit, 0, (RpSpan){(const char *)&one->identity, sizeof one->identity},
                     key);
    }
}

/* ---- keys ---- */

static gboolean list_keys(Looking *looking, GError **error) {
    const RpLookPlace *place = looking->look->place;
    if (!rp_spool_rewind(place->keys, error))
        return FALSE;
    for (;;) {
        RpSpoolEntry entry;
        gboolean is_end;
        if (!rp_spool_next(place->keys, &entry, &is_end, error))
            return FALSE;
        if (is_end)
            break;
        const guint leader = rp_units_get(place->units, entry.unit)->leader;
        if (looking->look->is_wanted[(gsize)leader * place->n_buckets + entry.bucket] != 0)
            rp_wishes_add(&looking->wishes, entry.unit, entry.data);
    }
    rp_wishes_sort(&looking->wishes);
    return TRUE;
}

static gboolean next_key(guint *entity, RpSpan *key, gboolean *is_end, gpointer data, GError **error) {
    (void)error;
    Looking *looking = data;
    *is_end = !rp_wishes_next(&looking->wishes, entity, key);
    return TRUE;
}

static gboolean take_batch(RpBatch *batch, gpointer data, GError **error) {
    Looking *looking = data;
    return rp_source_rows_walk(&looking->rows, batch, error);
}

/* ---- both sides ---- */

/* Of a table that has none, rows may be asked for as the rest. */
static gboolean has_wanted(const RpLook *look, guint leader) {
    const guint8 *wanted = look->is_wanted + (gsize)leader * look->place->n_buckets;
    return memchr(wanted, 1, look->place->n_buckets) != NULL;
}

static gboolean read_table(Looking *looking, PGconn *connection, const RpUnit *leader, GError **error) {
    const RpLookPlace *place = looking->look->place;
    return rp_target_read(connection, leader, place->is_cancelled, take_target, looking, error) &&
           rp_kept_read(connection, place->units, leader, place->is_cancelled, take_kept, looking, error);
}

static gboolean read_tables(Looking *looking, PGconn *connection, GError **error) {
    const RpUnits *units = looking->look->place->units;
    for (guint i = 0; i < units->units->len; i++)
        if ((has_wanted(looking->look, i) || looking->look->is_differing != NULL) &&
            rp_units_get(units, i)->leader == i && rp_units_get(units, i)->is_wanted &&
            !read_table(looking, connection, rp_units_get(units, i), error))
            return FALSE;
    return TRUE;
}

static gboolean read_target(Looking *looking, PGconn *connection, GError **error) {
    return rp_shape_begin(connection, looking->look->place->units, error) &&
           read_tables(looking, connection, error) && rp_shape_end(connection, error);
}

static gboolean read_source(Looking *looking, GError **error) {
    const RpLookPlace *place = looking->look->place;
    const gboolean reads_all = looking->look->reads_all || rp_spool_is_lost(place->keys);
    RpSurvey survey = *place->survey;
    survey.take = take_batch;
    survey.data = looking;
    survey.next = reads_all ? NULL : next_key;
    return (reads_all || list_keys(looking, error)) && rp_survey(&survey, error);
}

static void begin(Looking *looking, RpLook *look) {
    const RpLookPlace *place = look->place;
    *looking = (Looking){.look = look, .digester = rp_digester_new(place->seed)};
    rp_wishes_init(&looking->wishes);
    looking->rows = (RpSourceRows){.units = place->units,
                                   .postgres = place->postgres,
                                   .judges = TRUE,
                                   .is_cancelled = place->is_cancelled,
                                   .timeout_seconds = place->timeout_seconds,
                                   .database = place->survey->load->redis->database,
                                   .take = take_source,
                                   .refuse = take_refused,
                                   .data = looking};
    rp_source_rows_init(&looking->rows);
    looking->columns = g_new(guint64, rp_units_most_columns(place->units));
    rp_totals_clear(&look->source);
    rp_totals_clear(&look->target);
    rp_totals_init(&look->source, place->units);
    rp_totals_init(&look->target, place->units);
    rp_suspects_reset(&look->suspects);
    g_array_set_size(look->refused, 0);
    g_hash_table_remove_all(look->kept);
    look->has_come_back = FALSE;
}

gboolean rp_look(RpLook *look, PGconn *connection, GError **error) {
    Looking looking;
    begin(&looking, look);
    const gboolean is_fine = read_target(&looking, connection, error) && read_source(&looking, error);
    rp_source_rows_clear(&looking.rows);
    rp_digester_free(looking.digester);
    rp_buffer_clear(&looking.name);
    rp_wishes_clear(&looking.wishes);
    g_free(looking.columns);
    return is_fine;
}
