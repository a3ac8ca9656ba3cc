/* Generating the merge's SQL. Identifiers are quoted by libpq; SQL of the mapping (checks, where) and of the
 * catalogue (CHECK expressions) is taken as it is: both come from whoever may write the target anyway. */
#include "sink/merge_sql.h"
#include "sink/unit.h"

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

/* ---- equal rows ---- */

/* The first transaction that claims an identity has it: another one waits for its end here, and finds it
 * taken. The target's own key is hashed: equal values can be written differently (1.0 and 1.00). */
static char *make_claim(RpMergeSql *generator, const char *equal_key) {
    if (generator->entity->has_key_identity || generator->ledger->holders != NULL)
        return NULL;
    g_autofree char *identity = rp_sql_identity(generator);
    return g_strdup_printf(
        "INSERT INTO %s (run, target, identity) SELECT $1::bigint, %u, %s FROM %s s JOIN %s t ON %s"
        " ORDER BY 3 ON CONFLICT DO NOTHING",
        generator->ledger->claims, generator->table->oid, identity, generator->plan->stage,
        generator->table->quoted, equal_key);
}

/* A row that stands in the target has passed the target's constraints; the mapping's own checks may be newer.
 * They name columns without a table: they are evaluated where only the staged row is in sight. */
static char *make_drop_equal(RpMergeSql *generator, const char *equal_key, const char *distinct) {
    const RpEntity *entity = generator->entity;
    GString *sql = g_string_new(NULL);
    g_string_printf(sql, "DELETE FROM %s s USING %s t WHERE %s AND NOT (%s)", generator->plan->stage,
                    generator->table->quoted, equal_key, distinct);
    if (entity->where != NULL || entity->checks->len > 0)
        g_string_append_printf(sql, " AND s.ctid IN (SELECT ctid FROM %s WHERE true", generator->plan->stage);
    if (entity->where != NULL)
        g_string_append_printf(sql, " AND (%s\n) IS TRUE", entity->where->sql);
    for (guint i = 0; i < entity->checks->len; i++)
        g_string_append_printf(sql, " AND (%s\n) IS NOT FALSE",
                               ((const RpCheck *)g_ptr_array_index(entity->checks, i))->sql);
    if (entity->where != NULL || entity->checks->len > 0)
        g_string_append_c(sql, ')');
    return g_string_free(sql, FALSE);
}

/* A run that was interrupted meets rows again that it has written and counted: they show by their
 * transaction. */
static void make_again(RpMergeSql *generator) {
    RpMergePlan *plan = generator->plan;
    const char *counted_before = generator->ledger->counted_before;
    plan->drop_equal_again_sql =
        g_strdup_printf("WITH gone AS (%s RETURNING %s AS is_counted)"
                        " SELECT count(*), count(*) FILTER (WHERE is_counted) FROM gone",
                        plan->drop_equal_sql, counted_before);
    plan->changed_again_sql = g_strdup_printf("SELECT count(*) %s AND %s", plan->changed_sql, counted_before);
}

/* Row by row, by the key: the planner would else look for the rows of this transaction first, and may scan
 * the target for them. Where the transaction may have written rows of the table for another entity before,
 * those of this entity's INSERT, which is the last command that wrote any, have its command id. */
static char *make_drop_inserted(RpMergeSql *generator, const char *equal_key) {
    const char *stage = generator->plan->stage, *target = generator->table->quoted;
    static const char IS_OURS[] = "t.xmin = " RP_UNIT_XID;
    g_autofree char *is_of_insert =
        !generator->is_shared
            ? g_strdup("")
            : g_strdup_printf(
                  " AND t.cmin::text::bigint = (SELECT max(t.cmin::text::bigint) FROM %s s JOIN %s t ON %s"
                  " WHERE %s)",
                  stage, target, equal_key, IS_OURS);
    return g_strdup_printf("DELETE FROM %s s WHERE s." RP_SQL_ORDINAL " <> ALL ($1::integer[])"
                           " AND (SELECT %s%s FROM %s t WHERE %s LIMIT 1)",
                           stage, IS_OURS, is_of_insert, target, equal_key);
}

/* Ways to leave the staging table, and to see what is left in it though it should not be. */
static void make_settlements(RpMergeSql *generator, const char *equal_key, const char *distinct) {
    RpMergePlan *plan = generator->plan;
    const char *target = generator->table->quoted;
    plan->claim_sql = make_claim(generator, equal_key);
    plan->drop_equal_sql = make_drop_equal(generator, equal_key, distinct);
    plan->drop_inserted_sql = make_drop_inserted(generator, equal_key);
    plan->passed_over_sql = g_strdup_printf("SELECT s." RP_SQL_ORDINAL " FROM %s s WHERE s." RP_SQL_ORDINAL
                                            " = ANY ($1::integer[])"
                                            " AND (SELECT true FROM %s t WHERE %s LIMIT 1) IS NULL",
                                            plan->stage, target, equal_key);
    plan->kept_old_sql = g_strdup_printf("SELECT s." RP_SQL_ORDINAL " FROM %s s JOIN %s t ON %s"
                                         " WHERE t.xmin <> " RP_UNIT_XID,
                                         plan->stage, target, equal_key);
}

/* ---- new rows ---- */

/* The keys of what was written go to the ledger by the same statement: no second look is needed to tell what
 * was inserted from what stood there. */
static char *make_insert(RpMergeSql *generator, const char *names, const char *staged, const char *which,
                         const char *key_names) {
    return g_strdup_printf("WITH written AS (INSERT INTO %s (%s) SELECT %s FROM %s s %s RETURNING %s),"
                           " kept AS (%s) SELECT count(*) FROM written",
                           generator->table->quoted, names, staged, generator->plan->stage, which, key_names,
                           generator->ledger->keep_inserted);
}

