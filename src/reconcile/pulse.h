/* Whether the source has changed between two moments: then a difference may be of the time between reading
 * one side and the other. */
#pragma once

#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* What INFO counts of writes, expiries and evictions (https://redis.io/commands/info). */
typedef struct {
    char *run_id;
    char *version;
    guint64 changes; /* since the last snapshot */
    guint64 last_save;
    guint64 expired;
    guint64 evicted;
    gboolean is_known; /* the server tells */
} RpPulse;

void rp_pulse_clear(RpPulse *pulse);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpPulse, rp_pulse_clear)

/* Takes it; replaces what it was. */
gboolean rp_pulse_take(const RpRedisAddress *address, guint timeout_seconds, guint retry_seconds,
                       RpPulse *pulse, GError **error);

/* Whether nothing was written, expired or evicted in between, as far as the server tells. */
gboolean rp_pulse_is_same(const RpPulse *before, const RpPulse *after);

G_END_DECLS
