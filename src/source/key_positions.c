/* The table of commands that may stand in a replication stream, in the order of their names. */
#include "source/key_positions.h"

#include <stdlib.h>

#define KEYS(from, to, by) .first = from, .last = to, .step = by
#define ONE                KEYS(1, 1, 1)
#define TWO                KEYS(1, 2, 1)
#define SECOND             KEYS(2, 2, 1)
#define ALL                KEYS(1, -1, 1)
#define ALL_BUT_LAST       KEYS(1, -2, 1)
#define EVERY(n)           KEYS(1, -1, n)
#define COUNTED(at, by)    .count_at = at, .step = by
#define OVERWRITES         .life = RP_LIFE_NONE
#define LIVES(unit, at)    .life = RP_LIFE_##unit, .number_at = at, .n_numbers = 1
#define NUMBERS(at, n)     .number_at = at, .n_numbers = n
#define OPTIONS(set, from) .options = RP_OPTIONS_##set, .options_from = from
#define MEANS(what)        .meaning = RP_COMMAND_##what

/* PFCOUNT may write the cache of what it counted, and is replicated then. */
static const RpCommandShape SHAPES[] = {
    {"APPEND", ONE},
    {"BITFIELD", ONE},
    {"BITOP", SECOND, OVERWRITES},
    {"BLMOVE", TWO},
    {"BLMPOP", COUNTED(2, 1)},
    {"BLPOP", ALL_BUT_LAST},
    {"BRPOP", ALL_BUT_LAST},
    {"BRPOPLPUSH", TWO},
    {"BZMPOP", COUNTED(2, 1)},
    {"BZPOPMAX", ALL_BUT_LAST},
    {"BZPOPMIN", ALL_BUT_LAST},
    {"COPY", TWO, MEANS(COPY), OPTIONS(COPY, 3)},
    {"DECR", ONE},
    {"DECRBY", ONE},
    {"DEL", ALL},
    {"DELEX", ONE},
    {"DELIFEQ", ONE},
    {"EVAL", MEANS(SCRIPT)},
    {"EVALSHA", MEANS(SCRIPT)},
    {"EXEC", MEANS(EXEC)},
    {"EXPIRE", ONE, LIVES(S, 2)},
    {"EXPIREAT", ONE, LIVES(AT_S, 2)},
    {"FCALL", MEANS(SCRIPT)},
    {"FLUSHALL", MEANS(FLUSHALL)},
    {"FLUSHDB", MEANS(FLUSHDB)},
    {"FUNCTION"},
    {"GEOADD", ONE},
    {"GEORADIUS", OVERWRITES, OPTIONS(GEO, 6)},
    {"GEORADIUSBYMEMBER", OVERWRITES, OPTIONS(GEO, 5)},
    {"GEOSEARCHSTORE", ONE, OVERWRITES},
    {"GETDEL", ONE},
    {"GETEX", ONE, OPTIONS(GETEX, 2)},
    {"GETSET", ONE, OVERWRITES},
    {"HDEL", ONE},
    {"HEXPIRE", ONE},
    {"HEXPIREAT", ONE},
    {"HGETDEL", ONE},
    {"HGETEX", ONE},
    {"HINCRBY", ONE},
    {"HINCRBYFLOAT", ONE},
    {"HMSET", ONE},
    {"HPERSIST", ONE},
    {"HPEXPIRE", ONE},
    {"HPEXPIREAT", ONE},
    {"HSET", ONE},
    {"HSETEX", ONE},
    {"HSETNX", ONE},
    {"INCR", ONE},
    {"INCRBY", ONE},
    {"INCRBYFLOAT", ONE},
    {"JSON.ARRAPPEND", ONE},
    {"JSON.ARRINSERT", ONE},
    {"JSON.ARRPOP", ONE},
    {"JSON.ARRTRIM", ONE},
    {"JSON.CLEAR", ONE},
    {"JSON.DEL", ONE},
    {"JSON.FORGET", ONE},
    {"JSON.MERGE", ONE},
    {"JSON.MSET", EVERY(3)},
    {"JSON.NUMINCRBY", ONE},
    {"JSON.NUMMULTBY", ONE},
    {"JSON.SET", ONE},
    {"JSON.STRAPPEND", ONE},
    {"JSON.TOGGLE", ONE},
    {"LINSERT", ONE},
    {"LMOVE", TWO},
    {"LMPOP", COUNTED(1, 1)},
    {"LPOP", ONE},
    {"LPUSH", ONE},
    {"LPUSHX", ONE},
    {"LREM", ONE},
    {"LSET", ONE},
    {"LTRIM", ONE},
    {"MIGRATE", KEYS(3, 3, 1), OPTIONS(MIGRATE, 6)},
    {"MOVE", ONE, MEANS(MOVE), NUMBERS(2, 1)},
    {"MSET", EVERY(2), OVERWRITES},
    {"MSETEX", COUNTED(1, 2), OVERWRITES, OPTIONS(SET, 0)},
    {"MSETNX", EVERY(2), OVERWRITES},
    {"MULTI", MEANS(MULTI)},
    {"PERSIST", ONE, OVERWRITES},
    {"PEXPIRE", ONE, LIVES(MS, 2)},
    {"PEXPIREAT", ONE, LIVES(AT_MS, 2)},
    {"PFADD", ONE},
    {"PFCOUNT", ALL},
    {"PFMERGE", ONE},
    {"PING"},
    {"PSETEX", ONE, LIVES(MS, 2)},
    {"PUBLISH"},
    {"RENAME", TWO},
    {"RENAMENX", TWO},
    {"REPLCONF"},
    {"RESTORE", ONE, LIVES(MS, 2), OPTIONS(RESTORE, 4)},
    {"RESTORE-ASKING", ONE, LIVES(MS, 2), OPTIONS(RESTORE, 4)},
    {"RPOP", ONE},
    {"RPOPLPUSH", TWO},
    {"RPUSH", ONE},
    {"RPUSHX", ONE},
    {"SADD", ONE},
    {"SCRIPT"},
    {"SDIFFSTORE", ONE, OVERWRITES},
    {"SELECT", MEANS(SELECT), NUMBERS(1, 1)},
    {"SET", ONE, OVERWRITES, OPTIONS(SET, 3)},
    {"SETBIT", ONE},
    {"SETEX", ONE, LIVES(S, 2)},
    {"SETNX", ONE, OVERWRITES},
    {"SETRANGE", ONE},
    {"SINTERSTORE", ONE, OVERWRITES},
    {"SMOVE", TWO},
    {"SORT", OVERWRITES, OPTIONS(SORT, 2)},
    {"SPOP", ONE},
    {"SPUBLISH"},
    {"SREM", ONE},
    {"SUNIONSTORE", ONE, OVERWRITES},
    {"SWAPDB", MEANS(SWAPDB), NUMBERS(1, 2)},
    {"UNLINK", ALL},
    {"VADD", ONE},
    {"VREM", ONE},
    {"VSETATTR", ONE},
    {"XACK", ONE},
    {"XACKDEL", ONE},
    {"XADD", ONE},
    {"XAUTOCLAIM", ONE},
    {"XCLAIM", ONE},
    {"XDEL", ONE},
    {"XDELEX", ONE},
    {"XGROUP", SECOND},
    {"XREADGROUP", OPTIONS(XREADGROUP, 1)},
    {"XSETID", ONE},
    {"XTRIM", ONE},
    {"ZADD", ONE},
    {"ZDIFFSTORE", ONE, OVERWRITES},
    {"ZINCRBY", ONE},
    {"ZINTERSTORE", ONE, OVERWRITES},
    {"ZMPOP", COUNTED(1, 1)},
    {"ZPOPMAX", ONE},
    {"ZPOPMIN", ONE},
    {"ZRANGESTORE", ONE, OVERWRITES},
    {"ZREM", ONE},
    {"ZREMRANGEBYLEX", ONE},
    {"ZREMRANGEBYRANK", ONE},
    {"ZREMRANGEBYSCORE", ONE},
    {"ZUNIONSTORE", ONE, OVERWRITES},
};

static int compare(gconstpointer wanted, gconstpointer found) {
    const RpSpan *name = wanted;
    const char *other = ((const RpCommandShape *)found)->name;
    const int order = g_ascii_strncasecmp(name->data, other, name->size);
    return order != 0 ? order : name->size < strlen(other) ? -1 : 0;
}

const RpCommandShape *rp_command_shape_find(RpSpan name) {
    if (name.size == 0 || memchr(name.data, '\0', name.size) != NULL)
        return NULL;
    return bsearch(&name, SHAPES, G_N_ELEMENTS(SHAPES), sizeof SHAPES[0], compare);
}

const RpCommandShape *rp_command_shapes(gsize *n_shapes) {
    *n_shapes = G_N_ELEMENTS(SHAPES);
    return SHAPES;
}
