/* Looking at the target tables: what else happens to rows that are written there. */
#include "sink/audit_topics.h"

/* ---- what a query finds, by name ---- */

typedef struct {
    RpSeverity severity;
    const char *code;
    const char *sql;  /* $1 is the table; each row names what was found */
    const char *text; /* before the names */
    const char *remedy;
} Topic;

static const Topic TOPICS[] = {
    /* tgtype: 4 is INSERT, 16 is UPDATE (pg_trigger.h); disabled and replica-only triggers do not fire. */
    {RP_SEVERITY_NOTE, "table_has_triggers",
     "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal AND tgenabled IN ('O', 'A')"
     " AND tgtype & 20 <> 0 ORDER BY 1",
     "triggers fire for the rows that are written, and may change or refuse them: ", NULL},
    {RP_SEVERITY_WARNING, "table_has_rules",
     "SELECT rulename FROM pg_rewrite WHERE ev_class = $1::oid AND ev_type IN ('2', '3') AND ev_enabled IN "
     "('O', "
     "'A') ORDER BY 1",
     "PostgreSQL refuses INSERT ... ON CONFLICT on a table with most rules for INSERT or UPDATE, and others "
     "drop "
     "rows: ",
     "ALTER TABLE ... DISABLE RULE for the time of the migration"},
    {RP_SEVERITY_WARNING, "row_security", "SELECT current_user WHERE row_security_active($1::oid)",
     "policies of the table hold for this role: rows that it may not see count as absent, and rows that it "
     "may "
     "not write are rejected. The role: ",
     "load as a role with BYPASSRLS, or as the owner of the table"},
    {RP_SEVERITY_WARNING, "table_unlogged",
     "SELECT relname FROM pg_class WHERE oid = $1::oid AND relpersistence = 'u'",
     "an unlogged table is empty after a crash of PostgreSQL, while the ledger says that its rows are "
     "written: ",
     "ALTER TABLE ... SET LOGGED"},
    {RP_SEVERITY_NOTE, "table_partitioned",
     "SELECT c.relname FROM pg_class c WHERE c.oid = $1::oid AND c.relkind = 'p'",
     "rows go to its partitions, and one that fits none is rejected: ", NULL},
    {RP_SEVERITY_NOTE, "table_inherits",
     "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = CASE i.inhrelid WHEN $1::oid THEN "
     "i.inhparent "
     "ELSE i.inhrelid END WHERE $1::oid IN (i.inhrelid, i.inhparent) AND NOT EXISTS (SELECT FROM pg_class p "
     "WHERE"
     " p.oid = i.inhparent AND p.relkind = 'p' AND p.oid = $1::oid) ORDER BY 1",
     "the table inherits, is inherited from, or is a partition; unique constraints do not reach over these: ",
     NULL},
    {RP_SEVERITY_NOTE, "foreign_key_not_valid",
     "SELECT conname FROM pg_constraint WHERE conrelid = $1::oid AND contype = 'f' AND NOT convalidated "
     "ORDER BY 1",
     "foreign keys are NOT VALID: new rows are held to them, rows that stand there may break them: ",
     "ALTER TABLE ... VALIDATE CONSTRAINT"},
    {RP_SEVERITY_NOTE, "autovacuum_off",
     "SELECT c.relname FROM pg_class c, unnest(c.reloptions) o WHERE c.oid = $1::oid"
     " AND o IN ('autovacuum_enabled=false', 'autovacuum_enabled=off', 'autovacuum_enabled=no', "
     "'autovacuum_enabled=0')",
     "nothing gathers statistics of the table by itself: ", "ANALYZE it after the run"},
};

static gboolean look_at_topic(RpPostgresLook *look, const RpTable *table, const Topic *topic,
                              GError **error) {
    g_autofree char *oid = g_strdup_printf("%u", table->oid);
    g_autoptr(PGresult) result = rp_look_query(look, topic->sql, oid, error);
    if (result == NULL)
        return FALSE;
    g_autoptr(GString) names = g_string_new(NULL);
    for (int row = 0; row < PQntuples(result); row++)
        g_string_append_printf(names, "%s%s", row > 0 ? ", " : "", PQgetvalue(result, row, 0));
    if (names->len > 0)
        rp_findings_add(look->findings, topic->severity, topic->code, table->shown, topic->remedy, "%s%s",
                        topic->text, names->str);
    return TRUE;
}

