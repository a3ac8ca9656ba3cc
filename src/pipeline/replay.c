/* The feed of a replay: records out of the ledger's rejects.
 *
 * 1. All rejects that a record stands for are settled with it: they are in its batch.
 * 2. A record that cannot be replayed as it was kept is left as it is, open, and counted.
 * 3. A pass begins when every batch of the one before is committed: children find their parents. */
#include "pipeline/replay.h"

#include "base/error.h"
#include "base/event.h"
#include "model/raw.h"
#include "pipeline/filling.h"
#include "pipeline/load_from.h"

#include <string.h>

typedef struct {
    RpCrew *crew;
    const RpReplaySource *source;
    RpFilling filling;
    guint32 entity;
    /* The entry that came last with a record: those after it may be of the same. */
    RpBuffer key;
    gboolean is_taken; /* its record is in the batch */
    RpLeft left;       /* why it is not */
} Replay;

static const RpEntity *entity_of(const Replay *replay) {
    return g_ptr_array_index(replay->crew->options->mapping->entities, replay->entity);
}

static gboolean is_stopping(const Replay *replay) {
    return g_atomic_int_get(&replay->crew->is_stopping) != 0;
}

/* ---- a record ---- */

/* Whether all that the mapping reads of a hash is there. */
static gboolean has_all_fields(const RpReferenceScope *scope, RpRaw raw) {
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    RpSpan name, value;
    while (rp_raw_take(&raw, &name) && rp_raw_take(&raw, &value))
        g_hash_table_add(names, g_strndup(name.data, name.size));
    for (guint i = 0; i < scope->fields->len; i++)
        if (!g_hash_table_contains(names, g_ptr_array_index(scope->fields, i)))
            return FALSE;
    return TRUE;
}

/* FALSE: *left says why the record cannot be replayed. */
static gboolean may_replay(const RpEntity *entity, const RpReplayEntry *entry, RpRaw *raw, RpLeft *left) {
    const RpReferenceScope *scope = &entity->scope;
    *left = RP_LEFT_DAMAGED;
    if (!rp_raw_open(raw, entry->raw) || !rp_span_equal(raw->key, entry->key))
        return FALSE;
    *left = RP_LEFT_ENTITY;
    if (!rp_pattern_match(entity->keys, entry->key, NULL))
        return FALSE;
    if (raw->type != scope->type) /* is refused again, as the key is of that type */
        return TRUE;
    *left = RP_LEFT_VALUES;
    if (!rp_raw_is_whole(raw))
        return FALSE;
    *left = RP_LEFT_TTL;
    if ((scope->has_ttl || scope->has_expiry) && raw->ttl_ms == -2)
        return FALSE;
    *left = RP_LEFT_PARTIAL;
    return !raw->is_partial || has_all_fields(scope, *raw);
}

static void append(Replay *replay, const RpReplayEntry *entry, RpRaw *raw) {
    const RpReferenceScope *scope = &entity_of(replay)->scope;
    RpRecord *record = rp_raw_append(raw, replay->entity, &replay->filling.batch->records);
    if (raw->type != scope->type)
        record->outcome = RP_READ_WRONG_TYPE;
    if (scope->has_expiry)
        record->expires_at_ms = raw->ttl_ms < 0 ? raw->ttl_ms : entry->rejected_at_ms + raw->ttl_ms;
}

static gboolean is_same_key(const Replay *replay, RpSpan key) {
    return replay->key.size == key.size && memcmp(replay->key.data, key.data, key.size) == 0;
}

/* Counts a key; the elements of one come one after the other. */
static void account_for(Replay *replay, RpSpan key) {
    if (!is_same_key(replay, key)) {
        replay->filling.batch->keys.scanned++;
        replay->filling.batch->keys.mapped++;
    }
}

static void remember_key(Replay *replay, RpSpan key) {
    replay->key.size = 0;
    rp_buffer_append(&replay->key, key.data, key.size);
}

static void add_replay(Replay *replay, const RpReplayEntry *entry) {
    RpBatch *batch = replay->filling.batch;
    const gboolean has_each = entity_of(replay)->scope.has_each;
    const RpReplay item = {.reject = entry->reject,
                           .record = batch->records.index->len - 1,
                           .n_records = 1,
                           .element = has_each ? entry->element : -1};
    g_array_append_val(batch->replays, item);
}

