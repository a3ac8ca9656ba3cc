/* The list of what is set aside, and the marks of what is back.
 *
 * 1. A mark is written by the transaction that does what it says.
 * 2. Whoever works on an entry holds its row: a session that was lost, and works on, is waited for. */
#include "ledger/restoring.h"

#include "base/error.h"

static void restorable_free(gpointer data) {
    RpRestorable *entry = data;
    g_free(entry->target_name);
    g_free(entry->name);
    g_free(entry->create_index);
    g_free(entry->add_constraint);
    g_free(entry->comments);
    g_free(entry->predicate);
    g_free(entry->keys);
    g_free(entry->referenced_name);
    g_free(entry->match);
    g_free(entry->filled);
    g_free(entry);
}

static const char LIST_SQL[] =
    "SELECT s.number, s.target, s.target_name, s.name, s.create_index, s.add_constraint, s.comments,"
    " s.is_unique, s.is_nulls_equal, s.predicate,"
    " (SELECT string_agg(format('(%s) AS r2p_k%s', k.e, k.n), ', ' ORDER BY k.n)"
    "  FROM unnest(s.key_expressions) WITH ORDINALITY AS k (e, n)),"
    " coalesce(cardinality(s.key_expressions), 0), s.referenced, s.referenced_name,"
    " (SELECT string_agg(format('p.%I = t.%I', k.r, k.c), ' AND ' ORDER BY k.n)"
    "  FROM unnest(s.columns, s.referenced_columns) WITH ORDINALITY AS k (c, r, n)"
    "  WHERE s.kind = 'foreign'),"
    " (SELECT string_agg(format('t.%I IS NOT NULL', k.c), ' AND ') FROM unnest(s.columns) AS k (c)"
    "  WHERE s.kind = 'foreign'),"
    " s.built_at IS NOT NULL, s.restored_at IS NOT NULL, coalesce(pg_relation_size(s.target), 0)"
    " FROM redis2pg.set_aside s WHERE s.run = $1 ORDER BY s.number";

static char *text_at(const PGresult *result, int row, int field) {
    return PQgetisnull(result, row, field) ? NULL : g_strdup(PQgetvalue(result, row, field));
}

static guint64 number_at(const PGresult *result, int row, int field) {
    return g_ascii_strtoull(PQgetvalue(result, row, field), NULL, 10);
}

static RpRestorable *restorable_from(const PGresult *result, int row) {
    RpRestorable *entry = g_new(RpRestorable, 1);
    *entry = (RpRestorable){.number = (guint)number_at(result, row, 0),
                            .target = (guint32)number_at(result, row, 1),
                            .target_name = text_at(result, row, 2),
                            .name = text_at(result, row, 3),
                            .create_index = text_at(result, row, 4),
                            .add_constraint = text_at(result, row, 5),
                            .comments = text_at(result, row, 6),
                            .is_unique = rp_postgres_is_true(result, row, 7),
                            .nulls_are_equal = rp_postgres_is_true(result, row, 8),
                            .predicate = text_at(result, row, 9),
                            .keys = text_at(result, row, 10),
                            .n_keys = (guint)number_at(result, row, 11),
                            .referenced = (guint32)number_at(result, row, 12),
                            .referenced_name = text_at(result, row, 13),
                            .match = text_at(result, row, 14),
                            .filled = text_at(result, row, 15),
                            .is_built = rp_postgres_is_true(result, row, 16),
                            .is_restored = rp_postgres_is_true(result, row, 17),
                            .size_bytes = number_at(result, row, 18)};
    return entry;
}

/* Runs a statement about the run ($1) and one other number ($2). */
static PGresult *query(PGconn *connection, const char *sql, guint64 run, guint64 other, GError **error) {
    char numbers[2][24];
    g_snprintf(numbers[0], sizeof numbers[0], "%" G_GUINT64_FORMAT, run);
    g_snprintf(numbers[1], sizeof numbers[1], "%" G_GUINT64_FORMAT, other);
    const char *const parameters[] = {numbers[0], numbers[1]};
    return rp_postgres_query(connection, sql, G_N_ELEMENTS(parameters), parameters, error);
}

static gboolean run(PGconn *connection, const char *sql, guint64 number, guint64 other, GError **error) {
    g_autoptr(PGresult) result = query(connection, sql, number, other, error);
    return result != NULL;
}

GPtrArray *rp_restoring_list(PGconn *connection, guint64 number, GError **error) {
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    const char *const parameters[] = {text};
    g_autoptr(PGresult) result = rp_postgres_query(connection, LIST_SQL, 1, parameters, error);
    if (result == NULL)
        return NULL;
    GPtrArray *entries = g_ptr_array_new_with_free_func(restorable_free);
    for (int row = 0; row < PQntuples(result); row++)
        g_ptr_array_add(entries, restorable_from(result, row));
    return entries;
}

