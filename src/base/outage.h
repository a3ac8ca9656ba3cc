/* The time in which a server does not do what is asked of it: it is said once when it begins and once when
 * it is over, and whatever was asked is asked again meanwhile. */
#pragma once

#include "base/event.h"
#include "base/retry.h"

#include <glib.h>

G_BEGIN_DECLS

/* As one connection sees it; rp_outage_init makes it. Belongs to one thread. */
typedef struct {
    const char *server; /* "Redis" */
    RpEvent lost;       /* noted when it begins, */
    RpEvent back;       /* and when it is over */
    guint seconds;      /* how long it may last */
    RpRetry retry;
    gboolean has_begun;
    gboolean is_said;
} RpOutage;

/* server is kept, not copied. seconds 0: nothing is tried again. */
void rp_outage_init(RpOutage *outage, const char *server, RpEvent lost, RpEvent back, guint seconds);

/* Waits before the next try; takes the trouble. TRUE: try again. FALSE: it has lasted too long, or *gives_up
 * (atomic) was set; error is the trouble then, with words that say for how long it was tried.
 * is_away: the server is; a trouble on a connection that stands (a deadlock) is only said when it lasts. */
gboolean rp_outage_wait(RpOutage *outage, GError *trouble, gboolean is_away, const gint *gives_up,
                        GError **error);

/* Things work: the next trouble has its own time. Costs nothing when there was none. */
void rp_outage_end(RpOutage *outage);

/* Whoever had the trouble is gone: the next one is said again. Fine when there was none. */
void rp_outage_clear(RpOutage *outage);

/* Adds words to the end of an error's message. */
void rp_outage_add_words(GError *error, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