static void note_progress(Replay *replay) {
    RpCrew *crew = replay->crew;
    g_mutex_lock(&crew->mutex);
    crew->progress.keys_read++;
    crew->progress.keys_expected = replay->source->selection->n_records;
    g_mutex_unlock(&crew->mutex);
}

/* Takes an entry's record into the batch, which is opened or changed for it; or what else its record stands
 * for. */
static gboolean take_entry(Replay *replay, const RpReplayEntry *entry, GError **error) {
    RpRaw raw;
    if (entry->is_first) {
        if (!rp_filling_make_room(&replay->filling, error))
            return FALSE;
        replay->is_taken = may_replay(entity_of(replay), entry, &raw, &replay->left);
        if (replay->is_taken) {
            account_for(replay, entry->key);
            append(replay, entry, &raw);
        }
        remember_key(replay, entry->key);
        note_progress(replay);
    } else if (!is_same_key(replay, entry->key)) {
        replay->source->selection->left[RP_LEFT_DAMAGED]++;
        return TRUE;
    }
    if (replay->is_taken)
        add_replay(replay, entry);
    else
        replay->source->selection->left[replay->left]++;
    return TRUE;
}

/* ---- passes ---- */

static gboolean take_page(Replay *replay, const RpReplayPage *page, GError **error) {
    for (guint i = 0; i < rp_replay_page_size(page); i++) {
        RpReplayEntry entry;
        rp_replay_page_get(page, i, &entry);
        if (!take_entry(replay, &entry, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean take_entity(Replay *replay, GError **error) {
    RpReplayPage page = {0};
    gboolean is_fine = TRUE, is_end = FALSE;
    replay->key.size = 0;
    replay->is_taken = FALSE;
    while (is_fine && !is_end && !is_stopping(replay)) {
        is_fine = rp_replay_read(replay->source->connection, entity_of(replay)->name, TRUE, &page, error);
        is_end = is_fine && rp_replay_page_size(&page) == 0;
        is_fine = is_fine && take_page(replay, &page, error);
    }
    rp_replay_page_clear(&page);
    return is_fine;
}

static gboolean take_pass(Replay *replay, guint pass, GError **error) {
    const RpCrew *crew = replay->crew;
    rp_filling_begin(&replay->filling, pass);
    for (replay->entity = 0; replay->entity < crew->passes->len; replay->entity++)
        if (g_array_index(crew->passes, guint32, replay->entity) == pass && !take_entity(replay, error))
            return FALSE;
    if (replay->filling.batch != NULL) {
        if (!is_stopping(replay))
            rp_filling_reach(&replay->filling, 0);
        rp_filling_close(&replay->filling);
    }
    return TRUE;
}

static gboolean take_all(Replay *replay, GError **error) {
    const RpCrew *crew = replay->crew;
    if (!rp_replay_refresh(replay->source->connection, error))
        return FALSE;
    for (guint pass = 0; pass < crew->n_passes && !is_stopping(replay); pass++) {
        if (!take_pass(replay, pass, error))
            return FALSE;
        if (!rp_queue_wait_for(crew->pool, crew->n_batches))
            return TRUE; /* somebody failed, and has said so */
        rp_event_note(RP_EVENT_PASS_ENDED);
    }
    return TRUE;
}

static gpointer replay_thread(gpointer data) {
    RpCrew *crew = data;
    Replay replay = {.crew = crew, .source = crew->feed->data, .filling = {.crew = crew}};
    GError *error = NULL;
    if (!take_all(&replay, &error))
        rp_crew_fail(crew, error, FALSE);
    if (replay.filling.batch != NULL) /* broken off by an error */
        rp_queue_push(crew->pool, replay.filling.batch);
    rp_queue_close(crew->to_map);
    rp_buffer_clear(&replay.key);
    return NULL;
}

gboolean rp_replay(const RpLoadOptions *options, const RpReplaySource *source, RpRunSummary **summary,
                   GError **error) {
    const RpFeed feed = {.kind = "replay",
                         .read = replay_thread,
                         .data = source,
                         .source = source->is_from_source ? NULL : source->selection->source};
    return rp_load_from(options, &feed, summary, error);
}
