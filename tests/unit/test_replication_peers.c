/* Servers that are none, or too old, or fall silent, or break off: what comes of following them. */
#include "base/event.h"
#include "listening.h"
#include "source/replication.h"
#include "streaming.h"

#include <malloc.h>

#define ID        "8123456789012345678901234567890123456789"
#define INFO      "redis_version:7.0.15\r\n"
#define FULL      "\n+FULLRESYNC " ID " 500\r\n"
#define EMPTY_RDB "$18\r\nREDIS0010\xff--------"

/* What a peer answers. */
typedef struct {
    const char *info;
    const char *greeting;   /* to everything; NULL: as Redis does */
    const char *answers[3]; /* to PSYNC, by its number; then the connection is closed, or not */
    gboolean stays;
    guint64 filler_bytes; /* after the answer */
    guint n_psyncs;       /* so far */
} Peer;

static const gint never;

TestSuite(replication_peers, .init = start, .fini = stop, .timeout = 60);

static gboolean say(int peer, const char *text, gsize size) {
    while (size > 0) {
        const ssize_t n = send(peer, text, size, MSG_NOSIGNAL);
        if (n <= 0)
            return FALSE;
        text += n;
        size -= (gsize)n;
    }
    return TRUE;
}

static gboolean fill(int peer, guint64 n_bytes) {
    g_autofree char *filler = g_strnfill(1024 * 1024, 'x');
    for (guint64 i = 0; i < n_bytes / (1024 * 1024); i++)
        if (!say(peer, filler, 1024 * 1024))
            return FALSE;
    return n_bytes == 0 || say(peer, "*1\r\n$4\r\nPING\r\n", 14);
}

/* FALSE: the connection is to be closed. */
static gboolean answer(Peer *peer, int fd, const char *request, gsize size) {
    if (peer->greeting != NULL)
        return say(fd, peer->greeting, strlen(peer->greeting));
    if (memmem(request, size, "INFO", 4) != NULL) {
        g_autofree char *text = g_strdup_printf("$%zu\r\n%s\r\n", strlen(peer->info), peer->info);
        return say(fd, text, strlen(text));
    }
    if (memmem(request, size, "CONFIG", 6) != NULL)
        return say(fd, "*2\r\n$1\r\nx\r\n$1\r\n1\r\n", 18);
    if (memmem(request, size, "rdb-filter-only", 15) != NULL)
        return say(fd, "-ERR Unrecognized REPLCONF option\r\n", 35);
    if (memmem(request, size, "ACK", 3) != NULL)
        return TRUE;
    if (memmem(request, size, "PSYNC", 5) == NULL)
        return say(fd, "+OK\r\n", 5);
    const char *text = peer->answers[MIN(peer->n_psyncs, 2)];
    peer->n_psyncs++;
    return say(fd, text, strlen(text)) && fill(fd, peer->filler_bytes) && peer->stays;
}

static gpointer serve(gpointer data) {
    char request[512];
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        for (ssize_t n; (n = read(fd, request, sizeof request)) > 0;)
            if (!answer(data, fd, request, (gsize)n))
                break;
    return NULL;
}

/* A session with a peer. */
typedef struct {
    RpRedisAddress address;
    StreamLog log;
    RpReplication *replication;
    RpReplicationOutcome attachment;
    RpStreamPlace place;
    GThread *thread;
} Session;

static void session_clear(Session *session) {
    rp_replication_free(session->replication);
    shutdown(listener, SHUT_RDWR);
    g_thread_join(session->thread);
    stream_log_clear(&session->log);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

static gboolean attach(Session *session, Peer *peer, guint retry_seconds, GError **error) {
    const RpPatience patience = {
        .timeout_seconds = 1, .retry_seconds = retry_seconds, .is_cancelled = &never};
    session->address.socket_path = path;
    session->thread = g_thread_new("peer", serve, peer);
    const RpCaptureTaker taker = stream_log_taker(&session->log);
    session->replication = rp_replication_new(&session->address, &patience, &taker);
    return rp_replication_attach(session->replication, NULL, &session->attachment, &session->place, error);
}

static void assert_attach_fails(Peer *peer, RpSourceError code, const char *words) {
    g_auto(Session) session = {0};
    g_autoptr(GError) error = NULL;
    cr_assert(!attach(&session, peer, 0, &error), "%s", words);
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code), "%s", error->message);
    cr_assert(strstr(error->message, words) != NULL, "%s", error->message);
}

