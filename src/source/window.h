/* Receiving a window of a key that has elements. */
#pragma once

#include "source/channel.h"
#include "source/commands.h"

#include <glib.h>

G_BEGIN_DECLS

/* Takes the reply to the oldest unanswered command of the channel, which asked for the window, and appends a
 * record an element to the target's records; its records, head, key and max_bytes are set. *is_complete:
 * nothing is left of the key; else *window is moved behind what came, or made smaller when that was too large
 * to come at once. An answer that holds more than was asked for, or goes back, is an error. */
gboolean rp_window_receive(RpWindow *window, RpChannel *channel, RpReplyTarget *target, gboolean *is_complete,
                           GError **error);

G_END_DECLS
