/* One rate, from the limit that was given and from what a slow Redis is spared; all else follows from it. */
#include "pipeline/pace.h"

#define PAGE_US      2000 /* a page is what the rate gives in that time */
#define WATCHED_PAGE 50   /* keys at once while the latency is looked at: Redis does a page in one go */
#define BACK_SHARE   0.01

void rp_pace_init(RpPace *pace, guint64 max_keys_per_second, guint latency_ms) {
    *pace = (RpPace){.limit = max_keys_per_second, .slow_us = (gint64)latency_ms * 1000};
}

double rp_pace_get_rate(const RpPace *pace) {
    const double limit = (double)pace->limit;
    if (pace->held > 0 && limit > 0)
        return MIN(pace->held, limit);
    return pace->held > 0 ? pace->held : limit;
}

guint rp_pace_get_page(const RpPace *pace) {
    const double rate = rp_pace_get_rate(pace);
    const double most = pace->slow_us > 0 ? WATCHED_PAGE : G_MAXUINT;
    const double fitting = rate > 0 ? rate * PAGE_US / G_USEC_PER_SEC : most;
    return (guint)CLAMP(fitting, RP_PACE_LEAST_PAGE, most);
}

gint64 rp_pace_get_next(const RpPace *pace) {
    return rp_pace_get_rate(pace) > 0 ? pace->next_us : 0;
}

/* Whoever comes late may make up for one page and no more: time in which nothing was asked for is not saved
 * up for a burst. */
void rp_pace_note_keys(RpPace *pace, gint64 now_us, guint64 n_keys) {
    const double rate = rp_pace_get_rate(pace);
    pace->n_since += n_keys;
    if (rate > 0)
        pace->next_us =
            MAX(pace->next_us, now_us - PAGE_US) + (gint64)((double)n_keys * G_USEC_PER_SEC / rate);
}

static void note_top(RpPace *pace, gint64 now_us) {
    const gint64 since = pace->ping_us;
    if (since != 0 && now_us > since)
        pace->top = MAX(pace->top, (double)pace->n_since * G_USEC_PER_SEC / (double)(now_us - since));
    pace->ping_us = now_us;
    pace->n_since = 0;
}

static RpPaceChange slow_down(RpPace *pace) {
    const gboolean was_held = pace->held > 0;
    pace->held = MAX((was_held ? pace->held : pace->top) / 2, RP_PACE_LEAST_KEYS);
    return was_held ? RP_PACE_SAME : RP_PACE_HELD_BACK;
}

RpPaceChange rp_pace_note_ping(RpPace *pace, gint64 now_us, gint64 took_us) {
    note_top(pace, now_us);
    if (took_us > pace->slow_us)
        return slow_down(pace);
    if (pace->held <= 0)
        return RP_PACE_SAME;
    pace->held += MAX(pace->top, RP_PACE_LEAST_KEYS) * BACK_SHARE;
    if (pace->held < pace->top)
        return RP_PACE_SAME;
    pace->held = 0;
    return RP_PACE_RECOVERED;
}
