/* The capture in a thread of its own: it attaches, follows, and attaches again when the connection was lost.
 *
 * 1. It never waits for PostgreSQL, nor for whoever takes keys: what it hears goes into the set of touched
 * keys.
 * 2. A gap is opened before anything that was touched after it is added.
 * 3. No process counts as captured while the connection is lost. */
#include "base/error.h"
#include "base/log.h"
#include "base/outage.h"
#include "source/notifications.h"
#include "source/replication.h"
#include "sync/parts.h"

struct RpWatch {
    RpSyncParts *parts;
    RpReplication *replication; /* one of both */
    RpNotifications *notifications;
    RpPatience patience;
    RpOutage outage;
    GThread *thread;
};

/* ---- what is heard ---- */

static gboolean is_wanted(const RpMapping *mapping, RpSpan key) {
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        if (rp_pattern_match(entity->keys, key, NULL))
            return TRUE;
    }
    return rp_mapping_cover(mapping, key) == RP_COVER_NONE;
}

static void hear_heartbeat(RpSyncParts *parts) {
    g_mutex_lock(&parts->mutex);
    if (parts->heartbeat_us != 0)
        parts->stream_lag_ms = (guint64)MAX(g_get_monotonic_time() - parts->heartbeat_us, 0) / 1000;
    parts->heartbeat_us = 0;
    g_mutex_unlock(&parts->mutex);
}

static gboolean hear_touch(const RpTouch *touch, gpointer data, GError **error) {
    RpSyncParts *parts = ((RpWatch *)data)->parts;
    if (rp_span_equal(touch->key, RP_SPAN_OF(RP_HEARTBEAT_KEY))) {
        hear_heartbeat(parts);
        return TRUE;
    }
    return !is_wanted(parts->options->load->mapping, touch->key) ||
           rp_touched_add(parts->touched, touch, error);
}

static gboolean hear_barrier(const char *what, const RpStreamPlace *before, gpointer data, GError **error) {
    (void)before;
    (void)error;
    rp_log(RP_LOG_WARNING, "Redis: %s", what);
    rp_touched_open_gap(((RpWatch *)data)->parts->touched, what, NULL);
    return TRUE;
}

static gboolean hear_reach(const RpStreamPlace *place, gpointer data, GError **error) {
    (void)error;
    rp_touched_reach(((RpWatch *)data)->parts->touched, place);
    return TRUE;
}

/* ---- attaching ---- */

static void set_process(RpSyncParts *parts, char *run_id) {
    g_mutex_lock(&parts->mutex);
    g_free(parts->run_id);
    parts->run_id = run_id;
    g_mutex_unlock(&parts->mutex);
    rp_touched_wake(parts->touched);
}

/* Where changes may have been missed all keys are read; else the stream goes on where it stood. */
static void begin_at(RpWatch *watch, gboolean is_continued, const RpStreamPlace *place, const char *reason) {
    if (is_continued)
        rp_touched_reach(watch->parts->touched, place);
    else
        rp_touched_open_gap(watch->parts->touched, reason, place);
}

static gboolean attach(RpWatch *watch, const RpStreamPlace *from, const char *reason, GError **error) {
    RpStreamPlace place = {.database = -1};
    if (watch->notifications != NULL) {
        if (!rp_notifications_attach(watch->notifications, error))
            return FALSE;
        begin_at(watch, FALSE, &place,
                 reason != NULL ? reason : "events may have been lost while the connection was");
    } else {
        RpReplicationOutcome outcome;
        if (!rp_replication_attach(watch->replication, rp_stream_place_is_set(from) ? from : NULL, &outcome,
                                   &place, error))
            return FALSE;
        const gboolean is_continued =
            outcome == RP_REPLICATION_CONTINUED && rp_stream_place_is_set(from) && reason == NULL;
        begin_at(watch, is_continued, &place,
                 reason != NULL ? reason : "Redis could not go on from where the stream stood (FULLRESYNC)");
    }
    set_process(watch->parts,
                g_strdup(watch->notifications != NULL ? rp_notifications_get_run_id(watch->notifications)
                                                      : rp_replication_get_run_id(watch->replication)));
    return TRUE;
}

/* ---- the thread ---- */

static gboolean follow(RpWatch *watch, GError **error) {
    const gint *is_stopping = &watch->parts->is_stopping;
    return watch->notifications != NULL ? rp_notifications_follow(watch->notifications, is_stopping, error)
                                        : rp_replication_follow(watch->replication, is_stopping, error);
}

static gboolean attach_again(RpWatch *watch, GError **error) {
    RpStreamPlace from;
    gint64 oldest_us;
    rp_touched_look(watch->parts->touched, &from, &oldest_us);
    return attach(watch, &from, NULL, error);
}

