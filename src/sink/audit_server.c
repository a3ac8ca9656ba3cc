/* Looking at PostgreSQL as a whole: settings, connections, the database, the ledger's schema. */
#include "sink/audit_topics.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE         "PostgreSQL"
#define LEDGER_SCHEMA "redis2pg"

/* Where the scripts of the ledger are built in. */
#define LEDGER_RESOURCE "/org/redis2pg/ledger"

/* ---- settings ---- */

typedef struct {
    const char *name;
    RpSeverity severity;
    const char *code;
    gboolean (*is_bad)(const char *value);
    const char *text; /* after name and value */
    const char *remedy;
} Setting;

static gboolean is_on(const char *value) {
    return strcmp(value, "on") == 0;
}

static gboolean is_off(const char *value) {
    return strcmp(value, "off") == 0;
}

static gboolean is_not_utf8(const char *value) {
    return strcmp(value, "UTF8") != 0;
}

/* The unit of max_wal_size is 1 MB; 1024 is the default. */
static gboolean is_under_a_gigabyte(const char *value) {
    return strtoll(value, NULL, 10) < 1024;
}

/* In ms; 0: no limit. */
static gboolean is_short(const char *value) {
    const gint64 limit_ms = strtoll(value, NULL, 10);
    return limit_ms > 0 && limit_ms < 10000;
}

/* The sessions of redis2pg switch statement_timeout and the idle time-outs off (sink/connection.c): they are
 * not looked at. */
static const Setting SETTINGS[] = {
    {"transaction_read_only", RP_SEVERITY_ERROR, "postgres_read_only", is_on,
     "nothing can be written (a standby, or default_transaction_read_only)",
     "connect to the primary, or ALTER ROLE ... SET default_transaction_read_only = off"},
    {"server_encoding", RP_SEVERITY_WARNING, "postgres_encoding", is_not_utf8,
     "text that this encoding does not have is refused",
     "load a database that was created with ENCODING 'UTF8'"},
    {"lock_timeout", RP_SEVERITY_WARNING, "timeout_short", is_short,
     "ms: a batch that waits longer for a row that somebody else holds fails and is written again, ten times "
     "at "
     "the most",
     "ALTER ROLE ... SET lock_timeout = 0"},
    {"transaction_timeout", RP_SEVERITY_WARNING, "timeout_short", is_short,
     "ms: a batch that takes longer than that ends the run", "ALTER ROLE ... SET transaction_timeout = 0"},
    {"autovacuum", RP_SEVERITY_NOTE, "autovacuum_off", is_off,
     "nothing gathers statistics of the loaded tables by itself", "ANALYZE the tables after the run"},
    {"max_wal_size", RP_SEVERITY_NOTE, "wal_small", is_under_a_gigabyte,
     "MB: a load makes PostgreSQL write checkpoints often, which slows it",
     "ALTER SYSTEM SET max_wal_size = '4GB', and pg_reload_conf()"},
};

gboolean rp_look_at_settings(RpPostgresLook *look, GError **error) {
    g_autoptr(PGresult) result = rp_look_query(look, "SELECT name, setting FROM pg_settings", NULL, error);
    if (result == NULL)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(SETTINGS); i++)
        for (int row = 0; row < PQntuples(result); row++) {
            const char *value = PQgetvalue(result, row, 1);
            if (strcmp(PQgetvalue(result, row, 0), SETTINGS[i].name) == 0 && SETTINGS[i].is_bad(value))
                rp_findings_add(look->findings, SETTINGS[i].severity, SETTINGS[i].code, PLACE,
                                SETTINGS[i].remedy, "%s is %s: %s", SETTINGS[i].name, value,
                                SETTINGS[i].text);
        }
    return TRUE;
}

/* ---- connections ---- */

/* What the server, the database and the role leave, this connection counted as free: it ends with the check.
 * Superusers are bound by the first alone, and may use what is reserved. pg_stat_database counts connections
 * that this role must not see in pg_stat_activity. */
