/* The checks of a merge as SQL: what must not be written, and what keeps a row out. Each check has a verdict,
 * by whose number the statements name it. */
#include "sink/merge_sql.h"

static gboolean is_the_key(const RpEntity *entity, const RpConstraint *constraint) {
    return rp_table_find_unique(entity->table, (const char *const *)entity->key) == constraint;
}

/* ---- verdicts ---- */

/* Adds a verdict and gives its number. columns are those that the check is about. */
static guint add_verdict(RpMergeSql *generator, RpRejectCode code, const char *constraint, char **columns,
                         char *message) {
    RpVerdict verdict = {.code = code, .constraint = constraint, .message = message};
    if (columns != NULL && columns[0] != NULL && columns[1] == NULL) {
        const RpMapColumn *column = rp_entity_find_column(generator->entity, columns[0]);
        if (column != NULL) {
            verdict.column = column->name;
            verdict.is_sensitive = rp_column_is_masked(column);
        }
    }
    g_array_append_val(generator->plan->verdicts, verdict);
    return generator->plan->verdicts->len - 1;
}

guint rp_merge_add_verdict(RpMergeSql *generator, RpRejectCode code, const RpMapColumn *column,
                           char *message) {
    return add_verdict(generator, code, NULL, (char *[]){column->name, NULL}, message);
}

/* A CASE that gives the value of the column that each verdict is about. */
static void append_value_case(RpMergeSql *generator, GString *sql, guint first_verdict) {
    g_string_append(sql, "CASE s.r2p_verdict");
    for (guint i = first_verdict; i < generator->plan->verdicts->len; i++) {
        const RpVerdict *verdict = &g_array_index(generator->plan->verdicts, RpVerdict, i);
        if (verdict->column == NULL || verdict->is_sensitive)
            continue;
        g_autofree char *quoted = rp_postgres_identifier(generator->connection, verdict->column);
        g_string_append_printf(sql, " WHEN %u THEN s.%s::text", i, quoted);
    }
    g_string_append(sql, " WHEN NULL THEN NULL::text END");
}

/* ---- the judgement of staged rows: where, checks of the mapping, CHECK and foreign keys of the table ----
 */

static void append_mapping_checks(RpMergeSql *generator, GString *cases) {
    const RpEntity *entity = generator->entity;
    if (entity->where != NULL)
        g_string_append_printf(cases, " WHEN (%s\n) IS NOT TRUE THEN %d", entity->where->sql,
                               RP_VERDICT_FILTERED);
    for (guint i = 0; i < entity->checks->len; i++) {
        const RpCheck *check = g_ptr_array_index(entity->checks, i);
        const guint verdict =
            add_verdict(generator, RP_REJECT_RULE_FAILED, check->name, NULL,
                        g_strdup_printf("the mapping's check \"%s\" is false: %s", check->name, check->sql));
        g_string_append_printf(cases, " WHEN (%s\n) IS FALSE THEN %u", check->sql, verdict);
    }
}

static void append_table_checks(RpMergeSql *generator, GString *cases) {
    for (guint i = 0; i < generator->table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(generator->table->constraints, i);
        /* A check over columns that are not mapped is left to PostgreSQL: their defaults are not staged. */
        if (constraint->kind != RP_CONSTRAINT_CHECK ||
            !rp_sql_maps_all(generator->entity, constraint->columns))
            continue;
        const guint verdict =
            add_verdict(generator, RP_REJECT_CHECK_FAILED, constraint->name, constraint->columns,
                        g_strdup_printf("constraint \"%s\" of %s is false: %s", constraint->name,
                                        generator->table->shown, constraint->expression));
        g_string_append_printf(cases, " WHEN (%s) IS FALSE THEN %u", constraint->expression, verdict);
    }
}

/* A subquery with LIMIT is looked up in the parent's key for each row; EXISTS could be planned as a hash of
 * the whole parent for each batch. */
static void append_foreign_key(RpMergeSql *generator, GString *cases, const RpConstraint *constraint) {
    const char *const *columns = (const char *const *)constraint->columns;
    const guint verdict = add_verdict(
        generator, RP_REJECT_MISSING_REFERENCE, constraint->name, constraint->columns,
        g_strdup_printf("%s refers to no row of %s", constraint->columns[0], constraint->referenced_table));
    g_autofree char *not_null = rp_sql_join(generator, columns, " AND ", rp_sql_staged_not_null);
    g_string_append_printf(cases, " WHEN %s AND (SELECT true FROM %s p WHERE ", not_null,
                           constraint->referenced_table);
    for (guint i = 0; constraint->columns[i] != NULL; i++) {
        g_autofree char *local = rp_postgres_identifier(generator->connection, constraint->columns[i]);
        g_autofree char *remote =
            rp_postgres_identifier(generator->connection, constraint->referenced_columns[i]);
        g_string_append_printf(cases, "%sp.%s = s.%s", i > 0 ? " AND " : "", remote, local);
    }
    g_string_append_printf(cases, " LIMIT 1) IS NULL THEN %u", verdict);
}

static void append_foreign_keys(RpMergeSql *generator, GString *cases) {
    for (guint i = 0; i < generator->table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(generator->table->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_FOREIGN &&
            rp_sql_maps_all(generator->entity, constraint->columns))
            append_foreign_key(generator, cases, constraint);
    }
}

/* A statement that gives ordinal, verdict and value of the staged rows that some WHEN of cases fits; NULL
 * when there is none. */
