/* Reading keys: which command asks for what, and what its reply means.
 *
 * 1. No command asks for more than a window of a key, so that Redis is free for others in between.
 * 2. A window is taken whole or not at all: one whose elements are too large together is asked for again in
 *    smaller ones, down to a single element.
 * 3. Every element ends in a record, also the one that is too large to be taken. */
#include "source/fetch.h"

#include "base/error.h"
#include "source/channel.h"
#include "source/commands.h"

#include <string.h>

struct RpFetch {
    RpChannel *channel;
    gsize max_value_bytes;
};

RpFetch *rp_fetch_new(const RpRedisAddress *address, gsize max_value_bytes, const gint *is_cancelled,
                      GError **error) {
    RpChannel *channel = rp_channel_new(address, max_value_bytes, is_cancelled, error);
    if (channel == NULL)
        return NULL;
    RpFetch *fetch = g_new0(RpFetch, 1);
    *fetch = (RpFetch){channel, max_value_bytes};
    return fetch;
}

void rp_fetch_free(RpFetch *fetch) {
    if (fetch == NULL)
        return;
    rp_channel_free(fetch->channel);
    g_free(fetch);
}

gboolean rp_fetch_flush(RpFetch *fetch, GError **error) {
    return rp_channel_flush(fetch->channel, error);
}

redisContext *rp_fetch_aside(RpFetch *fetch, GError **error) {
    return rp_channel_aside(fetch->channel, error);
}

/* ---- keys ---- */

void rp_fetch_send_scan(RpFetch *fetch, guint64 cursor, const char *match, guint count) {
    rp_command_send_scan(fetch->channel, cursor, match, count);
}

gboolean rp_fetch_receive_page(RpFetch *fetch, RpKeyPage *page, GError **error) {
    page->bytes.size = 0;
    page->has_cursor = FALSE;
    g_array_set_size(page->spans, 0);
    RpReplyTarget target = {.shape = RP_REPLY_PAGE, .page = page};
    if (!rp_channel_receive(fetch->channel, &target, error))
        return FALSE;
    if (target.error_text != NULL)
        return rp_channel_refuse(fetch->channel, &target, error);
    if (target.is_too_large)
        return rp_channel_lost(fetch->channel, "SCAN gave a key that is longer than --max-value-bytes",
                               error);
    if (!page->has_cursor)
        return rp_channel_lost(fetch->channel, "the answer to SCAN is no page of keys", error);
    return TRUE;
}

/* ---- contents ---- */

void rp_fetch_send_length(RpFetch *fetch, RpSpan key) {
    rp_command_send_about(fetch->channel, "HLEN", key);
}

void rp_fetch_send_read(RpFetch *fetch, const RpRead *read, const RpWindow *window, RpSpan key) {
    if (read->has_ttl || read->has_expiry)
        rp_command_send_about(fetch->channel, "PTTL", key);
    if (read->has_expiry)
        rp_command_send_about(fetch->channel, "PEXPIRETIME", key);
    if (rp_record_type_has_elements(read->type))
        rp_command_send_window(fetch->channel, read->type, window, key);
    else if (window->is_partial)
        rp_command_send_fields(fetch->channel, read->fields, key);
    else
        rp_command_send_about(fetch->channel, read->type == RP_RECORD_HASH ? "HGETALL" : "GET", key);
}

/* ---- receiving ---- */

/* A number; *is_refused when Redis gave an error that *meaning names. */
static gboolean receive_number(RpFetch *fetch, RpSourceError meaning, gint64 *number, gboolean *is_refused,
                               GError **error) {
    RpReplyTarget target = {.shape = RP_REPLY_NUMBER};
    if (!rp_channel_receive(fetch->channel, &target, error))
        return FALSE;
    *number = target.integer;
    *is_refused = target.error_text != NULL && rp_redis_reply_classify(target.error_text) == meaning;
    if (target.error_text != NULL && !*is_refused)
        return rp_channel_refuse(fetch->channel, &target, error);
    g_free(target.error_text);
    return TRUE;
}

