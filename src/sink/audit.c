/* The order of the topics, and what they share. */
#include "sink/audit_topics.h"

PGresult *rp_look_query(RpPostgresLook *look, const char *sql, const char *parameter, GError **error) {
    return rp_postgres_query(look->connection, sql, parameter != NULL ? 1 : 0, &parameter, error);
}

void rp_look_add_grant(RpPostgresLook *look, RpSeverity severity, const char *place, const char *what,
                       const char *object, const char *why) {
    char *grant = g_strdup_printf("GRANT %s ON %s TO %s", what, object, look->role);
    if (g_hash_table_add(look->grants, grant))
        rp_findings_add(look->findings, severity, "missing_privilege", place, grant,
                        "role %s lacks %s on %s: %s", look->role, what, object, why);
}

/* A role with few rights still gets the rest of the list. */
static gboolean forgive(RpPostgresLook *look, gboolean is_done, GError **why, GError **error) {
    if (is_done)
        return TRUE;
    if (g_strcmp0(rp_sink_error_get_sqlstate(*why), RP_NO_PRIVILEGE) != 0) {
        g_propagate_error(error, g_steal_pointer(why));
        return FALSE;
    }
    rp_findings_add(look->findings, RP_SEVERITY_NOTE, "check_incomplete", "PostgreSQL", NULL,
                    "role %s may not look at everything: %s", look->role, rp_sink_error_get_primary(*why));
    g_clear_error(why);
    return TRUE;
}

static gboolean look_at_server(RpPostgresLook *look, GError **error) {
    static gboolean (*const TOPICS[])(RpPostgresLook *, GError **) = {
        rp_look_at_settings, rp_look_at_connections, rp_look_at_database, rp_look_at_ledger};
    for (guint i = 0; i < G_N_ELEMENTS(TOPICS); i++) {
        g_autoptr(GError) why = NULL;
        const gboolean is_done = TOPICS[i](look, &why);
        if (!forgive(look, is_done, &why, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean look_at_entity(RpPostgresLook *look, const RpEntity *entity, GError **error) {
    static gboolean (*const TOPICS[])(RpPostgresLook *, const RpEntity *, GError **) = {
        rp_look_at_privileges, rp_look_at_parents, rp_look_at_lookups, rp_look_at_sequences,
        rp_look_at_table};
    static gboolean (*const HIDDEN[])(RpPostgresLook *, const RpEntity *, GError **) = {rp_look_for_hidden,
                                                                                        rp_look_at_lookups};
    const gboolean is_there = entity->table != NULL;
    for (guint i = 0; i < (is_there ? G_N_ELEMENTS(TOPICS) : G_N_ELEMENTS(HIDDEN)); i++) {
        g_autoptr(GError) why = NULL;
        const gboolean is_done = (is_there ? TOPICS : HIDDEN)[i](look, entity, &why);
        if (!forgive(look, is_done, &why, error))
            return FALSE;
    }
    return TRUE;
}

static char *read_role(PGconn *connection, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(connection, "SELECT current_user", 0, NULL, error);
    return result != NULL ? rp_postgres_identifier(connection, PQgetvalue(result, 0, 0)) : NULL;
}

gboolean rp_postgres_audit(PGconn *connection, const RpMapping *mapping, guint n_connections,
                           RpFindings *findings, GError **error) {
    g_autofree char *role = read_role(connection, error);
    g_autoptr(GHashTable) grants = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    RpPostgresLook look = {connection, findings, role, grants, n_connections};
    if (role == NULL || !look_at_server(&look, error))
        return FALSE;
    for (guint i = 0; mapping != NULL && i < mapping->entities->len; i++)
        if (!look_at_entity(&look, g_ptr_array_index(mapping->entities, i), error))
            return FALSE;
    return TRUE;
}
