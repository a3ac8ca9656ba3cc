/* Times of expiry in the ledger: a row for each key that has one where it matters, and for each that has
 * departed.
 *
 * 1. They are written by the transaction that writes what came of the keys.
 * 2. What was known of a key when it went decides at every later try, however late that is. */
#include "ledger/lifetimes.h"

#define TOLERANCE_MS 1000 /* between Redis' clock and ours */

#define UNTOLD (-2) /* of RpRecord.expires_at_ms */

static const RpEntity *entity_of(const RpMapping *mapping, const RpMetKey *key) {
    return g_ptr_array_index(mapping->entities, key->entity);
}

static gboolean is_parted(const RpEntity *entity) {
    return entity->on_delete != entity->on_expire;
}

static gint64 told_of(const RpBatch *batch, const RpMetKey *key) {
    return rp_records_get(&batch->records, key->record)->expires_at_ms;
}

/* Nothing is asked of an empty table, once it is known to be. */
static gboolean look(RpLifetimes *lifetimes, PGconn *connection, GError **error) {
    if (lifetimes->is_known)
        return TRUE;
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, "SELECT EXISTS (SELECT FROM redis2pg.lifetimes)", 0, NULL, error);
    if (result == NULL)
        return FALSE;
    lifetimes->has_some = rp_postgres_is_true(result, 0, 0);
    return lifetimes->is_known = TRUE;
}

/* ---- deleted or expired ---- */

static gboolean ask_ledger(PGconn *connection, const RpMapping *mapping, const RpMetKeys *met, GArray *asked,
                           GError **error) {
    g_autoptr(GString) entities = g_string_new(NULL);
    g_autoptr(GString) digests = g_string_new(NULL);
    for (guint i = 0; i < asked->len; i++) {
        const RpMetKey *key = rp_met_keys_get(met, g_array_index(asked, guint, i));
        rp_array_add(entities, entity_of(mapping, key)->name);
        rp_array_add(digests, key->digest);
    }
    const char *const parameters[] = {rp_array_end(entities), rp_array_end(digests)};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT m.n - 1 FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS m (entity, key_digest, n)"
        " JOIN redis2pg.lifetimes l USING (entity, key_digest)"
        " WHERE l.expires_at <= clock_timestamp() + interval '1 second'",
        G_N_ELEMENTS(parameters), parameters, error);
    for (int row = 0; row < PQntuples(result); row++) {
        const guint number = (guint)g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10);
        rp_met_keys_get(met, g_array_index(asked, guint, number))->is_expired = TRUE;
    }
    return result != NULL;
}

gboolean rp_lifetimes_judge(RpLifetimes *lifetimes, PGconn *connection, const RpMapping *mapping,
                            const RpBatch *batch, const RpMetKeys *met, GError **error) {
    const gint64 latest_ms = g_get_real_time() / 1000 + TOLERANCE_MS;
    g_autoptr(GArray) asked = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < met->keys->len; i++) {
        RpMetKey *key = rp_met_keys_get(met, i);
        const gint64 told = told_of(batch, key);
        key->is_expired = key->is_gone && told >= 0 && told <= latest_ms;
        if (key->is_gone && told == UNTOLD && is_parted(entity_of(mapping, key)))
            g_array_append_val(asked, i);
    }
    if (asked->len == 0)
        return TRUE;
    if (!look(lifetimes, connection, error) ||
        (lifetimes->has_some && !ask_ledger(connection, mapping, met, asked, error))) {
        g_prefix_error(error, "asking when keys ended: ");
        return FALSE;
    }
    return TRUE;
}

/* ---- what is known from now on ---- */

typedef struct {
    GString *entities;
    GString *digests;
    GString *expiries; /* in ms; "now", or "kept" for what is known already; empty: none */
    GString *departures;
    guint n;
} Notes;

static void note(Notes *notes, const RpEntity *entity, const RpMetKey *key, const char *expiry) {
    rp_array_add(notes->entities, entity->name);
    rp_array_add(notes->digests, key->digest);
    rp_array_add(notes->expiries, expiry);
    rp_array_add(notes->departures, key->stays ? "t" : "f");
    notes->n++;
}

/* A key that is there, or whose rows stand in the way of their own deletion. FALSE: nothing is to be known.
 */
