/* Keys of rejects, read from Redis as they are now, into batches.
 *
 * 1. A reject is settled with the batch that holds all that was read of its key; where that came in several
 *    batches, when all of them are committed. */
#include "pipeline/replay_feed.h"

#define KEYS_AHEAD 100 /* that are asked for before the first answer is taken */

/* Takes all that a key holds. Where it came in several batches, the list is told. */
static gboolean take_key(RpReplayFeed *feed, const RpReplayEntry *entry, RpWindow *window, GError **error) {
    gsize n_bytes;
    feed->is_taken = feed->is_left = FALSE;
    if (!rp_filling_make_room(&feed->filling, error))
        return FALSE;
    rp_replay_feed_begin(feed, entry->key);
    const guint64 number = feed->filling.batch->number;
    if (!rp_key_reader_take(&feed->keys, feed->entity, window, entry->key, &n_bytes, error))
        return FALSE;
    if (rp_replay_feed_is_stopping(feed)) /* perhaps in the middle of the key */
        return TRUE;
    feed->is_taken = feed->filling.batch->number == number;
    return feed->is_taken || rp_replay_mark_late(feed->source->connection, entry->position, error);
}

static gboolean take_slice(RpReplayFeed *feed, const RpReplayPage *page, guint first, guint end,
                           GError **error) {
    const RpPattern *keys = rp_replay_feed_entity(feed)->keys;
    RpWindow windows[KEYS_AHEAD];
    RpReplayEntry entry;
    guint n_asked = 0;
    rp_key_reader_await(&feed->keys, 0);
    for (guint i = first; i < end; i++) {
        rp_replay_page_get(page, i, &entry);
        if (!entry.is_first || !rp_pattern_match(keys, entry.key, NULL))
            continue;
        windows[i - first] = rp_key_reader_send(&feed->keys, feed->entity, entry.key);
        n_asked++;
    }
    rp_throttle_count(feed->keys.throttle, n_asked);
    for (guint i = first; i < end && !rp_replay_feed_is_stopping(feed); i++) {
        rp_replay_page_get(page, i, &entry);
        if (entry.is_first && rp_pattern_match(keys, entry.key, NULL)) {
            if (!take_key(feed, &entry, &windows[i - first], error))
                return FALSE;
        } else if (entry.is_first) {
            if (!rp_filling_open(&feed->filling, error))
                return FALSE;
            feed->is_taken = FALSE;
            feed->is_left = TRUE;
            feed->left = RP_LEFT_ENTITY;
            rp_replay_feed_begin(feed, entry.key);
        }
        rp_replay_feed_add(feed, &entry, -1);
    }
    return TRUE;
}

gboolean rp_replay_take_keys(RpReplayFeed *feed, const RpReplayPage *page, GError **error) {
    const guint n_entries = rp_replay_page_size(page);
    for (guint first = 0, end; first < n_entries; first = end) {
        end = first + MIN(rp_throttle_fit(feed->keys.throttle, KEYS_AHEAD), n_entries - first);
        if (!take_slice(feed, page, first, end, error))
            return FALSE;
    }
    return TRUE;
}
