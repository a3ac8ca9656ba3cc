/* What happens about every second, whatever the data does. */
#include "base/log.h"
#include "ledger/following.h"
#include "ledger/parked.h"
#include "sink/trouble.h"
#include "sink/wait.h"
#include "source/info.h"
#include "sync/parts.h"

#include <string.h>

#define BEAT_MS        1000
#define QUICK_BEAT_MS  200  /* while somebody waits for the end */
#define PARKED_KEYS    1000 /* that are tried again at once */
#define ANSWER_SECONDS 2    /* of Redis: while writes are paused a heartbeat is not answered */

struct RpBeat {
    RpSyncParts *parts;
    GThread *thread;
    GMutex mutex;
    GCond changed;
    gboolean is_over;
    /* The thread's own. */
    PGconn *connection; /* NULL: lost */
    redisContext *redis;
    gint64 began_us;
    gint64 last_us;
    guint64 last_touches;
    guint64 source_offset;
    gboolean has_all; /* nothing waits, and nothing is in hand, of what the source had when it was asked */
    double rate;      /* of changes, per second */
};

/* ---- what is seen ---- */

static void ask_redis(RpBeat *beat) {
    const RpLoadOptions *load = beat->parts->options->load;
    if (beat->redis == NULL)
        beat->redis = rp_redis_connect(load->redis, ANSWER_SECONDS, NULL);
    g_autofree char *offset =
        beat->redis != NULL ? rp_redis_info_field(beat->redis, "replication", "master_repl_offset", NULL)
                            : NULL;
    if (offset != NULL)
        beat->source_offset = g_ascii_strtoull(offset, NULL, 10);
    else
        g_clear_pointer(&beat->redis, redisFree);
}

/* One at a time: the next is written when this one was heard. */
static void write_heartbeat(RpBeat *beat) {
    RpSyncParts *parts = beat->parts;
    static const char *const command[] = {"SET", RP_HEARTBEAT_KEY, "1", "PX", "60000"};
    if (!parts->options->writes_heartbeat || beat->redis == NULL)
        return;
    g_mutex_lock(&parts->mutex);
    const gboolean is_due = parts->heartbeat_us == 0;
    if (is_due)
        parts->heartbeat_us = g_get_monotonic_time();
    else
        parts->stream_lag_ms = (guint64)MAX(g_get_monotonic_time() - parts->heartbeat_us, 0) / 1000;
    g_mutex_unlock(&parts->mutex);
    g_autoptr(GError) trouble = NULL;
    g_autoptr(redisReply) reply =
        is_due ? rp_redis_command(beat->redis, G_N_ELEMENTS(command), command, NULL, &trouble) : NULL;
    if (trouble == NULL)
        return;
    rp_log(RP_LOG_DEBUG, "the heartbeat was not written: %s", trouble->message);
    g_clear_pointer(&beat->redis, redisFree); /* an answer may still come */
    g_mutex_lock(&parts->mutex);
    parts->heartbeat_us = 0;
    parts->stream_lag_ms = 0;
    g_mutex_unlock(&parts->mutex);
}

static void measure_rate(RpBeat *beat) {
    const gint64 now = g_get_monotonic_time();
    const guint64 n_touches = rp_touched_count_touches(beat->parts->touched);
    const double rate = (double)(n_touches - beat->last_touches) * 1e6 / (double)MAX(now - beat->last_us, 1);
    beat->rate = beat->last_touches == 0 ? rate : (beat->rate + rate) / 2;
    if (beat->rate < 0.05)
        beat->rate = 0;
    beat->last_touches = n_touches;
    beat->last_us = now;
}

static gboolean has_gap(RpSyncParts *parts) {
    guint64 number;
    RpStreamPlace place;
    g_autofree char *reason = rp_touched_find_gap(parts->touched, &number, &place);
    return reason != NULL;
}

static const char *state_of(RpSyncParts *parts) {
    if (g_atomic_int_get(&parts->is_loading) || (has_gap(parts) && !g_atomic_int_get(&parts->is_pausing)))
        return "loading";
    return g_atomic_int_get(&parts->is_pausing) ? "paused" : "following";
}

/* How long ago the oldest change came that is not committed. */
static guint64 find_lag_ms(gint64 waiting_us, gint64 in_hand_us) {
    gint64 oldest_us = in_hand_us != 0 ? in_hand_us : waiting_us;
    if (waiting_us != 0)
        oldest_us = MIN(oldest_us, waiting_us);
    return oldest_us == 0 ? 0 : (guint64)MAX(g_get_monotonic_time() - oldest_us, 0) / 1000;
}

static void look(RpBeat *beat, RpFollowingState *state) {
    RpSyncParts *parts = beat->parts;
    RpStreamPlace reached;
    gint64 waiting_us, in_hand_us = 0;
    guint64 n_in_hand = 0;
    g_mutex_lock(&parts->mutex);
    rp_touched_look(parts->touched, &reached, &waiting_us);
    for (const GList *at = parts->in_hand->head; at != NULL; at = at->next) {
        const RpTouchedKeys *keys = at->data;
        in_hand_us = in_hand_us != 0 ? in_hand_us : keys->oldest_us;
        n_in_hand += keys->index->len;
    }
    const gboolean is_idle = waiting_us == 0 && g_queue_is_empty(parts->in_hand);
    const guint64 done = is_idle ? reached.offset : MIN(parts->committed.offset, reached.offset);
    *state = (RpFollowingState){.state = state_of(parts),
                                .run = parts->run,
                                .source_offset = beat->source_offset,
                                .lag_ms = find_lag_ms(waiting_us, in_hand_us) + parts->stream_lag_ms,
                                .keys_waiting = rp_touched_count(parts->touched) + n_in_hand,
                                .changes_per_second = beat->rate,
                                .last_commit_us = parts->last_commit_us};
    g_mutex_unlock(&parts->mutex);
    if (rp_stream_place_is_set(&reached) && beat->source_offset > done)
        state->lag_bytes = beat->source_offset - done;
    const gboolean is_all = rp_stream_place_is_set(&reached)
                                ? reached.offset >= beat->source_offset && beat->source_offset > 0
                                : beat->rate < 0.5;
    beat->has_all = is_idle && is_all && strcmp(state->state, "following") == 0;
}