gboolean rp_look_at_table(RpPostgresLook *look, const RpEntity *entity, GError **error) {
    for (guint i = 0; i < G_N_ELEMENTS(TOPICS); i++)
        if (!look_at_topic(look, entity->table, &TOPICS[i], error))
            return FALSE;
    return TRUE;
}

/* ---- sequences ---- */

/* Behind an identity column the sequence depends on the column; behind a default the default depends on the
 * sequence (documentation, pg_depend). An identity needs no privilege on its sequence. */
static const char SEQUENCES_SQL[] =
    "SELECT a.attname, n.nspname, s.relname, u.is_identity OR has_sequence_privilege(s.oid, 'USAGE')"
    "  OR has_sequence_privilege(s.oid, 'UPDATE') FROM ("
    "  SELECT d.refobjsubid AS attnum, d.objid AS sequence, true AS is_identity FROM pg_depend d"
    "   WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
    "   AND d.refobjid = $1::oid AND d.deptype = 'i' AND d.refobjsubid > 0"
    "  UNION SELECT f.adnum, d.refobjid, false FROM pg_attrdef f JOIN pg_depend d"
    "   ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass"
    "   WHERE f.adrelid = $1::oid) u "
    "JOIN pg_class s ON s.oid = u.sequence AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attnum = u.attnum ORDER BY a.attnum, 2, 3";

/* Whether values by default come after those that stand in the column. No, where it is empty or may not be
 * read: what the run writes counts then. */
static gboolean is_ahead(RpPostgresLook *look, const RpTable *table, const char *column,
                         const char *sequence) {
    g_autofree char *sql =
        g_strdup_printf("SELECT (SELECT max(%s) FROM %s) <= last_value - (NOT is_called)::integer FROM %s",
                        column, table->quoted, sequence);
    g_autoptr(PGresult) result = rp_look_query(look, sql, NULL, NULL);
    return result != NULL && PQntuples(result) == 1 && rp_postgres_is_true(result, 0, 0);
}

static void judge_mapped_sequence(RpPostgresLook *look, const RpTable *table, const char *column,
                                  const char *sequence) {
    g_autofree char *quoted = rp_postgres_identifier(look->connection, column);
    if (is_ahead(look, table, quoted, sequence))
        return;
    g_autofree char *literal = rp_postgres_literal(look->connection, sequence);
    g_autofree char *remedy = g_strdup_printf(
        "after the run: SELECT setval(%s, greatest((SELECT max(%s) FROM %s), last_value)) FROM %s", literal,
        quoted, table->quoted, sequence);
    rp_findings_add(look->findings, RP_SEVERITY_WARNING, "sequence_behind", table->shown, remedy,
                    "column \"%s\" is mapped and has a default from sequence %s, which written values do not "
                    "move on: the next value by default can exist already",
                    column, sequence);
}

static void judge_sequence(RpPostgresLook *look, const RpEntity *entity, const PGresult *result, int row) {
    const RpTable *table = entity->table;
    const char *column = PQgetvalue(result, row, 0);
    g_autofree char *sequence =
        rp_postgres_qualified(look->connection, PQgetvalue(result, row, 1), PQgetvalue(result, row, 2));
    if (rp_entity_find_column(entity, column) != NULL) {
        judge_mapped_sequence(look, table, column, sequence);
    } else if (!rp_postgres_is_true(result, row, 3)) {
        g_autofree char *object = g_strconcat("SEQUENCE ", sequence, NULL);
        rp_look_add_grant(look, RP_SEVERITY_ERROR, table->shown, "USAGE", object,
                          "a column that is not mapped takes its default from it");
    }
}

gboolean rp_look_at_sequences(RpPostgresLook *look, const RpEntity *entity, GError **error) {
    g_autofree char *oid = g_strdup_printf("%u", entity->table->oid);
    g_autoptr(PGresult) result = rp_look_query(look, SEQUENCES_SQL, oid, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++)
        judge_sequence(look, entity, result, row);
    return TRUE;
}
