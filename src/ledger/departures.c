/* Which rows of a batch's keys go, and when. */
#include "ledger/departures.h"

#include "base/event.h"
#include "base/log.h"
#include "ledger/departing.h"

#include <string.h>

#define MOST_REMEMBERED (64 * 1024 * 1024) /* bytes of one key's identities, over batches */

#define NUMBER G_GUINT64_FORMAT

/* The key whose rows come in several batches. */
typedef struct {
    gboolean is_open;
    gboolean is_lost; /* not all of its rows are known */
    guint32 entity;
    char digest[33];
    RpBuffer given; /* tuples of identities in batches that are committed */
} Spread;

struct RpDepartures {
    const RpMapping *mapping;
    RpMapper *mapper;
    GPtrArray *entities; /* of RpDeparting, by entity; NULL: its keys do not name their rows */
    guint *order;        /* entities, children first */
    Spread spread;
};

RpDepartures *rp_departures_new(const RpMapping *mapping, const RpOccasion *occasion) {
    RpDepartures *departures = g_new0(RpDepartures, 1);
    departures->mapping = mapping;
    departures->mapper = rp_mapper_new(mapping, occasion, 1, 1);
    departures->entities = g_ptr_array_new_with_free_func(rp_departing_free);
    departures->order = g_new0(guint, mapping->entities->len);
    return departures;
}

void rp_departures_free(RpDepartures *departures) {
    if (departures == NULL)
        return;
    rp_mapper_free(departures->mapper);
    g_ptr_array_unref(departures->entities);
    g_free(departures->order);
    rp_buffer_clear(&departures->spread.given);
    g_free(departures);
}

static RpDeparting *departing_of(const RpDepartures *departures, guint entity) {
    return g_ptr_array_index(departures->entities, entity);
}

static const RpEntity *entity_of(const RpDepartures *departures, guint entity) {
    return g_ptr_array_index(departures->mapping->entities, entity);
}

/* ---- a session ---- */

static void sort_entities(RpDepartures *departures) {
    g_autoptr(GPtrArray) tables = g_ptr_array_new();
    for (guint i = 0; i < departures->entities->len; i++) {
        const RpDeparting *departing = departing_of(departures, i);
        if (departing != NULL && departing->table != NULL) {
            departing->table->level = 0;
            g_ptr_array_add(tables, departing->table);
        }
    }
    rp_undo_tables_sort(tables);
    for (guint i = 0; i < departures->entities->len; i++)
        departures->order[i] =
            i < tables->len ? ((const RpUndoTable *)g_ptr_array_index(tables, tables->len - 1 - i))->entity
                            : G_MAXUINT;
}

gboolean rp_departures_prepare(RpDepartures *departures, PGconn *connection, GError **error) {
    g_ptr_array_set_size(departures->entities, 0);
    for (guint i = 0; i < departures->mapping->entities->len; i++) {
        RpDeparting *departing = NULL;
        if (entity_of(departures, i)->has_key_scope) {
            departing = rp_departing_new(connection, departures->mapping, i, error);
            if (departing == NULL)
                return FALSE;
        }
        g_ptr_array_add(departures->entities, departing);
        if (departing != NULL && !rp_departing_prepare(departing, connection, error))
            return FALSE;
    }
    sort_entities(departures);
    return rp_postgres_run(connection,
                           "CREATE TEMPORARY TABLE r2p_rest (undo bigint, key json, writer xid, reason text,"
                           " is_blocked boolean) ON COMMIT DELETE ROWS",
                           error);
}

/* ---- which keys ---- */

static gboolean has_many(const RpEntity *entity) {
    return entity->scope.has_each || rp_record_type_has_elements(entity->scope.type);
}

static gboolean goes_by_policy(const RpEntity *entity, const RpMetKey *key) {
    return (key->is_expired ? entity->on_expire : entity->on_delete) == RP_WHEN_GONE_DELETE;
}

/* Whether all rows that the key gives are known, or will not be. */
static gboolean is_known(const RpDepartures *departures, const RpMetKey *key) {
    const Spread *spread = &departures->spread;
    if (key->is_unclear || key->goes_on)
        return FALSE;
    return !key->begins_before || (spread->is_open && !spread->is_lost && spread->entity == key->entity &&
                                   strcmp(spread->digest, key->digest) == 0);
}

