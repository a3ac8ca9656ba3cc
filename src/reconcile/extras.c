/* Deleting rows that no record stands behind.
 *
 * 1. Who wrote a row last is noted before Redis is read once more, all of it: a row that somebody has changed
 *    since is left, and so is one whose record is there by then, or is refused.
 * 2. Children are deleted before their parents; a row that something else still refers to is left.
 * 3. Memory is bounded: rows are worked through in portions, each with a reading of its own. */
#include "reconcile/extras.h"

#include "base/log.h"
#include "ledger/lock.h"
#include "sink/trouble.h"

#include <string.h>

#define PORTION_ROWS  200000u
#define PORTION_BYTES (32u * 1024 * 1024) /* of their keys */
#define BATCH_ROWS    1000u
#define MOST_TOGETHER                                                                                        \
    10000u /* in a batch, of a table whose rows may refer to each other: they go together                    \
            */

#define NUMBER G_GUINT64_FORMAT

static gboolean is_stopping(const RpExtras *extras) {
    return g_atomic_int_get(&extras->crew->is_stopping) != 0;
}

static const RpUnit *unit_at(const RpExtras *extras, guint place) {
    return rp_units_get(extras->repair->own->units, rp_erasing_entity(&extras->erasing, place));
}

/* ---- the portion ---- */

static void empty_portion(RpExtras *extras) {
    g_hash_table_remove_all(extras->rows);
    for (guint i = 0; i < extras->n_places; i++) {
        extras->tuples[i].size = 0;
        g_string_truncate(extras->spared[i], 0);
        extras->n_rows[i] = 0;
        extras->n_spared[i] = extras->n_unknown[i] = 0;
    }
}

/* A tuple of COPY: the number, then the key's fields as the list has them. */
static void add_row(RpExtras *extras, guint place, const RpSuspicion *suspicion) {
    RpBuffer *tuples = &extras->tuples[place];
    const guint16 n_fields = GUINT16_TO_BE((guint16)(1 + unit_at(extras, place)->n_keys));
    RpExtraRow *first = g_hash_table_lookup(extras->rows, &suspicion->identity);
    if (first != NULL) { /* two rows of one identity: what deletes one deletes the other */
        rp_extras_spare(extras, first);
        extras->repair->n_left++;
        return;
    }
    const RpExtraRow row = {.place = place, .number = extras->n_rows[place]++};
    rp_buffer_append(tuples, &n_fields, sizeof n_fields);
    rp_buffer_append_u32(tuples, sizeof(guint32));
    rp_buffer_append_u32(tuples, row.number);
    rp_buffer_append(tuples, suspicion->name.data, suspicion->name.size);
    g_hash_table_insert(extras->rows, g_memdup2(&suspicion->identity, sizeof suspicion->identity),
                        g_memdup2(&row, sizeof row));
}

/* Whether the row is one for the next portion: rows of one identity stand together. */
static gboolean is_full(const RpExtras *extras, const RpHash *identity) {
    gsize n_bytes = 0;
    if (g_hash_table_contains(extras->rows, identity))
        return FALSE;
    for (guint i = 0; i < extras->n_places; i++)
        n_bytes += extras->tuples[i].size;
    return g_hash_table_size(extras->rows) >= PORTION_ROWS || n_bytes >= PORTION_BYTES;
}

/* ---- deleting ---- */

static void note_batch(RpExtras *extras, guint place, const RpErased *erased) {
    RpCrew *crew = extras->crew;
    rp_retry_reset(&extras->retry);
    extras->repair->n_left += erased->n_changed;
    if (erased->example != NULL)
        rp_log(RP_LOG_DEBUG, "left in %s: %s", unit_at(extras, place)->entity->table->shown, erased->example);
    g_mutex_lock(&crew->mutex);
    crew->progress.rows_committed += erased->n_deleted;
    crew->n_committed++;
    g_mutex_unlock(&crew->mutex);
}

/* What a round over a table's list did. */
typedef struct {
    guint64 n_deleted;
    guint64 n_blocked;
    char *example;
} Round;

static void add_to_round(Round *round, RpErased *erased) {
    round->n_deleted += erased->n_deleted;
    round->n_blocked += erased->n_blocked;
    if (round->example == NULL)
        round->example = g_steal_pointer(&erased->example);
}

