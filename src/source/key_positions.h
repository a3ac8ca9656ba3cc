/* Which arguments of a command that stands in a replication stream are keys, and what else it says: the
 * commands that write, of Redis 5 to 8 and Valkey, as they are replicated
 * (https://redis.io/docs/latest/develop/reference/key-specs/). */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

/* What a command is to whoever follows the stream. */
typedef enum {
    RP_COMMAND_TOUCHES, /* the keys that it names, in the database selected; or none */
    RP_COMMAND_SELECT,
    RP_COMMAND_MULTI,
    RP_COMMAND_EXEC,
    RP_COMMAND_MOVE,
    RP_COMMAND_COPY,
    RP_COMMAND_FLUSHDB,
    RP_COMMAND_FLUSHALL,
    RP_COMMAND_SWAPDB,
    RP_COMMAND_SCRIPT, /* a script as text: it does not say what it touches */
} RpCommandMeaning;

/* What a command says of its keys' time to live, where no option says more. */
typedef enum {
    RP_LIFE_UNTOLD,
    RP_LIFE_NONE, /* what it writes lives for ever */
    RP_LIFE_S,    /* a time follows (RpCommandShape.number_at): seconds from now */
    RP_LIFE_MS,
    RP_LIFE_AT_S, /* Unix time */
    RP_LIFE_AT_MS,
} RpLife;

/* The options that a command takes, where it takes any that matter. */
typedef enum {
    RP_OPTIONS_NONE,
    RP_OPTIONS_SET = 1 << 0,
    RP_OPTIONS_GETEX = 1 << 1,
    RP_OPTIONS_RESTORE = 1 << 2,
    RP_OPTIONS_COPY = 1 << 3,
    RP_OPTIONS_SORT = 1 << 4,
    RP_OPTIONS_GEO = 1 << 5,
    RP_OPTIONS_XREADGROUP = 1 << 6,
    RP_OPTIONS_MIGRATE = 1 << 7,
} RpOptions;

/* Positions are indexes of arguments; the name is argument 0, so 0 means that there is none. */
typedef struct {
    const char *name;
    RpCommandMeaning meaning;
    /* Keys stand at first, first + step, … last; a negative last counts from the end: -1 is the last one. */
    gint8 first, last, step;
    guint8 count_at; /* where keys are counted: so many follow, each step after the other */
    RpLife life;
    guint8 number_at; /* of a number that matters: a time, a database */
    guint8 n_numbers;
    RpOptions options;
    guint8 options_from; /* their position; of counted keys they follow those */
} RpCommandShape;

/* The command of that name, in letters of either case; NULL: it is not known. Static memory. */
const RpCommandShape *rp_command_shape_find(RpSpan name);

/* All of them, in the order of their names; for tests. */
const RpCommandShape *rp_command_shapes(gsize *n_shapes);

G_END_DECLS
