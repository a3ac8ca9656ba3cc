/* What a batch's keys wait for, and what they no longer wait for. */
#include "base/event.h"
#include "ledger/following.h"
#include "ledger/parked.h"

#include <jansson.h>

static const RpEntity *entity_of(const RpMapping *mapping, const RpMetKey *key) {
    return g_ptr_array_index(mapping->entities, key->entity);
}

/* How a key of the batch fares. */
typedef enum {
    FARES_WELL,
    WAITS,      /* it is parked */
    IS_REFUSED, /* it has a reject on record by this batch */
} Fate;

typedef struct {
    RpParking *parking;
    PGconn *connection;
    const RpAttempt *attempt;
    const RpMapping *mapping;
    RpBatch *batch;
    const RpMetKeys *met;
    guint park_seconds;
    guint8 *fates;            /* by key */
    const RpReject **reasons; /* by key: the first reject that waits for other rows, or NULL */
} Work;

static void work_clear(Work *work) {
    g_free(work->fates);
    g_free(work->reasons);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static gboolean look(RpParking *parking, PGconn *connection, GError **error) {
    if (parking->is_known)
        return TRUE;
    g_autoptr(PGresult) result =
        rp_postgres_query(connection,
                          "SELECT EXISTS (SELECT FROM redis2pg.parked), EXISTS (SELECT FROM redis2pg.rejects "
                          "r JOIN redis2pg.runs u"
                          " USING (run) WHERE r.resolved_by IS NULL AND r.replaced_by IS NULL AND"
                          " u.source IN (" RP_FOLLOWED_SOURCES "))",
                          0, NULL, error);
    if (result == NULL)
        return FALSE;
    parking->has_parked = rp_postgres_is_true(result, 0, 0);
    parking->has_open = rp_postgres_is_true(result, 0, 1);
    return parking->is_known = TRUE;
}

static void judge_keys(Work *work) {
    for (guint i = 0; i < work->batch->rejects->len; i++) {
        const RpReject *reject = &g_array_index(work->batch->rejects, RpReject, i);
        const guint32 number = work->met->numbers[reject->record];
        if (!reject->is_of_others)
            work->fates[number] = IS_REFUSED;
        else if (work->reasons[number] == NULL)
            work->reasons[number] = reject;
    }
    for (guint i = 0; i < work->met->keys->len; i++)
        if (work->fates[i] == FARES_WELL &&
            (work->reasons[i] != NULL || rp_met_keys_get(work->met, i)->blocked != NULL))
            work->fates[i] = WAITS;
}

static gboolean is_waiting(const Work *work, guint number) {
    return work->reasons[number] != NULL || rp_met_keys_get(work->met, number)->blocked != NULL;
}

/* ---- parking ---- */

static char *message_of(const Work *work, guint number) {
    const RpMetKey *key = rp_met_keys_get(work->met, number);
    const RpReject *reason = work->reasons[number];
    g_autofree char *text =
        reason != NULL ? g_strdup(reason->message)
                       : g_strdup_printf("a row that Redis has no more cannot be deleted: %s", key->blocked);
    return g_utf8_make_valid(text, -1);
}

static char *waiting_json(const Work *work) {
    json_t *list = json_array();
    for (guint i = 0; i < work->met->keys->len; i++) {
        if (!is_waiting(work, i))
            continue;
        const RpMetKey *key = rp_met_keys_get(work->met, i);
        const RpReject *reason = work->reasons[i];
        g_autofree char *message = message_of(work, i);
        g_autofree char *hex = rp_span_hex(rp_records_key(&work->batch->records, key->record));
        json_array_append_new(
            list, json_pack("{sisssssssssssI}", "n", (int)i, "entity", entity_of(work->mapping, key)->name,
                            "digest", key->digest, "key", hex, "code",
                            rp_reject_code_name(reason != NULL ? reason->code : RP_REJECT_DELETE_BLOCKED),
                            "message", message, "seconds", (json_int_t)work->park_seconds));
    }
    char *dumped = json_array_size(list) > 0 ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    char *text = g_strdup(dumped);
    free(dumped);
    return text;
}

/* Waits 0.1 s, 0.2 s … 5 s, and a minute each time once it is on record. Gives the keys that come to be so.
 */
static const char PARK_SQL[] =
    "WITH m AS (SELECT * FROM json_to_recordset($1) AS m (n integer, entity text, digest uuid, key text, "
    "code text,"
    "  message text, seconds integer)),"
    " before AS MATERIALIZED (SELECT m.n, p.tries, p.is_rejected, p.parked_at <= clock_timestamp() - "
    "m.seconds *"
    "  interval '1 second' AS is_late FROM m JOIN redis2pg.parked p ON p.entity = m.entity AND p.key_digest ="
    "  m.digest FOR UPDATE OF p),"
    " parked AS (INSERT INTO redis2pg.parked AS p (entity, key_digest, key, code, message, tries, "
    "is_rejected,"
    "  next_try_at) SELECT m.entity, m.digest, decode(m.key, 'hex'), m.code, m.message, coalesce(b.tries + "
    "1, 0),"
    "  m.seconds = 0 OR coalesce(b.is_rejected OR b.is_late, false), clock_timestamp() + CASE WHEN m.seconds "
    "= 0 OR"
    "  b.is_rejected OR b.is_late THEN interval '60 seconds' ELSE least(interval '5 seconds', interval '0.1 "
    "second'"
    "  * power(2, least(coalesce(b.tries + 1, 0), 10))) END FROM m LEFT JOIN before b USING (n)"
    "  ON CONFLICT (entity, key_digest) DO UPDATE SET code = excluded.code, message = excluded.message, "
    "tries ="
    "  excluded.tries, is_rejected = excluded.is_rejected, next_try_at = excluded.next_try_at)"
    " SELECT m.n FROM m LEFT JOIN before b USING (n) WHERE b.is_rejected IS NOT TRUE AND (b.is_late OR "
    "m.seconds = 0)";

static gboolean park(Work *work, gboolean *is_late, GError **error) {
    g_autofree char *list = waiting_json(work);
    if (list == NULL)
        return TRUE;
    const char *const parameters[] = {list};
    g_autoptr(PGresult) result = rp_postgres_query(work->connection, PARK_SQL, 1, parameters, error);
    for (int row = 0; row < PQntuples(result); row++) {
        const guint number = (guint)g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10);
        is_late[number] = TRUE;
        work->fates[number] = IS_REFUSED;
    }
    work->parking->has_parked = TRUE;
    return result != NULL;
}

