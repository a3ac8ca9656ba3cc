/* A pace with a clock, and with a thread that asks Redis how it feels.
 *
 * 1. The reader waits for the time to come, never for a PING.
 * 2. Nothing is waited for longer than it takes to see that the load stops. */
#include "pipeline/throttle.h"

#include "base/log.h"
#include "pipeline/pace.h"
#include "source/ping.h"

#define SLICE_US      (20 * 1000) /* how soon a stop is seen */
#define PING_EVERY_US (50 * 1000)
#define PING_SECONDS  5                     /* no answer in that time: it failed */
#define SAY_EVERY_US  (30 * G_USEC_PER_SEC) /* what comes and goes is told no oftener */

/* What the pinging thread knows. */
typedef struct {
    gint64 begun_us;
    gint64 quickest_us;   /* of the PINGs; 0: none has come back */
    gint64 held_since_us; /* 0: not held back */
    gint64 held_us;       /* before that */
    gint64 said_us;       /* when it was last said that the reading is held back; 0: never */
    gint64 failed_us;     /* when it was last said that a PING failed; 0: never */
    gboolean is_said;     /* of this time */
} Watch;

struct RpThrottle {
    const RpRedisAddress *address;
    const gint *is_stopping;
    guint latency_ms;
    guint timeout_seconds;
    GThread *pinger; /* NULL: nobody limits the latency */
    gint is_over;    /* atomic */
    GMutex mutex;    /* guards the pace */
    GCond over;
    RpPace pace;
    Watch watch;
};

static double ms_of(gint64 us) {
    return (double)us / 1000;
}

static double seconds_of(gint64 us) {
    return (double)us / G_USEC_PER_SEC;
}

/* ---- what the PINGs tell ---- */

static gboolean is_time_to_say(gint64 *said_us, gint64 now) {
    if (*said_us != 0 && now - *said_us < SAY_EVERY_US)
        return FALSE;
    *said_us = now;
    return TRUE;
}

static void begin_holding(const RpThrottle *throttle, Watch *watch, gint64 now, gint64 took_us) {
    watch->held_since_us = now;
    watch->is_said = is_time_to_say(&watch->said_us, now);
    if (!watch->is_said)
        return;
    if (took_us == G_MAXINT64)
        rp_log(RP_LOG_INFO, "Redis does not answer a PING: the reading is held back");
    else
        rp_log(RP_LOG_INFO,
               "Redis took %.1f ms for a PING (--redis-latency-ms %u; its quickest: %.1f ms): the reading is "
               "held back",
               ms_of(took_us), throttle->latency_ms, ms_of(watch->quickest_us));
}

static void end_holding(const RpThrottle *throttle, Watch *watch, gint64 now) {
    const gint64 lasted_us = now - watch->held_since_us;
    watch->held_us += lasted_us;
    watch->held_since_us = 0;
    if (watch->is_said)
        rp_log(RP_LOG_INFO,
               "Redis answers within %u ms again: the reading is held back no more, after %.1f s",
               throttle->latency_ms, seconds_of(lasted_us));
}

static void note_ping(RpThrottle *throttle, Watch *watch, gint64 took_us) {
    const gint64 now = g_get_monotonic_time();
    g_mutex_lock(&throttle->mutex);
    const RpPaceChange change = rp_pace_note_ping(&throttle->pace, now, took_us);
    g_mutex_unlock(&throttle->mutex);
    switch (change) {
    case RP_PACE_SAME:
        break;
    case RP_PACE_HELD_BACK:
        begin_holding(throttle, watch, now, took_us);
        break;
    case RP_PACE_RECOVERED:
        end_holding(throttle, watch, now);
        break;
    }
}

/* Without an answer Redis counts as slow: if it is away, the load's own connections say so. */
static void ask(RpThrottle *throttle, Watch *watch, RpPing *ping) {
    g_autoptr(GError) trouble = NULL;
    gint64 took_us;
    const gboolean is_answered = rp_ping_ask(ping, &took_us, &trouble);
    if (g_atomic_int_get(&throttle->is_over))
        return;
    if (is_answered)
        watch->quickest_us = watch->quickest_us == 0 ? took_us : MIN(watch->quickest_us, took_us);
    else if (is_time_to_say(&watch->failed_us, g_get_monotonic_time()))
        rp_log(RP_LOG_WARNING, "%s: for --redis-latency-ms that counts as slow", trouble->message);
    note_ping(throttle, watch, is_answered ? took_us : G_MAXINT64);
}