gboolean rp_fetch_receive_length(RpFetch *fetch, guint64 *n_fields, GError **error) {
    gint64 number;
    gboolean is_wrong_type;
    if (!receive_number(fetch, RP_SOURCE_ERROR_WRONG_TYPE, &number, &is_wrong_type, error))
        return FALSE;
    *n_fields = is_wrong_type ? 0 : (guint64)MAX(number, 0);
    return TRUE;
}

/* Before Redis 7.0 there is no PEXPIRETIME: then the time of expiry is as exact as our clock. */
static gboolean receive_times(RpFetch *fetch, const RpRead *read, RpRecord *head, GError **error) {
    gboolean is_refused;
    head->ttl_ms = head->expires_at_ms = -2;
    if (!read->has_ttl && !read->has_expiry)
        return TRUE;
    if (!receive_number(fetch, RP_SOURCE_ERROR_WRONG_TYPE, &head->ttl_ms, &is_refused, error))
        return FALSE;
    if (!read->has_expiry)
        return TRUE;
    if (!receive_number(fetch, RP_SOURCE_ERROR_REPLY, &head->expires_at_ms, &is_refused, error))
        return FALSE;
    if (is_refused)
        head->expires_at_ms = head->ttl_ms < 0 ? head->ttl_ms : g_get_real_time() / 1000 + head->ttl_ms;
    return TRUE;
}

/* The beginning of a string, as long as the limit allows; it may have become another type meanwhile, or be
 * gone. */
static gboolean keep_string(RpFetch *fetch, RpRecords *records, RpSpan key, GError **error) {
    g_autofree char *last = g_strdup_printf("%" G_GSIZE_FORMAT, fetch->max_value_bytes - 1);
    const char *const argv[4] = {"GETRANGE", key.data, "0", last};
    const gsize sizes[4] = {8, key.size, 1, strlen(last)};
    g_autoptr(GError) changed = NULL;
    g_autoptr(redisReply) value = rp_redis_command(rp_fetch_aside(fetch, NULL), 4, argv, sizes, &changed);
    if (value != NULL && value->type != REDIS_REPLY_STRING)
        return rp_channel_lost(fetch->channel, "the answer to GETRANGE is no string", error);
    if (value != NULL)
        rp_records_add_value(records, (RpSpan){value->str, value->len});
    if (value != NULL || g_error_matches(changed, RP_SOURCE_ERROR, RP_SOURCE_ERROR_WRONG_TYPE))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&changed));
    return FALSE;
}

/* A key of another type than expected is kept with its real type, and with its value if that is a string:
 * a reject has to show what was there. */
static gboolean look_at_wrong_type(RpFetch *fetch, RpRecords *records, RpSpan key, GError **error) {
    redisContext *aside = rp_fetch_aside(fetch, error);
    if (aside == NULL)
        return FALSE;
    const char *const argv[2] = {"TYPE", key.data};
    const gsize sizes[2] = {4, key.size};
    g_autoptr(redisReply) type = rp_redis_command(aside, 2, argv, sizes, error);
    if (type == NULL)
        return FALSE;
    if (type->type != REDIS_REPLY_STATUS)
        return rp_channel_lost(fetch->channel, "the answer to TYPE names no type", error);
    RpRecord *record = &g_array_index(records->index, RpRecord, records->index->len - 1);
    const gboolean is_gone = strcmp(type->str, "none") == 0;
    record->outcome = is_gone ? RP_READ_VANISHED : RP_READ_WRONG_TYPE;
    if (!is_gone)
        record->type = (guint8)rp_record_type_parse(type->str);
    return is_gone || record->type != RP_RECORD_STRING || keep_string(fetch, records, key, error);
}

static gboolean take_refusal(RpFetch *fetch, RpReplyTarget *target, GError **error) {
    if (rp_redis_reply_classify(target->error_text) != RP_SOURCE_ERROR_WRONG_TYPE) {
        g_autofree char *shown = rp_span_show(target->key, RP_SHOWN_KEY_BYTES);
        rp_channel_refuse(fetch->channel, target, error);
        g_prefix_error(error, "reading key %s: ", shown);
        return FALSE;
    }
    g_clear_pointer(&target->error_text, g_free);
    if (target->n_begun == 0)
        rp_reply_begin_record(target);
    return look_at_wrong_type(fetch, target->records, target->key, error);
}

