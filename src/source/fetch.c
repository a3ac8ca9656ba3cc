/* Pipelined reading. Commands that were sent and not yet answered are remembered, so that a connection
 * which had to be dropped (a value over the limit was on its way) is opened again and asked for the rest. */
#include "source/fetch.h"

#include "base/error.h"
#include "source/reply.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_SECONDS    60
#define CANCEL_POLL_MS     200
#define READER_SLACK_BYTES (64 * 1024)
#define FORGET_EVERY       4096

struct RpFetch {
    const RpRedisAddress *address;
    const gint *is_cancelled;
    gsize max_value_bytes;
    redisContext *redis;
    redisContext *aside;
    RpBuffer sent;     /* the bytes of all commands since the last time that none was unanswered */
    GArray *sent_ends; /* gsize: where each command ends in sent */
    guint n_answered;  /* how many of them were answered */
    gsize n_written;   /* how many bytes of sent were written to the socket */
};

/* ---- connection ---- */

static gboolean connect_again(RpFetch *fetch, GError **error) {
    g_clear_pointer(&fetch->redis, redisFree);
    fetch->redis = rp_redis_connect(fetch->address, TIMEOUT_SECONDS, error);
    if (fetch->redis == NULL)
        return FALSE;
    fetch->redis->reader->fn = &RP_REPLY_FUNCTIONS;
    /* What was sent after the last answer has to be asked again. */
    fetch->n_written =
        fetch->n_answered == 0 ? 0 : g_array_index(fetch->sent_ends, gsize, fetch->n_answered - 1);
    return TRUE;
}

RpFetch *rp_fetch_new(const RpRedisAddress *address, gsize max_value_bytes, const gint *is_cancelled,
                      GError **error) {
    g_autoptr(RpFetch) fetch = g_new0(RpFetch, 1);
    fetch->address = address;
    fetch->max_value_bytes = max_value_bytes;
    fetch->is_cancelled = is_cancelled;
    fetch->sent_ends = g_array_new(FALSE, FALSE, sizeof(gsize));
    return connect_again(fetch, error) ? g_steal_pointer(&fetch) : NULL;
}

void rp_fetch_free(RpFetch *fetch) {
    if (fetch == NULL)
        return;
    g_clear_pointer(&fetch->redis, redisFree);
    g_clear_pointer(&fetch->aside, redisFree);
    rp_buffer_clear(&fetch->sent);
    g_clear_pointer(&fetch->sent_ends, g_array_unref);
    g_free(fetch);
}

redisContext *rp_fetch_aside(RpFetch *fetch, GError **error) {
    if (fetch->aside == NULL)
        fetch->aside = rp_redis_connect(fetch->address, TIMEOUT_SECONDS, error);
    return fetch->aside;
}

/* ---- sending ---- */

static void queue_command(RpFetch *fetch, int argc, const char **argv, const gsize *sizes) {
    char *command = NULL;
    const int size = redisFormatCommandArgv(&command, argc, argv, sizes);
    g_assert(size > 0); /* fails only when memory is out */
    rp_buffer_append(&fetch->sent, command, (gsize)size);
    redisFreeCommand(command);
    g_array_append_val(fetch->sent_ends, fetch->sent.size);
}

void rp_fetch_send_scan(RpFetch *fetch, guint64 cursor, const char *match, guint count) {
    char cursor_text[32], count_text[16];
    g_snprintf(cursor_text, sizeof cursor_text, "%" G_GUINT64_FORMAT, cursor);
    g_snprintf(count_text, sizeof count_text, "%u", count);
    const char *argv[6] = {"SCAN", cursor_text, "COUNT", count_text, "MATCH", match};
    queue_command(fetch, match != NULL ? 6 : 4, argv, NULL);
}

void rp_fetch_send_key(RpFetch *fetch, RpRecordType type, gboolean has_ttl, RpSpan key) {
    const gsize sizes[2] = {type == RP_RECORD_HASH ? strlen("HGETALL") : strlen("GET"), key.size};
    const char *argv[2] = {type == RP_RECORD_HASH ? "HGETALL" : "GET", key.data};
    if (has_ttl) {
        const gsize ttl_sizes[2] = {strlen("PTTL"), key.size};
        const char *ttl_argv[2] = {"PTTL", key.data};
        queue_command(fetch, 2, ttl_argv, ttl_sizes);
    }
    queue_command(fetch, 2, argv, sizes);
}

