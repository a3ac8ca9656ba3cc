/* Following real servers: what each command touches, and going on after all that may come between. */
#include "source/replication.h"

#include "base/event.h"
#include "sandbox/sandbox.h"
#include "source/info.h"
#include "source/key_asker.h"
#include "streaming.h"

#include <criterion/parameterized.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_SECONDS 30

/* A server, and a session with it. */
typedef struct {
    RpSandbox *sandbox;
    RpRedisAddress *address;
    redisContext *redis;
    StreamLog log;
    RpReplication *replication;
    RpStreamPlace place;
} Source;

static const gint never;

static void source_clear(Source *source) {
    rp_replication_free(source->replication);
    stream_log_clear(&source->log);
    if (source->redis != NULL)
        redisFree(source->redis);
    g_clear_pointer(&source->address, rp_redis_address_free);
    g_clear_pointer(&source->sandbox, rp_sandbox_stop);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

static void start(Source *source) {
    static const char *const SETTINGS[] = {"repl-diskless-sync-delay=0", "repl-diskless-load=disabled", NULL};
    const RpSandboxOptions options = {
        .is_without_postgres = TRUE, .redis_databases = 4, .extra_redis_settings = SETTINGS};
    const RpPatience patience = {
        .timeout_seconds = LIMIT_SECONDS, .retry_seconds = 10, .is_cancelled = &never};
    g_autoptr(GError) error = NULL;
    source->sandbox = rp_sandbox_start(&options, &error);
    cr_assert(source->sandbox != NULL, "%s", error != NULL ? error->message : "");
    source->address = rp_redis_address_parse(rp_sandbox_get_redis_url(source->sandbox), NULL);
    source->redis = rp_redis_connect(source->address, LIMIT_SECONDS, &error);
    cr_assert(source->redis != NULL, "%s", error != NULL ? error->message : "");
    const RpCaptureTaker taker = stream_log_taker(&source->log);
    source->replication = rp_replication_new(source->address, &patience, &taker);
}

static void command(Source *source, const char *text) {
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    redisReply *reply =
        redisCommandArgv(source->redis, (int)g_strv_length(words), (const char **)words, NULL);
    cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s: %s", text,
              reply != NULL ? reply->str : source->redis->errstr);
    freeReplyObject(reply);
}

static GHashTable *info_of(Source *source) {
    GHashTable *info = rp_redis_info_read(source->redis, NULL);
    cr_assert(info != NULL);
    return info;
}

static RpReplicationOutcome attach(Source *source, const RpStreamPlace *from) {
    g_autoptr(GError) error = NULL;
    RpReplicationOutcome attachment;
    cr_assert(rp_replication_attach(source->replication, from, &attachment, &source->place, &error), "%s",
              error != NULL ? error->message : "");
    source->log.place = source->place;
    return attachment;
}

static void assert_attach_fails(Source *source, RpSourceError code, const char *words) {
    g_autoptr(GError) error = NULL;
    RpReplicationOutcome attachment;
    cr_assert(!rp_replication_attach(source->replication, NULL, &attachment, &source->place, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code), "%s", error->message);
    cr_assert(strstr(error->message, words) != NULL, "%s", error->message);
}

/* Follows up to where the server is now, and gives what was told since the last time; the caller frees it. */
static char *follow(Source *source) {
    g_autoptr(GHashTable) info = info_of(source);
    g_autoptr(GError) error = NULL;
    StreamLog *log = &source->log;
    log->stops_at = rp_redis_info_number(info, "master_repl_offset");
    log->is_stopping = log->place.offset >= log->stops_at;
    cr_assert(rp_replication_follow(source->replication, &log->is_stopping, &error), "%s",
              error != NULL ? error->message : "");
    char *told = g_strdelimit(g_strdup(g_strchomp(log->text->str)), "\n", ',');
    g_string_truncate(log->text, 0);
    return told;
}

