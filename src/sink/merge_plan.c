/* Generating the merge's SQL. Identifiers are quoted by libpq; SQL of the mapping (checks, where) and of the
 * catalogue (CHECK expressions) is taken as it is: both come from whoever may write the target anyway. */
#include "sink/merge_plan.h"

#define ORDINAL "r2p_ordinal"

typedef struct {
    PGconn *connection;
    RpMergePlan *plan;
    const RpEntity *entity;
    const RpTable *table;
} Generator;

/* "prefix.a = …" for each name, by a printf-like walk: joins what make gives for each column. */
typedef void (*AppendColumn)(GString *sql, const char *quoted, const RpColumn *column);

static void append_each(Generator *generator, GString *sql, const char *const *names, const char *separator,
                        AppendColumn append) {
    for (guint i = 0; names[i] != NULL; i++) {
        g_autofree char *quoted = rp_postgres_identifier(generator->connection, names[i]);
        if (i > 0)
            g_string_append(sql, separator);
        append(sql, quoted, rp_table_find_column(generator->table, names[i]));
    }
}

static char *join_each(Generator *generator, const char *const *names, const char *separator,
                       AppendColumn append) {
    GString *sql = g_string_new(NULL);
    append_each(generator, sql, names, separator, append);
    return g_string_free(sql, FALSE);
}

static void append_name(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append(sql, quoted);
}

static void append_staged(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "s.%s", quoted);
}

static void append_definition(GString *sql, const char *quoted, const RpColumn *column) {
    g_string_append_printf(sql, "%s %s", quoted, column->type_name);
}

static void append_set(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "%s = s.%s", quoted, quoted);
}

static void append_equal(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "t.%s = s.%s", quoted, quoted);
}

static void append_distinct(GString *sql, const char *quoted, const RpColumn *column) {
    if (column->is_comparable)
        g_string_append_printf(sql, "t.%s IS DISTINCT FROM s.%s", quoted, quoted);
    else
        g_string_append_printf(sql, "t.%s::text IS DISTINCT FROM s.%s::text", quoted, quoted);
}

static void append_other_equal(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "u.%s = s.%s", quoted, quoted);
}

static void append_other_distinct(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "u.%s IS DISTINCT FROM s.%s", quoted, quoted);
}

static void append_staged_not_null(GString *sql, const char *quoted, const RpColumn *column) {
    (void)column;
    g_string_append_printf(sql, "s.%s IS NOT NULL", quoted);
}

/* ---- names ---- */

static const char **mapped_names(const RpEntity *entity) {
    const char **names = g_new0(const char *, entity->columns->len + 1);
    for (guint i = 0; i < entity->columns->len; i++)
        names[i] = ((const RpMapColumn *)g_ptr_array_index(entity->columns, i))->name;
    return names;
}

static gboolean is_key(const RpEntity *entity, const char *name) {
    return g_strv_contains((const char *const *)entity->key, name);
}

static const char **names_beside_key(const RpEntity *entity) {
    const char **names = g_new0(const char *, entity->columns->len + 1);
    guint n = 0;
    for (guint i = 0; i < entity->columns->len; i++) {
        const char *name = ((const RpMapColumn *)g_ptr_array_index(entity->columns, i))->name;
        if (!is_key(entity, name))
            names[n++] = name;
    }
    return names;
}

static gboolean maps_all(const RpEntity *entity, char **names) {
    for (; *names != NULL; names++)
        if (rp_entity_find_column(entity, *names) == NULL)
            return FALSE;
    return TRUE;
}

static gboolean is_the_key(const RpEntity *entity, const RpConstraint *constraint) {
    return rp_table_find_unique(entity->table, (const char *const *)entity->key) == constraint;
}

/* ---- verdicts ---- */

/* Adds a verdict and gives its number. columns are those that the check is about. */
static guint add_verdict(Generator *generator, RpRejectCode code, const char *constraint, char **columns,
                         char *message) {
    RpVerdict verdict = {.code = code, .constraint = constraint, .message = message};
    if (columns != NULL && columns[0] != NULL && columns[1] == NULL) {
        const RpMapColumn *column = rp_entity_find_column(generator->entity, columns[0]);
        if (column != NULL) {
            verdict.column = column->name;
            verdict.is_sensitive = column->is_sensitive;
        }
    }
    g_array_append_val(generator->plan->verdicts, verdict);
    return generator->plan->verdicts->len - 1;
}

