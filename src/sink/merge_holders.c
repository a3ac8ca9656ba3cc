/* Which Redis key a row is of, where that does not follow from its identity.
 *
 * 1. A row that another key holds is not changed, unless that key gives it up in the same batch.
 * 2. Of two keys that give one row, equal in everything, the first to write it holds it. */
#include "sink/merge.h"
#include "sink/merge_rows.h"
#include "sink/merge_sql.h"

static char *identity_of(RpMergeSql *generator, const char *prefix) {
    GString *sql = g_string_new("md5(ROW(");
    for (char **name = generator->entity->key; *name != NULL; name++) {
        g_autofree char *quoted = rp_postgres_identifier(generator->connection, *name);
        g_string_append_printf(sql, "%s%s.%s", name == generator->entity->key ? "" : ", ", prefix, quoted);
    }
    g_string_append(sql, ")::text)::uuid");
    return g_string_free(sql, FALSE);
}

static char *origins_table(const RpMergeSql *generator) {
    return g_strdup_printf("pg_temp.r2p_origin_%u", generator->plan->number);
}

char *rp_sql_held_by_other(RpMergeSql *generator) {
    g_autofree char *origins = origins_table(generator);
    g_autofree char *standing = identity_of(generator, "t");
    g_autofree char *given = identity_of(generator, "o");
    return g_strdup_printf(
        "coalesce((SELECT true FROM %s h WHERE h.target = %u AND h.identity = %s AND h.key_digest <>"
        " ($2::uuid[])[s." RP_SQL_ORDINAL " + 1] AND (h.key_digest NOT IN (SELECT o.key_digest FROM %s o) OR"
        " (h.key_digest, h.identity) IN (SELECT o.key_digest, %s FROM %s o)) LIMIT 1), false)",
        generator->ledger->holders, generator->table->oid, standing, origins, given, origins);
}

void rp_merge_make_holders(RpMergeSql *generator) {
    RpMergePlan *plan = generator->plan;
    const RpEntity *entity = generator->entity;
    const char *const *key = (const char *const *)entity->key;
    const char *holders = generator->ledger->holders;
    if (holders == NULL || entity->has_key_identity)
        return;
    g_autofree char *origins = origins_table(generator);
    g_autofree char *definitions = rp_sql_join(generator, key, ", ", rp_sql_definition);
    g_autofree char *staged = rp_sql_join(generator, key, ", ", rp_sql_staged);
    g_autofree char *equal = rp_sql_join(generator, key, " AND ", rp_sql_equal);
    g_autofree char *identity = identity_of(generator, "t");
    g_autofree char *name = rp_postgres_literal(generator->connection, entity->name);
    plan->create_origins_sql = g_strdup_printf("CREATE TEMPORARY TABLE %s (" RP_SQL_ORDINAL
                                               " integer, key_digest uuid, %s) ON COMMIT DELETE ROWS",
                                               origins, definitions);
    plan->origins_sql = g_strdup_printf("INSERT INTO %s SELECT s." RP_SQL_ORDINAL
                                        ", ($1::uuid[])[s." RP_SQL_ORDINAL " + 1], %s FROM %s s",
                                        origins, staged, plan->stage);
    /* The origins stand in the place of s. */
    plan->release_sql =
        g_strdup_printf("DELETE FROM %s h WHERE h.entity = %s AND h.key_digest = ANY (ARRAY (SELECT DISTINCT "
                        "s.key_digest FROM %s s))"
                        " AND h.identity NOT IN (SELECT %s FROM %s s JOIN %s t ON %s)",
                        holders, name, origins, identity, origins, generator->table->quoted, equal);
    plan->hold_sql = g_strdup_printf(
        "INSERT INTO %s (target, identity, entity, key_digest) SELECT %u, %s, %s, s.key_digest FROM %s s "
        "JOIN %s t"
        " ON %s WHERE s." RP_SQL_ORDINAL " <> ALL ($1::integer[]) ORDER BY 2 ON CONFLICT DO NOTHING",
        holders, generator->table->oid, identity, name, origins, generator->table->quoted, equal);
}

char *rp_merge_origins(const RpMergePlan *plan, const RpBatch *batch) {
    const RpTuples *tuples = &batch->tuples[plan->number];
    g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
    GString *array = g_string_new("{");
    guint32 last = G_MAXUINT32;
    for (guint ordinal = 0; ordinal < tuples->rows->len; ordinal++) {
        const guint32 record = rp_tuples_get(tuples, ordinal)->record;
        if (record != last) {
            const RpSpan key = rp_records_key(&batch->records, record);
            g_checksum_reset(md5);
            g_checksum_update(md5, (const guchar *)key.data, (gssize)key.size);
        }
        last = record;
        g_string_append_printf(array, "%s%s", ordinal > 0 ? "," : "", g_checksum_get_string(md5));
    }
    g_string_append_c(array, '}');
    return g_string_free(array, FALSE);
}

/* Rows that were refused are nobody's. */
static char *list_rejected(const RpMergePlan *plan, const RpBatch *batch) {
    const RpTuples *tuples = &batch->tuples[plan->number];
    g_autoptr(GString) ordinals = g_string_new(NULL);
    g_autoptr(GHashTable) rejected = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < batch->rejects->len; i++) {
        const RpReject *reject = &g_array_index(batch->rejects, RpReject, i);
        if (reject->entity == plan->number && reject->stage != RP_STAGE_MAP)
            g_hash_table_add(rejected, GSIZE_TO_POINTER(((gsize)reject->record << 32) | reject->element));
    }
    for (guint i = 0; g_hash_table_size(rejected) > 0 && i < tuples->rows->len; i++) {
        const RpRow *row = rp_tuples_get(tuples, i);
        if (g_hash_table_contains(rejected, GSIZE_TO_POINTER(((gsize)row->record << 32) | row->element)))
            rp_ordinals_add(ordinals, i);
    }
    return rp_ordinals_show(ordinals);
}

gboolean rp_merge_hold(PGconn *connection, const RpMergePlan *plan, const RpBatch *batch, GError **error) {
    if (plan->hold_sql == NULL)
        return TRUE;
    g_autofree char *rejected = list_rejected(plan, batch);
    const char *const parameters[] = {rejected};
    g_autoptr(PGresult) result = rp_postgres_run(connection, plan->release_sql, error)
                                     ? rp_postgres_query(connection, plan->hold_sql, 1, parameters, error)
                                     : NULL;
    if (result != NULL)
        return TRUE;
    g_prefix_error(error, "noting which keys rows of %s are of: ", plan->entity->name);
    return FALSE;
}