static char *select_verdicts(RpMergeSql *generator, const GString *cases) {
    if (cases->len == 0)
        return NULL;
    GString *sql = g_string_new("SELECT s." RP_SQL_ORDINAL ", s.r2p_verdict, ");
    append_value_case(generator, sql, 0);
    g_string_append_printf(
        sql,
        " FROM (SELECT s.*, CASE%s END AS r2p_verdict FROM %s s) s WHERE s.r2p_verdict IS NOT NULL"
        " ORDER BY s." RP_SQL_ORDINAL,
        cases->str, generator->plan->stage);
    return g_string_free(sql, FALSE);
}

void rp_merge_make_judgements(RpMergeSql *generator) {
    g_autoptr(GString) cases = g_string_new(NULL);
    append_mapping_checks(generator, cases);
    generator->plan->judge_mapping_sql = select_verdicts(generator, cases);
    append_table_checks(generator, cases);
    generator->plan->judge_rows_sql = select_verdicts(generator, cases);
    append_foreign_keys(generator, cases);
    generator->plan->judge_all_sql = select_verdicts(generator, cases);
}

/* ---- collisions: rows that INSERT … ON CONFLICT DO NOTHING passed over ---- */

static void append_unique(RpMergeSql *generator, GString *numbers, GString *cases,
                          const RpConstraint *constraint, guint position) {
    const char *const *columns = (const char *const *)constraint->columns;
    const char *const *key = (const char *const *)generator->entity->key;
    g_autofree char *names = rp_sql_join(generator, columns, ", ", rp_sql_name);
    g_autofree char *not_null = rp_sql_join(generator, columns, " AND ", rp_sql_staged_not_null);
    g_autofree char *equal = rp_sql_join(generator, columns, " AND ", rp_sql_other_equal);
    g_autofree char *other_key = rp_sql_join(generator, key, " OR ", rp_sql_other_distinct);
    const guint verdict =
        add_verdict(generator, RP_REJECT_DUPLICATE_KEY, constraint->name, constraint->columns,
                    g_strdup_printf("another row of %s has the same %s", generator->table->shown, names));
    g_string_append_printf(
        numbers, ", row_number() OVER (PARTITION BY %s ORDER BY " RP_SQL_ORDINAL ") AS r2p_number_%u", names,
        position);
    g_string_append_printf(
        cases,
        " WHEN %s AND (s.r2p_number_%u > 1 OR (SELECT true FROM %s u WHERE %s AND (%s) LIMIT 1)) THEN %u",
        not_null, position, generator->table->quoted, equal, other_key, verdict);
}

/* The verdict on two source keys that claim one identity; shared by the look at duplicates in a batch. */
static guint add_identity_verdict(RpMergeSql *generator) {
    const RpConstraint *constraint =
        rp_table_find_unique(generator->table, (const char *const *)generator->entity->key);
    g_autofree char *key = g_strjoinv(", ", generator->entity->key);
    return add_verdict(
        generator, RP_REJECT_DUPLICATE_KEY, constraint->name, generator->entity->key,
        g_strdup_printf("another Redis key, or element of one, gave a row with the same %s", key));
}

/* The identity stands in the target, and this run has already met it: another key wrote it or claimed it. */
static void append_claimed(RpMergeSql *generator, GString *cases, const char *first_key, guint verdict) {
    if (generator->ledger->holders != NULL) {
        g_autofree char *held = rp_sql_held_by_other(generator);
        g_string_append_printf(cases, " WHEN t.%s IS NOT NULL AND %s THEN %u", first_key, held, verdict);
        return;
    }
    g_autofree char *others = rp_sql_claimed_by_other(generator);
    g_string_append_printf(cases, " WHEN t.%s IS NOT NULL AND (%s OR %s) THEN %u", first_key,
                           generator->ledger->written_by_run, others, verdict);
}

char *rp_merge_make_collisions(RpMergeSql *generator, const char *equal_key, const char *distinct) {
    g_autoptr(GString) numbers = g_string_new(NULL);
    g_autoptr(GString) cases = g_string_new(NULL);
    g_autofree char *first_key = rp_postgres_identifier(generator->connection, generator->entity->key[0]);
    const guint identity_verdict = add_identity_verdict(generator);
    if (!generator->entity->has_key_identity)
        append_claimed(generator, cases, first_key, identity_verdict);
    for (guint i = 0; i < generator->table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(generator->table->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_UNIQUE && !is_the_key(generator->entity, constraint) &&
            rp_sql_maps_all(generator->entity, constraint->columns))
            append_unique(generator, numbers, cases, constraint, i);
    }
    g_string_append_printf(cases, " WHEN t.%s IS NULL THEN %d", first_key, RP_VERDICT_UNKNOWN);
    GString *sql = g_string_new("SELECT s." RP_SQL_ORDINAL ", s.r2p_verdict, ");
    append_value_case(generator, sql, identity_verdict);
    g_string_append_printf(
        sql,
        " FROM (SELECT s.*, CASE%s END AS r2p_verdict"
        " FROM (SELECT *%s FROM %s) s LEFT JOIN %s t ON %s WHERE t.%s IS NULL OR %s) s"
        " WHERE s.r2p_verdict IS NOT NULL AND $1::bigint IS NOT NULL ORDER BY s." RP_SQL_ORDINAL,
        cases->str, numbers->str, generator->plan->stage, generator->table->quoted, equal_key, first_key,
        distinct);
    return g_string_free(sql, FALSE);
}