static gboolean wait_between(RpThrottle *throttle) {
    const gint64 until = g_get_monotonic_time() + PING_EVERY_US;
    g_mutex_lock(&throttle->mutex);
    while (!g_atomic_int_get(&throttle->is_over) &&
           g_cond_wait_until(&throttle->over, &throttle->mutex, until))
        ;
    g_mutex_unlock(&throttle->mutex);
    return !g_atomic_int_get(&throttle->is_over);
}

static gpointer ping_thread(gpointer data) {
    RpThrottle *throttle = data;
    g_autoptr(RpPing) ping =
        rp_ping_new(throttle->address, MIN(throttle->timeout_seconds, PING_SECONDS), &throttle->is_over);
    do
        ask(throttle, &throttle->watch, ping);
    while (wait_between(throttle));
    return NULL;
}

/* ---- as long as the load lasts ---- */

RpThrottle *rp_throttle_new(const RpLoadOptions *options, const gint *is_stopping) {
    if (options->max_keys_per_second == 0 && options->redis_latency_ms == 0)
        return NULL;
    RpThrottle *throttle = g_new0(RpThrottle, 1);
    throttle->address = options->redis;
    throttle->is_stopping = is_stopping;
    throttle->latency_ms = options->redis_latency_ms;
    throttle->timeout_seconds = options->timeout_seconds;
    throttle->watch.begun_us = g_get_monotonic_time();
    g_mutex_init(&throttle->mutex);
    g_cond_init(&throttle->over);
    rp_pace_init(&throttle->pace, options->max_keys_per_second, options->redis_latency_ms);
    if (options->redis_latency_ms > 0)
        throttle->pinger = g_thread_new("ping", ping_thread, throttle);
    return throttle;
}

static void say_result(const RpThrottle *throttle) {
    const Watch *watch = &throttle->watch;
    const gint64 now = g_get_monotonic_time();
    const gint64 held_us = watch->held_us + (watch->held_since_us != 0 ? now - watch->held_since_us : 0);
    if (held_us > 0)
        rp_log(RP_LOG_INFO, "the reading was held back for %.1f of %.1f s (--redis-latency-ms %u)",
               seconds_of(held_us), seconds_of(now - watch->begun_us), throttle->latency_ms);
}

void rp_throttle_free(RpThrottle *throttle) {
    if (throttle == NULL)
        return;
    g_mutex_lock(&throttle->mutex);
    g_atomic_int_set(&throttle->is_over, 1);
    g_cond_signal(&throttle->over);
    g_mutex_unlock(&throttle->mutex);
    if (throttle->pinger != NULL) {
        g_thread_join(throttle->pinger);
        say_result(throttle);
    }
    g_mutex_clear(&throttle->mutex);
    g_cond_clear(&throttle->over);
    g_free(throttle);
}

/* ---- the reader ---- */

guint rp_throttle_fit(RpThrottle *throttle, guint n_keys) {
    if (throttle == NULL)
        return n_keys;
    g_mutex_lock(&throttle->mutex);
    const guint fitting = MIN(n_keys, rp_pace_get_page(&throttle->pace));
    g_mutex_unlock(&throttle->mutex);
    return fitting;
}

void rp_throttle_count(RpThrottle *throttle, guint n_keys) {
    if (throttle == NULL)
        return;
    g_mutex_lock(&throttle->mutex);
    rp_pace_note_keys(&throttle->pace, g_get_monotonic_time(), n_keys);
    g_mutex_unlock(&throttle->mutex);
}

static gint64 get_next(RpThrottle *throttle) {
    g_mutex_lock(&throttle->mutex);
    const gint64 next = rp_pace_get_next(&throttle->pace);
    g_mutex_unlock(&throttle->mutex);
    return next;
}

void rp_throttle_await(RpThrottle *throttle, guint n_keys) {
    if (throttle == NULL)
        return;
    for (gint64 left; (left = get_next(throttle) - g_get_monotonic_time()) > 0;) {
        if (g_atomic_int_get(throttle->is_stopping))
            return;
        g_usleep((gulong)MIN(left, SLICE_US));
    }
    rp_throttle_count(throttle, n_keys);
}

gboolean rp_throttle_is_holding_back(RpThrottle *throttle) {
    if (throttle == NULL)
        return FALSE;
    g_mutex_lock(&throttle->mutex);
    const gboolean is_held = throttle->pace.held > 0;
    g_mutex_unlock(&throttle->mutex);
    return is_held;
}
