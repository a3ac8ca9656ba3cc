/* A writer at work on batches of the bulk pass, on a private server. Its table t is empty, and has no unique
 * key but for an index that is made before the mapping is bound. */
#pragma once

#include "base/event.h"
#include "ledger/batches.h"
#include "ledger/loaded.h"
#include "ledger/runs.h"
#include "mapping/mapper.h"
#include "migrations/migrations.h"
#include "pipeline/session.h"
#include "pipeline/writer.h"
#include "sandbox/sandbox.h"
#include "sink/binding.h"
#include "sink/bulk.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

static const char SCHEMA_SQL[] =
    "CREATE TABLE t (id text NOT NULL, n integer, note text, at date, CONSTRAINT small CHECK (n < 100));"
    "CREATE UNIQUE INDEX ON t (id);";

#define BULK_COLUMNS "    columns: {id: $key.id, note: note, n: n, at: at}\n"

static RpSandbox *sandbox;
static PGconn *connection, *watcher;
static RpMapping *mapping;
static RpBinding *binding;
static RpLoadOptions options;
static RpRedisAddress redis;
static RpFeed feed;
static RpCrew crew;
static RpWriter writer;
static RpBatch *batch;

static inline void bulk_assert_fine(gboolean is_fine, const GError *error) {
    cr_assert(is_fine, "%s", error != NULL ? error->message : "no error");
}

static inline void bulk_run_sql(const char *sql) {
    g_autoptr(GError) error = NULL;
    bulk_assert_fine(rp_postgres_run(watcher, sql, &error), error);
}

static inline void bulk_start(void) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions servers = {.is_without_redis = TRUE};
    bulk_assert_fine((sandbox = rp_sandbox_start(&servers, &error)) != NULL, error);
    bulk_assert_fine((watcher = rp_postgres_connect(rp_sandbox_get_conninfo(sandbox), &error)) != NULL,
                     error);
    bulk_run_sql(SCHEMA_SQL);
    bulk_assert_fine(rp_migrations_apply_ledger(watcher, &error), error);
}

static inline void bulk_clean_up(void) {
    if (batch != NULL) {
        rp_session_close(&writer);
        rp_outage_clear(&writer.outage);
        rp_predecessor_clear(&writer.session);
        g_free(writer.experience);
        rp_batch_free(batch);
        rp_crew_clear(&crew);
        rp_binding_free(binding);
        rp_mapping_free(mapping);
    }
    PQfinish(watcher);
    rp_sandbox_stop(sandbox);
}

static inline void bulk_bind(const char *words) {
    g_autoptr(GError) error = NULL;
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autofree char *yaml =
        g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n"
                        "    table: t\n    key: [id]\n%s",
                        words);
    mapping = rp_mapping_load_text("m.yaml", yaml, strlen(yaml), findings);
    binding = rp_binding_new(watcher, mapping, NULL, findings, &error);
    bulk_assert_fine(binding != NULL, error);
    for (guint i = 0; i < findings->items->len; i++)
        cr_assert(((RpFinding *)findings->items->pdata[i])->severity != RP_SEVERITY_ERROR, "%s",
                  ((RpFinding *)findings->items->pdata[i])->text);
}

/* A run of that mapping whose first pass is a bulk one, a writer of it, and an empty batch. */
static inline void bulk_open_run(const char *words) {
    g_autoptr(GError) error = NULL;
    bulk_bind(words);
    options = (RpLoadOptions){.redis = &redis,
                              .postgres = rp_sandbox_get_conninfo(sandbox),
                              .mapping = mapping,
                              .n_mappers = 1,
                              .n_writers = 1,
                              .retry_seconds = 20,
                              .timeout_seconds = 60,
                              .max_rejects = G_MAXUINT64};
    feed = (RpFeed){.ledger = &RP_LEDGER_FOR_MERGE};
    bulk_assert_fine(rp_crew_init(&crew, &options, &feed, watcher, &error), error);
    crew.strategy = RP_STRATEGY_BULK;
    const RpRunHead head = {.kind = "run",
                            .strategy = "bulk",
                            .mapping = mapping,
                            .source = "s",
                            .source_run_id = "r",
                            .settings = "{}"};
    bulk_assert_fine(rp_ledger_open_run(watcher, &head, &crew.attempt, &error), error);
    writer = (RpWriter){.crew = &crew, .experience = g_new0(RpExperience, crew.plans->len)};
    rp_outage_init(&writer.outage, "PostgreSQL", RP_EVENT_POSTGRES_LOST, RP_EVENT_POSTGRES_BACK, 20);
    bulk_assert_fine(rp_session_open(&writer, &error), error);
    connection = writer.connection;
    batch = rp_batch_new(1);
    rp_batch_reset(batch, 0);
}

static inline void bulk_add(const char *key, const char *n, const char *note) {
    rp_records_begin(&batch->records, 0, RP_RECORD_HASH, rp_span(key));
    const char *const values[] = {"n", n, "note", note};
    for (guint i = 0; i < G_N_ELEMENTS(values); i += 2)
        if (values[i + 1] != NULL) {
            rp_records_add_value(&batch->records, rp_span(values[i]));
            rp_records_add_value(&batch->records, rp_span(values[i + 1]));
        }
}

static inline void bulk_map(void) {
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapping, &(RpOccasion){0}, G_MAXUINT, G_MAXSIZE);
    rp_mapper_map(mapper, batch);
}

static inline void bulk_write_batch(void) {
    g_autoptr(GError) error = NULL;
    bulk_map();
    bulk_assert_fine(rp_repeat_until_written(&writer, batch, &error), error);
}

static inline void bulk_next_batch(void) {
    const guint64 number = batch->number;
    rp_batch_reset(batch, 0);
    batch->number = number + 1;
}

static inline void bulk_assert_answer(const char *sql, const char *expected) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PGresult) result = rp_postgres_query(watcher, sql, 0, NULL, &error);
    bulk_assert_fine(result != NULL, error);
    const char *answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "(nothing)";
    cr_assert(strcmp(answer, expected) == 0, "%s gives %s, not %s", sql, answer, expected);
}

#define BULK_ROWS_SQL "SELECT string_agg(concat_ws('|', id, n, coalesce(note, '-')), ' ' ORDER BY id) FROM t"
#define BULK_REJECTS_SQL                                                                                     \
    "SELECT string_agg(concat_ws(' ', convert_from(key, 'UTF8'), stage, code, constraint_name), ', ' ORDER " \
    "BY"                                                                                                     \
    " key) FROM redis2pg.rejects"
/* Identities beside the keys that stand in the same place, and whether they agree. */
#define BULK_KEPT_SQL                                                                                        \
    "SELECT string_agg(u.batch || ':' || (x.before ->> 'id') || '<' || convert_from(x.key, 'UTF8'), ' ' "    \
    "ORDER "                                                                                                 \
    "BY u.undo, x.n) FROM redis2pg.undo u CROSS JOIN LATERAL ROWS FROM (json_array_elements(u.before),"      \
    " unnest(u.loaded_keys)) WITH ORDINALITY AS x (before, key, n) WHERE u.operation = 'insert' AND"         \
    " u.target = 'public.t' AND u.entity = 0 AND u.pass = 0 AND u.loaded_by = (SELECT xmin FROM t WHERE"     \
    " id = x.before ->> 'id')"
#define BULK_COUNTS_SQL                                                                                      \
    "SELECT string_agg(concat_ws(' ', read, inserted, rejected, filtered), ', ' ORDER BY batch) FROM"        \
    " redis2pg.batch_counts"
