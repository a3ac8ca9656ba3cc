/* A capture by keyspace notifications in a thread of the test, on a Redis of its own, and what it told. */
#pragma once

#include "harness.h"

#include "sandbox/sandbox.h"
#include "source/notifications.h"

#include <stdarg.h>

typedef struct {
    RpSandbox *sandbox;
    redisContext *redis; /* the administrator's */
    RpRedisAddress address;
    gint is_cancelled, is_stopping, is_held;
    RpNotifications *notifications;
    GThread *thread;
    GMutex mutex;
    GCond cond;
    GString *told;      /* "key " for each touch, "key! " where it had expired, "{barrier} " */
    gboolean has_ended; /* the following has, */
    GError *error;      /* with that */
} Capture;

#define LIMIT_US (30 * G_USEC_PER_SEC)

/* One command (hiredis format); it fails the test when Redis refuses it. */
static G_GNUC_UNUSED void do_redis(Capture *capture, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(capture->redis, format, arguments);
    va_end(arguments);
    cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s: %s", format,
              reply != NULL ? reply->str : capture->redis->errstr);
    freeReplyObject(reply);
}

/* Commands whose words are separated by blanks, joined by "; ". */
static G_GNUC_UNUSED void do_all(Capture *capture, const char *commands) {
    g_auto(GStrv) each = g_strsplit(commands != NULL ? commands : "", "; ", -1);
    for (char **command = each; *command != NULL; command++) {
        g_auto(GStrv) words = g_strsplit(*command, " ", -1);
        redisReply *reply =
            redisCommandArgv(capture->redis, (int)g_strv_length(words), (const char **)words, NULL);
        cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s: %s", *command,
                  reply != NULL ? reply->str : capture->redis->errstr);
        freeReplyObject(reply);
    }
}

static G_GNUC_UNUSED char *get_flags(Capture *capture) {
    redisReply *reply = redisCommand(capture->redis, "CONFIG GET notify-keyspace-events");
    cr_assert(reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2);
    char *flags = g_strdup(reply->element[1]->str);
    freeReplyObject(reply);
    return flags;
}

/* ---- the taker ---- */

static void tell(Capture *capture, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void tell(Capture *capture, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_mutex_lock(&capture->mutex);
    g_string_append_vprintf(capture->told, format, arguments);
    g_cond_broadcast(&capture->cond);
    while (g_atomic_int_get(&capture->is_held))
        g_cond_wait(&capture->cond, &capture->mutex);
    g_mutex_unlock(&capture->mutex);
    va_end(arguments);
}

static gboolean take_touch(const RpTouch *touch, gpointer data, GError **error) {
    g_autofree char *key = rp_span_show(touch->key, 1000);
    if (rp_stream_place_is_set(&touch->before) || touch->before.database != -1) {
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "a place is set");
        return FALSE;
    }
    tell(data, "%s%s ", key, touch->expires_at_ms == RP_EXPIRY_NOW ? "!" : "");
    return TRUE;
}

static gboolean take_barrier(const char *what, const RpStreamPlace *before, gpointer data, GError **error) {
    (void)before;
    (void)error;
    tell(data, "{%s} ", what);
    return TRUE;
}

static gpointer follow(gpointer data) {
    Capture *capture = data;
    GError *error = NULL;
    const gboolean is_stopped =
        rp_notifications_follow(capture->notifications, &capture->is_stopping, &error);
    g_mutex_lock(&capture->mutex);
    capture->has_ended = TRUE;
    capture->error = error;
    g_cond_broadcast(&capture->cond);
    g_mutex_unlock(&capture->mutex);
    return GINT_TO_POINTER(is_stopped);
}

/* ---- setting up; an address through a proxy is set in between ---- */

/* flags: of notify-keyspace-events. Redis must be started before there are threads. */
static G_GNUC_UNUSED void capture_init(Capture *capture, const char *flags) {
    const RpSandboxOptions options = {.is_without_postgres = TRUE, .redis_databases = 4};
    g_autoptr(GError) error = NULL;
    *capture = (Capture){.told = g_string_new(NULL)};
    capture->sandbox = rp_sandbox_start(&options, &error);
    cr_assert(capture->sandbox != NULL, "%s", error != NULL ? error->message : "");
    capture->address.socket_path = (char *)rp_sandbox_get_redis_socket(capture->sandbox);
    capture->redis = redisConnectUnix(capture->address.socket_path);
    cr_assert(capture->redis != NULL && capture->redis->err == 0);
    g_mutex_init(&capture->mutex);
    g_cond_init(&capture->cond);
    do_redis(capture, "CONFIG SET notify-keyspace-events %s", flags);
}

