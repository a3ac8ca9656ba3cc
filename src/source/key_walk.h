/* A walk over the arguments of one command, from left to right, that says of each what it is: for commands
 * that are read while they come. */
#pragma once

#include "source/key_positions.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_KEY_WALK_MAX_WORD 32 /* bytes; what is longer is neither a number nor an option */

typedef enum {
    RP_ARGUMENT_VALUE, /* nothing that matters */
    RP_ARGUMENT_KEY,
    RP_ARGUMENT_WORD, /* an option or a number: for rp_key_walk_take */
} RpArgumentUse;

/* rp_key_walk_begin makes it. What it found is there when all arguments were passed. */
typedef struct {
    const RpCommandShape *shape;
    guint32 n_arguments;
    guint32 keys_from, keys_to, keys_step; /* the run of keys that is known: to is behind the last */
    guint32 options_from;
    guint32 option_left; /* values of the last option that come next */
    guint32 awaited;     /* what they are */
    RpArgumentUse use;   /* of the argument that was asked about */
    gboolean is_ended;   /* no option comes any more */
    gboolean is_odd;     /* a number makes no sense, or is not there */
    guint32 n_numbers;   /* of the shape's, that were found */
    gint64 numbers[2];
    gboolean has_database;
    gint64 database; /* of COPY … DB */
    RpLife life;
    gint64 time; /* of life, in its unit */
} RpKeyWalk;

void rp_key_walk_begin(RpKeyWalk *walk, const RpCommandShape *shape, guint32 n_arguments);

/* What an argument is; asked once for each, in order, from 1. */
RpArgumentUse rp_key_walk_use(RpKeyWalk *walk, guint32 index);

/* Whether the argument asked about last is a key. */
static inline gboolean rp_key_walk_is_key(const RpKeyWalk *walk) {
    return walk->use == RP_ARGUMENT_KEY;
}

/* Takes a word before the next argument is asked for. One that is too long is given as an empty one. */
void rp_key_walk_take(RpKeyWalk *walk, guint32 index, RpSpan word);

/* After the last argument. FALSE: the command is not one that Redis would have replicated. */
gboolean rp_key_walk_is_sound(const RpKeyWalk *walk);

/* What the command says of its keys' time of expiry, as RpTouch has it. now_ms: Unix time, from which times
 * to live are counted. */
gint64 rp_key_walk_get_expiry(const RpKeyWalk *walk, gint64 now_ms);

G_END_DECLS
