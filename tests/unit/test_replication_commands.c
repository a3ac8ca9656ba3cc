/* Following a real server: what each command touches. */
#include "following.h"

TestSuite(replication_commands, .timeout = 120);

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

Test(replication_commands, tells_what_each_command_touches) {
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

Test(replication_commands, tells_of_expiry) {
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

Test(replication_commands, begins_in_the_database_that_is_selected) {
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

Test(replication_commands, begins_after_a_snapshot_from_disk) {
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
