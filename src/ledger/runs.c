/* Opening and closing runs. */
#include "ledger/runs.h"

#include "base/error.h"
#include "base/log.h"
#include "sink/unit.h"

#include <jansson.h>
#include <unistd.h>

/* A JSON array; the caller frees it. */
static char *show_names(char **names) {
    g_autoptr(GString) text = g_string_new("[");
    for (; *names != NULL; names++) {
        json_t *name = json_string(*names);
        char *quoted = json_dumps(name, JSON_ENCODE_ANY);
        g_string_append_printf(text, "%s%s", text->len > 1 ? ", " : "", quoted);
        free(quoted);
        json_decref(name);
    }
    g_string_append_c(text, ']');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Columns of the key whose values no report may show, as show_names gives them. */
static char *show_masked(const RpEntity *entity) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (char **name = entity->key; *name != NULL; name++) {
        const RpMapColumn *column = rp_entity_find_column(entity, *name);
        if (column != NULL && rp_column_is_masked(column))
            g_ptr_array_add(names, *name);
    }
    g_ptr_array_add(names, NULL);
    return show_names((char **)names->pdata);
}

/* An SQL array of the names in a JSON array. */
#define NAMES(parameter)                                                                                     \
    "ARRAY (SELECT k.name FROM json_array_elements_text(" parameter "::json) WITH ORDINALITY k (name, n)"    \
    " ORDER BY k.n)"

static gboolean write_entities(PGconn *connection, const char *run, const RpMapping *mapping,
                               GError **error) {
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        g_autofree char *number = g_strdup_printf("%u", i);
        g_autofree char *key = show_names(entity->key);
        g_autofree char *masked = show_masked(entity);
        const char *const parameters[] = {run,
                                          number,
                                          entity->name,
                                          entity->table->shown,
                                          entity->table->schema,
                                          entity->table->name,
                                          key,
                                          masked,
                                          rp_pattern_get_text(entity->keys)};
        g_autoptr(PGresult) result = rp_postgres_query(
            connection,
            "INSERT INTO redis2pg.run_entities (run, number, entity, target, schema_name, table_name,"
            " key_columns, masked_columns, keys) VALUES ($1, $2, $3, $4, $5, $6, " NAMES("$7") ", " NAMES(
                "$8") ", $9)",
            G_N_ELEMENTS(parameters), parameters, error);
        if (result == NULL)
            return FALSE;
    }
    return TRUE;
}

gboolean rp_ledger_close_abandoned(PGconn *connection, guint64 but_for, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, but_for);
    const char *const parameters[] = {number};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection,
                          "UPDATE redis2pg.runs SET status = 'interrupted', ended_at = clock_timestamp(),"
                          " error = 'its process ended without closing the run' WHERE status = 'open' AND "
                          "run <> $1 RETURNING run, host, pid",
                          1, parameters, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++)
        rp_log(RP_LOG_WARNING,
               "run %s of process %s on host %s was left open: it is interrupted, what it committed stands",
               PQgetvalue(result, row, 0), PQgetvalue(result, row, 2), PQgetvalue(result, row, 1));
    return TRUE;
}

/* Claims are for runs that are open, or may be continued: the last one of each source and mapping. */
static const char DROP_CLAIMS_SQL[] = "DELETE FROM redis2pg.claims WHERE run NOT IN (SELECT max(run) FROM "
                                      "redis2pg.runs WHERE kind = 'run' GROUP BY source,"
                                      " mapping)";

gboolean rp_ledger_open_run(PGconn *connection, const RpRunHead *head, RpAttempt *attempt, GError **error) {
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    const char *const parameters[] = {head->kind,
                                      head->strategy,
                                      head->mapping->path,
                                      head->mapping->digest,
                                      head->source,
                                      head->source_run_id,
                                      REDIS2PG_VERSION,
                                      g_get_host_name(),
                                      pid,
                                      head->settings,
                                      head->redis_version,
                                      PQparameterStatus(connection, "server_version")};
    if (!rp_unit_begin(connection, "SET LOCAL lock_timeout = '20s'", error) ||
        !rp_ledger_close_abandoned(connection, 0, error))
        return FALSE;
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "INSERT INTO redis2pg.runs (kind, strategy, mapping, mapping_digest, source, source_run_id,"
        " tool_version, host, pid, settings, redis_version, postgres_version) VALUES ($1, $2, $3, $4, $5, "
        "$6, $7, $8, $9, $10, $11, $12) RETURNING run,"
        " (extract(epoch FROM started_at) * 1000000)::bigint",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL || !rp_postgres_run(connection, DROP_CLAIMS_SQL, error) ||
        !write_entities(connection, PQgetvalue(result, 0, 0), head->mapping, error) ||
        !rp_ledger_begin_attempt(connection, g_ascii_strtoull(PQgetvalue(result, 0, 0), NULL, 10),
                                 g_ascii_strtoll(PQgetvalue(result, 0, 1), NULL, 10), head->source_run_id,
                                 attempt, error) ||
        !rp_unit_commit(connection, error)) {
        rp_unit_abort(connection);
        g_prefix_error(error, "opening the run in the ledger: ");
        return FALSE;
    }
    return TRUE;
}

/* Of a run that is complete; one that can be continued still needs them. They may be many: mostly they are
 * all. */
static gboolean drop_claims(PGconn *connection, const char *run, GError **error) {
    g_autoptr(PGresult) others = rp_postgres_query(
        connection, "SELECT EXISTS (SELECT FROM redis2pg.claims WHERE run < $1::bigint OR run > $1::bigint)",
        1, &run, error);
    if (others == NULL)
        return FALSE;
    if (!rp_postgres_is_true(others, 0, 0))
        return rp_postgres_run(connection, "TRUNCATE redis2pg.claims", error);
    g_autoptr(PGresult) dropped =
        rp_postgres_query(connection, "DELETE FROM redis2pg.claims WHERE run = $1", 1, &run, error);
    return dropped != NULL;
}

gboolean rp_ledger_close_run(PGconn *connection, guint64 run, const char *status, const char *reason,
                             GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    const char *const parameters[] = {number, status, reason, g_get_host_name(), pid, rp_ledger_owner()};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "UPDATE redis2pg.runs SET status = $2, error = $3, ended_at = clock_timestamp()"
        " WHERE run = $1 AND host = $4 AND pid = $5::integer AND coalesce(owner = $6::uuid, true)",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        return FALSE;
    if (rp_postgres_affected(result) == 0) {
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "run %s is continued by another process, which has taken the target's lock", number);
        return FALSE;
    }
    return !g_str_has_prefix(status, "completed") || drop_claims(connection, number, error);
}
