/* Following real servers: going on after all that may come between, and being a guest that does no harm. */
#include "following.h"

#include "source/key_asker.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(replication, .timeout = 120);

static void assert_attach_fails(Source *source, RpSourceError code, const char *words) {
    g_autoptr(GError) error = NULL;
    RpReplicationOutcome attachment;
    cr_assert(!rp_replication_attach(source->replication, NULL, &attachment, &source->place, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code), "%s", error->message);
    cr_assert(strstr(error->message, words) != NULL, "%s", error->message);
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
