/* A taker that writes down what it is told, and streams of commands written as text. */
#pragma once

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

#include "source/connection.h"
#include "source/stream_touches.h"

/* What was told: "order:1 expires 5000", "barrier FLUSHDB". */
typedef struct {
    GString *text;
    RpStreamPlace place;  /* the last one that was reached */
    RpStreamPlace before; /* of the last touch or barrier */
    guint n_reached;
    guint64 stops_at; /* an offset; 0: never */
    gint is_stopping;
} StreamLog;

static inline gboolean stream_log_touch(const RpTouch *touch, gpointer data, GError **error) {
    StreamLog *log = data;
    (void)error;
    g_autofree char *key = rp_span_show(touch->key, 100);
    g_string_append(log->text, key);
    if (touch->expires_at_ms == RP_EXPIRY_NONE)
        g_string_append(log->text, " lasts");
    else if (touch->expires_at_ms != RP_EXPIRY_UNTOLD)
        g_string_append_printf(log->text, " expires %" G_GINT64_FORMAT, touch->expires_at_ms);
    g_string_append_c(log->text, '\n');
    log->before = touch->before;
    return TRUE;
}

static inline gboolean stream_log_barrier(const char *what, const RpStreamPlace *before, gpointer data,
                                          GError **error) {
    StreamLog *log = data;
    (void)error;
    g_string_append_printf(log->text, "barrier %s\n", what);
    log->before = *before;
    return TRUE;
}

static inline gboolean stream_log_reach(const RpStreamPlace *place, gpointer data, GError **error) {
    StreamLog *log = data;
    (void)error;
    cr_assert(place->offset >= log->place.offset);
    log->place = *place;
    log->n_reached++;
    if (log->stops_at != 0 && place->offset >= log->stops_at)
        g_atomic_int_set(&log->is_stopping, TRUE);
    return TRUE;
}

static inline RpCaptureTaker stream_log_taker(StreamLog *log) {
    log->text = g_string_new(NULL);
    return (RpCaptureTaker){stream_log_touch, stream_log_barrier, stream_log_reach, log};
}

static inline void stream_log_clear(StreamLog *log) {
    if (log->text != NULL)
        g_string_free(log->text, TRUE);
    log->text = NULL;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StreamLog, stream_log_clear)

/* Commands with ";" between them, whose words have blanks between them. */
static inline GString *stream_of(const char *text) {
    GString *stream = g_string_new(NULL);
    g_auto(GStrv) commands = g_strsplit(text, ";", -1);
    for (char **command = commands; *command != NULL; command++) {
        g_auto(GStrv) words = g_strsplit(g_strstrip(*command), " ", -1);
        g_string_append_printf(stream, "*%u\r\n", g_strv_length(words));
        for (char **word = words; *word != NULL; word++)
            g_string_append_printf(stream, "$%zu\r\n%s\r\n", strlen(*word), *word);
    }
    return stream;
}

/* Says that a command of three words has its key at the end, and knows no other. */
static inline gboolean stream_ask(const RpSpan *words, guint n_words, GArray *keys, gpointer data,
                                  GError **error) {
    (void)data;
    if (n_words == 3)
        g_array_append_val(keys, words[2]);
    if (n_words <= 3)
        return TRUE;
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED, "nobody knows it");
    return FALSE;
}

#define STREAM_BEGIN ((RpStreamPlace){"0123456789012345678901234567890123456789", 1000, 0})

/* Feeds the stream in pieces of so many bytes, of database 0 and a place with database 0. */
static inline gboolean stream_log_feed(StreamLog *log, const RpStreamPlace *begin, RpSpan stream,
                                       gsize piece_bytes, GError **error) {
    const RpCaptureTaker taker = stream_log_taker(log);
    const RpKeyAsker asker = {stream_ask, NULL};
    g_autoptr(RpStreamTouches) touches = rp_stream_touches_new(begin, 0, &taker, &asker);
    for (gsize at = 0; at < stream.size; at += piece_bytes)
        if (!rp_stream_touches_feed(touches, (RpSpan){stream.data + at, MIN(piece_bytes, stream.size - at)},
                                    error))
            return FALSE;
    return TRUE;
}
