/* Summaries out of the ledger. */
#include "ledger/summary.h"

static void entity_free(gpointer data) {
    RpEntitySummary *entity = data;
    g_free(entity->entity);
    g_free(entity->table);
    g_free(entity);
}

static void unmapped_free(gpointer data) {
    RpUnmappedSummary *unmapped = data;
    g_free(unmapped->pattern);
    g_free(unmapped->example);
    g_free(unmapped);
}

static void code_free(gpointer data) {
    RpCodeCount *code = data;
    g_free(code->code);
    g_free(code);
}

void rp_run_summary_free(RpRunSummary *summary) {
    if (summary == NULL)
        return;
    g_free(summary->kind);
    g_free(summary->status);
    g_free(summary->strategy);
    g_free(summary->mapping);
    g_free(summary->source);
    g_free(summary->started_at);
    g_free(summary->ended_at);
    g_free(summary->error);
    g_ptr_array_unref(summary->unmapped);
    g_ptr_array_unref(summary->entities);
    g_ptr_array_unref(summary->codes);
    rp_evidence_free(summary->evidence);
    g_free(summary);
}

static guint64 number_at(PGresult *result, int row, int field) {
    return g_ascii_strtoull(PQgetvalue(result, row, field), NULL, 10);
}

static char *text_at(PGresult *result, int row, int field) {
    return PQgetisnull(result, row, field) ? NULL : g_strdup(PQgetvalue(result, row, field));
}

static gboolean read_entities(PGconn *connection, const char *run, RpRunSummary *summary, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT e.entity, e.target, coalesce(sum(c.read), 0), coalesce(sum(c.inserted), 0),"
        " coalesce(sum(c.updated), 0), coalesce(sum(c.unchanged), 0), coalesce(sum(c.deleted), 0),"
        " coalesce(sum(c.rejected), 0), coalesce(sum(c.filtered), 0), coalesce(sum(c.vanished), 0),"
        " coalesce(sum(c.parked), 0) "
        "FROM redis2pg.run_entities e LEFT JOIN redis2pg.batch_counts c ON c.run = e.run AND c.entity = "
        "e.number "
        "WHERE e.run = $1 GROUP BY e.number, e.entity, e.target ORDER BY e.number",
        1, &run, error);
    if (result == NULL)
        return FALSE;
    summary->is_balanced = TRUE;
    for (int row = 0; row < PQntuples(result); row++) {
        RpEntitySummary *entity = g_new0(RpEntitySummary, 1);
        entity->entity = text_at(result, row, 0);
        entity->table = text_at(result, row, 1);
        entity->counts = (RpCounts){
            .read = number_at(result, row, 2),
            .inserted = number_at(result, row, 3),
            .updated = number_at(result, row, 4),
            .unchanged = number_at(result, row, 5),
            .deleted = number_at(result, row, 6),
            .rejected = number_at(result, row, 7),
            .filtered = number_at(result, row, 8),
            .vanished = number_at(result, row, 9),
            .parked = number_at(result, row, 10),
        };
        summary->is_balanced = summary->is_balanced && rp_counts_is_balanced(&entity->counts);
        g_ptr_array_add(summary->entities, entity);
    }
    return TRUE;
}

static gboolean read_keys(PGconn *connection, const char *run, RpRunSummary *summary, GError **error) {
    g_autoptr(PGresult) result =
        rp_postgres_query(connection,
                          "SELECT coalesce(sum(keys_scanned), 0), coalesce(sum(keys_mapped), 0), "
                          "coalesce(sum(keys_ignored), 0),"
                          " coalesce(sum(keys_unmapped), 0) FROM redis2pg.batches WHERE run = $1",
                          1, &run, error);
    if (result == NULL)
        return FALSE;
    summary->keys = (RpKeyCounts){number_at(result, 0, 0), number_at(result, 0, 1), number_at(result, 0, 2),
                                  number_at(result, 0, 3)};
    return TRUE;
}