/* Makes the capture, which is not attached yet. */
static G_GNUC_UNUSED void capture_make(Capture *capture, guint timeout_seconds, gboolean configures) {
    const RpPatience patience = {.timeout_seconds = timeout_seconds, .is_cancelled = &capture->is_cancelled};
    const RpCaptureTaker taker = {.touch = take_touch, .barrier = take_barrier, .data = capture};
    capture->notifications = rp_notifications_new(&capture->address, &patience, configures, &taker);
}

static G_GNUC_UNUSED void capture_attach(Capture *capture) {
    g_autoptr(GError) error = NULL;
    const gboolean is_attached = rp_notifications_attach(capture->notifications, &error);
    cr_assert(is_attached, "%s", error != NULL ? error->message : "");
}

static G_GNUC_UNUSED void capture_follow(Capture *capture) {
    capture->thread = g_thread_new("capture", follow, capture);
}

/* All of the above, without a proxy. */
static G_GNUC_UNUSED void capture_begin(Capture *capture) {
    capture_make(capture, 10, FALSE);
    capture_attach(capture);
    capture_follow(capture);
}

/* ---- what came ---- */

static G_GNUC_UNUSED gboolean is_told(Capture *capture, const char *text) {
    return strstr(capture->told->str, text) != NULL;
}

static G_GNUC_UNUSED void await_told(Capture *capture, const char *text) {
    const gint64 limit = g_get_monotonic_time() + LIMIT_US;
    g_mutex_lock(&capture->mutex);
    while (!is_told(capture, text) && !capture->has_ended)
        if (!g_cond_wait_until(&capture->cond, &capture->mutex, limit))
            break;
    cr_assert(is_told(capture, text), "\"%s\" is not in \"%s\"; %s", text, capture->told->str,
              capture->error != NULL ? capture->error->message : "");
    g_mutex_unlock(&capture->mutex);
}

/* Writes a key and waits until it is told; all that was told before it. The caller frees it. */
static G_GNUC_UNUSED char *take_told(Capture *capture) {
    do_redis(capture, "SET fence 1");
    await_told(capture, "fence ");
    g_mutex_lock(&capture->mutex);
    char *told = g_strdup(capture->told->str);
    *strstr(told, "fence ") = '\0';
    g_string_truncate(capture->told, 0);
    g_mutex_unlock(&capture->mutex);
    return told;
}

/* Waits until the following has ended by itself; the error must be of that code, and say that. */
static G_GNUC_UNUSED void await_error(Capture *capture, RpSourceError code, const char *words) {
    const gint64 limit = g_get_monotonic_time() + LIMIT_US;
    g_mutex_lock(&capture->mutex);
    while (!capture->has_ended)
        if (!g_cond_wait_until(&capture->cond, &capture->mutex, limit))
            break;
    cr_assert(capture->has_ended && capture->error != NULL, "it follows still");
    cr_assert(g_error_matches(capture->error, RP_SOURCE_ERROR, (int)code), "%s", capture->error->message);
    cr_assert(strstr(capture->error->message, words) != NULL, "%s", capture->error->message);
    capture->has_ended = FALSE;
    g_clear_error(&capture->error);
    g_mutex_unlock(&capture->mutex);
    cr_assert(eq(int, GPOINTER_TO_INT(g_thread_join(g_steal_pointer(&capture->thread))), FALSE));
}

static G_GNUC_UNUSED void assert_no_attach(Capture *capture, RpSourceError code, const char *words) {
    g_autoptr(GError) error = NULL;
    const gboolean is_attached = rp_notifications_attach(capture->notifications, &error);
    cr_assert(is_attached == FALSE, "attached, without: %s", words);
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code), "%s", error->message);
    cr_assert(strstr(error->message, words) != NULL, "\"%s\" is not in: %s", words, error->message);
}

/* Ends the capture, which puts flags back; Redis stays. */
static G_GNUC_UNUSED void capture_end(Capture *capture) {
    g_atomic_int_set(&capture->is_stopping, 1);
    if (capture->thread != NULL) {
        const gboolean is_stopped = GPOINTER_TO_INT(g_thread_join(g_steal_pointer(&capture->thread)));
        cr_assert(is_stopped, "%s", capture->error != NULL ? capture->error->message : "");
    }
    g_clear_pointer(&capture->notifications, rp_notifications_free);
    g_atomic_int_set(&capture->is_stopping, 0);
    capture->has_ended = FALSE;
}

static void capture_clear(Capture *capture) {
    capture_end(capture);
    redisFree(capture->redis);
    rp_sandbox_stop(capture->sandbox);
    g_string_free(capture->told, TRUE);
    g_clear_error(&capture->error);
    g_mutex_clear(&capture->mutex);
    g_cond_clear(&capture->cond);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Capture, capture_clear)
