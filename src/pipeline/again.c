/* Reading the list of redis2pg.again, slice after slice.
 *
 * 1. Nobody changes the list meanwhile, and (entity, batch, number) orders it without ties: the number of
 * keys that were taken is a place in it.
 * 2. A position says that a slice is behind only when every key of it was taken: a stop may leave keys that
 * were listed and never asked for. */
#include "pipeline/again.h"

#include "base/event.h"
#include "base/outage.h"
#include "pipeline/key_list.h"
#include "pipeline/session.h"
#include "sink/trouble.h"
#include "sink/wait.h"

#define SLICE_KEYS 1000
#define KEY_FIELD  3 /* of LIST_SQL */

typedef struct {
    RpCrew *crew;
    PGconn *connection; /* NULL: lost, or not yet there */
    RpOutage outage;
    char *entities; /* of the pass: text of an integer[] */
    PGresult *slice;
    int next; /* row of it */
    /* Entity, batch and number of the last key of the slice before; NULL at the beginning. */
    char *after[3];
} Again;

static void again_clear(Again *again) {
    g_clear_pointer(&again->connection, PQfinish);
    g_clear_pointer(&again->slice, PQclear);
    rp_outage_clear(&again->outage);
    g_free(again->entities);
    for (guint i = 0; i < G_N_ELEMENTS(again->after); i++)
        g_free(again->after[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Again, again_clear)

static char *entities_of(const RpCrew *crew, guint pass) {
    GString *text = g_string_new("{");
    for (guint i = 0; i < crew->options->mapping->entities->len; i++)
        if (rp_crew_is_of_pass(crew, i, pass))
            g_string_append_printf(text, "%s%u", text->len > 1 ? "," : "", i);
    g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

/* ---- the list ---- */

/* Numbers as text: they are only sent back. */
#define LIST_SQL                                                                                             \
    "SELECT entity::text, batch::text, number::text, key FROM redis2pg.again WHERE run = $1::bigint"         \
    " AND entity = ANY ($2::integer[])"
#define ORDER_SQL " ORDER BY again.entity, again.batch, again.number LIMIT " G_STRINGIFY(SLICE_KEYS)

static PGresult *ask_slice(Again *again, guint64 skip, GError **error) {
    g_autofree char *run = g_strdup_printf("%" G_GUINT64_FORMAT, again->crew->attempt.run);
    g_autofree char *offset = g_strdup_printf("%" G_GUINT64_FORMAT, skip);
    const char *const first[] = {run, again->entities, offset};
    const char *const next[] = {run, again->entities, again->after[0], again->after[1], again->after[2]};
    g_autoptr(PGresult) slice =
        again->after[0] == NULL
            ? rp_wait_execute_binary(again->connection, LIST_SQL ORDER_SQL " OFFSET $3::bigint",
                                     G_N_ELEMENTS(first), first, error)
            : rp_wait_execute_binary(again->connection,
                                     LIST_SQL
                                     " AND (again.entity, again.batch, again.number) > ($3::integer, "
                                     "$4::bigint, $5::bigint)" ORDER_SQL,
                                     G_N_ELEMENTS(next), next, error);
    if (slice == NULL || PQresultStatus(slice) == PGRES_TUPLES_OK)
        return g_steal_pointer(&slice);
    rp_postgres_set_error(error, again->connection, slice);
    return NULL;
}

static gboolean try_slice(Again *again, guint64 skip, GError **error) {
    const RpLoadOptions *options = again->crew->options;
    if (again->connection == NULL) {
        again->connection = rp_postgres_connect(options->postgres, error);
        if (again->connection == NULL)
            return FALSE;
        rp_session_limit(again->connection, options->timeout_seconds, &again->crew->is_cancelled);
    }
    again->slice = ask_slice(again, skip, error);
    return again->slice != NULL;
}

/* A server that is away is waited for, here as by the writers. */
static gboolean next_slice(Again *again, guint64 skip, GError **error) {
    GError *trouble = NULL;
    g_clear_pointer(&again->slice, PQclear);
    while (!try_slice(again, skip, &trouble)) {
        g_clear_pointer(&again->connection, PQfinish);
        if (!rp_trouble_passes(trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        if (!rp_outage_wait(&again->outage, trouble, TRUE, &again->crew->is_pressed, error))
            return FALSE;
        trouble = NULL;
    }
    rp_outage_end(&again->outage);
    again->next = 0;
    const int n_rows = PQntuples(again->slice);
    for (guint i = 0; n_rows > 0 && i < G_N_ELEMENTS(again->after); i++) {
        g_free(again->after[i]);
        again->after[i] = g_strdup(PQgetvalue(again->slice, n_rows - 1, (int)i));
    }
    return TRUE;
}

static gboolean give_key(guint *entity, RpSpan *key, gboolean *is_end, gpointer data, GError **error) {
    Again *again = data;
    (void)error;
    *is_end = again->next == PQntuples(again->slice);
    if (*is_end)
        return TRUE;
    *entity = (guint)g_ascii_strtoull(PQgetvalue(again->slice, again->next, 0), NULL, 10);
    *key = (RpSpan){PQgetvalue(again->slice, again->next, KEY_FIELD),
                    (gsize)PQgetlength(again->slice, again->next, KEY_FIELD)};
    again->next++;
    return TRUE;
}

/* ---- the pass ---- */

/* A slice is a page of the pass: reading may go on after it. */
static gboolean read_slice(Again *again, RpKeyReader *keys, guint64 *n_read, gboolean *is_end,
                           GError **error) {
    const RpKeyList list = {.next = give_key, .data = again, .is_known = TRUE};
    RpFilling *filling = keys->filling;
    const int n_keys = PQntuples(again->slice);
    *is_end = n_keys < SLICE_KEYS;
    if (!rp_filling_open(filling, error))
        return FALSE;
    rp_filling_begin_page(filling);
    if (!rp_key_list_read(&list, keys, error))
        return FALSE;
    if (g_atomic_int_get(&again->crew->is_stopping))
        return TRUE; /* some may not be taken */
    *n_read += (guint64)n_keys;
    rp_filling_reach(filling, *is_end ? 0 : *n_read);
    return TRUE;
}

gboolean rp_again_read(RpCrew *crew, RpKeyReader *keys, guint pass, guint64 cursor, GError **error) {
    g_auto(Again) again = {.crew = crew, .entities = entities_of(crew, pass)};
    guint64 n_read = cursor;
    rp_outage_init(&again.outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK,
                   crew->options->retry_seconds);
    for (gboolean is_end = FALSE; !is_end && !g_atomic_int_get(&crew->is_stopping);) {
        if (!next_slice(&again, n_read, error))
            return FALSE;
        if (n_read == 0 && PQntuples(again.slice) == 0)
            return TRUE; /* nothing was taken out */
        if (!read_slice(&again, keys, &n_read, &is_end, error))
            return FALSE;
        if (rp_filling_is_full(keys->filling))
            rp_filling_close(keys->filling);
    }
    if (keys->filling->batch != NULL)
        rp_filling_close(keys->filling);
    return TRUE;
}