/* Takes the trouble. FALSE: it lasted too long, or does not pass, or the sync ends. */
static gboolean come_back(RpWatch *watch, GError *trouble, GError **error) {
    const gint *is_stopping = &watch->parts->is_stopping;
    set_process(watch->parts, NULL);
    for (;;) {
        if (trouble->domain != RP_SOURCE_ERROR || !rp_redis_error_passes(trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
        if (!rp_outage_wait(&watch->outage, trouble, TRUE, is_stopping, error))
            return FALSE;
        trouble = NULL;
        if (attach_again(watch, &trouble)) {
            rp_outage_end(&watch->outage);
            return TRUE;
        }
    }
}

static void give_up(RpSyncParts *parts, GError *error) {
    if (error->domain != RP_STOP_ERROR || !g_atomic_int_get(&parts->is_stopping))
        rp_log(RP_LOG_WARNING, "changes are no longer captured: %s", error->message);
    g_mutex_lock(&parts->mutex);
    if (parts->error == NULL)
        parts->error = error;
    else
        g_error_free(error);
    g_mutex_unlock(&parts->mutex);
    rp_touched_wake(parts->touched);
}

static gpointer watch_thread(gpointer data) {
    RpWatch *watch = data;
    GError *error = NULL;
    while (!g_atomic_int_get(&watch->parts->is_stopping)) {
        GError *trouble = NULL;
        if (follow(watch, &trouble))
            break;
        if (!come_back(watch, trouble, &error)) {
            give_up(watch->parts, error);
            break;
        }
    }
    return NULL;
}

/* ---- the choice ---- */

static const RpCaptureTaker TAKER = {.touch = hear_touch, .barrier = hear_barrier, .reach = hear_reach};

static gboolean begin_replica(RpWatch *watch, const RpStreamPlace *from, const char *reason, GError **error) {
    RpCaptureTaker taker = TAKER;
    taker.data = watch;
    watch->replication = rp_replication_new(watch->parts->options->load->redis, &watch->patience, &taker);
    if (attach(watch, from, reason, error))
        return TRUE;
    g_clear_pointer(&watch->replication, rp_replication_free);
    return FALSE;
}

static gboolean begin_notify(RpWatch *watch, const char *reason, GError **error) {
    const RpSyncOptions *options = watch->parts->options;
    const RpStreamPlace none = {.database = -1};
    RpCaptureTaker taker = TAKER;
    taker.data = watch;
    watch->notifications = rp_notifications_new(options->load->redis, &watch->patience,
                                                options->configures_notifications, &taker);
    if (attach(watch, &none, reason, error))
        return TRUE;
    g_clear_pointer(&watch->notifications, rp_notifications_free);
    return FALSE;
}

static gboolean is_refused(const GError *error) {
    return g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED) ||
           g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REPLY);
}

static gboolean begin(RpWatch *watch, const RpStreamPlace *from, const char *reason, const char **capture,
                      char **why, GError **error) {
    const RpCaptureKind kind = watch->parts->options->capture;
    g_autoptr(GError) refusal = NULL;
    *capture = "replica";
    if (kind != RP_CAPTURE_NOTIFY && begin_replica(watch, from, reason, &refusal)) {
        *why = g_strdup(kind == RP_CAPTURE_AUTO ? "Redis takes us as a replica"
                                                : "--capture replica asked for it");
        return TRUE;
    }
    if (kind == RP_CAPTURE_REPLICA || (kind == RP_CAPTURE_AUTO && !is_refused(refusal))) {
        g_propagate_error(error, g_steal_pointer(&refusal));
        return FALSE;
    }
    *capture = "notify";
    *why = refusal != NULL ? g_strdup_printf("Redis does not take us as a replica: %s", refusal->message)
                           : g_strdup("--capture notify asked for it");
    if (begin_notify(watch, reason, error))
        return TRUE;
    if (refusal != NULL)
        g_prefix_error(error,
                       "Redis does not take us as a replica (%s), and notifications do not do either: ",
                       refusal->message);
    return FALSE;
}

RpWatch *rp_watch_new(RpSyncParts *parts, const RpStreamPlace *from, const char *reason, const char **capture,
                      char **why, GError **error) {
    const RpLoadOptions *load = parts->options->load;
    g_autoptr(RpWatch) watch = g_new0(RpWatch, 1);
    watch->parts = parts;
    watch->patience = (RpPatience){.max_value_bytes = load->max_value_bytes,
                                   .timeout_seconds = load->timeout_seconds,
                                   .retry_seconds = load->retry_seconds,
                                   .is_cancelled = &parts->is_stopping,
                                   .is_pressed = &parts->is_stopping};
    rp_outage_init(&watch->outage, "Redis", RP_EVENT_REDIS_LOST, RP_EVENT_REDIS_BACK, load->retry_seconds);
    if (!begin(watch, from, reason, capture, why, error))
        return NULL;
    rp_log(RP_LOG_INFO, "changes are captured %s: %s",
           watch->notifications != NULL ? "by keyspace notifications" : "from the replication stream", *why);
    watch->thread = g_thread_new("capture", watch_thread, watch);
    return g_steal_pointer(&watch);
}

void rp_watch_free(RpWatch *watch) {
    if (watch == NULL)
        return;
    g_atomic_int_set(&watch->parts->is_stopping, 1);
    if (watch->thread != NULL)
        g_thread_join(watch->thread);
    g_clear_pointer(&watch->replication, rp_replication_free);
    g_clear_pointer(&watch->notifications, rp_notifications_free);
    rp_outage_clear(&watch->outage);
    g_free(watch);
}
