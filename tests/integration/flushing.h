/* A sync whose touched keys a test gives, flush by flush, inside of this process. */
#pragma once

#include "undo.h"

#include "ledger/batches.h"
#include "pipeline/key_list.h"
#include "pipeline/load_from.h"
#include "sink/binding.h"
#include "sync/steps.h"

#include <string.h>

/* What happens, and which keys are then touched. */
typedef struct {
    const char *commands; /* of Redis, one a line; or NULL */
    const char *sql;      /* or NULL */
    /* "entity key" or "entity key @told", separated by newlines; told is the time of expiry in ms that the
     * stream gave: 0 is "now". */
    const char *touched;
} Flush;

typedef struct {
    const Flush *flushes;
    guint n_flushes;
    RpCase *test_case;
    RpCrew *crew;
    RpFilling filling;
    RpKeyReader keys;
    char **lines; /* of the flush */
    guint next;
    guint taken;
} TestFeed;

static inline void play_commands(TestFeed *feed, const char *commands) {
    g_auto(GStrv) lines = g_strsplit(commands, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = NULL;
        int n_words;
        if (!g_shell_parse_argv(*line, &n_words, &words, NULL))
            continue;
        redisReply *reply = redisCommandArgv(feed->test_case->redis, n_words, (const char **)words, NULL);
        cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s: %s", *line, reply->str);
        freeReplyObject(reply);
    }
}

static inline gboolean next_key(guint *entity, RpSpan *key, gboolean *is_end, gpointer data, GError **error) {
    (void)error;
    TestFeed *feed = data;
    *is_end = feed->lines[feed->next] == NULL;
    if (*is_end)
        return TRUE;
    g_auto(GStrv) words = g_strsplit(feed->lines[feed->next], " ", -1);
    const GPtrArray *entities = feed->crew->options->mapping->entities;
    for (*entity = 0; *entity < entities->len; (*entity)++)
        if (g_str_equal(((const RpEntity *)g_ptr_array_index(entities, *entity))->name, words[0]))
            break;
    g_assert(*entity < entities->len);
    *key = (RpSpan){feed->lines[feed->next] + strlen(words[0]) + 1, strlen(words[1])};
    feed->next++;
    return TRUE;
}

static inline void key_taken(RpBatch *batch, guint32 first_record, gpointer data) {
    TestFeed *feed = data;
    const char *told = strchr(feed->lines[feed->taken++], '@');
    if (batch == NULL || batch->records.index->len == first_record)
        return;
    RpRecord *record = &g_array_index(batch->records.index, RpRecord, first_record);
    if (told != NULL && record->outcome == RP_READ_VANISHED)
        record->expires_at_ms = g_ascii_strtoll(told + 1, NULL, 10);
}

static inline gboolean read_flush(TestFeed *feed, const Flush *flush, guint number, GError **error) {
    const RpKeyList list = {.next = next_key, .taken = key_taken, .data = feed};
    if (flush->commands != NULL)
        play_commands(feed, flush->commands);
    if (flush->sql != NULL)
        rp_case_sql(feed->test_case, flush->sql);
    feed->lines = g_strsplit(flush->touched, "\n", -1);
    feed->next = feed->taken = 0;
    const gboolean is_fine = rp_key_list_read(&list, &feed->keys, error);
    g_strfreev(feed->lines);
    if (is_fine && feed->filling.batch != NULL) {
        RpStreamPlace *place = &feed->filling.batch->checkpoint;
        g_strlcpy(place->replication_id, "0123456789012345678901234567890123456789",
                  sizeof place->replication_id);
        place->offset = 100 * (number + 1);
        rp_filling_reach(&feed->filling, 0);
        rp_filling_close(&feed->filling);
    }
    return is_fine && rp_queue_wait_for(feed->crew->pool, feed->crew->n_batches);
}

static inline gpointer test_feed_thread(gpointer data) {
    RpCrew *crew = data;
    TestFeed *feed = (TestFeed *)crew->feed->data;
    GError *error = NULL;
    feed->crew = feed->filling.crew = crew;
    rp_filling_begin(&feed->filling, 0, 0, 0);
    gboolean is_fine = rp_key_reader_open(&feed->keys, crew, &feed->filling, &error);
    for (guint i = 0; is_fine && i < feed->n_flushes; i++)
        is_fine = read_flush(feed, &feed->flushes[i], i, &error);
    if (error != NULL)
        rp_crew_fail(crew, error, FALSE);
    if (feed->filling.batch != NULL)
        rp_queue_push(crew->pool, g_steal_pointer(&feed->filling.batch));
    rp_queue_close(crew->to_map);
    rp_key_reader_clear(&feed->keys);
    return NULL;
}

/* A mapping bound to the case's tables. */
typedef struct {
    RpFindings *findings;
    RpMapping *mapping;
    RpBinding *binding;
} Bound;