static void reject_blocked(Work *work, guint number) {
    const RpMetKey *key = rp_met_keys_get(work->met, number);
    const RpReject reject = {
        .entity = key->entity,
        .record = key->record,
        .stage = RP_STAGE_WRITE,
        .code = RP_REJECT_DELETE_BLOCKED,
        .message = g_strdup_printf("a row that Redis has no more cannot be deleted: %s", key->blocked),
        .is_of_others = TRUE};
    rp_batch_take_reject(work->batch, &reject);
}

/* What waits is no reject, until it is late. */
static void set_aside(Work *work, const gboolean *is_late) {
    const guint n_rejects = work->batch->rejects->len;
    for (guint i = 0; i < n_rejects; i++) {
        const RpReject *reject = &g_array_index(work->batch->rejects, RpReject, i);
        if (reject->is_of_others && !is_late[work->met->numbers[reject->record]])
            rp_batch_park(work->batch, i);
    }
    for (guint i = 0; i < work->met->keys->len; i++)
        if (is_late[i] && rp_met_keys_get(work->met, i)->blocked != NULL)
            reject_blocked(work, i);
}

/* ---- coming through ---- */

/* Of a key that is read in part nobody knows yet. */
static gboolean list_fates(const Work *work, gboolean is_parked, GString *entities, GString *digests,
                           GString *fates) {
    for (guint i = 0; i < work->met->keys->len; i++) {
        const RpMetKey *key = rp_met_keys_get(work->met, i);
        const gboolean is_listed = is_parked ? !is_waiting(work, i) : work->fates[i] != WAITS;
        if (!is_listed || (!rp_met_key_is_whole(key) && work->fates[i] == FARES_WELL))
            continue;
        rp_array_add(entities, entity_of(work->mapping, key)->name);
        rp_array_add(digests, key->digest);
        rp_array_add(fates, work->fates[i] == FARES_WELL ? "t" : "f");
    }
    return entities->len > 0;
}