/* Not so strong that the run could not be noted to have another lock holder meanwhile. */
gboolean rp_restoring_enter(PGconn *connection, guint64 by_run, guint by_attempt, GError **error) {
    g_autofree char *run = g_strdup_printf("%" G_GUINT64_FORMAT, by_run);
    g_autofree char *attempt = g_strdup_printf("%u", by_attempt);
    const char *const parameters[] = {run, attempt};
    g_autoptr(PGresult) found = rp_postgres_query(connection,
                                                  "SELECT FROM redis2pg.runs WHERE run = $1 AND status = "
                                                  "'open' AND attempt = $2::integer FOR KEY SHARE",
                                                  G_N_ELEMENTS(parameters), parameters, error);
    if (found == NULL || PQntuples(found) == 1)
        return found != NULL;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "run %s was closed, or is continued by another process", run);
    return FALSE;
}

gboolean rp_restoring_count_rejects(PGconn *connection, guint64 run, guint64 *n_rejects, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    g_autoptr(PGresult) counted = rp_postgres_query(
        connection, "SELECT count(*) FROM redis2pg.rejects WHERE run = $1", 1, parameters, error);
    if (counted == NULL)
        return FALSE;
    *n_rejects = g_ascii_strtoull(PQgetvalue(counted, 0, 0), NULL, 10);
    return TRUE;
}

gboolean rp_restoring_lock(PGconn *connection, guint64 number, RpRestorable *entry, GError **error) {
    g_autoptr(PGresult) result =
        query(connection,
              "SELECT built_at IS NOT NULL, restored_at IS NOT NULL FROM redis2pg.set_aside"
              " WHERE run = $1 AND number = $2 FOR UPDATE",
              number, entry->number, error);
    if (result == NULL)
        return FALSE;
    if (PQntuples(result) != 1) {
        g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_FATAL,
                    "redis2pg.set_aside has no entry %u of run %" G_GUINT64_FORMAT " any more", entry->number,
                    number);
        return FALSE;
    }
    entry->is_built = rp_postgres_is_true(result, 0, 0);
    entry->is_restored = rp_postgres_is_true(result, 0, 1);
    return TRUE;
}

gboolean rp_restoring_mark_built(PGconn *connection, guint64 number, const RpRestorable *entry,
                                 GError **error) {
    return run(connection,
               "UPDATE redis2pg.set_aside SET built_at = clock_timestamp() WHERE run = $1 AND number = $2",
               number, entry->number, error);
}

gboolean rp_restoring_mark_restored(PGconn *connection, guint64 number, const RpRestorable *entry,
                                    GError **error) {
    return run(connection,
               "UPDATE redis2pg.set_aside SET restored_at = clock_timestamp() WHERE run = $1 AND number = $2",
               number, entry->number, error);
}

gboolean rp_restoring_give_up(PGconn *connection, guint64 number, const RpRestorable *entry,
                              const char *reason, GError **error) {
    g_autofree char *run_text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    g_autofree char *entry_text = g_strdup_printf("%u", entry->number);
    const char *const parameters[] = {run_text, entry_text, reason};
    g_autoptr(PGresult) noted = rp_postgres_query(
        connection,
        "UPDATE redis2pg.set_aside SET built_at = coalesce(built_at, clock_timestamp()), restored_at = "
        "clock_timestamp(), given_up = $3 WHERE run = $1 AND number = $2::integer",
        G_N_ELEMENTS(parameters), parameters, error);
    return noted != NULL;
}

gboolean rp_restoring_take_off_references(PGconn *connection, guint64 number, guint32 target,
                                          GError **error) {
    g_autoptr(PGresult) found =
        query(connection,
              "SELECT format('ALTER TABLE IF EXISTS %s DROP CONSTRAINT IF EXISTS %I', target_name, name)"
              " FROM redis2pg.set_aside WHERE run = $1 AND referenced = $2::oid AND kind = 'foreign'"
              " AND built_at IS NOT NULL AND given_up IS NULL ORDER BY number",
              number, target, error);
    if (found == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(found); row++)
        if (!rp_postgres_run(connection, PQgetvalue(found, row, 0), error))
            return FALSE;
    return run(connection,
               "UPDATE redis2pg.set_aside SET built_at = NULL, restored_at = NULL WHERE run = $1"
               " AND referenced = $2::oid AND kind = 'foreign' AND built_at IS NOT NULL AND given_up IS NULL",
               number, target, error);
}

GArray *rp_restoring_read_again(PGconn *connection, guint64 number, guint64 *n_keys, GError **error) {
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    const char *const parameters[] = {text};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT entity, count(*) FROM redis2pg.again WHERE run = $1 GROUP BY 1 ORDER BY 1", 1,
        parameters, error);
    *n_keys = 0;
    if (result == NULL)
        return NULL;
    GArray *entities = g_array_new(FALSE, FALSE, sizeof(guint));
    for (int row = 0; row < PQntuples(result); row++) {
        const guint entity = (guint)number_at(result, row, 0);
        g_array_append_val(entities, entity);
        *n_keys += number_at(result, row, 1);
    }
    return entities;
}
