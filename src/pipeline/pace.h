/* The pace at which keys are asked for: how many at once, and when. Arithmetic only: whoever asks has the
 * clock. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Fewer keys are not worth a page of their own: SCAN's COUNT is 10 where nobody says it. */
#define RP_PACE_LEAST_PAGE 10

/* However slow Redis is, so many keys a second are asked for: a load comes to its end. */
#define RP_PACE_LEAST_KEYS 100

/* All times are monotonic ones in microseconds. rp_pace_init makes it. */
typedef struct {
    guint64 limit;   /* keys a second; 0: any number */
    gint64 slow_us;  /* a PING that takes longer is slow; 0: nobody looks */
    double held;     /* keys a second that are left of it while Redis is slow; 0: it is not */
    double top;      /* the most keys a second that were asked for between two PINGs */
    gint64 next_us;  /* when the next keys may be asked for, at a pace that has a rate */
    gint64 ping_us;  /* when the last PING was noted; 0: never, */
    guint64 n_since; /* and the keys since then */
} RpPace;

typedef enum {
    RP_PACE_SAME,
    RP_PACE_HELD_BACK, /* from now on Redis is asked for fewer keys than it may be */
    RP_PACE_RECOVERED, /* and from now on no more */
} RpPaceChange;

/* max_keys_per_second, latency_ms: 0: no limit. */
void rp_pace_init(RpPace *pace, guint64 max_keys_per_second, guint latency_ms);

/* Keys a second that may be asked for now; 0: any number. */
double rp_pace_get_rate(const RpPace *pace);

/* How many keys may be asked for at once: what the rate gives in a few milliseconds, so that no client of
 * Redis waits behind many of ours, and at least RP_PACE_LEAST_PAGE. */
guint rp_pace_get_page(const RpPace *pace);

/* When the next page may be asked for; 0: at any time. */
gint64 rp_pace_get_next(const RpPace *pace);

/* Notes that keys were asked for, or that more came than were asked for. */
void rp_pace_note_keys(RpPace *pace, gint64 now_us, guint64 n_keys);

/* Notes how long a PING took. A slow one halves the rate, a quick one gives back a hundredth of the most that
 * there was (additive increase, multiplicative decrease: Chiu and Jain, 1989): what is held back oscillates
 * just below the place where Redis becomes slow, and about one PING in a hundred finds that place. */
RpPaceChange rp_pace_note_ping(RpPace *pace, gint64 now_us, gint64 took_us);

G_END_DECLS
