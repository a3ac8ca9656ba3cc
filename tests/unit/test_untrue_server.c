/* A server that promises more than it sends: what is kept of it stays small, and reading it ends. */
#include "listening.h"
#include "source/fetch.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

#define LIMIT      1024
#define HUGE_BYTES (512 * 1024) /* more than is waited for */

TestSuite(untrue_server, .init = start, .fini = stop, .timeout = 150);

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

/* Lets everybody in, and answers anything but PING and INFO with the reply and a value that never ends. */
static gpointer serve(gpointer reply) {
    g_autofree char *value = g_strnfill(HUGE_BYTES, 'x');
    char request[512];
    for (int peer; (peer = accept(listener, NULL, NULL)) >= 0; close(peer))
        for (ssize_t n; (n = read(peer, request, sizeof request)) > 0;) {
            const gboolean is_greeting =
                memmem(request, (gsize)n, "PING", 4) != NULL || memmem(request, (gsize)n, "INFO", 4) != NULL;
            if (is_greeting ? !say(peer, "+PONG\r\n", 7)
                            : !say(peer, reply, strlen(reply)) || !say(peer, value, HUGE_BYTES))
                break;
        }
    return NULL;
}

static void assert_ends(RpRecordType type, const char *reply, guint n_records, const char *problem) {
    GThread *thread = g_thread_new("server", serve, (gpointer)reply);
    RpRedisAddress address = {.socket_path = path};
    const gint is_cancelled = FALSE;
    g_autoptr(GError) error = NULL;
    RpFetch *fetch = rp_fetch_new(&address, &(RpPatience){LIMIT, 60, 0, &is_cancelled, NULL}, &error);
    cr_assert(fetch != NULL, "%s", error != NULL ? error->message : "");
    const RpRead read = {.type = type};
    RpWindow window = {.count = 1, .id = {5, 5}};
    RpRecords records;
    rp_records_init(&records);
    gboolean is_complete;
    rp_fetch_send_read(fetch, &read, &window, RP_SPAN_OF("k"));
    const gboolean is_read =
        rp_fetch_receive_read(fetch, &read, &window, RP_SPAN_OF("k"), &records, &is_complete, &error);
    cr_assert(is_read == (problem == NULL), "%s", reply);
    cr_assert(problem == NULL || strstr(error->message, problem) != NULL, "%s", error->message);
    cr_assert(records.index->len == n_records, "%s gave %u records", reply, records.index->len);
    rp_records_clear(&records);
    rp_fetch_free(fetch);
    shutdown(listener, SHUT_RDWR);
    g_thread_join(thread);
}

#define ODD "an answer that is too large is not made up as it should be"

#define ANSWER(name_, type_, reply_, n_records_, problem_)                                                   \
    Test(untrue_server, name_) {                                                                             \
        assert_ends(type_, reply_, n_records_, problem_);                                                    \
    }

ANSWER(one_item_is_too_large, RP_RECORD_LIST, "*1\r\n$900000\r\n", 1, NULL)
ANSWER(more_items_than_were_asked_for, RP_RECORD_LIST, "*2147483647\r\n$900000\r\n", 0, ODD)
ANSWER(a_member_is_too_large, RP_RECORD_SET, "*2\r\n$1\r\n7\r\n*3\r\n$1\r\na\r\n$900000\r\n", 3, NULL)
ANSWER(more_members_than_any_bucket, RP_RECORD_SET, "*2\r\n$1\r\n7\r\n*2147483647\r\n$900000\r\n", 0, ODD)
ANSWER(more_scores_than_any_bucket, RP_RECORD_ZSET, "*2\r\n$1\r\n7\r\n*2147483646\r\n$900000\r\n", 0, ODD)
ANSWER(a_cursor_that_never_ends, RP_RECORD_SET, "*2\r\n$900000\r\n", 0, ODD)
ANSWER(an_entry_is_too_large, RP_RECORD_STREAM, "*1\r\n*2\r\n$3\r\n6-1\r\n*2\r\n$1\r\na\r\n$900000\r\n", 1,
       NULL)
ANSWER(more_entries_than_were_asked_for, RP_RECORD_STREAM,
       "*2147483647\r\n*2\r\n$3\r\n6-1\r\n*2\r\n$900000\r\n", 0, ODD)
ANSWER(an_id_that_never_ends, RP_RECORD_STREAM, "*1\r\n*2\r\n$900000\r\n", 0, ODD)
ANSWER(an_entry_from_before_the_window, RP_RECORD_STREAM, "*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$900000\r\n", 0,
       ODD)