static const char CONNECTIONS_SQL[] =
    "SELECT 1 + least(current_setting('max_connections')::bigint - CASE WHEN r.rolsuper THEN 0 ELSE"
    "    current_setting('superuser_reserved_connections')::bigint END"
    "    - (SELECT sum(numbackends) FROM pg_stat_database),"
    "  CASE WHEN d.datconnlimit >= 0 AND NOT r.rolsuper THEN d.datconnlimit -"
    "    (SELECT numbackends FROM pg_stat_database s WHERE s.datid = d.oid) END,"
    "  CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper THEN r.rolconnlimit -"
    "    (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid) END) "
    "FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()";

gboolean rp_look_at_connections(RpPostgresLook *look, GError **error) {
    g_autoptr(PGresult) result = rp_look_query(look, CONNECTIONS_SQL, NULL, error);
    if (result == NULL)
        return FALSE;
    const gint64 n_left = PQntuples(result) == 1 ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : G_MAXINT64;
    if (n_left < (gint64)look->n_connections)
        rp_findings_add(
            look->findings, RP_SEVERITY_WARNING, "connections_few", PLACE,
            "raise max_connections or the CONNECTION LIMIT of the database or the role, end other "
            "sessions, or give run fewer --writers",
            "%" G_GINT64_FORMAT " connections are left for role %s, and a run opens %u", MAX(n_left, 0),
            look->role, look->n_connections);
    return TRUE;
}

/* ---- the database and the ledger ---- */

static const char DATABASE_SQL[] =
    "SELECT current_database(), has_database_privilege(current_database(), 'TEMPORARY'),"
    " has_database_privilege(current_database(), 'CREATE'),"
    " EXISTS (SELECT FROM pg_namespace WHERE nspname = '" LEDGER_SCHEMA "')";

gboolean rp_look_at_database(RpPostgresLook *look, GError **error) {
    g_autoptr(PGresult) result = rp_look_query(look, DATABASE_SQL, NULL, error);
    if (result == NULL)
        return FALSE;
    g_autofree char *name = rp_postgres_identifier(look->connection, PQgetvalue(result, 0, 0));
    g_autofree char *object = g_strconcat("DATABASE ", name, NULL);
    if (!rp_postgres_is_true(result, 0, 1))
        rp_look_add_grant(look, RP_SEVERITY_ERROR, PLACE, "TEMPORARY", object,
                          "batches are staged in temporary tables");
    if (!rp_postgres_is_true(result, 0, 2) && !rp_postgres_is_true(result, 0, 3))
        rp_look_add_grant(look, RP_SEVERITY_ERROR, PLACE, "CREATE", object,
                          "the first run creates its ledger, the schema " LEDGER_SCHEMA);
    return TRUE;
}

/* What runs, resumed ones and rollbacks do to the ledger's tables; a schema without any is filled first. */
static const char LEDGER_SQL[] =
    "SELECT 'SCHEMA', n.nspname, NULL, p FROM pg_namespace n, unnest(ARRAY['USAGE'] || CASE WHEN EXISTS"
    "  (SELECT FROM pg_class c WHERE c.relnamespace = n.oid) THEN '{}'::text[] ELSE '{CREATE}' END) p"
    " WHERE n.nspname = '" LEDGER_SCHEMA "' AND NOT has_schema_privilege(n.oid, p) "
    "UNION ALL "
    "SELECT 'TABLE', n.nspname, c.relname, string_agg(p, ', ' ORDER BY p) FROM pg_namespace n JOIN pg_class "
    "c ON"
    "  c.relnamespace = n.oid AND c.relkind = 'r' CROSS JOIN unnest(CASE c.relname"
    "    WHEN 'runs' THEN ARRAY['SELECT', 'INSERT', 'UPDATE']"
    "    WHEN 'batches' THEN ARRAY['SELECT', 'INSERT', 'UPDATE']"
    "    WHEN 'batch_counts' THEN ARRAY['SELECT', 'INSERT', 'UPDATE']"
    "    WHEN 'rejects' THEN ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']"
    "    WHEN 'kept' THEN ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']"
    "    WHEN 'undo' THEN ARRAY['SELECT', 'INSERT', 'UPDATE']"
    "    WHEN 'parked' THEN ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']"
    "    WHEN 'lifetimes' THEN ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']"
    "    WHEN 'holders' THEN ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']"
    "    WHEN 'claims' THEN ARRAY['SELECT', 'INSERT', 'DELETE', 'TRUNCATE']"
    "    WHEN 'schema_migrations' THEN ARRAY['SELECT'] ELSE ARRAY['SELECT', 'INSERT'] END) p"
    " WHERE n.nspname = '" LEDGER_SCHEMA
    "' AND NOT has_table_privilege(c.oid, p) GROUP BY 2, 3 ORDER BY 1, 3";

