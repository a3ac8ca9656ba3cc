/* Lists, sets, sorted sets and streams: a record an element.
 *
 * 1. A window is taken whole or not at all: one whose elements are too large together is asked for again in
 *    smaller ones, down to a single element.
 * 2. Every element ends in a record, also the one that is too large to be taken. */
#include "source/window.h"

#include "source/aside.h"

#include <string.h>

static RpReplyShape shape_of(RpRecordType type) {
    switch (type) {
    case RP_RECORD_LIST:
        return RP_REPLY_ITEMS;
    case RP_RECORD_SET:
        return RP_REPLY_MEMBERS;
    case RP_RECORD_ZSET:
        return RP_REPLY_SCORES;
    case RP_RECORD_STREAM:
        return RP_REPLY_ENTRIES;
    case RP_RECORD_HASH:
    case RP_RECORD_STRING:
    case RP_RECORD_OTHER:
        break;
    }
    g_assert_not_reached();
}

/* SSCAN and ZSCAN give a small collection whole: what Redis holds as such is far from this. */
#define MAX_MISSING 100000

/* Whether nobody could say what is missing, or where to go on. */
static gboolean is_beyond_use(const RpReplyTarget *target) {
    return target->is_odd || (target->shape != RP_REPLY_ITEMS && !target->has_position) ||
           target->n_announced > target->n_begun + MAX_MISSING;
}

/* What was announced and never came: a single value was too large to be waited for. */
static void add_missing(RpReplyTarget *target) {
    RpRecords *records = target->records;
    if (target->n_begun > 0 && target->shape == RP_REPLY_ENTRIES) { /* the newest one lacks values */
        rp_records_drop_values(records);
        g_array_index(records->index, RpRecord, records->index->len - 1).outcome = RP_READ_TOO_LARGE;
    }
    const guint64 n_announced = MAX(target->n_announced, 1);
    for (guint64 i = target->n_begun; i < n_announced; i++) {
        RpRecord *record = rp_reply_begin_record(target);
        record->outcome = RP_READ_TOO_LARGE;
        record->index = target->shape == RP_REPLY_ITEMS ? target->head.index : -1;
    }
}

/* Moves the window behind what came. */
static gboolean move_window(RpWindow *window, const RpReplyTarget *target) {
    window->n_before += target->n_begun;
    switch (target->shape) {
    case RP_REPLY_ITEMS:
        return target->n_begun < window->count;
    case RP_REPLY_MEMBERS:
    case RP_REPLY_SCORES:
        window->cursor = target->cursor;
        return target->cursor == 0;
    default:
        break;
    }
    if (target->n_begun < window->count)
        return TRUE;
    const gboolean is_last_of_ms = target->last_id[1] == G_MAXUINT64;
    window->id[0] = target->last_id[0] + (is_last_of_ms ? 1 : 0);
    window->id[1] = is_last_of_ms ? 0 : target->last_id[1] + 1;
    return is_last_of_ms && target->last_id[0] == G_MAXUINT64;
}

/* Nothing came of the whole key. */
static gboolean end_empty(RpChannel *channel, RpReplyTarget *target, GError **error) {
    gboolean has_vanished;
    if (!rp_aside_is_gone(channel, target->key, &has_vanished, error))
        return FALSE;
    if (has_vanished)
        rp_reply_begin_record(target)->outcome = RP_READ_VANISHED;
    return TRUE;
}

gboolean rp_window_receive(RpWindow *window, RpChannel *channel, RpReplyTarget *target, gboolean *is_complete,
                           GError **error) {
    const guint first = target->records->index->len;
    target->shape = shape_of((RpRecordType)target->head.type);
    target->head.index = (gint64)window->n_before;
    target->max_elements = window->count;
    memcpy(target->first_id, window->id, sizeof window->id);
    target->is_smallest = window->count == 1;
    if (!rp_channel_receive(channel, target, error))
        return FALSE;
    if (target->error_text != NULL) {
        *is_complete = TRUE;
        return rp_aside_take_refusal(channel, target, error);
    }
    if (target->is_too_large && !target->is_smallest) {
        rp_records_cut(target->records, first);
        window->count /= 2;
        *is_complete = FALSE;
        return TRUE;
    }
    if (target->is_too_large && is_beyond_use(target))
        return rp_channel_doubt(channel, "an answer that is too large is not made up as it should be", error);
    if (target->is_too_large)
        add_missing(target);
    *is_complete = move_window(window, target);
    return !*is_complete || window->n_before > 0 || end_empty(channel, target, error);
}
