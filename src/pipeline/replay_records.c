/* Records as rejects keep them, back into batches.
 *
 * 1. A record that cannot be replayed as it was kept is left as it is, open, and counted. */
#include "model/raw.h"
#include "pipeline/replay_feed.h"

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
    if (raw->type != scope->type) /* is refused again: the key was of that type */
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

static void append(RpReplayFeed *feed, const RpReplayEntry *entry, RpRaw *raw) {
    const RpReferenceScope *scope = &rp_replay_feed_entity(feed)->scope;
    RpRecord *record = rp_raw_append(raw, feed->entity, &feed->filling.batch->records);
    if (raw->type != scope->type)
        record->outcome = RP_READ_WRONG_TYPE;
    if (scope->has_expiry)
        record->expires_at_ms = raw->ttl_ms < 0 ? raw->ttl_ms : entry->read_at_us / 1000 + raw->ttl_ms;
}

/* Takes an entry's record into the batch, which is opened or changed for it. */
static gboolean take_first(RpReplayFeed *feed, const RpReplayEntry *entry, GError **error) {
    RpRaw raw;
    if (!rp_filling_make_room(&feed->filling, error))
        return FALSE;
    feed->is_left = !may_replay(rp_replay_feed_entity(feed), entry, &raw, &feed->left);
    feed->is_taken = !feed->is_left;
    rp_replay_feed_begin(feed, entry->key);
    feed->read_at_us = entry->read_at_us;
    if (feed->is_taken)
        append(feed, entry, &raw);
    return TRUE;
}

gboolean rp_replay_take_records(RpReplayFeed *feed, const RpReplayPage *page, GError **error) {
    const gboolean has_each = rp_replay_feed_entity(feed)->scope.has_each;
    for (guint i = 0; i < rp_replay_page_size(page); i++) {
        RpReplayEntry entry;
        rp_replay_page_get(page, i, &entry);
        if (entry.is_first && rp_replay_feed_is_stopping(feed))
            return TRUE;
        if (entry.is_first && !take_first(feed, &entry, error))
            return FALSE;
        rp_replay_feed_add(feed, &entry, has_each ? entry.element : -1);
    }
    return TRUE;
}
