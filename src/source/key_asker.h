/* Asking Redis for the keys of a command that the table of key positions does not have: COMMAND GETKEYS. */
#pragma once

#include "source/channel.h"
#include "source/stream_touches.h"

#include <glib.h>

G_BEGIN_DECLS

/* A connection of its own, made at first use. rp_key_questions_init makes it. Belongs to one thread. */
typedef struct {
    const RpRedisAddress *address;
    RpRedisWait wait;
    redisContext *redis; /* NULL: not yet */
    redisReply *reply;   /* the keys that were told last */
} RpKeyQuestions;

/* The address is borrowed. */
void rp_key_questions_init(RpKeyQuestions *questions, const RpRedisAddress *address,
                           const RpPatience *patience);
void rp_key_questions_clear(RpKeyQuestions *questions);

/* Asks through questions, which must stay. A command that Redis does not know, or that we may not ask about,
 * is RP_SOURCE_ERROR_REFUSED with what to do. */
RpKeyAsker rp_key_questions_asker(RpKeyQuestions *questions);

G_END_DECLS