/* Sets error for a broken connection. */
static gboolean lost(RpFetch *fetch, const char *what, GError **error) {
    g_autofree char *place = rp_redis_address_show(fetch->address);
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "Redis at %s: %s", place, what);
    return FALSE;
}

gboolean rp_fetch_flush(RpFetch *fetch, GError **error) {
    if (fetch->n_written == fetch->sent.size)
        return TRUE;
    int is_done = 0;
    if (redisAppendFormattedCommand(fetch->redis, fetch->sent.data + fetch->n_written,
                                    fetch->sent.size - fetch->n_written) != REDIS_OK)
        return lost(fetch, fetch->redis->errstr, error);
    fetch->n_written = fetch->sent.size;
    while (!is_done)
        if (redisBufferWrite(fetch->redis, &is_done) != REDIS_OK)
            return lost(fetch, fetch->redis->errstr, error);
    return TRUE;
}

/* ---- receiving ---- */

/* Waits until the socket can be read: a read that times out inside hiredis would end the context. */
static gboolean wait_readable(RpFetch *fetch, GError **error) {
    struct pollfd pollfd = {.fd = fetch->redis->fd, .events = POLLIN};
    for (gint waited_ms = 0; waited_ms < TIMEOUT_SECONDS * 1000; waited_ms += CANCEL_POLL_MS) {
        if (g_atomic_int_get(fetch->is_cancelled)) {
            g_set_error(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, "stopped while reading Redis");
            return FALSE;
        }
        const int ready = poll(&pollfd, 1, CANCEL_POLL_MS);
        if (ready > 0)
            return TRUE;
        if (ready < 0 && errno != EINTR)
            return lost(fetch, g_strerror(errno), error);
    }
    return lost(fetch, "no answer within 60 seconds", error);
}

/* Forgets commands that were answered, now and then, since there is always one that was not. */
static void note_answered(RpFetch *fetch) {
    fetch->n_answered++;
    if (fetch->n_answered < FORGET_EVERY && fetch->n_answered < fetch->sent_ends->len)
        return;
    const gsize done = g_array_index(fetch->sent_ends, gsize, fetch->n_answered - 1);
    g_array_remove_range(fetch->sent_ends, 0, fetch->n_answered);
    for (guint i = 0; i < fetch->sent_ends->len; i++)
        g_array_index(fetch->sent_ends, gsize, i) -= done;
    memmove(fetch->sent.data, fetch->sent.data + done, fetch->sent.size - done);
    fetch->sent.size -= done;
    fetch->n_written -= done;
    fetch->n_answered = 0;
}

/* Takes one reply into target. A single value over the limit is never waited for: the connection is
 * dropped, opened again, and asked for what comes after it. */
static gboolean receive(RpFetch *fetch, RpReplyTarget *target, GError **error) {
    g_assert(fetch->n_answered < fetch->sent_ends->len);
    if (!rp_fetch_flush(fetch, error))
        return FALSE;
    redisReader *reader = fetch->redis->reader;
    reader->privdata = target;
    for (;;) {
        void *reply = NULL;
        if (redisReaderGetReply(reader, &reply) != REDIS_OK)
            return lost(fetch, reader->errstr, error);
        if (reply != NULL) {
            note_answered(fetch);
            return TRUE;
        }
        if (reader->len - reader->pos > fetch->max_value_bytes + READER_SLACK_BYTES) {
            target->is_too_large = TRUE;
            note_answered(fetch);
            return connect_again(fetch, error);
        }
        if (!wait_readable(fetch, error))
            return FALSE;
        if (redisBufferRead(fetch->redis) != REDIS_OK)
            return lost(fetch, fetch->redis->errstr, error);
    }
}

/* Turns an error reply into an error; takes the text. */
static gboolean refuse(RpFetch *fetch, RpReplyTarget *target, GError **error) {
    g_autofree char *text = g_steal_pointer(&target->error_text);
    g_autofree char *place = rp_redis_address_show(fetch->address);
    g_set_error(error, RP_SOURCE_ERROR, (int)rp_redis_reply_classify(text), "Redis at %s: %s", place, text);
    return FALSE;
}