static gboolean may_lose_rows(const RpDepartures *departures, const RpMetKey *key) {
    const RpDeparting *departing = departing_of(departures, key->entity);
    if (departing == NULL || departing->table == NULL)
        return FALSE;
    if (key->is_gone)
        return goes_by_policy(departing->entity, key) &&
               !(departing->is_shared && has_many(departing->entity));
    if (!departing->shrinks || departing->entity->on_delete != RP_WHEN_GONE_DELETE)
        return FALSE;
    if (!is_known(departures, key) && !key->goes_on)
        rp_log(RP_LOG_DEBUG, "rows of a key of %s are left alone: not all that it gives is known",
               departing->entity->name);
    return is_known(departures, key);
}

/* ---- deleting ---- */

typedef struct {
    RpDepartures *departures;
    PGconn *connection;
    const RpAttempt *attempt;
    RpBatch *batch;
    const RpMetKeys *met;
    gboolean *is_listed; /* by key */
    RpBuffer gone;
    RpBuffer given;
} Work;

static void work_clear(Work *work) {
    g_free(work->is_listed);
    rp_buffer_clear(&work->gone);
    rp_buffer_clear(&work->given);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static gboolean copy_gone(Work *work, const RpDeparting *departing, GError **error) {
    g_autofree char *names = g_strdup_printf("r2p_n, r2p_is_gone, %s", departing->scope_names);
    return rp_departing_copy(work->connection, departing->gone, names, &work->gone, error);
}

static gboolean copy_lists(Work *work, const RpDeparting *departing, gboolean has_living, GError **error) {
    const Spread *spread = &work->departures->spread;
    work->given.size = 0;
    if (has_living) {
        rp_departing_add_given(departing, work->batch, work->met, NULL, work->is_listed, &work->given);
        if (spread->is_open && spread->entity == departing->table->entity)
            rp_buffer_append(&work->given, spread->given.data, spread->given.size);
    }
    return copy_gone(work, departing, error) &&
           rp_departing_copy(work->connection, departing->given, departing->table->names, &work->given,
                             error);
}

static void note_blocked(Work *work, const GArray *numbers, GHashTable *blocked) {
    for (guint i = 0; i < numbers->len; i++) {
        const guint number = g_array_index(numbers, guint, i);
        RpMetKey *key = rp_met_keys_get(work->met, number);
        g_free(key->blocked);
        key->blocked = g_strdup(g_hash_table_lookup(blocked, GUINT_TO_POINTER(number)));
    }
}

/* numbers: of keys of the entity. */
static gboolean delete_rows(Work *work, const RpDeparting *departing, GArray *numbers, GError **error) {
    const guint entity = departing->table->entity;
    g_autoptr(GHashTable) blocked = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    RpDeparted departed = {.blocked = blocked};
    g_autofree char *target = rp_postgres_literal(work->connection, departing->entity->table->shown);
    g_autofree char *row = g_strdup_printf("%" NUMBER ", %u, %" NUMBER ", %u, %s", work->attempt->run,
                                           work->batch->pass, work->batch->number, entity, target);
    if (!rp_departing_delete(departing, work->connection, work->attempt->run, row, numbers, &departed,
                             error)) {
        g_prefix_error(error, "deleting rows of %s: ", departing->entity->table->shown);
        return FALSE;
    }
    work->batch->counts[entity].deleted += departed.n_deleted;
    note_blocked(work, numbers, blocked);
    return TRUE;
}

/* The lists have no index: with the sessions' setting, all joins with them seem to cost the same, and the one
 * that reads a list again for each row of the table is as good as any. */
static gboolean delete_entity(Work *work, const RpDeparting *departing, gboolean is_last, GError **error) {
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint));
    gboolean has_living = FALSE;
    work->gone.size = 0;
    for (guint i = 0; i < work->met->keys->len; i++) {
        const RpMetKey *key = rp_met_keys_get(work->met, i);
        work->is_listed[i] = FALSE;
        if (key->entity != departing->table->entity ||
            is_last != (key->is_again || key->blocked != NULL || key->has_filtered) ||
            (departing->has_one && !key->is_gone && !key->has_filtered) ||
            !may_lose_rows(work->departures, key) ||
            !rp_departing_add_key(departing, work->departures->mapper, work->batch, key, i, &work->gone))
            continue;
        work->is_listed[i] = TRUE;
        has_living = has_living || !key->is_gone;
        g_array_append_val(numbers, i);
    }
    return numbers->len == 0 || (copy_lists(work, departing, has_living, error) &&
                                 rp_postgres_run(work->connection, "SET LOCAL enable_seqscan = on", error) &&
                                 delete_rows(work, departing, numbers, error) &&
                                 rp_postgres_run(work->connection, "SET LOCAL enable_seqscan = off", error));
}