static void assert_told(Source *source, const char *what, const char *expected) {
    g_autofree char *told = follow(source);
    cr_assert(strcmp(told, expected) == 0, "%s: %s, not %s", what, told, expected);
}

TestSuite(replication, .timeout = 120);

/* ---- commands ---- */

/* Commands with ";" between them, and what they touch in database 0. */
static const struct {
    const char *commands;
    const char *told;
} ROWS[] = {
    {"SET k v", "k lasts"},
    {"SET k w PXAT 4102444800000", "k expires 4102444800000"},
    {"SET k w KEEPTTL", "k"},
    {"APPEND k x;SETRANGE k 1 y;GETSET k v", "k,k,k lasts"},
    {"SETEX e 1000000 v;PERSIST e", "*"},
    {"EXPIREAT k 4102444800;GETEX k PERSIST", "k expires 4102444800000,k lasts"},
    {"GETEX k PXAT 4102444800000;EXPIRE k -1", "k expires 4102444800000,k"},
    {"SETNX n 1;INCR n;DECRBY n 3;INCRBYFLOAT n 0.5;GETDEL n", "n lasts,n,n,n,n"},
    {"MSET a 1 b 2;MSETNX c 3 d 4", "a lasts,b lasts,c lasts,d lasts"},
    {"SETBIT bit 3 1;BITFIELD bit SET u8 0 7;BITOP NOT bit2 bit", "bit,bit,bit2 lasts"},
    {"DEL a b none;UNLINK c d", "a,b,none,c,d"},
    {"HSET h a 1 b 2;HSETNX h c 3;HMSET h d 4;HINCRBY h a 1;HINCRBYFLOAT h a 0.5;HDEL h b", "h,h,h,h,h,h"},
    {"HDEL h a c d", "h"},
    {"RPUSH l a b c d e f;LPUSH l z;LPUSHX l y;RPUSHX l g;LINSERT l BEFORE a x", "l,l,l,l,l"},
    {"LSET l 0 q;LREM l 1 q;LTRIM l 0 5;LPOP l;RPOP l", "l,l,l,l,l"},
    {"LMOVE l l2 LEFT LEFT;RPOPLPUSH l l2;BLMOVE l2 l3 LEFT LEFT 0;BRPOPLPUSH l2 l3 0",
     "l,l2,l,l2,l2,l3,l2,l3"},
    {"BLPOP none l3 0;BRPOP l3 0;LMPOP 2 none l LEFT;BLMPOP 0 1 l LEFT", "l3,l3,l,l"},
    {"SADD s a b c d e;SREM s a;SPOP s;SMOVE s s2 zz;SPOP s 100", "s,s,s,s"},
    {"SADD s a b;SADD s2 b c;SMOVE s s2 a;SINTERSTORE s3 s s2;SUNIONSTORE s4 s s2;SDIFFSTORE s5 s2 s",
     "s,s2,s,s2,s3 lasts,s4 lasts,s5 lasts"},
    {"ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h;ZINCRBY z 1 a;ZREM z b;ZPOPMIN z;ZPOPMAX z", "z,z,z,z,z"},
    {"ZUNIONSTORE z2 1 z;ZINTERSTORE z3 1 z;ZDIFFSTORE z4 1 z;ZRANGESTORE z5 z 0 -1",
     "z2 lasts,z3 lasts,z4 lasts,z5 lasts"},
    {"ZREMRANGEBYRANK z 0 0;ZREMRANGEBYSCORE z 4 4;ZREMRANGEBYLEX z [e [e", "z,z,z"},
    {"BZPOPMIN z2 0;BZPOPMAX none z2 0;ZMPOP 1 z2 MIN;BZMPOP 0 2 none z2 MAX", "z2,z2,z2,z2"},
    {"XADD x 1-1 f v;XADD x 2-1 f v;XDEL x 1-1;XSETID x 3-1;XTRIM x MAXLEN 1", "x,x,x,x"},
    {"XGROUP CREATE x g 0;XREADGROUP GROUP g c STREAMS x >;XACK x g 2-1;XGROUP DESTROY x g", "x,x,x,x"},
    {"XGROUP CREATE x g 0;XREADGROUP GROUP g c STREAMS x >;XCLAIM x g d 0 2-1;XAUTOCLAIM x g c 0 0",
     "x,x,x,x"},
    {"GEOADD geo 1 1 a 2 2 b;GEOSEARCHSTORE geo2 geo FROMMEMBER a BYRADIUS 900 km", "geo,geo2 lasts"},
    {"GEORADIUS geo 1 1 900 km STORE geo3;GEORADIUSBYMEMBER geo a 9 km STOREDIST geo4",
     "geo3 lasts,geo4 lasts"},
    {"PFADD pf a;PFADD pf b;PFMERGE pf2 pf;PFCOUNT pf", "pf,pf,pf2,pf"},
    {"RPUSH un 3 1 2;SORT un STORE sorted;RPUSH un 4;SORT un BY STORE LIMIT 0 2 STORE sorted",
     "un,sorted lasts,un,sorted lasts"},
    {"RENAME un un2;RENAMENX un2 un;COPY un un3;COPY un un3 REPLACE", "un,un2,un2,un,un,un3,un,un3"},
    {"MULTI;SET m 1;SELECT 1;SET m 2;SELECT 0;HSET mh f v;EXEC", "m lasts,mh"},
    {"EVAL redis.call('SET',KEYS[1],'v')redis.call('DEL',KEYS[2]) 2 e1 m", "e1 lasts,m"},
    {"EVAL redis.call('SET',KEYS[1],'v') 1 e1", "e1 lasts"},
    {"MOVE e1 1;SELECT 1;MOVE e1 0;COPY m m7 DB 0;SET only1 v;SELECT 0;COPY k2 k3;COPY mh h9 DB 1",
     "e1,e1,m7,mh"},
    {"SELECT 1;FLUSHDB;SELECT 0;SWAPDB 1 2;SWAPDB 2 0;FLUSHDB;FLUSHALL",
     "barrier SWAPDB 2 0,barrier FLUSHDB,barrier FLUSHALL"},
    {"PUBLISH c m;SPUBLISH c m;SCRIPT FLUSH;FUNCTION FLUSH;GET k;PING", ""},
};