static gboolean is_noted(const RpEntity *entity, const RpBatch *batch, const RpMetKey *key, char expiry[24]) {
    const gint64 told = told_of(batch, key);
    expiry[0] = '\0';
    if (key->is_gone && !key->stays && key->blocked == NULL)
        return FALSE;
    if (key->is_gone && is_parted(entity) && key->is_expired)
        g_strlcpy(expiry, told >= 0 ? "now" : "kept", 24);
    else if (!key->is_gone && is_parted(entity) && told >= 0)
        g_snprintf(expiry, 24, "%" G_GINT64_FORMAT, told);
    return key->stays || expiry[0] != '\0';
}

static const char WRITE_SQL[] =
    "WITH gone AS (DELETE FROM redis2pg.lifetimes l USING unnest($5::text[], $6::uuid[]) m (entity, "
    "key_digest)"
    "  WHERE l.entity = m.entity AND l.key_digest = m.key_digest)"
    " INSERT INTO redis2pg.lifetimes AS l (entity, key_digest, expires_at, departed_at)"
    " SELECT m.entity, m.key_digest, CASE m.expiry WHEN '' THEN NULL WHEN 'kept' THEN '-infinity'"
    "  WHEN 'now' THEN clock_timestamp() ELSE to_timestamp(m.expiry::double precision / 1000) END,"
    "  CASE WHEN m.departs THEN clock_timestamp() END"
    " FROM unnest($1::text[], $2::uuid[], $3::text[], $4::boolean[]) m (entity, key_digest, expiry, departs)"
    " ON CONFLICT (entity, key_digest) DO UPDATE SET expires_at ="
    "  CASE WHEN excluded.expires_at = '-infinity' THEN l.expires_at ELSE excluded.expires_at END,"
    "  departed_at = CASE WHEN excluded.departed_at IS NOT NULL THEN coalesce(l.departed_at,"
    "  excluded.departed_at) END";

static gboolean write_notes(RpLifetimes *lifetimes, PGconn *connection, Notes *noted, Notes *forgotten,
                            GError **error) {
    if (noted->n == 0 && (forgotten->n == 0 || !lifetimes->has_some))
        return TRUE;
    const char *const parameters[] = {rp_array_end(noted->entities),     rp_array_end(noted->digests),
                                      rp_array_end(noted->expiries),     rp_array_end(noted->departures),
                                      rp_array_end(forgotten->entities), rp_array_end(forgotten->digests)};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, WRITE_SQL, G_N_ELEMENTS(parameters), parameters, error);
    lifetimes->has_some = lifetimes->has_some || noted->n > 0;
    return result != NULL;
}

static Notes notes_new(void) {
    return (Notes){g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), 0};
}

static void notes_clear(Notes *notes) {
    GString *const texts[] = {notes->entities, notes->digests, notes->expiries, notes->departures};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_string_free(texts[i], TRUE);
}

gboolean rp_lifetimes_write(RpLifetimes *lifetimes, PGconn *connection, const RpMapping *mapping,
                            const RpBatch *batch, const RpMetKeys *met, gboolean has_judged, GError **error) {
    Notes noted = notes_new(), forgotten = notes_new();
    const gboolean is_known = look(lifetimes, connection, error);
    for (guint i = 0; i < met->keys->len; i++) {
        const RpMetKey *key = rp_met_keys_get(met, i);
        const RpEntity *entity = entity_of(mapping, key);
        char expiry[24];
        if (key->is_gone && !has_judged)
            continue;
        if (is_noted(entity, batch, key, expiry))
            note(&noted, entity, key, expiry);
        else if (lifetimes->has_some && (!key->is_gone || entity->has_key_scope))
            note(&forgotten, entity, key, "");
    }
    const gboolean is_fine = is_known && write_notes(lifetimes, connection, &noted, &forgotten, error);
    notes_clear(&noted);
    notes_clear(&forgotten);
    if (!is_fine)
        g_prefix_error(error, "noting when keys end: ");
    return is_fine;
}

gboolean rp_lifetimes_note_expired(PGconn *connection, const RpMapping *mapping, GError **error) {
    g_autoptr(GString) entities = g_string_new(NULL);
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        if (entity->on_expire == RP_WHEN_GONE_KEEP)
            rp_array_add(entities, entity->name);
    }
    const char *const parameters[] = {rp_array_end(entities)};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "UPDATE redis2pg.lifetimes SET departed_at = clock_timestamp() WHERE departed_at IS NULL"
        " AND expires_at <= clock_timestamp() AND entity = ANY ($1::text[])",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        g_prefix_error(error, "noting which keys have expired: ");
    return result != NULL;
}
