/* Signals while something is read that leaves nothing behind: they end it, wherever it is. */
#pragma once

#include "pipeline/signals.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpSignals signals;
    GThread *thread;
    gint *is_cancelled;  /* atomic; borrowed */
    gint is_interrupted; /* atomic: a signal came */
    gint is_over;        /* atomic */
    gint is_late;        /* atomic: the time was over */
    gint64 until_us;     /* monotonic time; 0: none */
} RpInterrupt;

/* Blocks SIGINT and SIGTERM in this thread and those that it starts from now on, and watches for them on a
 * thread of its own: one sets *is_cancelled, which whoever works has to look at, and is said in the log. */
void rp_interrupt_begin(RpInterrupt *interrupt, gint *is_cancelled);

/* The same; the work is given up too, without a word, when that monotonic time comes (0: never). */
void rp_interrupt_begin_until(RpInterrupt *interrupt, gint *is_cancelled, gint64 until_us);

/* Whether the time came before the watch ended. */
gboolean rp_interrupt_was_late(RpInterrupt *interrupt);

/* Ends the watch; whether a signal came. */
gboolean rp_interrupt_end(RpInterrupt *interrupt);

G_END_DECLS