static inline void bound_clear(Bound *bound) {
    rp_binding_free(bound->binding);
    rp_mapping_free(bound->mapping);
    rp_findings_free(bound->findings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bound, bound_clear)

static inline void bind(Bound *bound, RpCase *test_case, const char *mapping) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = rp_source_path("mappings/shop.yaml");
    bound->findings = rp_findings_new();
    bound->mapping = rp_mapping_load(mapping != NULL ? mapping : path, bound->findings);
    bound->binding = rp_binding_new(test_case->postgres, bound->mapping, NULL, bound->findings, &error);
    cr_assert(error == NULL && rp_findings_count(bound->findings, RP_SEVERITY_ERROR) == 0);
}

/* The ledger, as the first run makes it, and the one row of a sync. */
static inline void prepare_sync(RpCase *test_case, const char *mapping) {
    g_autoptr(json_t) run = mapping != NULL ? rp_case_load(test_case, 0, "--mapping", mapping, NULL)
                                            : rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, "INSERT INTO redis2pg.sync (mapping, mapping_digest, source, capture) SELECT"
                           " 'm', 'd', source, 'replica' FROM redis2pg.runs ORDER BY run LIMIT 1");
}

/* The reading of all keys that a sync begins with. */
static inline void sync_load(RpCase *test_case) {
    g_auto(Bound) bound = {0};
    g_autoptr(GError) error = NULL;
    RpRunSummary *summary = NULL;
    g_autoptr(RpRedisAddress) redis = rp_redis_address_parse(test_case->redis_url, &error);
    const RpFeed source = {.kind = "sync",
                           .way_on = "",
                           .read = rp_reader_thread,
                           .ledger = &RP_LEDGER_FOR_SYNC,
                           .needs_expiry = TRUE,
                           .steps = &RP_SYNC_LOAD_STEPS};
    bind(&bound, test_case, NULL);
    const RpLoadOptions options = {.redis = redis,
                                   .postgres = test_case->conninfo,
                                   .mapping = bound.mapping,
                                   .settings = "{}",
                                   .batch_rows = 2,
                                   .batch_bytes = 8 << 20,
                                   .n_mappers = 1,
                                   .n_writers = 2,
                                   .max_value_bytes = 64 << 20,
                                   .retry_seconds = 20,
                                   .timeout_seconds = 30,
                                   .max_rejects = G_MAXUINT64};
    const gboolean is_fine = rp_load_from(&options, &source, &summary, &error);
    cr_assert(is_fine, "%s", error != NULL ? error->message : "?");
    rp_run_summary_free(summary);
}

/* Runs the flushes, each in a batch of its own that is written before the next begins. rows: of a batch, 0:
 * so many that a flush fits. Fails the test unless it completes. */
static inline void sync_flushes(RpCase *test_case, const char *mapping, const Flush *flushes, guint n_flushes,
                                guint rows) {
    g_auto(Bound) bound = {0};
    g_autoptr(GError) error = NULL;
    RpRunSummary *summary = NULL;
    g_autoptr(RpRedisAddress) redis = rp_redis_address_parse(test_case->redis_url, &error);
    TestFeed feed = {.flushes = flushes, .n_flushes = n_flushes, .test_case = test_case};
    const RpFeed source = {.kind = "sync",
                           .way_on = "",
                           .read = test_feed_thread,
                           .data = &feed,
                           .ledger = &RP_LEDGER_FOR_SYNC,
                           .is_one_pass = TRUE,
                           .needs_expiry = TRUE,
                           .steps = &RP_SYNC_STEPS};
    bind(&bound, test_case, mapping);
    const RpLoadOptions options = {.redis = redis,
                                   .postgres = test_case->conninfo,
                                   .mapping = bound.mapping,
                                   .settings = "{}",
                                   .batch_rows = rows > 0 ? rows : 10000,
                                   .batch_bytes = 8 << 20,
                                   .n_mappers = 1,
                                   .n_writers = 1,
                                   .max_value_bytes = 64 << 20,
                                   .retry_seconds = 20,
                                   .timeout_seconds = 30,
                                   .max_rejects = G_MAXUINT64};
    const gboolean is_fine = rp_load_from(&options, &source, &summary, &error);
    cr_assert(is_fine, "%s", error != NULL ? error->message : "?");
    rp_run_summary_free(summary);
    rp_case_assert_rows(
        test_case,
        "SELECT count(*) FROM redis2pg.batch_counts WHERE read <> inserted + updated + unchanged +"
        " rejected + filtered + vanished + parked",
        "0");
}

#define SYNC(test_case, ...)                                                                                 \
    do {                                                                                                     \
        const Flush flushes_[] = {__VA_ARGS__};                                                              \
        sync_flushes(test_case, NULL, flushes_, G_N_ELEMENTS(flushes_), 0);                                  \
    } while (0)

#define SYNC_WITH(test_case, mapping, rows, ...)                                                             \
    do {                                                                                                     \
        const Flush flushes_[] = {__VA_ARGS__};                                                              \
        sync_flushes(test_case, mapping, flushes_, G_N_ELEMENTS(flushes_), rows);                            \
    } while (0)
