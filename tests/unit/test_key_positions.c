/* Which arguments of each command are keys, and what it says of their expiry. */
#include "source/key_positions.h"

#include "streaming.h"

#include <criterion/parameterized.h>

Test(key_positions, are_in_the_order_of_names_and_found) {
    gsize n_shapes;
    const RpCommandShape *shapes = rp_command_shapes(&n_shapes);
    for (gsize i = 0; i < n_shapes; i++) {
        cr_assert(i == 0 || g_ascii_strcasecmp(shapes[i - 1].name, shapes[i].name) < 0, "%s", shapes[i].name);
        cr_assert(rp_command_shape_find(rp_span(shapes[i].name)) == &shapes[i]);
        g_autofree char *lower = g_ascii_strdown(shapes[i].name, -1);
        cr_assert(rp_command_shape_find(rp_span(lower)) == &shapes[i]);
    }
    cr_assert(rp_command_shape_find(RP_SPAN_OF("GET")) == NULL);
    cr_assert(rp_command_shape_find(RP_SPAN_OF("SE")) == NULL);
    cr_assert(rp_command_shape_find(RP_SPAN_OF("SETT")) == NULL);
    cr_assert(rp_command_shape_find(RP_SPAN_OF("SET\0x")) == NULL);
    cr_assert(rp_command_shape_find(RP_SPAN_OF("")) == NULL);
}

typedef struct {
    char command[100];
    char told[100];
} Row;

static Row ROWS[] = {
    {"SET k v", "k lasts"},
    {"set k v pxat 5000", "k expires 5000"},
    {"SET k v EXAT 5 GET", "k expires 5000"},
    {"SET k v NX KEEPTTL", "k"},
    {"SET k KEEPTTL", "k lasts"},
    {"SET k v IFEQ KEEPTTL", "k lasts"},
    {"SETEX k 99999999999999999 v", "k lasts"},
    {"SETNX k v", "k lasts"},
    {"GETSET k v", "k lasts"},
    {"GETEX k PXAT 7", "k expires 7"},
    {"GETEX k PERSIST", "k lasts"},
    {"GETDEL k", "k"},
    {"PERSIST k", "k lasts"},
    {"PEXPIREAT k 1234", "k expires 1234"},
    {"PEXPIREAT k -1234", "k expires 0"},
    {"EXPIREAT k 12", "k expires 12000"},
    {"RESTORE k 0 dump", "k lasts"},
    {"RESTORE k 777 dump REPLACE ABSTTL", "k expires 777"},
    {"RESTORE k 777 ABSTTL IDLETIME 5 ABSTTL FREQ 4", "k expires 777"},
    {"APPEND k v", "k"},
    {"INCRBYFLOAT k 1", "k"},
    {"MSET a 1 b 2 c 3", "a lasts,b lasts,c lasts"},
    {"MSETNX a 1", "a lasts"},
    {"MSETEX 2 a PXAT b 2 PXAT 9", "a expires 9,b expires 9"},
    {"DEL a b a", "a,b,a"},
    {"unlink a", "a"},
    {"HSET k f v f v", "k"},
    {"HPEXPIREAT k 5 FIELDS 1 f", "k"},
    {"SADD k m", "k"},
    {"SMOVE a b m", "a,b"},
    {"SUNIONSTORE d a b", "d lasts"},
    {"ZADD k 1 m", "k"},
    {"ZUNIONSTORE d 2 a b", "d lasts"},
    {"ZRANGESTORE d a 0 -1", "d lasts"},
    {"ZMPOP 2 a b MIN", "a,b"},
    {"BZMPOP 0 2 a b MIN", "a,b"},
    {"LMPOP 1 a LEFT", "a"},
    {"BLMPOP 0 2 a b LEFT", "a,b"},
    {"BLPOP a b 0", "a,b"},
    {"BZPOPMIN a 0", "a"},
    {"LMOVE a b LEFT RIGHT", "a,b"},
    {"BRPOPLPUSH a b 0", "a,b"},
    {"RENAME a b", "a,b"},
    {"COPY a b", "a,b"},
    {"COPY a b DB 0 REPLACE", "a,b"},
    {"COPY a b REPLACE db 3", "a"},
    {"MOVE a 3", "a"},
    {"SORT a BY STORE GET STORE LIMIT 0 STORE STORE d", "d lasts"},
    {"SORT a", ""},
    {"GEORADIUS a 1 2 3 km STORE d", "d lasts"},
    {"GEORADIUS a 1 2 3 km COUNT 1 ANY ASC STOREDIST d", "d lasts"},
    {"GEORADIUSBYMEMBER a STORE 3 km STORE d", "d lasts"},
    {"GEOSEARCHSTORE d a FROMMEMBER m BYRADIUS 1 km", "d lasts"},
    {"BITOP AND d a b", "d lasts"},
    {"BITFIELD a SET u8 0 1", "a"},
    {"PFMERGE d a b", "d"},
    {"PFCOUNT a b", "a,b"},
    {"XADD s 1-1 f v", "s"},
    {"XGROUP CREATE s g $", "s"},
    {"XCLAIM s g c 0 1-1", "s"},
    {"XREADGROUP GROUP STREAMS STREAMS COUNT 1 NOACK STREAMS a b > >", "a,b"},
    {"MIGRATE h 1 k 0 5", "k"},
    {"MIGRATE h 1 k 0 5 COPY AUTH KEYS KEYS a b", "k,a,b"},
    {"JSON.MSET a $ 1 b $ 2", "a,b"},
    {"PING", ""},
    {"REPLCONF GETACK *", ""},
    {"PUBLISH c m", ""},
    {"SPUBLISH c m", ""},
    {"SCRIPT LOAD x", ""},
    {"FUNCTION LOAD x", ""},
    {"FLUSHDB", "barrier FLUSHDB"},
    {"FLUSHALL ASYNC", "barrier FLUSHALL"},
    {"SWAPDB 1 0", "barrier SWAPDB 1 0"},
    {"SWAPDB 1 2", ""},
    {"MODULE.DO x k", "k"},
    {"MODULE.DO x", "barrier MODULE.DO, which names no keys"},
};

