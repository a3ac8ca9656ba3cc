/* Life of a batch between the pool, the reader, the mapper and a writer. */
#include "model/batch.h"

#include <string.h>

static void unmapped_free(gpointer data) {
    RpUnmapped *unmapped = data;
    g_free(unmapped->example);
    g_free(unmapped);
}

RpBatch *rp_batch_new(guint n_entities) {
    RpBatch *batch = g_new0(RpBatch, 1);
    rp_records_init(&batch->records);
    batch->n_entities = n_entities;
    batch->tuples = g_new0(RpTuples, n_entities);
    for (guint i = 0; i < n_entities; i++)
        rp_tuples_init(&batch->tuples[i]);
    batch->counts = g_new0(RpCounts, n_entities);
    batch->unmapped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unmapped_free);
    batch->rejects = rp_rejects_new();
    batch->replays = g_array_new(FALSE, FALSE, sizeof(RpReplay));
    batch->stored_record = -1;
    return batch;
}

void rp_batch_free(RpBatch *batch) {
    if (batch == NULL)
        return;
    rp_records_clear(&batch->records);
    for (guint i = 0; i < batch->n_entities; i++)
        rp_tuples_clear(&batch->tuples[i]);
    g_free(batch->tuples);
    g_free(batch->counts);
    g_hash_table_unref(batch->unmapped);
    g_array_unref(batch->rejects);
    g_array_unref(batch->replays);
    g_free(batch);
}

void rp_batch_reset(RpBatch *batch, gsize keep_bytes) {
    rp_records_reset(&batch->records, keep_bytes);
    for (guint i = 0; i < batch->n_entities; i++) {
        /* What the last use did not need was of an earlier pass. */
        rp_tuples_reset(&batch->tuples[i], batch->tuples[i].rows->len > 0 ? keep_bytes : 0);
        batch->counts[i] = (RpCounts){0};
    }
    batch->keys = (RpKeyCounts){0};
    g_hash_table_remove_all(batch->unmapped);
    g_array_set_size(batch->rejects, 0);
    batch->n_map_rejects = 0;
    batch->portion = 0;
    batch->is_whole = TRUE;
    batch->stored_record = -1;
    g_array_set_size(batch->replays, 0);
    batch->checkpoint = (RpStreamPlace){.database = -1};
    batch->begins_within_key = batch->ends_within_key = FALSE;
    memset(&batch->part, 0, sizeof batch->part);
}

void rp_batch_next_portion(RpBatch *batch) {
    rp_replays_note_failures(batch->replays, batch->rejects);
    for (guint i = 0; i < batch->rejects->len; i++) {
        const RpReject *reject = &g_array_index(batch->rejects, RpReject, i);
        if (!reject->is_parked)
            batch->stored_record = MAX(batch->stored_record, (gint64)reject->record);
    }
    for (guint i = 0; i < batch->n_entities; i++) {
        rp_tuples_reset(&batch->tuples[i], G_MAXSIZE);
        batch->counts[i] = (RpCounts){0};
    }
    batch->keys = (RpKeyCounts){0};
    g_hash_table_remove_all(batch->unmapped);
    g_array_set_size(batch->rejects, 0);
    batch->n_map_rejects = 0;
    batch->portion++;
}

void rp_batch_add_unmapped(RpBatch *batch, const char *pattern, RpSpan key) {
    if (g_hash_table_size(batch->unmapped) >= RP_BATCH_MAX_PATTERNS &&
        g_hash_table_lookup(batch->unmapped, pattern) == NULL)
        pattern = "*";
    RpUnmapped *unmapped = g_hash_table_lookup(batch->unmapped, pattern);
    if (unmapped == NULL) {
        unmapped = g_new0(RpUnmapped, 1);
        unmapped->example = rp_span_show(key, RP_REJECT_VALUE_BYTES);
        g_hash_table_insert(batch->unmapped, g_strdup(pattern), unmapped);
    }
    unmapped->keys++;
    batch->keys.unmapped++;
}

void rp_batch_seal_map(RpBatch *batch) {
    batch->n_map_rejects = batch->rejects->len;
}

/* A key that is gone ends as that one reject; of one that is there, rows that cannot go are one more. */
static void count_blocked(RpBatch *batch, const RpReject *reject, gint n) {
    RpCounts *counts = &batch->counts[reject->entity];
    if (rp_records_get(&batch->records, reject->record)->outcome == RP_READ_VANISHED)
        counts->vanished -= (guint64)n;
    else
        counts->read += (guint64)n;
}

static void forget_reject(RpBatch *batch, const RpReject *reject) {
    if (reject->is_parked)
        return;
    batch->counts[reject->entity].rejected--;
    if (reject->code == RP_REJECT_DELETE_BLOCKED)
        count_blocked(batch, reject, -1);
}

static void forget_rejects(RpBatch *batch) {
    for (guint i = 0; i < batch->rejects->len; i++) {
        RpReject *reject = &g_array_index(batch->rejects, RpReject, i);
        if (i >= batch->n_map_rejects) {
            forget_reject(batch, reject);
        } else if (reject->is_parked) {
            reject->is_parked = FALSE;
            batch->counts[reject->entity].rejected++;
        }
    }
    g_array_set_size(batch->rejects, batch->n_map_rejects);
}

static void forget_filters(RpTuples *tuples) {
    for (guint i = 0; i < tuples->rows->len; i++)
        g_array_index(tuples->rows, RpRow, i).is_filtered = FALSE;
}

void rp_batch_forget_write(RpBatch *batch) {
    forget_rejects(batch);
    for (guint i = 0; i < batch->n_entities; i++) {
        RpCounts *counts = &batch->counts[i];
        if (counts->filtered > 0)
            forget_filters(&batch->tuples[i]);
        counts->inserted = counts->updated = counts->unchanged = counts->deleted = 0;
        counts->filtered = counts->parked = counts->counted_before = 0;
    }
}

void rp_batch_take_reject(RpBatch *batch, const RpReject *reject) {
    g_array_append_val(batch->rejects, *reject);
    batch->counts[reject->entity].rejected++;
    if (reject->code == RP_REJECT_DELETE_BLOCKED)
        count_blocked(batch, reject, 1);
}

void rp_batch_park(RpBatch *batch, guint reject) {
    RpReject *parked = &g_array_index(batch->rejects, RpReject, reject);
    g_assert(!parked->is_parked && parked->code != RP_REJECT_DELETE_BLOCKED);
    parked->is_parked = TRUE;
    batch->counts[parked->entity].rejected--;
    batch->counts[parked->entity].parked++;
}

guint rp_batch_n_rejects(const RpBatch *batch) {
    guint n_rejects = 0;
    for (guint i = 0; i < batch->rejects->len; i++)
        n_rejects += !g_array_index(batch->rejects, RpReject, i).is_parked;
    return n_rejects;
}

void rp_counts_add(RpCounts *sum, const RpCounts *counts) {
    sum->read += counts->read;
    sum->inserted += counts->inserted;
    sum->updated += counts->updated;
    sum->unchanged += counts->unchanged;
    sum->deleted += counts->deleted;
    sum->rejected += counts->rejected;
    sum->filtered += counts->filtered;
    sum->vanished += counts->vanished;
    sum->parked += counts->parked;
}

gboolean rp_counts_is_balanced(const RpCounts *counts) {
    return counts->read == counts->inserted + counts->updated + counts->unchanged + counts->rejected +
                               counts->filtered + counts->vanished + counts->parked;
}
