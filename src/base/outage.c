/* Outages: waiting, and saying so. Several connections see the same one: the first says that it has begun,
 * the last that it is over. */
#include "base/outage.h"

#include "base/log.h"

#include <stdarg.h>

#define UNSAID_US G_USEC_PER_SEC /* a trouble on a connection that stands */

static gint
    n_troubled[RP_N_EVENTS]; /* atomic; by the event of the beginning: connections that have said so */

void rp_outage_init(RpOutage *outage, const char *server, RpEvent lost, RpEvent back, guint seconds) {
    *outage = (RpOutage){.server = server, .lost = lost, .back = back, .seconds = seconds};
    rp_retry_init(&outage->retry, seconds);
}

static void begin(RpOutage *outage) {
    if (outage->has_begun)
        return;
    outage->has_begun = TRUE;
    rp_event_note(outage->lost);
}

static void say(RpOutage *outage, const GError *trouble, gboolean is_away) {
    const gint64 since = outage->retry.since_us;
    const gboolean is_long = since != 0 && g_get_monotonic_time() - since > UNSAID_US;
    if (outage->is_said || (!is_away && !is_long))
        return;
    outage->is_said = TRUE;
    if (g_atomic_int_add(&n_troubled[outage->lost], 1) == 0)
        rp_log(RP_LOG_WARNING, "%s: it is tried again for up to %u s", trouble->message, outage->seconds);
}

/* Whether it was the last one that had said so. */
static gboolean unsay(RpOutage *outage) {
    const gboolean is_last = outage->is_said && g_atomic_int_add(&n_troubled[outage->lost], -1) == 1;
    outage->is_said = FALSE;
    return is_last;
}

void rp_outage_add_words(GError *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *before = error->message;
    error->message = g_strconcat(before, words, NULL);
}

gboolean rp_outage_wait(RpOutage *outage, GError *trouble, gboolean is_away, const gint *gives_up,
                        GError **error) {
    const gboolean may_wait = outage->seconds > 0 && (gives_up == NULL || !g_atomic_int_get(gives_up));
    if (may_wait) {
        begin(outage);
        say(outage, trouble, is_away);
    }
    if (may_wait && rp_retry_wait(&outage->retry, gives_up)) {
        g_error_free(trouble);
        return TRUE;
    }
    if (outage->has_begun && (gives_up == NULL || !g_atomic_int_get(gives_up)))
        rp_outage_add_words(trouble, " (tried again for %u s)", outage->seconds);
    unsay(outage);
    g_propagate_error(error, trouble);
    return FALSE;
}

void rp_outage_end(RpOutage *outage) {
    if (!outage->has_begun)
        return;
    const double lasted = (double)(g_get_monotonic_time() - outage->retry.since_us) / G_USEC_PER_SEC;
    outage->has_begun = FALSE;
    rp_retry_reset(&outage->retry);
    rp_event_note(outage->back);
    if (unsay(outage))
        rp_log(RP_LOG_INFO, "%s works again, after %.1f s", outage->server, lasted);
}

void rp_outage_clear(RpOutage *outage) {
    unsay(outage);
    outage->has_begun = FALSE;
}