/* ---- the whole ---- */

static void make_statements(RpMergeSql *generator) {
    RpMergePlan *plan = generator->plan;
    const char *const *key = (const char *const *)generator->entity->key;
    g_autofree const char **mapped = mapped_names(generator->entity);
    g_autofree const char **beside = names_beside_key(generator->entity);
    g_autofree char *definitions = rp_sql_join(generator, mapped, ", ", rp_sql_definition);
    g_autofree char *names = rp_sql_join(generator, mapped, ", ", rp_sql_name);
    g_autofree char *key_names = rp_sql_join(generator, key, ", ", rp_sql_name);
    g_autofree char *staged_key = rp_sql_join(generator, key, ", ", rp_sql_staged);
    g_autofree char *staged = rp_sql_join(generator, mapped, ", ", rp_sql_staged);
    g_autofree char *equal_key = rp_sql_join(generator, key, " AND ", rp_sql_equal);
    g_autofree char *sets = rp_sql_join(generator, beside, ", ", rp_sql_set);
    g_autofree char *distinct =
        beside[0] != NULL ? rp_sql_join(generator, beside, " OR ", rp_sql_distinct) : g_strdup("false");
    const char *target = generator->table->quoted;

    plan->create_sql =
        g_strdup_printf("CREATE TEMPORARY TABLE %s (%s, " RP_SQL_ORDINAL " integer) ON COMMIT DELETE ROWS",
                        plan->stage, definitions);
    plan->copy_sql =
        g_strdup_printf("COPY %s (%s, " RP_SQL_ORDINAL ") FROM STDIN (FORMAT binary)", plan->stage, names);
    make_settlements(generator, equal_key, distinct);
    rp_merge_make_holders(generator);
    rp_merge_make_judgements(generator);
    /* Without a conflict target, so that a row which violates any unique constraint is passed over instead of
     * failing the statement; which one it was is looked up for those few. In the order of reading: of rows
     * that claim one value the first stays, however they are spread over batches. */
    plan->insert_sql = make_insert(generator, names, staged,
                                   "ORDER BY s." RP_SQL_ORDINAL " ON CONFLICT DO NOTHING", key_names);
    /* What INSERT passed over although no unique constraint explains it: an exclusion constraint or an index
     * over an expression did, and says so when it is not told to pass over. */
    plan->insert_plainly_sql =
        make_insert(generator, names, staged, "WHERE s." RP_SQL_ORDINAL " = ANY ($6::integer[])", key_names);
    plan->duplicates_sql = g_strdup_printf("SELECT array_to_string(array_agg(s." RP_SQL_ORDINAL
                                           " ORDER BY s." RP_SQL_ORDINAL "), ' ') FROM %s s "
                                           "GROUP BY %s HAVING count(*) > 1",
                                           plan->stage, staged_key);
    plan->collisions_sql = rp_merge_make_collisions(generator, equal_key, distinct);
    plan->changed_sql =
        g_strdup_printf("FROM %s s JOIN %s t ON %s WHERE (%s)", plan->stage, target, equal_key, distinct);
    make_again(generator);
    rp_merge_make_raw_stage(generator);
    rp_bulk_make_statements(generator, names, staged);
    if (beside[0] != NULL)
        plan->update_sql = g_strdup_printf("UPDATE %s t SET %s FROM %s s WHERE %s AND (%s)", target, sets,
                                           plan->stage, equal_key, distinct);
}

static void clear_verdict(gpointer data) {
    RpVerdict *verdict = data;
    g_free(verdict->message);
}

RpMergePlan *rp_merge_plan_new(PGconn *connection, const RpEntity *entity, guint number,
                               const RpMergeLedger *ledger, gboolean is_shared) {
    RpMergePlan *plan = g_new0(RpMergePlan, 1);
    plan->entity = entity;
    plan->number = number;
    plan->is_for_sync = ledger->holders != NULL;
    plan->stage = g_strdup_printf("pg_temp.r2p_stage_%u", number);
    plan->verdicts = g_array_new(FALSE, FALSE, sizeof(RpVerdict));
    g_array_set_clear_func(plan->verdicts, clear_verdict);
    RpMergeSql generator = {connection, plan, entity, entity->table, ledger, is_shared};
    make_statements(&generator);
    return plan;
}

void rp_merge_plan_free(RpMergePlan *plan) {
    if (plan == NULL)
        return;
    g_free(plan->stage);
    g_array_unref(plan->verdicts);
    g_free(plan->create_sql);
    g_free(plan->raw);
    g_free(plan->create_raw_sql);
    g_free(plan->judge_casts_sql);
    g_free(plan->cast_sql);
    g_free(plan->judge_nulls_sql);
    g_free(plan->copy_sql);
    g_free(plan->claim_sql);
    g_free(plan->drop_equal_sql);
    g_free(plan->drop_equal_again_sql);
    g_free(plan->changed_again_sql);
    g_free(plan->judge_mapping_sql);
    g_free(plan->judge_rows_sql);
    g_free(plan->judge_all_sql);
    g_free(plan->insert_sql);
    g_free(plan->drop_inserted_sql);
    g_free(plan->passed_over_sql);
    g_free(plan->create_origins_sql);
    g_free(plan->origins_sql);
    g_free(plan->release_sql);
    g_free(plan->hold_sql);
    g_free(plan->kept_old_sql);
    g_free(plan->load_sql);
    g_free(plan->load_staged_sql);
    g_free(plan->staged_sql);
    g_free(plan->insert_plainly_sql);
    g_free(plan->duplicates_sql);
    g_free(plan->collisions_sql);
    g_free(plan->changed_sql);
    g_free(plan->update_sql);
    g_free(plan);
}
