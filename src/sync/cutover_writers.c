/* Stopping what writes to Redis, and letting it go on.
 *
 * 1. A pause ends by itself: it is set for as long as the whole may take, so that one that we do not live to
 *    end holds nobody for longer.
 * 2. It is ended on a connection of its own: the one of before may stand in the middle of an answer. */
#include "base/error.h"
#include "base/log.h"
#include "source/info.h"
#include "sync/cutover_parts.h"
#include "sync/parts.h"

#include <string.h>

#define NUMBER          G_GUINT64_FORMAT
#define RELEASE_SECONDS 5
#define RELEASE_TRIES   3

/* ---- stopping ---- */

static void begin_pause(RpCutover *cutover) {
    cutover->stopped_us = g_get_monotonic_time();
    cutover->until_us =
        cutover->stopped_us + (gint64)cutover->options->max_pause_seconds * G_TIME_SPAN_SECOND;
}

static gboolean confirm(RpCutover *cutover, GError **error) {
    const RpCutoverOptions *options = cutover->options;
    return options->confirm == NULL || options->confirm(options->confirm_data, &cutover->is_cancelled, error);
}

static gboolean run_hook(RpCutover *cutover, GError **error) {
    g_autofree char *why = NULL;
    if (cutover->options->hook == NULL ||
        rp_hook_run(cutover->options->hook, cutover->until_us, &cutover->is_cancelled, &why))
        return TRUE;
    if (!rp_cutover_goes_on(cutover, error))
        return FALSE;
    rp_cutover_refuse(cutover, "the hook did not stop the writers: %s", why);
    return TRUE;
}

/* The answer comes when clients that are writing have ended. */
static gboolean pause_writes(RpCutover *cutover, GError **error) {
    if (!cutover->options->pauses_writes || cutover->result->reasons->len > 0)
        return TRUE;
    const gint64 left_ms = MAX(cutover->until_us - g_get_monotonic_time(), 0) / 1000;
    g_autofree char *ms = g_strdup_printf("%" G_GINT64_FORMAT, left_ms);
    const char *const command[] = {"CLIENT", "PAUSE", ms, "WRITE"};
    const RpRedisWait wait = {RELEASE_SECONDS, &cutover->is_cancelled};
    g_autoptr(GError) trouble = NULL;
    cutover->is_paused = TRUE; /* an answer that is lost does not mean that it is not */
    g_autoptr(redisReply) reply = rp_redis_command_for(cutover->redis, &wait, REDIS_REPLY_STATUS,
                                                       G_N_ELEMENTS(command), command, NULL, &trouble);
    if (reply != NULL)
        return TRUE;
    if (g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED) ||
        g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REPLY)) {
        cutover->is_paused = FALSE;
        rp_cutover_refuse(cutover,
                          "Redis refuses to be paused (the rule is +client|pause +client|unpause): %s",
                          trouble->message);
        return TRUE;
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&trouble), "pausing Redis: ");
    return FALSE;
}

/* ---- the moment ---- */

static gboolean take_time(RpCutover *cutover, GError **error) {
    g_autoptr(PGresult) now =
        rp_postgres_query(cutover->postgres, "SELECT clock_timestamp()", 0, NULL, error);
    if (now == NULL)
        return FALSE;
    cutover->since = g_strdup(PQgetvalue(now, 0, 0));
    return TRUE;
}

static gboolean take_offset(RpCutover *cutover, GError **error) {
    const RpLoadOptions *load = cutover->options->load;
    const RpRedisWait wait = {load->timeout_seconds, &cutover->is_cancelled};
    if (g_strcmp0(cutover->result->capture, "replica") != 0)
        return TRUE;
    g_autofree char *offset =
        rp_redis_info_field_for(cutover->redis, &wait, "replication", "master_repl_offset", error);
    if (offset == NULL) {
        if (error != NULL && *error == NULL)
            g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL,
                        "Redis does not tell its replication offset (INFO replication)");
        return FALSE;
    }
    cutover->result->has_offset = TRUE;
    cutover->result->offset = g_ascii_strtoull(offset, NULL, 10);
    return TRUE;
}