/* ---- what is written and read ---- */

/* That the disk is full will be said by whoever captures. */
static gboolean try_parked(RpBeat *beat, GError **error) {
    g_autoptr(GPtrArray) keys = rp_parked_take_due(beat->connection, PARKED_KEYS, error);
    for (guint i = 0; keys != NULL && i < keys->len; i++) {
        gsize size;
        const char *data = g_bytes_get_data(g_ptr_array_index(keys, i), &size);
        rp_touched_add_again(beat->parts->touched, (RpSpan){data, size}, NULL);
    }
    return keys != NULL;
}

static gboolean exchange(RpBeat *beat, const RpFollowingState *state, GError **error) {
    RpSyncParts *parts = beat->parts;
    gboolean is_to_pause = FALSE;
    guint64 n_parked = 0;
    if (!rp_following_note(beat->connection, state, &is_to_pause, &n_parked, error))
        return FALSE;
    g_atomic_int_set(&parts->is_to_pause, is_to_pause);
    g_mutex_lock(&parts->mutex);
    parts->n_parked = n_parked;
    g_mutex_unlock(&parts->mutex);
    g_atomic_int_set(&parts->is_caught_up, beat->has_all && n_parked == 0);
    return strcmp(state->state, "following") != 0 || try_parked(beat, error);
}

/* A server that is away is said by those who write rows. */
static void tell_ledger(RpBeat *beat, const RpFollowingState *state) {
    const RpLoadOptions *load = beat->parts->options->load;
    g_autoptr(GError) trouble = NULL;
    if (beat->connection == NULL) {
        beat->connection = rp_postgres_connect(load->postgres, &trouble);
        if (beat->connection != NULL)
            rp_wait_limit(beat->connection, 10, NULL);
    }
    if (beat->connection != NULL && exchange(beat, state, &trouble))
        return;
    rp_log(RP_LOG_DEBUG, "the state of the sync is not on record: %s", trouble->message);
    g_clear_pointer(&beat->connection, PQfinish);
    g_atomic_int_set(&beat->parts->is_caught_up, FALSE);
}

static void tell_observer(const RpBeat *beat, const RpFollowingState *state) {
    const RpSyncOptions *options = beat->parts->options;
    if (options->observe == NULL || g_atomic_int_get(&beat->parts->is_loading))
        return;
    const RpSyncProgress progress = {.state = state->state,
                                     .run = state->run,
                                     .lag_bytes = state->lag_bytes,
                                     .lag_ms = state->lag_ms,
                                     .keys_waiting = state->keys_waiting,
                                     .n_parked = beat->parts->n_parked,
                                     .changes_per_second = state->changes_per_second,
                                     .seconds = (double)(g_get_monotonic_time() - beat->began_us) / 1e6};
    options->observe(&progress, options->observe_data);
}

/* ---- the thread ---- */

static gboolean wait_for_next(RpBeat *beat) {
    const guint ms = beat->parts->options->ends_when_caught_up ? QUICK_BEAT_MS : BEAT_MS;
    const gint64 until = g_get_monotonic_time() + (gint64)ms * 1000;
    g_mutex_lock(&beat->mutex);
    while (!beat->is_over && g_cond_wait_until(&beat->changed, &beat->mutex, until))
        ;
    const gboolean goes_on = !beat->is_over;
    g_mutex_unlock(&beat->mutex);
    return goes_on;
}

static gpointer beat_thread(gpointer data) {
    RpBeat *beat = data;
    RpFollowingState state;
    beat->began_us = beat->last_us = g_get_monotonic_time();
    do {
        ask_redis(beat);
        write_heartbeat(beat);
        measure_rate(beat);
        look(beat, &state);
        tell_ledger(beat, &state);
        tell_observer(beat, &state);
    } while (wait_for_next(beat));
    look(beat, &state);
    state.state = "stopped";
    tell_ledger(beat, &state);
    return NULL;
}

RpBeat *rp_beat_new(RpSyncParts *parts) {
    RpBeat *beat = g_new0(RpBeat, 1);
    beat->parts = parts;
    g_mutex_init(&beat->mutex);
    g_cond_init(&beat->changed);
    beat->thread = g_thread_new("beat", beat_thread, beat);
    return beat;
}

void rp_beat_free(RpBeat *beat) {
    if (beat == NULL)
        return;
    g_mutex_lock(&beat->mutex);
    beat->is_over = TRUE;
    g_cond_signal(&beat->changed);
    g_mutex_unlock(&beat->mutex);
    g_thread_join(beat->thread);
    g_clear_pointer(&beat->connection, PQfinish);
    g_clear_pointer(&beat->redis, redisFree);
    g_cond_clear(&beat->changed);
    g_mutex_clear(&beat->mutex);
    g_free(beat);
}
