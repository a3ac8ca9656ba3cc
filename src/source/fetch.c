/* Reading keys: which command asks for what, and what its reply means. No command asks for more than a window
 * of a key, so that Redis is free for others in between. */
#include "source/fetch.h"

#include "source/aside.h"
#include "source/channel.h"
#include "source/commands.h"
#include "source/window.h"

struct RpFetch {
    RpChannel *channel;
    gsize max_value_bytes;
};

RpFetch *rp_fetch_new(const RpRedisAddress *address, const RpPatience *patience, GError **error) {
    RpChannel *channel = rp_channel_new(address, patience, error);
    if (channel == NULL)
        return NULL;
    RpFetch *fetch = g_new0(RpFetch, 1);
    *fetch = (RpFetch){channel, patience->max_value_bytes};
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
        return rp_channel_doubt(fetch->channel, "SCAN gave a key that is longer than --max-value-bytes",
                                error);
    if (!page->has_cursor)
        return rp_channel_doubt(fetch->channel, "the answer to SCAN is no page of keys", error);
    return TRUE;
}

/* ---- contents ---- */

/* How many fields of a hash are asked for at once; 0: all of them. */
static guint hash_limit(const RpFetch *fetch) {
    return rp_channel_get_version(fetch->channel) >= 602 ? RP_BIG_HASH_FIELDS : 0;
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
    else if (read->type == RP_RECORD_HASH)
        rp_command_send_hash(fetch->channel, hash_limit(fetch), key);
    else
        rp_command_send_about(fetch->channel, "GET", key);
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

/* ---- hashes and strings: one record ---- */

static gboolean receive_whole(RpFetch *fetch, const RpRead *read, RpWindow *window, RpReplyTarget *target,
                              gboolean *is_complete, GError **error) {
    target->shape = window->is_partial ? RP_REPLY_FIELDS : RP_REPLY_VALUES;
    target->fields = read->fields;
    RpRecords *records = target->records;
    rp_reply_begin_record(target);
    if (!rp_channel_receive(fetch->channel, target, error))
        return FALSE;
    RpRecord *record = &g_array_index(records->index, RpRecord, records->index->len - 1);
    record->is_partial = (guint8)window->is_partial;
    if (target->error_text != NULL)
        return rp_aside_take_refusal(fetch->channel, target, error);
    if (read->type == RP_RECORD_HASH && !window->is_partial && hash_limit(fetch) > 0 &&
        target->n_values >= 2 * RP_BIG_HASH_FIELDS) {
        rp_records_cut(records, records->index->len - 1);
        window->is_partial = TRUE;
        *is_complete = FALSE;
        return TRUE;
    }
    if (target->is_too_large) {
        rp_records_drop_values(records);
        record->outcome = RP_READ_TOO_LARGE;
        return TRUE;
    }
    if (record->outcome != RP_READ_OK || record->n_values > 0)
        return TRUE;
    gboolean has_vanished = TRUE; /* Redis has no empty hash, and GET of no key is nil */
    if (window->is_partial && !rp_aside_is_gone(fetch->channel, target->key, &has_vanished, error))
        return FALSE;
    record->outcome = has_vanished ? RP_READ_VANISHED : RP_READ_OK;
    return TRUE;
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
        return rp_window_receive(window, fetch->channel, &target, is_complete, error);
    return receive_whole(fetch, read, window, &target, is_complete, error);
}