/* A single row that PostgreSQL refuses to delete. What the server says may quote values. */
static void block_row(Round *round, const GError *refusal) {
    const char *sqlstate = rp_sink_error_get_sqlstate(refusal);
    round->n_blocked++;
    if (round->example == NULL)
        round->example = g_strdup_printf("PostgreSQL refuses it (SQLSTATE %s)",
                                         sqlstate != NULL ? sqlstate : "none: a trigger, a rule or a policy");
}

typedef enum {
    TROUBLE_PASSES, /* the same again */
    TROUBLE_OF_ROWS,
    TROUBLE_STAYS,
} Trouble;

static Trouble judge(RpExtras *extras, guint place, const GError *trouble) {
    if (PQstatus(extras->erasing.connection) != CONNECTION_OK || trouble->domain != RP_SINK_ERROR)
        return TROUBLE_STAYS;
    if (rp_erasing_look_closer(&extras->erasing, place, trouble))
        return TROUBLE_PASSES;
    if (rp_trouble_passes(trouble))
        return rp_retry_wait(&extras->retry, &extras->crew->is_pressed) ? TROUBLE_PASSES : TROUBLE_STAYS;
    return rp_trouble_may_be_of_rows(trouble) ? TROUBLE_OF_ROWS : TROUBLE_STAYS;
}

static gboolean delete_range(RpExtras *extras, guint place, guint first, guint last, Round *round,
                             GError **error) {
    while (!is_stopping(extras)) {
        g_auto(RpErased) erased = {0};
        g_autoptr(GError) trouble = NULL;
        if (rp_erasing_delete(&extras->erasing, place, first, last, &erased, &trouble)) {
            note_batch(extras, place, &erased);
            add_to_round(round, &erased);
            return TRUE;
        }
        const Trouble kind = judge(extras, place, trouble);
        if (kind == TROUBLE_PASSES)
            continue;
        if (kind == TROUBLE_STAYS) {
            g_propagate_error(error, g_steal_pointer(&trouble));
            return FALSE;
        }
        if (first == last) {
            block_row(round, trouble);
            return TRUE;
        }
        const guint middle = first + (last - first) / 2;
        return delete_range(extras, place, first, middle, round, error) &&
               delete_range(extras, place, middle + 1, last, round, error);
    }
    return TRUE;
}

static void tell_blocked(RpExtras *extras, guint place, const Round *round) {
    extras->repair->n_left += round->n_blocked;
    if (round->n_blocked > 0)
        rp_log(RP_LOG_WARNING, "%" NUMBER " extra rows of %s are left, because something holds them%s%s",
               round->n_blocked, unit_at(extras, place)->entity->name, round->example != NULL ? ": " : "",
               round->example != NULL ? round->example : "");
}

/* Rows of one table that refer to each other may be free in another round. */
static gboolean delete_list(RpExtras *extras, guint place, GError **error) {
    const gboolean has_self = rp_erasing_has_self(&extras->erasing, place);
    const guint size = has_self ? MOST_TOGETHER : BATCH_ROWS, n_rows = extras->n_rows[place];
    for (;;) {
        Round round = {0};
        gboolean is_fine = TRUE;
        for (guint first = 0; is_fine && first < n_rows && !is_stopping(extras); first += size)
            is_fine = delete_range(extras, place, first, MIN(first + size, n_rows) - 1, &round, error);
        const gboolean is_over =
            !is_fine || is_stopping(extras) || !has_self || round.n_blocked == 0 || round.n_deleted == 0;
        if (is_fine && is_over)
            tell_blocked(extras, place, &round);
        g_free(round.example);
        if (is_over)
            return is_fine;
    }
}

static gboolean delete_place(RpExtras *extras, guint place, GError **error) {
    const guint64 n_unknown = extras->n_unknown[place];
    if (n_unknown > 0) {
        extras->repair->n_left += extras->n_rows[place];
        rp_log(RP_LOG_WARNING,
               "extra rows of %s are left (%u): of %" NUMBER
               " refused records nobody can tell which rows they stand for",
               unit_at(extras, place)->entity->name, extras->n_rows[place], n_unknown);
        return TRUE;
    }
    extras->repair->n_left += extras->n_spared[place];
    if (extras->n_spared[place] > 0) {
        g_string_append_c(extras->spared[place], '}');
        if (!rp_erasing_spare(&extras->erasing, place, extras->spared[place]->str, error))
            return FALSE;
    }
    return delete_list(extras, place, error);
}

