/* Keyspace notifications of a real Redis: every change of a key is heard, and what no event tells is seen. */
#include "notifying.h"

#include "source/info.h"

#include <string.h>

TestSuite(notifications, .timeout = 120);

/* ---- events ---- */

/* Commands are joined by "; ". told: the keys, each once, in the order in which they are first told. */
static const struct {
    const char *before, *commands, *told;
} EVENTS[] = {
    {NULL, "SET a 1", "a"},
    {NULL, "SETRANGE a 0 x", "a"},
    {NULL, "SETBIT a 1 1", "a"},
    {NULL, "APPEND a 1", "a"},
    {NULL, "GETSET a 1", "a"},
    {NULL, "INCRBYFLOAT a 1.5", "a"},
    {NULL, "MSET a 1 b 2", "a b"},
    {NULL, "MSETNX a 1 b 2", "a b"},
    {NULL, "PFADD a 1", "a"},
    {"SET a 1", "GETDEL a", "a"},
    {"SET a 1", "GETEX a EX 1000", "a"},
    {"SET a 1", "EXPIRE a 1000", "a"},
    {"SETEX a 1000 1", "PERSIST a", "a"},
    {"SET a 1", "PEXPIREAT a 1", "a"},
    {"SET a 1", "DEL a", "a"},
    {"MSET a 1 b 1", "UNLINK a b", "a b"},
    {"SET a 1", "RENAME a b", "a b"},
    {"SET a 1", "COPY a b", "b"},
    {"SET a 1", "MOVE a 1", "a"},
    {NULL, "HSET a f 1", "a"},
    {NULL, "HINCRBYFLOAT a f 1.5", "a"},
    {"HSET a f 1", "HDEL a f", "a"},
    {NULL, "RPUSH a 1", "a"},
    {"RPUSH a 1 2", "LSET a 0 9", "a"},
    {"RPUSH a 1 2", "LTRIM a 0 0", "a"},
    {"RPUSH a 1 2", "LINSERT a BEFORE 2 x", "a"},
    {"RPUSH a 1 2", "LREM a 0 1", "a"},
    {"RPUSH a 1", "LMOVE a b LEFT LEFT", "b a"},
    {"RPUSH a 1", "BLPOP a 1", "a"},
    {"RPUSH a 2 1", "SORT a STORE b", "b"},
    {NULL, "SADD a 1", "a"},
    {"SADD a 1", "SPOP a", "a"},
    {"SADD a 1", "SMOVE a b 1", "a b"},
    {"SADD a 1", "SUNIONSTORE b a", "b"},
    {NULL, "ZADD a 1 m", "a"},
    {"ZADD a 1 m", "ZPOPMIN a", "a"},
    {"ZADD a 1 m", "ZRANGESTORE b a 0 -1", "b"},
    {"ZADD a 1 m", "ZREMRANGEBYSCORE a 0 9", "a"},
    {NULL, "GEOADD a 1 1 m", "a"},
    {NULL, "XADD a 1-1 f v", "a"},
    {"XADD a 1-1 f v", "XDEL a 1-1", "a"},
    {"XADD a 1-1 f v", "XTRIM a MAXLEN 0", "a"},
    {"XADD a 1-1 f v", "XSETID a 5-5", "a"},
    {NULL, "MULTI; SET a 1; HSET b f 1; EXEC", "a b"},
    {"SADD a 1; SADD b 2", "MULTI; DEL a; SUNIONSTORE c b a; EXEC", "a c"},
    {"SET a 1", "GET a; EXISTS b; HGET b f; TTL a", ""}, /* keymiss, where it is sent, is no change */
};

/* What was told, each key once. */
static char *take_keys(Capture *capture) {
    g_autofree char *told = take_told(capture);
    g_auto(GStrv) words = g_strsplit(g_strchomp(told), " ", -1);
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    for (char **word = words; *word != NULL; word++)
        if (!g_ptr_array_find_with_equal_func(keys, *word, g_str_equal, NULL))
            g_ptr_array_add(keys, *word);
    g_ptr_array_add(keys, NULL);
    return g_strjoinv(" ", (char **)keys->pdata);
}

Test(notifications, every_command_that_changes_a_key_is_heard) {
    g_auto(Capture) capture;
    capture_init(&capture, "KEAm");
    capture_begin(&capture);
    for (guint i = 0; i < G_N_ELEMENTS(EVENTS); i++) {
        do_redis(&capture, "UNLINK a b c");
        do_all(&capture, EVENTS[i].before);
        g_free(take_told(&capture));
        do_all(&capture, EVENTS[i].commands);
        g_autofree char *told = take_keys(&capture);
        cr_assert(strcmp(told, EVENTS[i].told) == 0, "%s told %s", EVENTS[i].commands, told);
    }
}

Test(notifications, scripts_and_restored_keys_are_heard) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    do_redis(&capture, "EVAL %s 0", "redis.call('SET', 'x', 1) redis.call('RENAME', 'x', 'y') return 1");
    redisReply *dump = redisCommand(capture.redis, "DUMP y");
    g_autofree char *scripted = take_keys(&capture);
    cr_assert(eq(str, scripted, "x y"));
    do_redis(&capture, "RESTORE z 0 %b", dump->str, dump->len);
    g_autofree char *restored = take_keys(&capture);
    cr_assert(eq(str, restored, "z"));
    freeReplyObject(dump);
}