ParameterizedTestParameters(key_positions, of_each_command) {
    return cr_make_param_array(Row, ROWS, G_N_ELEMENTS(ROWS));
}

ParameterizedTest(Row *row, key_positions, of_each_command) {
    g_auto(StreamLog) log = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) stream = stream_of(row->command);
    cr_assert(stream_log_feed(&log, &STREAM_BEGIN, (RpSpan){stream->str, stream->len}, 7, &error), "%s: %s",
              row->command, error != NULL ? error->message : "");
    g_autofree char *told = g_strdelimit(g_strdup(g_strchomp(log.text->str)), "\n", ',');
    cr_assert(strcmp(told, row->told) == 0, "%s: %s, not %s", row->command, told, row->told);
}

/* From now on: an old master says it so. */
Test(key_positions, times_to_live_count_from_now) {
    static const char *const COMMANDS[] = {"EXPIRE k 100",      "PEXPIRE k 100000",   "SETEX k 100 v",
                                           "PSETEX k 100000 v", "SET k v EX 100",     "SET k v PX 100000",
                                           "GETEX k EX 100",    "RESTORE k 100000 d", "MSETEX 1 k v EX 100"};
    for (guint i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        g_auto(StreamLog) log = {0};
        gint64 time_ms = 0;
        g_autoptr(GString) stream = stream_of(COMMANDS[i]);
        cr_assert(stream_log_feed(&log, &STREAM_BEGIN, (RpSpan){stream->str, stream->len}, 1000, NULL));
        const gint64 now_ms = g_get_real_time() / 1000;
        cr_assert(g_str_has_prefix(log.text->str, "k expires "), "%s: %s", COMMANDS[i], log.text->str);
        time_ms = g_ascii_strtoll(log.text->str + strlen("k expires "), NULL, 10);
        cr_assert(ABS(time_ms - now_ms - 100000) < 20000, "%s: %s", COMMANDS[i], log.text->str);
    }
}