/* A CASE that gives the value of the column that each verdict is about. */
static void append_value_case(Generator *generator, GString *sql, guint first_verdict) {
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

static void append_mapping_checks(Generator *generator, GString *cases) {
    const RpEntity *entity = generator->entity;
    if (entity->where != NULL)
        g_string_append_printf(cases, " WHEN (%s) IS NOT TRUE THEN %d", entity->where->sql,
                               RP_VERDICT_FILTERED);
    for (guint i = 0; i < entity->checks->len; i++) {
        const RpCheck *check = g_ptr_array_index(entity->checks, i);
        const guint verdict =
            add_verdict(generator, RP_REJECT_RULE_FAILED, check->name, NULL,
                        g_strdup_printf("the mapping's check \"%s\" is false: %s", check->name, check->sql));
        g_string_append_printf(cases, " WHEN (%s) IS FALSE THEN %u", check->sql, verdict);
    }
}

static void append_table_checks(Generator *generator, GString *cases) {
    for (guint i = 0; i < generator->table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(generator->table->constraints, i);
        /* A check over columns that are not mapped is left to PostgreSQL: their defaults are not staged. */
        if (constraint->kind != RP_CONSTRAINT_CHECK || !maps_all(generator->entity, constraint->columns))
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
static void append_foreign_key(Generator *generator, GString *cases, const RpConstraint *constraint) {
    const char *const *columns = (const char *const *)constraint->columns;
    const guint verdict = add_verdict(
        generator, RP_REJECT_MISSING_REFERENCE, constraint->name, constraint->columns,
        g_strdup_printf("%s refers to no row of %s", constraint->columns[0], constraint->referenced_table));
    g_autofree char *not_null = join_each(generator, columns, " AND ", append_staged_not_null);
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

static void append_foreign_keys(Generator *generator, GString *cases) {
    for (guint i = 0; i < generator->table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(generator->table->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_FOREIGN && maps_all(generator->entity, constraint->columns))
            append_foreign_key(generator, cases, constraint);
    }
}

/* A statement that gives ordinal, verdict and value of the staged rows that some WHEN of cases fits; NULL
 * when there is none. */
static char *select_verdicts(Generator *generator, const GString *cases) {
    if (cases->len == 0)
        return NULL;
    GString *sql = g_string_new("SELECT s." ORDINAL ", s.r2p_verdict, ");
    append_value_case(generator, sql, 0);
    g_string_append_printf(
        sql,
        " FROM (SELECT s.*, CASE%s END AS r2p_verdict FROM %s s) s WHERE s.r2p_verdict IS NOT NULL"
        " ORDER BY s." ORDINAL,
        cases->str, generator->plan->stage);
    return g_string_free(sql, FALSE);
}

static void make_judgements(Generator *generator) {
    g_autoptr(GString) cases = g_string_new(NULL);
    append_mapping_checks(generator, cases);
    generator->plan->judge_mapping_sql = select_verdicts(generator, cases);
    append_table_checks(generator, cases);
    append_foreign_keys(generator, cases);
    generator->plan->judge_all_sql = select_verdicts(generator, cases);
}

/* ---- collisions: rows that INSERT … ON CONFLICT DO NOTHING passed over ---- */

static void append_unique(Generator *generator, GString *numbers, GString *cases,
                          const RpConstraint *constraint, guint position) {
    const char *const *columns = (const char *const *)constraint->columns;
    const char *const *key = (const char *const *)generator->entity->key;
    g_autofree char *names = join_each(generator, columns, ", ", append_name);
    g_autofree char *not_null = join_each(generator, columns, " AND ", append_staged_not_null);
    g_autofree char *equal = join_each(generator, columns, " AND ", append_other_equal);
    g_autofree char *other_key = join_each(generator, key, " OR ", append_other_distinct);
    const guint verdict =
        add_verdict(generator, RP_REJECT_DUPLICATE_KEY, constraint->name, constraint->columns,
                    g_strdup_printf("another row of %s has the same %s", generator->table->shown, names));
    g_string_append_printf(numbers,
                           ", row_number() OVER (PARTITION BY %s ORDER BY " ORDINAL ") AS r2p_number_%u",
                           names, position);
    g_string_append_printf(
        cases,
        " WHEN %s AND (s.r2p_number_%u > 1 OR (SELECT true FROM %s u WHERE %s AND (%s) LIMIT 1)) THEN %u",
        not_null, position, generator->table->quoted, equal, other_key, verdict);
}

/* The verdict on two source keys that claim one identity; shared by the look at duplicates in a batch. */
static guint add_identity_verdict(Generator *generator) {
    const RpConstraint *constraint =
        rp_table_find_unique(generator->table, (const char *const *)generator->entity->key);
    g_autofree char *key = g_strjoinv(", ", generator->entity->key);
    return add_verdict(generator, RP_REJECT_DUPLICATE_KEY, constraint->name, generator->entity->key,
                       g_strdup_printf("another Redis key gave a row with the same %s", key));
}

static char *make_collisions(Generator *generator, const char *equal_key, const char *distinct,
                             const char *written_by_run) {
    g_autoptr(GString) numbers = g_string_new(NULL);
    g_autoptr(GString) cases = g_string_new(NULL);
    g_autofree char *first_key = rp_postgres_identifier(generator->connection, generator->entity->key[0]);
    const guint identity_verdict = add_identity_verdict(generator);
    if (!generator->entity->has_key_identity)
        g_string_append_printf(cases, " WHEN t.%s IS NOT NULL AND %s THEN %u", first_key, written_by_run,
                               identity_verdict);
    for (guint i = 0; i < generator->table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(generator->table->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_UNIQUE && !is_the_key(generator->entity, constraint) &&
            maps_all(generator->entity, constraint->columns))
            append_unique(generator, numbers, cases, constraint, i);
    }
    g_string_append_printf(cases, " WHEN t.%s IS NULL THEN %d", first_key, RP_VERDICT_UNKNOWN);
    GString *sql = g_string_new("SELECT s." ORDINAL ", s.r2p_verdict, ");
    append_value_case(generator, sql, identity_verdict);
    g_string_append_printf(sql,
                           " FROM (SELECT s.*, CASE%s END AS r2p_verdict"
                           " FROM (SELECT *%s FROM %s) s LEFT JOIN %s t ON %s WHERE t.%s IS NULL OR %s) s"
                           " WHERE s.r2p_verdict IS NOT NULL AND $1::bigint IS NOT NULL ORDER BY s." ORDINAL,
                           cases->str, numbers->str, generator->plan->stage, generator->table->quoted,
                           equal_key, first_key, distinct);
    return g_string_free(sql, FALSE);
}

/* ---- equal rows ---- */

/* A row that stands in the target has passed the target's constraints; the mapping's own checks may be newer.
 */
static char *make_drop_equal(Generator *generator, const char *equal_key, const char *distinct) {
    const RpEntity *entity = generator->entity;
    GString *sql = g_string_new(NULL);
    g_string_printf(sql, "DELETE FROM %s s USING %s t WHERE %s AND NOT (%s)", generator->plan->stage,
                    generator->table->quoted, equal_key, distinct);
    if (entity->where == NULL && entity->checks->len == 0)
        return g_string_free(sql, FALSE);
    /* The checks name columns without a table: they are evaluated where only the staged row is in sight. */
    g_string_append_printf(sql, " AND s.ctid IN (SELECT ctid FROM %s WHERE true", generator->plan->stage);
    if (entity->where != NULL)
        g_string_append_printf(sql, " AND (%s) IS TRUE", entity->where->sql);
    for (guint i = 0; i < entity->checks->len; i++)
        g_string_append_printf(sql, " AND (%s) IS NOT FALSE",
                               ((const RpCheck *)g_ptr_array_index(entity->checks, i))->sql);
    g_string_append_c(sql, ')');
    return g_string_free(sql, FALSE);
}

/* ---- the whole ---- */

static void make_statements(Generator *generator, const char *written_by_run) {
    RpMergePlan *plan = generator->plan;
    const char *const *key = (const char *const *)generator->entity->key;
    g_autofree const char **mapped = mapped_names(generator->entity);
    g_autofree const char **beside = names_beside_key(generator->entity);
    g_autofree char *definitions = join_each(generator, mapped, ", ", append_definition);
    g_autofree char *names = join_each(generator, mapped, ", ", append_name);
    g_autofree char *staged_key = join_each(generator, key, ", ", append_staged);
    g_autofree char *staged = join_each(generator, mapped, ", ", append_staged);
    g_autofree char *equal_key = join_each(generator, key, " AND ", append_equal);
    g_autofree char *sets = join_each(generator, beside, ", ", append_set);
    g_autofree char *distinct =
        beside[0] != NULL ? join_each(generator, beside, " OR ", append_distinct) : g_strdup("false");
    const char *target = generator->table->quoted;

    plan->create_sql =
        g_strdup_printf("CREATE TEMPORARY TABLE %s (%s, " ORDINAL " integer) ON COMMIT DELETE ROWS",
                        plan->stage, definitions);
    plan->copy_sql = g_strdup_printf("COPY %s FROM STDIN (FORMAT binary)", plan->stage);
    plan->drop_equal_sql = make_drop_equal(generator, equal_key, distinct);
    make_judgements(generator);
    /* Without a conflict target, so that a row which violates any unique constraint is passed over instead of
     * failing the statement; which one it was is looked up for those few. In the key's order: index pages are
     * met in order, and two writers cannot wait for each other in a circle over one index. */
    plan->insert_sql = g_strdup_printf("INSERT INTO %s (%s) SELECT %s FROM %s s ORDER BY %s, s." ORDINAL
                                       " ON CONFLICT DO NOTHING",
                                       target, names, staged, plan->stage, staged_key);
    plan->duplicates_sql = g_strdup_printf("SELECT array_to_string(array_agg(s." ORDINAL
                                           " ORDER BY s." ORDINAL "), ' ') FROM %s s "
                                           "GROUP BY %s HAVING count(*) > 1",
                                           plan->stage, staged_key);
    plan->collisions_sql = make_collisions(generator, equal_key, distinct, written_by_run);
    plan->changed_sql =
        g_strdup_printf("FROM %s s JOIN %s t ON %s WHERE (%s)", plan->stage, target, equal_key, distinct);
    if (beside[0] != NULL)
        plan->update_sql = g_strdup_printf("UPDATE %s t SET %s FROM %s s WHERE %s AND (%s)", target, sets,
                                           plan->stage, equal_key, distinct);
}

static void clear_verdict(gpointer data) {
    RpVerdict *verdict = data;
    g_free(verdict->message);
}

RpMergePlan *rp_merge_plan_new(PGconn *connection, const RpEntity *entity, guint number,
                               const char *written_by_run) {
    RpMergePlan *plan = g_new0(RpMergePlan, 1);
    plan->entity = entity;
    plan->number = number;
    plan->stage = g_strdup_printf("pg_temp.r2p_stage_%u", number);
    plan->verdicts = g_array_new(FALSE, FALSE, sizeof(RpVerdict));
    g_array_set_clear_func(plan->verdicts, clear_verdict);
    Generator generator = {connection, plan, entity, entity->table};
    make_statements(&generator, written_by_run);
    return plan;
}

void rp_merge_plan_free(RpMergePlan *plan) {
    if (plan == NULL)
        return;
    g_free(plan->stage);
    g_array_unref(plan->verdicts);
    g_free(plan->create_sql);
    g_free(plan->copy_sql);
    g_free(plan->drop_equal_sql);
    g_free(plan->judge_mapping_sql);
    g_free(plan->judge_all_sql);
    g_free(plan->insert_sql);
    g_free(plan->duplicates_sql);
    g_free(plan->collisions_sql);
    g_free(plan->changed_sql);
    g_free(plan->update_sql);
    g_free(plan);
}
