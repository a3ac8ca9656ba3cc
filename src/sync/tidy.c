/* Once an hour what undoes old batches is dropped: in a thread and on a connection of its own, for it may
 * take long. */
#include "base/log.h"
#include "ledger/retention.h"
#include "sink/wait.h"
#include "sync/parts.h"

#define PERIOD_US      (3600 * (gint64)G_USEC_PER_SEC)
#define ANSWER_SECONDS 3600

struct RpTidy {
    RpSyncParts *parts;
    GThread *thread;
    GMutex mutex;
    GCond changed;
    gboolean is_over;
    gint is_cancelled; /* atomic */
};

static void drop_old(RpTidy *tidy) {
    const RpSyncOptions *options = tidy->parts->options;
    g_autoptr(GError) trouble = NULL;
    guint64 n_batches = 0;
    g_autoptr(PGconn) connection = rp_postgres_connect(options->load->postgres, &trouble);
    if (connection != NULL)
        rp_wait_limit(connection, ANSWER_SECONDS, &tidy->is_cancelled);
    if (connection == NULL || !rp_retention_apply(connection, options->undo_days, &n_batches, &trouble))
        rp_log(RP_LOG_WARNING, "what undoes old batches is not dropped: %s; it is tried again in an hour",
               trouble->message);
    else if (n_batches > 0)
        rp_log(RP_LOG_INFO, "what undoes %" G_GUINT64_FORMAT " batches of more than %u days ago was dropped",
               n_batches, options->undo_days);
}

static gboolean wait_for_next(RpTidy *tidy) {
    const gint64 until = g_get_monotonic_time() + PERIOD_US;
    g_mutex_lock(&tidy->mutex);
    while (!tidy->is_over && g_cond_wait_until(&tidy->changed, &tidy->mutex, until))
        ;
    const gboolean goes_on = !tidy->is_over;
    g_mutex_unlock(&tidy->mutex);
    return goes_on;
}

static gpointer tidy_thread(gpointer data) {
    do
        drop_old(data);
    while (wait_for_next(data));
    return NULL;
}

RpTidy *rp_tidy_new(RpSyncParts *parts) {
    if (parts->options->undo_days == 0)
        return NULL;
    RpTidy *tidy = g_new0(RpTidy, 1);
    tidy->parts = parts;
    g_mutex_init(&tidy->mutex);
    g_cond_init(&tidy->changed);
    tidy->thread = g_thread_new("tidy", tidy_thread, tidy);
    return tidy;
}

void rp_tidy_free(RpTidy *tidy) {
    if (tidy == NULL)
        return;
    g_atomic_int_set(&tidy->is_cancelled, TRUE);
    g_mutex_lock(&tidy->mutex);
    tidy->is_over = TRUE;
    g_cond_signal(&tidy->changed);
    g_mutex_unlock(&tidy->mutex);
    g_thread_join(tidy->thread);
    g_cond_clear(&tidy->changed);
    g_mutex_clear(&tidy->mutex);
    g_free(tidy);
}