static gboolean delete_all(Work *work, gboolean is_last, GError **error) {
    const RpDepartures *departures = work->departures;
    work->is_listed = g_new0(gboolean, MAX(work->met->keys->len, 1));
    for (guint i = 0; i < departures->entities->len && departures->order[i] != G_MAXUINT; i++)
        if (!delete_entity(work, departing_of(departures, departures->order[i]), is_last, error))
            return FALSE;
    return TRUE;
}

/* ---- rows that stay ---- */

/* Of keys that are gone, and whose rows are kept: whether there are any. */
static gboolean find_staying(Work *work, const RpDeparting *departing, guint entity, GError **error) {
    guint n_asked = 0;
    work->gone.size = 0;
    for (guint i = 0; i < work->met->keys->len; i++) {
        const RpMetKey *key = rp_met_keys_get(work->met, i);
        if (key->entity == entity && key->is_gone && !may_lose_rows(work->departures, key))
            n_asked += (guint)rp_departing_add_key(departing, work->departures->mapper, work->batch, key, i,
                                                   &work->gone);
    }
    if (n_asked == 0)
        return TRUE;
    if (!copy_gone(work, departing, error))
        return FALSE;
    g_autofree char *sql =
        g_strdup_printf("SELECT g.r2p_n FROM %s g WHERE (SELECT true FROM %s t WHERE %s LIMIT 1)",
                        departing->gone, departing->target, departing->equal);
    g_autoptr(PGresult) result = rp_postgres_query(work->connection, sql, 0, NULL, error);
    for (int row = 0; row < PQntuples(result); row++)
        rp_met_keys_get(work->met, (guint)g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10))->stays =
            TRUE;
    return result != NULL;
}

gboolean rp_departures_delete_first(RpDepartures *departures, PGconn *connection, const RpAttempt *attempt,
                                    RpBatch *batch, const RpMetKeys *met, GError **error) {
    g_auto(Work) work = {
        .departures = departures, .connection = connection, .attempt = attempt, .batch = batch, .met = met};
    return delete_all(&work, FALSE, error) && rp_event_pass(RP_EVENT_ROWS_DEPARTED, error);
}

static void note_filtered(RpBatch *batch, const RpMetKeys *met) {
    for (guint entity = 0; entity < batch->n_entities; entity++) {
        const RpTuples *rows = &batch->tuples[entity];
        for (guint i = 0; batch->counts[entity].filtered > 0 && i < rows->rows->len; i++)
            if (rp_tuples_get(rows, i)->is_filtered)
                rp_met_keys_of(met, rp_tuples_get(rows, i)->record)->has_filtered = TRUE;
    }
}

gboolean rp_departures_delete_last(RpDepartures *departures, PGconn *connection, const RpAttempt *attempt,
                                   RpBatch *batch, const RpMetKeys *met, GError **error) {
    g_auto(Work) work = {
        .departures = departures, .connection = connection, .attempt = attempt, .batch = batch, .met = met};
    note_filtered(batch, met);
    if (!delete_all(&work, TRUE, error))
        return FALSE;
    for (guint i = 0; i < departures->entities->len; i++)
        if (departing_of(departures, i) != NULL &&
            !find_staying(&work, departing_of(departures, i), i, error))
            return FALSE;
    return TRUE;
}

/* ---- keys that come in several batches ---- */

static void remember(RpDepartures *departures, const RpBatch *batch, const RpMetKeys *met,
                     const RpMetKey *key) {
    Spread *spread = &departures->spread;
    const RpDeparting *departing = departing_of(departures, key->entity);
    if (!key->begins_before || !spread->is_open) {
        spread->is_open = TRUE;
        spread->is_lost = key->begins_before;
        spread->given.size = 0;
        spread->entity = key->entity;
        g_strlcpy(spread->digest, key->digest, sizeof spread->digest);
    }
    spread->is_lost = spread->is_lost || key->is_unclear;
    if (departing == NULL || departing->table == NULL || spread->is_lost)
        return;
    rp_departing_add_given(departing, batch, met, key, NULL, &spread->given);
    if (spread->given.size > MOST_REMEMBERED) {
        rp_log(RP_LOG_DEBUG, "rows of a key of %s are left alone: it gives too many to remember",
               departing->entity->name);
        spread->is_lost = TRUE;
        rp_buffer_clear(&spread->given);
    }
}

void rp_departures_note_written(RpDepartures *departures, const RpBatch *batch, const RpMetKeys *met) {
    const RpMetKey *last =
        batch->part.end > batch->part.first ? rp_met_keys_of(met, batch->part.end - 1) : NULL;
    if (last != NULL && last->goes_on)
        remember(departures, batch, met, last);
    else if (last != NULL) {
        departures->spread.is_open = FALSE;
        rp_buffer_clear(&departures->spread.given);
    }
}