/* Whether a key of which nothing came is gone; an empty stream is not, nor is a hash without the fields that
 * were asked for. */
static gboolean is_gone(RpFetch *fetch, RpSpan key, gboolean *is_gone, GError **error) {
    redisContext *aside = rp_fetch_aside(fetch, error);
    if (aside == NULL)
        return FALSE;
    const char *const argv[2] = {"EXISTS", key.data};
    const gsize sizes[2] = {6, key.size};
    g_autoptr(redisReply) reply = rp_redis_command(aside, 2, argv, sizes, error);
    if (reply == NULL)
        return FALSE;
    *is_gone = reply->integer == 0;
    return TRUE;
}

/* ---- hashes and strings: one record ---- */

static gboolean receive_whole(RpFetch *fetch, const RpRead *read, const RpWindow *window,
                              RpReplyTarget *target, GError **error) {
    target->shape = window->is_partial ? RP_REPLY_FIELDS : RP_REPLY_VALUES;
    target->fields = read->fields;
    RpRecords *records = target->records;
    rp_reply_begin_record(target);
    if (!rp_channel_receive(fetch->channel, target, error))
        return FALSE;
    RpRecord *record = &g_array_index(records->index, RpRecord, records->index->len - 1);
    if (target->error_text != NULL)
        return take_refusal(fetch, target, error);
    if (target->is_too_large) {
        rp_records_drop_values(records);
        record->outcome = RP_READ_TOO_LARGE;
        return TRUE;
    }
    if (record->outcome != RP_READ_OK || record->n_values > 0)
        return TRUE;
    gboolean has_vanished = TRUE; /* Redis has no empty hash, and GET of no key is nil */
    if (window->is_partial && !is_gone(fetch, target->key, &has_vanished, error))
        return FALSE;
    record->outcome = has_vanished ? RP_READ_VANISHED : RP_READ_OK;
    return TRUE;
}

/* ---- lists, sets, sorted sets and streams: a record an element ---- */

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
static gboolean end_empty(RpFetch *fetch, RpReplyTarget *target, GError **error) {
    gboolean has_vanished;
    if (!is_gone(fetch, target->key, &has_vanished, error))
        return FALSE;
    if (has_vanished)
        rp_reply_begin_record(target)->outcome = RP_READ_VANISHED;
    return TRUE;
}

static gboolean receive_elements(RpFetch *fetch, RpWindow *window, RpReplyTarget *target,
                                 gboolean *is_complete, GError **error) {
    const guint first = target->records->index->len;
    target->shape = shape_of((RpRecordType)target->head.type);
    target->head.index = (gint64)window->n_before;
    target->max_elements = window->count;
    memcpy(target->first_id, window->id, sizeof window->id);
    target->is_smallest = window->count == 1;
    if (!rp_channel_receive(fetch->channel, target, error))
        return FALSE;
    if (target->error_text != NULL) {
        *is_complete = TRUE;
        return take_refusal(fetch, target, error);
    }
    if (target->is_too_large && !target->is_smallest) {
        rp_records_cut(target->records, first);
        window->count /= 2;
        *is_complete = FALSE;
        return TRUE;
    }
    if (target->is_too_large && is_beyond_use(target))
        return rp_channel_lost(fetch->channel, "an answer that is too large is not made up as it should be",
                               error);
    if (target->is_too_large)
        add_missing(target);
    *is_complete = move_window(window, target);
    return !*is_complete || window->n_before > 0 || end_empty(fetch, target, error);
}

gboolean rp_fetch_receive_read(RpFetch *fetch, const RpRead *read, RpWindow *window, RpSpan key,
                               RpRecords *records, gboolean *is_complete, GError **error) {
    RpReplyTarget target = {.records = records,
                            .head = {.entity = read->entity, .type = (guint8)read->type, .index = -1},
                            .key = key,
                            .max_bytes = fetch->max_value_bytes};
    *is_complete = TRUE;
    if (!receive_times(fetch, read, &target.head, error))
        return FALSE;
    if (rp_record_type_has_elements(read->type))
        return receive_elements(fetch, window, &target, is_complete, error);
    return receive_whole(fetch, read, window, &target, error);
}
