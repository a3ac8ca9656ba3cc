/* The commands of a connection that are sent ahead, and not yet answered: kept as they go over the wire, so
 * that they can be sent again. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpBuffer bytes;   /* of all commands since the last time that some were forgotten */
    GArray *ends;     /* gsize: where each command ends in bytes */
    guint n_answered; /* how many of them were answered */
    gsize n_written;  /* how many bytes were written to the socket */
} RpPending;

void rp_pending_init(RpPending *pending);
void rp_pending_clear(RpPending *pending);

/* Adds the command of these words; sizes NULL: they are C strings. */
void rp_pending_add(RpPending *pending, int argc, const char *const *argv, const gsize *sizes);

/* Whether a command waits for its answer; and one for being written. */
gboolean rp_pending_has_unanswered(const RpPending *pending);
gboolean rp_pending_has_unwritten(const RpPending *pending);

/* What is to be written; then it was. */
RpSpan rp_pending_get_unwritten(const RpPending *pending);
void rp_pending_note_written(RpPending *pending);

/* The oldest unanswered command is answered. */
void rp_pending_note_answered(RpPending *pending);

/* A new connection knows nothing of what the old one was asked: all that is unanswered is to be written. */
void rp_pending_rewind(RpPending *pending);

G_END_DECLS