static gboolean unpark(Work *work, GError **error) {
    g_autoptr(GString) entities = g_string_new(NULL);
    g_autoptr(GString) digests = g_string_new(NULL);
    g_autoptr(GString) fates = g_string_new(NULL);
    if (!work->parking->has_parked || !list_fates(work, TRUE, entities, digests, fates))
        return TRUE;
    const char *const parameters[] = {rp_array_end(entities), rp_array_end(digests)};
    g_autoptr(PGresult) gone = rp_postgres_query(work->connection,
                                                 "DELETE FROM redis2pg.parked p USING unnest($1::text[], "
                                                 "$2::uuid[]) m (entity, key_digest) WHERE p.entity ="
                                                 " m.entity AND p.key_digest = m.key_digest",
                                                 G_N_ELEMENTS(parameters), parameters, error);
    if (gone != NULL && rp_postgres_affected(gone) > 0)
        work->parking->is_known = FALSE; /* look again: it may have been the last one */
    return gone != NULL;
}

static gboolean settle(Work *work, GError **error) {
    g_autoptr(GString) entities = g_string_new(NULL);
    g_autoptr(GString) digests = g_string_new(NULL);
    g_autoptr(GString) fates = g_string_new(NULL);
    if (!work->parking->has_open || !list_fates(work, FALSE, entities, digests, fates))
        return TRUE;
    g_autofree char *run = g_strdup_printf("%" G_GUINT64_FORMAT, work->attempt->run);
    const char *const parameters[] = {rp_array_end(entities), rp_array_end(digests), rp_array_end(fates),
                                      run};
    g_autoptr(PGresult) settled =
        rp_postgres_query(work->connection,
                          "UPDATE redis2pg.rejects r SET resolved_by = CASE WHEN m.is_well THEN $4::bigint "
                          "END, replaced_by = CASE WHEN"
                          " NOT m.is_well THEN $4::bigint END FROM unnest($1::text[], $2::text[], "
                          "$3::boolean[]) m (entity, digest,"
                          " is_well), redis2pg.runs u WHERE r.entity = m.entity AND md5(r.key) = m.digest "
                          "AND r.resolved_by IS NULL"
                          " AND r.replaced_by IS NULL AND u.run = r.run AND"
                          " u.source IN (" RP_FOLLOWED_SOURCES ")",
                          G_N_ELEMENTS(parameters), parameters, error);
    if (settled != NULL && rp_postgres_affected(settled) > 0)
        work->parking->is_known = FALSE;
    return settled != NULL;
}

gboolean rp_parking_settle(RpParking *parking, PGconn *connection, const RpAttempt *attempt,
                           const RpMapping *mapping, RpBatch *batch, const RpMetKeys *met, guint park_seconds,
                           GError **error) {
    const guint n_keys = MAX(met->keys->len, 1);
    g_autofree gboolean *is_late = g_new0(gboolean, n_keys);
    g_auto(Work) work = {.parking = parking,
                         .connection = connection,
                         .attempt = attempt,
                         .mapping = mapping,
                         .batch = batch,
                         .met = met,
                         .park_seconds = park_seconds,
                         .fates = g_new0(guint8, n_keys),
                         .reasons = g_new0(const RpReject *, n_keys)};
    judge_keys(&work);
    if (!look(parking, connection, error) || !park(&work, is_late, error) || !unpark(&work, error) ||
        !settle(&work, error)) {
        g_prefix_error(error, "parking keys: ");
        return FALSE;
    }
    set_aside(&work, is_late);
    parking->has_open = parking->has_open || rp_batch_n_rejects(batch) > 0;
    return rp_event_pass(RP_EVENT_ROWS_PARKED, error);
}