Test(replication, tells_what_each_command_touches) {
    g_auto(Source) source = {0};
    start(&source);
    cr_assert(attach(&source, NULL) == RP_REPLICATION_FULL);
    for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
        g_auto(GStrv) commands = g_strsplit(ROWS[i].commands, ";", -1);
        for (char **text = commands; *text != NULL; text++)
            command(&source, *text);
        if (strcmp(ROWS[i].told, "*") != 0)
            assert_told(&source, ROWS[i].commands, ROWS[i].told);
        else
            g_free(follow(&source));
    }
}

Test(replication, tells_of_expiry) {
    g_auto(Source) source = {0};
    start(&source);
    attach(&source, NULL);
    command(&source, "SET k v PX 1");
    redisReply *reply = NULL;
    for (gboolean is_there = TRUE; is_there; is_there = reply->type != REDIS_REPLY_NIL) {
        if (reply != NULL)
            freeReplyObject(reply);
        reply = redisCommand(source.redis, "GET k");
    }
    freeReplyObject(reply);
    g_autofree char *told = follow(&source);
    cr_assert(g_str_has_prefix(told, "k expires 1") && g_str_has_suffix(told, ",k"), "%s", told);
}

Test(replication, begins_in_the_database_that_is_selected) {
    g_auto(Source) source = {0};
    start(&source);
    cr_assert(attach(&source, NULL) == RP_REPLICATION_FULL); /* there was no backlog: with a snapshot */
    cr_assert(source.place.database == 0);
    command(&source, "SELECT 3");
    command(&source, "SET k v");
    assert_told(&source, "in 3", "");
    cr_assert(source.log.place.database == 3);
    /* Now there is a backlog: without. SELECT is not said again. */
    cr_assert(attach(&source, NULL) == RP_REPLICATION_FULL);
    cr_assert(source.place.database == -1);
    command(&source, "SET k v");
    assert_told(&source, "in 3, unknown", "k lasts");
    g_autoptr(GHashTable) info = info_of(&source);
    cr_assert(rp_redis_info_number(info, "sync_full") == 1, "%s", rp_redis_info_text(info, "sync_full"));
}

