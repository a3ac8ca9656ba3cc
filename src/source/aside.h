/* Side questions about a key that was not answered as it was asked for, on the channel's second connection:
 * it may have become another type meanwhile, or be gone. */
#pragma once

#include "source/channel.h"

#include <glib.h>

G_BEGIN_DECLS

/* Takes the target's error_text. Where it says that the key is of another type, the target's newest record,
 * or one that is begun for it, gets the outcome RP_READ_WRONG_TYPE or RP_READ_VANISHED; any other refusal is
 * an error.
 */
gboolean rp_aside_take_refusal(RpChannel *channel, RpReplyTarget *target, GError **error);

/* Whether a key of which nothing came is gone; an empty stream is not, nor is a hash without the fields that
 * were asked for. */
gboolean rp_aside_is_gone(RpChannel *channel, RpSpan key, gboolean *is_gone, GError **error);

G_END_DECLS