gboolean rp_fetch_receive_page(RpFetch *fetch, RpKeyPage *page, GError **error) {
    page->bytes.size = 0;
    page->has_cursor = FALSE;
    g_array_set_size(page->spans, 0);
    RpReplyTarget target = {.page = page};
    if (!receive(fetch, &target, error))
        return FALSE;
    if (target.error_text != NULL)
        return refuse(fetch, &target, error);
    if (target.is_too_large)
        return lost(fetch, "SCAN gave a key that is longer than --max-value-bytes", error);
    if (!page->has_cursor)
        return lost(fetch, "the answer to SCAN is no page of keys", error);
    return TRUE;
}

/* A key of another type than expected is kept with its real type, and with its value if that is a string:
 * a reject has to show what was there. */
static gboolean look_at_wrong_type(RpFetch *fetch, RpRecords *records, RpSpan key, GError **error) {
    redisContext *aside = rp_fetch_aside(fetch, error);
    if (aside == NULL)
        return FALSE;
    const char *const type_argv[2] = {"TYPE", key.data};
    const gsize type_sizes[2] = {4, key.size};
    g_autoptr(redisReply) type = rp_redis_command(aside, 2, type_argv, type_sizes, error);
    if (type == NULL)
        return FALSE;
    RpRecord *record = &g_array_index(records->index, RpRecord, records->index->len - 1);
    if (strcmp(type->str, "none") == 0) {
        record->outcome = RP_READ_VANISHED;
        return TRUE;
    }
    record->type = (guint8)rp_record_type_parse(type->str);
    if (record->type != RP_RECORD_STRING)
        return TRUE;
    g_autofree char *last = g_strdup_printf("%" G_GSIZE_FORMAT, fetch->max_value_bytes - 1);
    const char *const value_argv[4] = {"GETRANGE", key.data, "0", last};
    const gsize value_sizes[4] = {8, key.size, 1, strlen(last)};
    g_autoptr(GError) changed = NULL; /* it may have become another type meanwhile, or be gone */
    g_autoptr(redisReply) value = rp_redis_command(aside, 4, value_argv, value_sizes, &changed);
    if (value != NULL)
        rp_records_add_value(records, (RpSpan){value->str, value->len});
    else if (!g_error_matches(changed, RP_SOURCE_ERROR, RP_SOURCE_ERROR_WRONG_TYPE)) {
        g_propagate_error(error, g_steal_pointer(&changed));
        return FALSE;
    }
    return TRUE;
}

static gboolean receive_ttl(RpFetch *fetch, gint64 *ttl_ms, GError **error) {
    RpReplyTarget target = {0};
    if (!receive(fetch, &target, error))
        return FALSE;
    if (target.error_text != NULL)
        return refuse(fetch, &target, error);
    *ttl_ms = target.integer;
    return TRUE;
}

gboolean rp_fetch_receive_record(RpFetch *fetch, RpRecords *records, guint32 entity, RpRecordType type,
                                 gboolean has_ttl, RpSpan key, GError **error) {
    RpRecord *record = rp_records_begin(records, entity, type, key);
    if (has_ttl && !receive_ttl(fetch, &record->ttl_ms, error))
        return FALSE;
    RpReplyTarget target = {.records = records, .max_bytes = fetch->max_value_bytes};
    if (!receive(fetch, &target, error))
        return FALSE;
    if (target.is_too_large) {
        rp_records_drop_values(records);
        record->outcome = RP_READ_TOO_LARGE;
    } else if (target.error_text != NULL) {
        if (rp_redis_reply_classify(target.error_text) != RP_SOURCE_ERROR_WRONG_TYPE) {
            refuse(fetch, &target, error);
            g_autofree char *shown = rp_span_show(key, RP_SHOWN_KEY_BYTES);
            g_prefix_error(error, "reading key %s: ", shown);
            return FALSE;
        }
        g_free(target.error_text);
        record->outcome = RP_READ_WRONG_TYPE;
        return look_at_wrong_type(fetch, records, key, error);
    } else if (target.is_nil || target.n_elements == 0) {
        record->outcome = RP_READ_VANISHED; /* Redis has no empty hash, and GET of no key is nil */
    }
    return TRUE;
}