/* Who owns tables of the ledger that this role does not own, and whether the list of versions may be read. */
static const char OWNERS_SQL[] =
    "SELECT string_agg(DISTINCT quote_ident(pg_get_userbyid(c.relowner)), ', ')"
    "  FILTER (WHERE NOT pg_has_role(c.relowner, 'USAGE')),"
    " coalesce(bool_or(c.relname = 'schema_migrations' AND has_schema_privilege(n.oid, 'USAGE')"
    "  AND has_table_privilege(c.oid, 'SELECT')), false)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = '" LEDGER_SCHEMA "' AND c.relkind = 'r'";

static const char MISSING_VERSIONS_SQL[] =
    "SELECT count(*) FROM unnest($1::text[]) v WHERE v NOT IN (SELECT version FROM " LEDGER_SCHEMA
    ".schema_migrations)";

/* The versions of the ledger that are built in, as an array of PostgreSQL: "{1,2}". Their files are named
 * like V001__ledger.sql. */
static char *list_built_in_versions(void) {
    g_autoptr(GString) list = g_string_new("{");
    g_auto(GStrv) names = g_resources_enumerate_children(LEDGER_RESOURCE, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    for (char **name = names; name != NULL && *name != NULL; name++)
        if ((*name)[0] == 'V')
            g_string_append_printf(list, "%s%" G_GUINT64_FORMAT, list->len > 1 ? "," : "",
                                   g_ascii_strtoull(*name + 1, NULL, 10));
    g_string_append_c(list, '}');
    return g_strdup(list->str);
}

/* A run brings the ledger up to date, which only its owner may do. */
static gboolean look_at_ledger_version(RpPostgresLook *look, GError **error) {
    g_autoptr(PGresult) owners = rp_look_query(look, OWNERS_SQL, NULL, error);
    if (owners == NULL)
        return FALSE;
    if (PQgetisnull(owners, 0, 0) || !rp_postgres_is_true(owners, 0, 1))
        return TRUE;
    g_autofree char *versions = list_built_in_versions();
    g_autoptr(PGresult) missing = rp_look_query(look, MISSING_VERSIONS_SQL, versions, error);
    if (missing == NULL)
        return FALSE;
    if (strcmp(PQgetvalue(missing, 0, 0), "0") == 0)
        return TRUE;
    g_autofree char *remedy = g_strdup_printf("run redis2pg once as role %s", PQgetvalue(owners, 0, 0));
    rp_findings_add(look->findings, RP_SEVERITY_ERROR, "ledger_not_current", PLACE, remedy,
                    "the ledger, schema " LEDGER_SCHEMA
                    ", is of an older redis2pg: a run brings it up to date, "
                    "but role %s does not own it",
                    look->role);
    return TRUE;
}

gboolean rp_look_at_ledger(RpPostgresLook *look, GError **error) {
    g_autoptr(PGresult) result = rp_look_query(look, LEDGER_SQL, NULL, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *schema = PQgetvalue(result, row, 1);
        g_autofree char *name =
            PQgetisnull(result, row, 2)
                ? rp_postgres_identifier(look->connection, schema)
                : rp_postgres_qualified(look->connection, schema, PQgetvalue(result, row, 2));
        g_autofree char *object = g_strdup_printf("%s %s", PQgetvalue(result, row, 0), name);
        rp_look_add_grant(look, RP_SEVERITY_ERROR, PLACE, PQgetvalue(result, row, 3), object,
                          "a run keeps its account there");
    }
    return look_at_ledger_version(look, error);
}
