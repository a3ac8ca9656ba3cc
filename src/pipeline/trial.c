/* A trial: pages of keys are read and mapped as in a run, and what comes of it is counted and dropped. */
#include "pipeline/trial.h"

#include "mapping/mapper.h"
#include "pipeline/tally.h"
#include "pipeline/wanted.h"

#define PAGE_KEYS       200
#define MAX_VALUE_BYTES (64 * 1024 * 1024) /* the default of --max-value-bytes */
#define TIMEOUT_SECONDS 60
#define BATCH_BYTES     (8 * 1024 * 1024)
#define BATCH_ROWS      10000

typedef struct {
    const RpMapping *mapping;
    RpFetch *fetch;
    RpRead *reads; /* by entity */
    RpKeyPage page;
    GArray *wishes; /* of RpWish */
    RpBatch *batch;
    RpMapper *mapper; /* NULL: rows are not tried */
    RpTally *tally;
} Trial;

/* Maps what was read, portion by portion, and empties the batch. */
static void map_batch(Trial *trial) {
    for (gboolean is_whole = trial->mapper == NULL; !is_whole;) {
        rp_mapper_map(trial->mapper, trial->batch);
        rp_tally_add_batch(trial->tally, trial->batch);
        is_whole = trial->batch->is_whole;
        if (!is_whole)
            rp_batch_next_portion(trial->batch);
    }
    rp_batch_reset(trial->batch, BATCH_BYTES);
}

static gboolean receive_read(Trial *trial, RpWish *wish, gboolean *is_complete, GError **error) {
    RpRecords *records = &trial->batch->records;
    const guint n_before = records->index->len;
    const RpSpan key = rp_key_page_get(&trial->page, wish->key);
    if (!rp_fetch_receive_read(trial->fetch, &trial->reads[wish->entity], &wish->window, key, records,
                               is_complete, error))
        return FALSE;
    for (guint record = n_before; record < records->index->len; record++)
        rp_tally_add_fields(trial->tally, records, record);
    if (records->bytes.size >= BATCH_BYTES)
        map_batch(trial);
    return TRUE;
}

static void send_wishes(Trial *trial) {
    for (guint i = 0; i < trial->wishes->len; i++) {
        const RpWish *wish = &g_array_index(trial->wishes, RpWish, i);
        rp_fetch_send_read(trial->fetch, &trial->reads[wish->entity], &wish->window,
                           rp_key_page_get(&trial->page, wish->key));
    }
}

/* Asks for all at once, and takes the answers in order. What is left to be read of a collection is not tried;
 * of a big hash, whose first answer says only that it is one, the fields that matter are. */
static gboolean read_wishes(Trial *trial, GError **error) {
    g_autoptr(GArray) again = g_array_new(FALSE, FALSE, sizeof(RpWish));
    send_wishes(trial);
    for (guint i = 0; i < trial->wishes->len; i++) {
        RpWish *wish = &g_array_index(trial->wishes, RpWish, i);
        gboolean is_complete;
        if (!receive_read(trial, wish, &is_complete, error))
            return FALSE;
        if (!is_complete && wish->window.is_partial)
            g_array_append_val(again, *wish);
    }
    g_array_set_size(trial->wishes, 0);
    g_array_append_vals(trial->wishes, again->data, again->len);
    return again->len == 0 || read_wishes(trial, error);
}

static gboolean try_page(Trial *trial, GError **error) {
    g_array_set_size(trial->wishes, 0);
    for (guint key = 0; key < rp_key_page_size(&trial->page); key++) {
        const RpSpan span = rp_key_page_get(&trial->page, key);
        rp_tally_add_key(trial->tally, span);
        for (guint entity = 0; entity < trial->mapping->entities->len; entity++) {
            if (!rp_pattern_match(((RpEntity *)trial->mapping->entities->pdata[entity])->keys, span, NULL))
                continue;
            const RpWish wish = {key, entity, {.count = RP_FIRST_WINDOW}};
            g_array_append_val(trial->wishes, wish);
        }
    }
    if (!read_wishes(trial, error))
        return FALSE;
    map_batch(trial);
    return TRUE;
}

static gboolean try_keys(Trial *trial, guint64 n_keys, GError **error) {
    guint64 cursor = 0;
    do {
        rp_fetch_send_scan(trial->fetch, cursor, NULL, (guint)MIN(n_keys, PAGE_KEYS));
        if (!rp_fetch_receive_page(trial->fetch, &trial->page, error) || !try_page(trial, error))
            return FALSE;
        cursor = trial->page.next_cursor;
    } while (cursor != 0 && rp_tally_get_keys(trial->tally) < n_keys);
    return TRUE;
}

static void trial_clear(Trial *trial) {
    rp_fetch_free(trial->fetch);
    g_free(trial->reads);
    rp_key_page_clear(&trial->page);
    g_array_unref(trial->wishes);
    rp_batch_free(trial->batch);
    rp_mapper_free(trial->mapper);
    rp_tally_free(trial->tally);
}

gboolean rp_trial(const RpRedisAddress *address, const RpMapping *mapping, gboolean is_bound, guint64 n_keys,
                  RpFindings *findings, GError **error) {
    static const gint never = 0;
    const RpOccasion occasion = {address->database, g_get_real_time()};
    const RpPatience patience = {
        .max_value_bytes = MAX_VALUE_BYTES, .timeout_seconds = TIMEOUT_SECONDS, .is_cancelled = &never};
    RpFetch *fetch = rp_fetch_new(address, &patience, error);
    if (fetch == NULL)
        return FALSE;
    Trial trial = {.mapping = mapping,
                   .fetch = fetch,
                   .reads = g_new(RpRead, mapping->entities->len),
                   .wishes = g_array_new(FALSE, FALSE, sizeof(RpWish)),
                   .batch = rp_batch_new(mapping->entities->len),
                   .mapper = is_bound ? rp_mapper_new(mapping, &occasion, BATCH_ROWS, BATCH_BYTES) : NULL,
                   .tally = rp_tally_new(mapping)};
    rp_key_page_init(&trial.page);
    rp_batch_reset(trial.batch, BATCH_BYTES);
    for (guint i = 0; i < mapping->entities->len; i++)
        trial.reads[i] = rp_wanted_read(mapping, i);
    const gboolean is_fine = n_keys == 0 || try_keys(&trial, n_keys, error);
    if (is_fine && n_keys > 0)
        rp_tally_report(trial.tally, is_bound, findings);
    trial_clear(&trial);
    return is_fine;
}