Test(notifications, an_expiry_is_told_as_one_and_a_delete_is_not) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    do_redis(&capture, "SET a 1 PX 1");
    await_told(&capture, "a! ");
    g_free(take_told(&capture));
    do_redis(&capture, "SET a 1 PX 100000");
    do_redis(&capture, "DEL a");
    g_autofree char *told = take_told(&capture);
    cr_assert(strchr(told, '!') == NULL, "%s", told);
}

Test(notifications, an_evicted_key_is_heard) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    do_redis(&capture, "SET a 1");
    capture_begin(&capture);
    do_redis(&capture, "CONFIG SET maxmemory-policy allkeys-random");
    do_redis(&capture, "CONFIG SET maxmemory 1");
    await_told(&capture, "a ");
    do_redis(&capture, "CONFIG SET maxmemory 0");
    g_autofree char *told = take_told(&capture);
    cr_assert(strchr(told, '!') == NULL, "%s", told);
}

Test(notifications, only_the_database_of_the_address_is_heard) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture.address.database = 1;
    capture_begin(&capture);
    do_redis(&capture, "SET zero 1");
    do_redis(&capture, "MOVE zero 1");
    do_redis(&capture, "SET copied 1");
    do_redis(&capture, "COPY copied copy DB 1");
    do_redis(&capture, "SELECT 2");
    do_redis(&capture, "SET two 1");
    do_redis(&capture, "SELECT 1");
    do_redis(&capture, "SET one 1");
    g_autofree char *told = take_told(&capture);
    cr_assert(eq(str, told, "zero copy one "));
}

Test(notifications, a_key_may_hold_any_bytes) {
    static const struct {
        const char *bytes;
        gsize size;
    } keys[] = {{"a:b::c", 6},    {"a b", 3},   {"a\r\nb", 4},           {"a\0b", 3}, {"\xff\xfe", 2},
                {"*?[a-z]\\", 8}, {"{tag}", 5}, {"__keyspace@0__:", 15}, {"", 0}};
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *shown = rp_span_show((RpSpan){keys[i].bytes, keys[i].size}, 1000);
        g_autofree char *expected = g_strconcat(shown, " ", NULL);
        do_redis(&capture, "HSET %b f 1", keys[i].bytes, keys[i].size);
        g_autofree char *told = take_told(&capture);
        cr_assert(eq(str, told, expected));
    }
}

Test(notifications, a_key_of_a_mebibyte_is_heard_and_a_longer_one_ends_the_capture) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    g_autofree char *key = g_strnfill(1024 * 1024 + 1, 'k');
    do_redis(&capture, "SET %b 1", key, (gsize)1024 * 1024);
    g_autofree char *told = take_told(&capture);
    cr_assert(g_str_has_prefix(told, "kkkk"), "%s", told);
    do_redis(&capture, "SET %b 1", key, (gsize)1024 * 1024 + 1);
    await_error(&capture, RP_SOURCE_ERROR_REFUSED, "keys of more than 1048576 bytes cannot be followed");
}

Test(notifications, an_enormous_key_is_not_waited_for) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    const gsize size = 20 * 1024 * 1024;
    g_autofree char *key = g_strnfill(size, 'k');
    do_redis(&capture, "SET %b 1", key, size);
    await_error(&capture, RP_SOURCE_ERROR_REFUSED, "an answer of more than");
}

Test(notifications, the_probe_leaves_nothing_and_is_not_told) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    redisReply *size = redisCommand(capture.redis, "DBSIZE");
    cr_assert(eq(i64, size->integer, 0));
    freeReplyObject(size);
    do_redis(&capture, "SET redis2pg:probe:other 1");
    g_autofree char *told = take_told(&capture);
    cr_assert(eq(str, told, ""));
}

/* ---- what sends no event ---- */

static const struct {
    const char *command, *told;
} SILENT[] = {
    {"FLUSHALL", "{FLUSHALL, of which no event is sent} "},
    {"FLUSHALL ASYNC", "{FLUSHALL, of which no event is sent} "},
    {"FLUSHDB", "{FLUSHDB (of this database or another), of which no event is sent} "},
    {"SWAPDB 0 1", "{SWAPDB, of which no event is sent} "},
    {"EVAL redis.call('FLUSHALL') 0", "{FLUSHALL, of which no event is sent} "},
    {"CONFIG RESETSTAT", "{the counters of commands were set back (CONFIG RESETSTAT)"},
};

Test(notifications, commands_that_send_no_event_are_told_as_barriers) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    for (guint i = 0; i < G_N_ELEMENTS(SILENT); i++) {
        do_redis(&capture, "SET a 1");
        do_all(&capture, SILENT[i].command);
        await_told(&capture, SILENT[i].told);
        g_free(take_told(&capture));
    }
}

/* Each look asks CONFIG GET once. */
static guint64 count_looks(Capture *capture) {
    g_autofree char *text = rp_redis_info_field(capture->redis, "commandstats", "cmdstat_config|get", NULL);
    const char *calls = text != NULL ? strstr(text, "calls=") : NULL;
    return calls != NULL ? g_ascii_strtoull(calls + strlen("calls="), NULL, 10) : 0;
}

Test(notifications, a_database_emptied_by_events_is_no_barrier) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    do_redis(&capture, "MSET a 1 b 2 c 3");
    capture_begin(&capture);
    do_redis(&capture, "DEL a b c");
    const guint64 enough = count_looks(&capture) + 4;
    const gint64 limit = g_get_monotonic_time() + LIMIT_US;
    while (count_looks(&capture) < enough && g_get_monotonic_time() < limit)
        g_usleep(20 * 1000);
    cr_assert(count_looks(&capture) >= enough);
    g_autofree char *told = take_told(&capture);
    cr_assert(eq(str, told, "a b c "));
}