gboolean rp_cutover_stop_writers(RpCutover *cutover, GError **error) {
    const RpLoadOptions *load = cutover->options->load;
    if (!confirm(cutover, error))
        return FALSE;
    begin_pause(cutover);
    return run_hook(cutover, error) && pause_writes(cutover, error) && rp_cutover_goes_on(cutover, error) &&
           rp_pulse_take(load->redis, load->timeout_seconds, 0, &cutover->still, error) &&
           take_offset(cutover, error) && take_time(cutover, error);
}

/* ---- going on ---- */

static gboolean unpause(const RpCutover *cutover, GError **error) {
    static const char *const command[] = {"CLIENT", "UNPAUSE"};
    g_autoptr(redisContext) redis = rp_redis_connect(cutover->options->load->redis, RELEASE_SECONDS, error);
    g_autoptr(redisReply) reply =
        redis != NULL ? rp_redis_command(redis, G_N_ELEMENTS(command), command, NULL, error) : NULL;
    return reply != NULL;
}

void rp_cutover_release(RpCutover *cutover) {
    g_autoptr(GError) trouble = NULL;
    if (!cutover->is_paused)
        return;
    cutover->is_paused = FALSE;
    for (guint i = 0; i < RELEASE_TRIES; i++) {
        g_clear_error(&trouble);
        if (unpause(cutover, &trouble))
            return;
    }
    rp_log(RP_LOG_WARNING,
           "Redis was not told to go on, which it does by itself within %u s of the pause: %s",
           cutover->options->max_pause_seconds, trouble->message);
}

/* ---- whether nobody wrote ---- */

/* The sync's own heartbeat is a write each second, unless Redis is paused. */
static gboolean find_own_writes(RpCutover *cutover, guint64 *n_own, GError **error) {
    static const char *const command[] = {"EXISTS", RP_HEARTBEAT_KEY};
    const RpRedisWait wait = {cutover->options->load->timeout_seconds, &cutover->is_cancelled};
    *n_own = 0;
    if (cutover->options->pauses_writes)
        return TRUE;
    g_autoptr(redisReply) reply = rp_redis_command_for(cutover->redis, &wait, REDIS_REPLY_INTEGER,
                                                       G_N_ELEMENTS(command), command, NULL, error);
    if (reply == NULL)
        return FALSE;
    if (reply->integer > 0)
        *n_own = (guint64)((g_get_monotonic_time() - cutover->stopped_us) / G_TIME_SPAN_SECOND) + 2;
    return TRUE;
}

static void compare(RpCutover *cutover, const RpPulse *now, guint64 n_own) {
    const RpPulse *still = &cutover->still;
    if (strcmp(still->run_id, now->run_id) != 0) {
        rp_cutover_refuse(cutover, "Redis was restarted, or another one answers, during the check");
        return;
    }
    if (!still->is_known || !now->is_known) {
        rp_cutover_note(cutover,
                        "this Redis does not count its writes: that nobody wrote during the check is "
                        "not known");
        return;
    }
    if (still->last_save != now->last_save) {
        rp_cutover_refuse(cutover,
                          "Redis saved a snapshot during the check, and counts its writes from there: "
                          "whether somebody wrote is not known. Try again");
        return;
    }
    const guint64 n_writes = now->changes - MIN(now->changes, still->changes);
    if (n_writes > n_own)
        rp_cutover_refuse(cutover,
                          "somebody wrote to Redis during the check (%" NUMBER " changes): the writers were "
                          "not all stopped",
                          n_writes);
    else if (n_own > 0)
        rp_cutover_note(cutover,
                        "the sync writes a heartbeat to Redis: up to %" NUMBER " writes during the "
                        "check were taken for it",
                        n_own);
    if (now->evicted > still->evicted)
        rp_cutover_refuse(cutover, "Redis evicted keys during the check: it has not got enough memory");
    if (now->expired > still->expired)
        rp_cutover_note(cutover, "%" NUMBER " keys expired during the check", now->expired - still->expired);
}

gboolean rp_cutover_check_stillness(RpCutover *cutover, GError **error) {
    const RpLoadOptions *load = cutover->options->load;
    g_auto(RpPulse) now = {0};
    guint64 n_own;
    if (!rp_pulse_take(load->redis, load->timeout_seconds, 0, &now, error) ||
        !find_own_writes(cutover, &n_own, error))
        return FALSE;
    compare(cutover, &now, n_own);
    return TRUE;
}
