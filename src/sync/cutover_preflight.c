/* What must be so before anybody is asked to stop writing. */
#include "source/info.h"
#include "sync/cutover_parts.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER G_GUINT64_FORMAT

/* ---- the sync ---- */

static gboolean check_sync(RpCutover *cutover, GError **error) {
    g_auto(RpCutoverSync) sync = {0};
    if (!rp_cutover_sync_read(cutover, &sync, error))
        return FALSE;
    rp_cutover_sync_check(cutover, &sync);
    cutover->result->capture = g_strdup(sync.capture);
    cutover->result->n_parked = sync.n_parked;
    if (sync.is_ours && sync.is_live && sync.lag_ms > cutover->options->max_lag_ms)
        rp_cutover_refuse(cutover,
                          "the sync is %" NUMBER " ms behind, more than %" NUMBER
                          " (--max-lag-ms): the pause would be long",
                          sync.lag_ms, cutover->options->max_lag_ms);
    if (g_strcmp0(sync.capture, "notify") == 0)
        rp_cutover_note(cutover,
                        "changes are captured by notifications, which Redis sends at most once: what "
                        "the comparison finds is the proof, the sync alone is none");
    return TRUE;
}

/* ---- rejects ---- */

/* An array of the entities' names as PostgreSQL reads it. */
static char *show_names(const RpMapping *mapping) {
    g_autoptr(GString) array = g_string_new("{");
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        g_string_append_c(array, i > 0 ? ',' : ' ');
        g_string_append_c(array, '"');
        for (const char *at = entity->name; *at != '\0'; at++) {
            if (*at == '"' || *at == '\\')
                g_string_append_c(array, '\\');
            g_string_append_c(array, *at);
        }
        g_string_append_c(array, '"');
    }
    g_string_append_c(array, '}');
    return g_string_free(g_steal_pointer(&array), FALSE);
}

gboolean rp_cutover_count_rejects(RpCutover *cutover, GError **error) {
    g_autofree char *names = show_names(cutover->options->load->mapping);
    const char *const parameters[] = {names, cutover->source};
    g_autoptr(PGresult) count =
        rp_postgres_query(cutover->postgres,
                          "SELECT count(*) FROM redis2pg.rejects r JOIN redis2pg.runs l USING (run)"
                          " WHERE r.entity = ANY ($1::text[]) AND r.resolved_by IS NULL AND r.replaced_by IS "
                          "NULL AND l.undone_by IS NULL AND l.source = $2",
                          G_N_ELEMENTS(parameters), parameters, error);
    if (count == NULL) {
        g_prefix_error(error, "counting open rejects: ");
        return FALSE;
    }
    cutover->result->n_rejects = g_ascii_strtoull(PQgetvalue(count, 0, 0), NULL, 10);
    return TRUE;
}

static gboolean check_rejects(RpCutover *cutover, GError **error) {
    const RpCutoverResult *result = cutover->result;
    if (!rp_cutover_count_rejects(cutover, error))
        return FALSE;
    if (result->n_rejects + result->n_parked > cutover->options->n_allowed)
        rp_cutover_refuse(
            cutover,
            "%" NUMBER " rejects are open and %" NUMBER " keys wait for other rows, more than "
            "the %" NUMBER
            " that are tolerated (--allow): redis2pg rejects list --open, and the table redis2pg.parked",
            result->n_rejects, result->n_parked, cutover->options->n_allowed);
    return TRUE;
}

/* ---- constraints ---- */

static char *show_tables(const RpMapping *mapping) {
    g_autoptr(GString) array = g_string_new("{");
    for (guint i = 0; i < mapping->entities->len; i++)
        g_string_append_printf(array, "%s%u", i > 0 ? "," : "",
                               ((const RpEntity *)g_ptr_array_index(mapping->entities, i))->table->oid);
    g_string_append_c(array, '}');
    return g_string_free(g_steal_pointer(&array), FALSE);
}

/* An index that is not valid, or not unique yet, holds nothing; a foreign key is as good as its triggers. */
static gboolean check_constraints(RpCutover *cutover, GError **error) {
    g_autofree char *tables = show_tables(cutover->options->load->mapping);
    const char *const parameters[] = {tables};
    g_autoptr(PGresult) off = rp_postgres_query(
        cutover->postgres,
        "SELECT c.conname, c.conrelid::regclass, 'is not validated' FROM pg_constraint c"
        " WHERE c.conrelid = ANY ($1::oid[]) AND NOT c.convalidated"
        " UNION SELECT c.conname, t.tgrelid::regclass, 'has a disabled trigger' FROM pg_constraint c"
        " JOIN pg_trigger t ON t.tgconstraint = c.oid WHERE c.conrelid = ANY ($1::oid[])"
        " AND t.tgenabled NOT IN ('O', 'A')"
        " UNION SELECT i.indexrelid::regclass::text, i.indrelid::regclass, 'is a unique index that is not "
        "valid'"
        " FROM pg_index i WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND NOT i.indisvalid"
        " ORDER BY 2, 1",
        1, parameters, error);
    if (off == NULL) {
        g_prefix_error(error, "looking at the constraints: ");
        return FALSE;
    }
    for (int i = 0; i < PQntuples(off); i++)
        rp_cutover_refuse(cutover, "%s of %s %s: PostgreSQL would not hold to it after the cutover",
                          PQgetvalue(off, i, 0), PQgetvalue(off, i, 1), PQgetvalue(off, i, 2));
    return TRUE;
}

/* ---- Redis ---- */

/* CLIENT PAUSE knows WRITE since 6.2; before that it would stop the sync's reads too. */
static gboolean knows_write_pause(const char *version) {
    char *end;
    const guint64 major = g_ascii_strtoull(version, &end, 10);
    const guint64 minor = *end == '.' ? g_ascii_strtoull(end + 1, NULL, 10) : 0;
    return major > 6 || (major == 6 && minor >= 2);
}

static gboolean check_redis(RpCutover *cutover, GError **error) {
    RpCutoverResult *result = cutover->result;
    g_autoptr(GHashTable) info = rp_redis_info_read(cutover->redis, error);
    if (info == NULL)
        return FALSE;
    result->redis_version = g_strdup(rp_redis_info_text(info, "redis_version"));
    result->source_run_id = g_strdup(rp_redis_info_text(info, "run_id"));
    if (!cutover->options->pauses_writes)
        return TRUE;
    if (!knows_write_pause(result->redis_version))
        rp_cutover_refuse(cutover,
                          "--pause-writes needs Redis 6.2 or later, and this is %s: before it CLIENT PAUSE "
                          "stops reading too. Stop the writers yourself (--yes), or by --hook",
                          result->redis_version);
    if (strcmp(rp_redis_info_text(info, "role"), "slave") == 0)
        rp_cutover_refuse(cutover, "--pause-writes: this Redis is a replica, and its writers write to its "
                                   "master: give the master's address");
    return TRUE;
}

gboolean rp_cutover_preflight(RpCutover *cutover, GError **error) {
    return check_redis(cutover, error) && check_sync(cutover, error) && check_rejects(cutover, error) &&
           check_constraints(cutover, error);
}