Test(replication, begins_after_a_snapshot_from_disk) {
    g_auto(Source) source = {0};
    start(&source);
    command(&source, "CONFIG SET repl-diskless-sync no");
    command(&source, "SET before v");
    const RpStreamPlace nowhere = STREAM_BEGIN;
    for (guint i = 0; i < 2; i++) {
        cr_assert(attach(&source, &nowhere) == RP_REPLICATION_FULL);
        command(&source, "SET a v");
        assert_told(&source, "after the snapshot", "a lasts");
    }
}

/* ---- going on ---- */

static void lose(Source *source) {
    g_autoptr(GError) error = NULL;
    const gint goes_on = FALSE;
    command(source, "CLIENT KILL TYPE replica");
    cr_assert(!rp_replication_follow(source->replication, &goes_on, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST), "%s", error->message);
    cr_assert(rp_event_count(RP_EVENT_STREAM_LOST) == 1);
}

Test(replication, goes_on_after_a_lost_connection) {
    g_auto(Source) source = {0};
    start(&source);
    attach(&source, NULL);
    command(&source, "SET a v");
    assert_told(&source, "before", "a lasts");
    lose(&source);
    command(&source, "SET b v");
    const RpStreamPlace from = source.log.place;
    cr_assert(attach(&source, &from) == RP_REPLICATION_CONTINUED);
    cr_assert(memcmp(&source.place, &from, sizeof from) == 0);
    command(&source, "SET c v");
    assert_told(&source, "after", "b lasts,c lasts");
}

Test(replication, begins_anew_in_another_history) {
    g_auto(Source) source = {0};
    start(&source);
    RpStreamPlace from = STREAM_BEGIN;
    cr_assert(attach(&source, &from) == RP_REPLICATION_FULL);
    cr_assert(strcmp(source.place.replication_id, from.replication_id) != 0);
    /* Of the same history, but beyond its end. */
    from = source.place;
    from.offset += 1000000;
    cr_assert(attach(&source, &from) == RP_REPLICATION_FULL);
    command(&source, "SET a v");
    assert_told(&source, "anew", "a lasts");
}

Test(replication, begins_anew_where_the_backlog_has_gone_on) {
    g_auto(Source) source = {0};
    start(&source);
    command(&source, "CONFIG SET repl-backlog-size 16384");
    attach(&source, NULL);
    const RpStreamPlace from = source.place;
    g_autofree char *value = g_strnfill(40000, 'x');
    g_autofree char *set = g_strconcat("SET a ", value, NULL);
    for (guint i = 0; i < 10; i++)
        command(&source, set);
    g_free(follow(&source));
    lose(&source);
    for (guint i = 0; i < 10; i++)
        command(&source, set);
    cr_assert(attach(&source, &from) == RP_REPLICATION_FULL);
}

static guint listen_on_tcp(Source *source) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(fd, (const struct sockaddr *)&name, size) == 0);
    cr_assert(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    close(fd);
    g_autofree char *text = g_strdup_printf("CONFIG SET port %u", ntohs(name.sin_port));
    command(source, "CONFIG SET protected-mode no");
    command(source, text);
    return ntohs(name.sin_port);
}

static void await_sync(Source *master, Source *replica) {
    for (guint i = 0; i < 3000; i++, g_usleep(10000)) {
        g_autoptr(GHashTable) here = info_of(master);
        g_autoptr(GHashTable) there = info_of(replica);
        if (strcmp(rp_redis_info_text(there, "master_link_status"), "up") == 0 &&
            rp_redis_info_number(here, "master_repl_offset") ==
                rp_redis_info_number(there, "master_repl_offset"))
            return;
    }
    cr_assert_fail("the replica does not come after");
}