static gboolean read_unmapped(PGconn *connection, const char *run, RpRunSummary *summary, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT p.key, sum((p.value ->> 'keys')::bigint), min(p.value ->> 'example') "
        "FROM redis2pg.batches b CROSS JOIN LATERAL jsonb_each(b.unmapped) p WHERE b.run = $1 "
        "GROUP BY p.key ORDER BY 2 DESC, 1 LIMIT 100",
        1, &run, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        RpUnmappedSummary *unmapped = g_new0(RpUnmappedSummary, 1);
        *unmapped =
            (RpUnmappedSummary){text_at(result, row, 0), number_at(result, row, 1), text_at(result, row, 2)};
        g_ptr_array_add(summary->unmapped, unmapped);
    }
    return TRUE;
}

static gboolean read_codes(PGconn *connection, const char *run, RpRunSummary *summary, GError **error) {
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT code, count(*) FROM redis2pg.rejects WHERE run = $1 GROUP BY code ORDER BY code",
        1, &run, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        RpCodeCount *code = g_new0(RpCodeCount, 1);
        *code = (RpCodeCount){text_at(result, row, 0), number_at(result, row, 1)};
        summary->n_rejects += code->count;
        g_ptr_array_add(summary->codes, code);
    }
    return TRUE;
}

#define RUN_COLUMNS                                                                                          \
    "SELECT run, kind, status, strategy, mapping, source,"                                                   \
    " to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"                          \
    " to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), error,"                     \
    " extract(epoch FROM coalesce(ended_at, clock_timestamp()) - started_at) FROM redis2pg.runs "

static RpRunSummary *read_summary(PGconn *connection, PGresult *runs, int row, GError **error) {
    g_autoptr(RpRunSummary) summary = g_new0(RpRunSummary, 1);
    const char *run = PQgetvalue(runs, row, 0);
    summary->run = number_at(runs, row, 0);
    summary->kind = text_at(runs, row, 1);
    summary->status = text_at(runs, row, 2);
    summary->strategy = text_at(runs, row, 3);
    summary->mapping = text_at(runs, row, 4);
    summary->source = text_at(runs, row, 5);
    summary->started_at = text_at(runs, row, 6);
    summary->ended_at = text_at(runs, row, 7);
    summary->error = text_at(runs, row, 8);
    summary->seconds = g_ascii_strtod(PQgetvalue(runs, row, 9), NULL);
    summary->unmapped = g_ptr_array_new_with_free_func(unmapped_free);
    summary->entities = g_ptr_array_new_with_free_func(entity_free);
    summary->codes = g_ptr_array_new_with_free_func(code_free);
    if (!read_entities(connection, run, summary, error) || !read_keys(connection, run, summary, error) ||
        !read_unmapped(connection, run, summary, error) || !read_codes(connection, run, summary, error))
        return NULL;
    return g_steal_pointer(&summary);
}

gboolean rp_ledger_read_run(PGconn *connection, guint64 run, RpRunSummary **summary, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    *summary = NULL;
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, RUN_COLUMNS "WHERE run = $1", 1, parameters, error);
    if (result == NULL)
        return FALSE;
    if (PQntuples(result) == 0)
        return TRUE;
    *summary = read_summary(connection, result, 0, error);
    return *summary != NULL;
}

GPtrArray *rp_ledger_read_runs(PGconn *connection, GError **error) {
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, RUN_COLUMNS "ORDER BY run DESC", 0, NULL, error);
    if (result == NULL)
        return NULL;
    g_autoptr(GPtrArray) summaries = g_ptr_array_new_with_free_func((GDestroyNotify)rp_run_summary_free);
    for (int row = 0; row < PQntuples(result); row++) {
        RpRunSummary *summary = read_summary(connection, result, row, error);
        if (summary == NULL)
            return NULL;
        g_ptr_array_add(summaries, summary);
    }
    return g_steal_pointer(&summaries);
}

gboolean rp_ledger_exists(PGconn *connection, gboolean *exists, GError **error) {
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, "SELECT to_regclass('redis2pg.runs') IS NOT NULL", 0, NULL, error);
    if (result == NULL)
        return FALSE;
    *exists = PQgetvalue(result, 0, 0)[0] == 't';
    return TRUE;
}