#define REFUSES(name, code, words, ...)                                                                      \
    Test(replication_peers, name) {                                                                          \
        Peer peer = {__VA_ARGS__};                                                                           \
        assert_attach_fails(&peer, RP_SOURCE_ERROR_##code, words);                                           \
    }

REFUSES(another_protocol, PROTOCOL, "does not speak the protocol",
        .greeting = "HTTP/1.1 400 Bad Request\r\n\r\n")
REFUSES(a_node_of_a_cluster, REFUSED, "node of a cluster", .info = INFO "cluster_enabled:1\r\n")
REFUSES(an_old_server, REFUSED, "older than Redis 5", .info = "redis_version:4.0.14\r\n")
REFUSES(no_version, REFUSED, "does not tell its version", .info = "x:1\r\n")
REFUSES(a_service_without_psync, REFUSED, "--capture notify", .info = INFO,
        .answers = {"-ERR unknown command 'PSYNC'\r\n"})
REFUSES(an_error, REFUSED, "something is wrong", .info = INFO, .answers = {"-ERR something is wrong\r\n"})
REFUSES(a_replica_without_master, RETRY, "NOMASTERLINK", .info = INFO,
        .answers = {"-NOMASTERLINK Can't SYNC while not connected with my master\r\n"}, .stays = TRUE)
REFUSES(no_snapshot, RETRY, "BGSAVE failed", .info = INFO, .answers = {FULL "\n-ERR BGSAVE failed\r\n"})
REFUSES(half_a_snapshot, LOST, "closed the connection", .info = INFO, .answers = {FULL "$20\r\nREDIS"})
REFUSES(silence_before_the_snapshot, LOST, "nothing came for 3 s", .info = INFO, .answers = {FULL},
        .stays = TRUE)
REFUSES(an_answer_without_sense, PROTOCOL, "neither +FULLRESYNC nor +CONTINUE", .info = INFO,
        .answers = {"+HELLO\r\n"})
REFUSES(a_history_without_name, PROTOCOL, "+FULLRESYNC without", .info = INFO,
        .answers = {"+FULLRESYNC abc 5\r\n"})
REFUSES(nothing_to_be_continued, PROTOCOL, "nothing was there", .info = INFO, .answers = {"+CONTINUE\r\n"})

Test(replication_peers, what_passes_is_tried_again) {
    Peer peer = {.info = INFO,
                 .answers = {"-LOADING Redis is loading the dataset in memory\r\n", FULL "-ERR no room\r\n",
                             FULL EMPTY_RDB "*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*2\r\n$3\r\nDEL"}};
    g_auto(Session) session = {0};
    g_autoptr(GError) error = NULL;
    const gint goes_on = FALSE;
    cr_assert(attach(&session, &peer, 20, &error), "%s", error != NULL ? error->message : "");
    cr_assert(session.attachment == RP_REPLICATION_FULL && session.place.offset == 500);
    cr_assert(strcmp(session.place.replication_id, ID) == 0 && session.place.database == -1);
    /* And what it breaks off in is not reached. */
    cr_assert(!rp_replication_follow(session.replication, &goes_on, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST), "%s", error->message);
    cr_assert(strcmp(session.log.text->str, "a\n") == 0 && session.log.place.offset == 520);
    cr_assert(rp_event_count(RP_EVENT_STREAM_LOST) == 1);
}

Test(replication_peers, silence_in_the_stream_is_a_lost_connection) {
    Peer peer = {.info = INFO, .answers = {FULL EMPTY_RDB}, .stays = TRUE};
    g_auto(Session) session = {0};
    g_autoptr(GError) error = NULL;
    const gint goes_on = FALSE;
    cr_assert(attach(&session, &peer, 0, NULL));
    cr_assert(!rp_replication_follow(session.replication, &goes_on, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST));
    cr_assert(strstr(error->message, "nothing came for 3 s") != NULL, "%s", error->message);
}

Test(replication_peers, what_is_no_stream_ends_it) {
    Peer peer = {.info = INFO, .answers = {FULL EMPTY_RDB "PING\r\n"}, .stays = TRUE};
    g_auto(Session) session = {0};
    g_autoptr(GError) error = NULL;
    const gint goes_on = FALSE;
    cr_assert(attach(&session, &peer, 0, NULL));
    cr_assert(!rp_replication_follow(session.replication, &goes_on, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL));
    cr_assert(strstr(error->message, "byte 501") != NULL, "%s", error->message);
}

static void assert_drops(const char *announcement, guint64 n_bytes) {
    g_autofree char *first = g_strconcat(FULL, announcement, NULL);
    Peer peer = {.info = INFO, .answers = {first}, .stays = TRUE, .filler_bytes = n_bytes};
    g_auto(Session) session = {0};
    g_autoptr(GError) error = NULL;

    const struct mallinfo2 before = mallinfo2();
    cr_assert(attach(&session, &peer, 0, &error), "%s", error != NULL ? error->message : "");
    const struct mallinfo2 now = mallinfo2();
    cr_assert(now.uordblks + now.hblkhd < before.uordblks + before.hblkhd + 4 * 1024 * 1024);
}

Test(replication_peers, a_big_snapshot_is_dropped_in_little_memory) {
    assert_drops("$536870912\r\n", 512 * 1024 * 1024);
}