Test(replication, goes_on_at_a_promoted_replica) {
    g_auto(Source) master = {0};
    g_auto(Source) replica = {0};
    start(&master);
    start(&replica);
    g_autofree char *replicaof = g_strdup_printf("REPLICAOF 127.0.0.1 %u", listen_on_tcp(&master));
    command(&replica, replicaof);
    await_sync(&master, &replica);
    attach(&master, NULL);
    command(&master, "SET a v");
    assert_told(&master, "master", "a lasts");
    command(&master, "SET b v");
    await_sync(&master, &replica);
    command(&replica, "REPLICAOF NO ONE");
    cr_assert(attach(&replica, &master.log.place) == RP_REPLICATION_CONTINUED);
    cr_assert(replica.place.offset == master.log.place.offset);
    cr_assert(strcmp(replica.place.replication_id, master.log.place.replication_id) != 0);
    command(&replica, "SET c v");
    assert_told(&replica, "promoted", "b lasts,c lasts");
}

Test(replication, follows_a_replica) {
    g_auto(Source) master = {0};
    g_auto(Source) replica = {0};
    start(&master);
    start(&replica);
    g_autofree char *replicaof = g_strdup_printf("REPLICAOF 127.0.0.1 %u", listen_on_tcp(&master));
    command(&master, "SELECT 2");
    command(&master, "SET x v");
    command(&replica, replicaof);
    await_sync(&master, &replica);
    command(&master, "SET x w"); /* the master selects 2, and does not say so again */
    await_sync(&master, &replica);
    const RpStreamPlace nowhere = STREAM_BEGIN;
    cr_assert(attach(&replica, &nowhere) == RP_REPLICATION_FULL);
    cr_assert(replica.place.database == 2, "%d", replica.place.database);
    command(&master, "SET x y");
    command(&master, "SELECT 0");
    command(&master, "SET a v");
    await_sync(&master, &replica);
    assert_told(&replica, "replica", "a lasts");
    command(&replica, "REPLICAOF 127.0.0.1 1");
    assert_attach_fails(&replica, RP_SOURCE_ERROR_RETRY, "NOMASTERLINK");
}

/* ---- being a guest ---- */

/* Neither for what was written while we were there, nor for what was written before. */
Test(replication, does_not_satisfy_wait) {
    g_auto(Source) source = {0};
    start(&source);
    attach(&source, NULL);
    for (guint i = 0; i < 2; i++) {
        command(&source, "SET a v");
        g_free(follow(&source));
        redisReply *reply = redisCommand(source.redis, "WAIT 1 300");
        cr_assert(reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer == 0);
        freeReplyObject(reply);
        attach(&source, &source.log.place);
        g_autofree char *told = follow(&source);
        reply = redisCommand(source.redis, "WAIT 1 300");
        cr_assert(reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer == 0);
        freeReplyObject(reply);
    }
}

Test(replication, is_not_dropped_while_nothing_happens) {
    g_auto(Source) source = {0};
    start(&source);
    command(&source, "CONFIG SET repl-timeout 2");
    command(&source, "CONFIG SET repl-ping-replica-period 1");
    attach(&source, NULL);
    StreamLog *log = &source.log;
    log->stops_at = log->place.offset + 5 * strlen("*1\r\n$4\r\nPING\r\n"); /* five seconds */
    log->is_stopping = FALSE;
    cr_assert(rp_replication_follow(source.replication, &log->is_stopping, NULL));
}

