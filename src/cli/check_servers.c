/* Looking at both servers for `check`: what the mapping needs, asked of each. */
#include "cli/check_servers.h"

#include "ledger/set_aside.h"
#include "sink/audit.h"
#include "source/audit.h"

#define REACH_SECONDS 10

/* Of a run with as many writers as it has by default: theirs, the supervisor's and that of the preparation.
 */
#define RUN_CONNECTIONS (2 + 2)

static void note_postgres(PGconn *connection, RpFindings *findings) {
    g_autofree char *place = rp_postgres_place(connection);
    const int version = PQserverVersion(connection);
    rp_findings_add(findings, RP_SEVERITY_NOTE, "postgres_reachable", "PostgreSQL", NULL,
                    "version %d.%d at %s", version / 10000, version % 10000, place);
    if (version < 130000)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "postgres_too_old", "PostgreSQL",
                        "use PostgreSQL 13 or later", "version %d.%d has no xid8 type, on which undo rests",
                        version / 10000, version % 10000);
}

static void clear_need(gpointer data) {
    RpRedisNeed *need = data;
    g_free((char *)need->match);
}

/* What a run reads; empty without a mapping. The caller unrefs it. */
static GArray *list_needs(const RpMapping *mapping) {
    GArray *needs = g_array_new(FALSE, FALSE, sizeof(RpRedisNeed));
    g_array_set_clear_func(needs, clear_need);
    for (guint i = 0; mapping != NULL && i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        const RpRedisNeed need = {entity->scope.type, rp_pattern_scan_match(entity->keys),
                                  entity->scope.has_ttl, entity->scope.has_expiry};
        g_array_append_val(needs, need);
    }
    return needs;
}

/* A run would refuse. */
static gboolean note_set_aside(PGconn *connection, RpFindings *findings, GError **error) {
    guint64 run;
    guint n_definitions;
    if (!rp_set_aside_find(connection, &run, &n_definitions, error))
        return FALSE;
    if (run == 0)
        return TRUE;
    g_autofree char *remedy = g_strdup_printf(
        "redis2pg run --resume, or redis2pg rollback %" G_GUINT64_FORMAT ": both put them back", run);
    rp_findings_add(findings, RP_SEVERITY_ERROR, "keys_set_aside", "PostgreSQL", remedy,
                    "bulk run %" G_GUINT64_FORMAT
                    " has set %u keys and indexes of its tables aside and has not "
                    "put them back: it is at work, or was interrupted",
                    run, n_definitions);
    return TRUE;
}

gboolean rp_check_servers(PGconn *postgres, const RpRedisAddress *address, const RpMapping *mapping,
                          RpFindings *findings, GError **error) {
    guint64 data_bytes = 0;
    note_postgres(postgres, findings);
    if (!rp_postgres_audit(postgres, mapping, RUN_CONNECTIONS, findings, error) ||
        !note_set_aside(postgres, findings, error))
        return FALSE;
    g_autoptr(GArray) needs = list_needs(mapping);
    g_autoptr(redisContext) redis = rp_redis_connect(address, REACH_SECONDS, error);
    return redis != NULL &&
           rp_redis_audit(redis, address, (const RpRedisNeed *)(void *)needs->data, needs->len, &data_bytes,
                          findings, error) &&
           rp_postgres_audit_room(postgres, data_bytes, findings, error);
}