static gboolean do_portion(RpExtras *extras, GError **error) {
    if (g_hash_table_size(extras->rows) == 0)
        return TRUE;
    for (guint i = 0; i < extras->n_places; i++)
        if (extras->n_rows[i] > 0 &&
            !rp_erasing_list(&extras->erasing, i, (RpSpan){extras->tuples[i].data, extras->tuples[i].size},
                             error))
            return FALSE;
    if (!rp_extras_look(extras, error))
        return FALSE;
    for (guint i = 0; i < extras->n_places && !is_stopping(extras); i++)
        if (extras->n_rows[i] > 0 && !delete_place(extras, i, error))
            return FALSE;
    empty_portion(extras);
    return TRUE;
}

/* ---- the whole ---- */

/* The rows of one table, from the list of all differences. */
static gboolean do_place(RpExtras *extras, guint place, GError **error) {
    RpSpool *list = extras->repair->own->differences.list;
    RpSpoolEntry entry;
    gboolean is_end = FALSE;
    if (!rp_spool_rewind(list, error))
        return FALSE;
    while (rp_spool_next(list, &entry, &is_end, error)) {
        if (is_end)
            return TRUE;
        const RpSuspicion suspicion = rp_differences_entry(&entry);
        if (suspicion.unit != unit_at(extras, place)->number ||
            !rp_repair_deletes(extras->repair, &suspicion))
            continue;
        if (is_full(extras, &suspicion.identity) && !do_portion(extras, error))
            return FALSE;
        if (is_stopping(extras))
            return TRUE;
        add_row(extras, place, &suspicion);
    }
    return FALSE;
}

static gboolean begin(RpExtras *extras, PGconn *connection, GError **error) {
    const RpReconciliation *own = extras->repair->own;
    g_autoptr(GArray) entities = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (guint32 i = 0; i < own->units->units->len; i++)
        if (extras->repair->deletes[i])
            g_array_append_val(entities, i);
    extras->n_places = entities->len;
    extras->tuples = g_new0(RpBuffer, extras->n_places);
    extras->n_rows = g_new0(guint32, extras->n_places);
    extras->spared = g_new0(GString *, extras->n_places);
    extras->n_spared = g_new0(guint64, extras->n_places);
    extras->n_unknown = g_new0(guint64, extras->n_places);
    for (guint i = 0; i < extras->n_places; i++)
        extras->spared[i] = g_string_new(NULL);
    extras->rows = g_hash_table_new_full(rp_hash_of_hash, rp_hash_is_same, g_free, g_free);
    extras->digester = rp_digester_new(own->place.seed);
    rp_retry_init(&extras->retry, extras->crew->options->retry_seconds);
    if (!rp_postgres_run(connection, RP_LEDGER_SHOW_WRITER_SQL, error) ||
        !rp_erasing_init(&extras->erasing, connection, &extras->crew->attempt, extras->crew->options->mapping,
                         entities, extras->crew->n_passes, error))
        return FALSE;
    extras->places = g_new(guint, own->units->units->len);
    for (guint i = 0; i < own->units->units->len; i++)
        extras->places[i] = RP_EXTRAS_NOWHERE;
    for (guint i = 0; i < extras->n_places; i++)
        extras->places[rp_erasing_entity(&extras->erasing, i)] = i;
    return TRUE;
}

static void clear(RpExtras *extras) {
    rp_erasing_clear(&extras->erasing);
    rp_digester_free(extras->digester);
    g_hash_table_unref(extras->rows);
    for (guint i = 0; i < extras->n_places; i++) {
        rp_buffer_clear(&extras->tuples[i]);
        g_string_free(extras->spared[i], TRUE);
    }
    g_free(extras->tuples);
    g_free(extras->n_rows);
    g_free(extras->spared);
    g_free(extras->n_spared);
    g_free(extras->n_unknown);
    g_free(extras->places);
}

gboolean rp_extras_delete(RpRepair *repair, RpCrew *crew, PGconn *connection, GError **error) {
    RpExtras extras = {.repair = repair, .crew = crew};
    gboolean is_fine = begin(&extras, connection, error);
    for (guint i = 0; is_fine && i < extras.n_places && !is_stopping(&extras); i++)
        is_fine = do_place(&extras, i, error);
    is_fine = is_fine && (is_stopping(&extras) || do_portion(&extras, error));
    clear(&extras);
    return is_fine;
}