Test(replication, names_the_grant_that_is_missing) {
    g_auto(Source) source = {0};
    start(&source);
    source.address->user = g_strdup("guest");
    source.address->password = g_strdup("secret");
    command(&source, "ACL SETUSER guest on >secret ~* +@read +ping +info");
    assert_attach_fails(&source, RP_SOURCE_ERROR_REFUSED, "ACL SETUSER guest +psync +replconf +ping +info");
    command(&source, "ACL SETUSER guest +replconf");
    assert_attach_fails(&source, RP_SOURCE_ERROR_REFUSED, "PSYNC: NOPERM");
    command(&source, "ACL SETUSER guest +psync");
    cr_assert(attach(&source, NULL) == RP_REPLICATION_FULL);
    command(&source, "SET a v");
    assert_told(&source, "granted", "a lasts");
    command(&source, "ACL SETUSER guest -@all");
}

Test(replication, takes_just_what_it_says) {
    g_auto(Source) source = {0};
    start(&source);
    source.address->user = g_strdup("guest");
    source.address->password = g_strdup("secret");
    source.address->database = 1; /* the link selects none */
    command(&source, "ACL SETUSER guest on >secret +psync +replconf +ping +info");
    cr_assert(attach(&source, NULL) == RP_REPLICATION_FULL);
}

/* ---- questions ---- */

static gboolean ask(Source *source, const char *text, char **keys, GError **error) {
    const RpPatience patience = {.timeout_seconds = LIMIT_SECONDS, .is_cancelled = &never};
    RpKeyQuestions questions;
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    RpSpan spans[16];
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(RpSpan));
    g_autoptr(GString) shown = g_string_new(NULL);
    for (guint i = 0; words[i] != NULL; i++)
        spans[i] = rp_span(words[i]);
    rp_key_questions_init(&questions, source->address, &patience);
    const RpKeyAsker asker = rp_key_questions_asker(&questions);
    const gboolean is_known = asker.ask(spans, g_strv_length(words), found, asker.data, error);
    for (guint i = 0; i < found->len; i++) {
        const RpSpan key = g_array_index(found, RpSpan, i);
        g_string_append_printf(shown, "%.*s,", (int)key.size, key.data);
    }
    rp_key_questions_clear(&questions);
    *keys = g_strdup(shown->str);
    return is_known;
}

Test(replication, asks_for_the_keys_of_unknown_commands) {
    g_auto(Source) source = {0};
    g_autofree char *keys = NULL, *none = NULL, *unknown = NULL, *refused = NULL;
    g_autoptr(GError) error = NULL;
    start(&source);
    cr_assert(ask(&source, "SINTERCARD 2 a b", &keys, NULL) && strcmp(keys, "a,b,") == 0);
    cr_assert(ask(&source, "ECHO a", &none, NULL) && strcmp(none, "") == 0);
    g_clear_pointer(&none, g_free);
    cr_assert(ask(&source, "PING", &none, NULL) && strcmp(none, "") == 0);
    cr_assert(!ask(&source, "NO.SUCH thing", &unknown, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED), "%s", error->message);
    g_clear_error(&error);
    source.address->user = g_strdup("guest");
    source.address->password = g_strdup("secret");
    command(&source, "ACL SETUSER guest on >secret +ping");
    cr_assert(!ask(&source, "GET k", &refused, &error));
    cr_assert(strstr(error->message, "+command|getkeys") != NULL, "%s", error->message);
}

#ifdef RP_FAULT_INJECTION
Test(replication, a_piece_that_was_told_is_told_again_where_it_was_not_reached) {
    g_auto(Source) source = {0};
    g_autoptr(GError) error = NULL;
    const gint goes_on = FALSE;
    start(&source);
    cr_assert(rp_event_arm("fail:stream_attached:2,fail:stream_read:1", NULL));
    attach(&source, NULL);
    const RpStreamPlace from = source.place;
    command(&source, "SET a v");
    cr_assert(!rp_replication_follow(source.replication, &goes_on, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST), "%s", error->message);
    cr_assert(attach(&source, &from) == RP_REPLICATION_CONTINUED); /* at the second try */
    cr_assert(rp_event_count(RP_EVENT_STREAM_ATTACHED) == 3);
    g_free(follow(&source));
}
#endif
