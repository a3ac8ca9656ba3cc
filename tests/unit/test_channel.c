/* A server that ends connections in the middle of answers, or answers "not now": the reading goes on, and
 * what came of half an answer is not there. */
#include "listening.h"
#include "source/fetch.h"

#include "base/error.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

static gint n_connections;
static guint timeout_seconds = 1;

TestSuite(channel, .init = start, .fini = stop, .timeout = 150);

/* What one connection gets: the process it speaks to, what it is told, and whether it ends then. */
typedef struct {
    const char *run_id;
    const char *greeting; /* to PING; NULL: PONG */
    const char *reply;    /* to anything else, at once */
    const char *info;     /* to INFO, as it goes over the line; NULL: one that names the process */
} Scene;

static void say(int peer, const char *text) {
    (void)!send(peer, text, strlen(text), MSG_NOSIGNAL);
}

static void answer(int peer, const Scene *scene, const char *request, gsize size) {
    if (memmem(request, size, "INFO", 4) != NULL && scene->info != NULL) {
        say(peer, scene->info);
    } else if (memmem(request, size, "INFO", 4) != NULL) {
        g_autofree char *info = g_strdup_printf("redis_version:7.0.0\r\nrun_id:%s\r\n", scene->run_id);
        g_autofree char *reply = g_strdup_printf("$%zu\r\n%s\r\n", strlen(info), info);
        say(peer, reply);
    } else if (memmem(request, size, "PING", 4) != NULL) {
        say(peer, scene->greeting != NULL ? scene->greeting : "+PONG\r\n");
    } else {
        say(peer, scene->reply);
        shutdown(peer, SHUT_WR);
    }
}

typedef struct {
    const Scene *scene;
    int peer;
} Conversation;

static gpointer converse(gpointer data) {
    g_autofree Conversation *with = data;
    char request[512];
    for (ssize_t n; (n = read(with->peer, request, sizeof request)) > 0;)
        answer(with->peer, with->scene, request, (gsize)n);
    close(with->peer);
    return NULL;
}

/* One scene a connection, in their order; the last one stays. */
static gpointer play(gpointer data) {
    const Scene *scene = data;
    for (int peer; (peer = accept(listener, NULL, NULL)) >= 0;) {
        Conversation *with = g_new(Conversation, 1);
        *with = (Conversation){scene, peer};
        g_atomic_int_inc(&n_connections);
        g_thread_unref(g_thread_new("conversation", converse, with));
        if (scene[1].run_id != NULL)
            scene++;
    }
    return NULL;
}

typedef struct {
    GThread *thread;
    RpFetch *fetch;
    gint is_cancelled, is_pressed;
    RpRedisAddress address;
} Play;

static void open_play(Play *it, Scene *scenes, guint retry_seconds) {
    g_autoptr(GError) error = NULL;
    *it = (Play){.thread = g_thread_new("server", play, scenes), .address = {.socket_path = path}};
    const RpPatience patience = {1024 * 1024, timeout_seconds, retry_seconds, &it->is_cancelled,
                                 &it->is_pressed};
    it->fetch = rp_fetch_new(&it->address, &patience, &error);
    cr_assert(it->fetch != NULL, "%s", error != NULL ? error->message : "");
}

static void close_play(Play *it) {
    rp_fetch_free(it->fetch);
    shutdown(listener, SHUT_RDWR);
    g_thread_join(it->thread);
}

/* Reads the list k, of which the batch holds a record already. */
static gboolean read_list(Play *it, RpRecords *records, GError **error) {
    const RpRead read = {.type = RP_RECORD_LIST};
    RpWindow window = {.count = 5};
    gboolean is_complete;
    rp_records_init(records);
    rp_records_begin(records, 0, RP_RECORD_STRING, RP_SPAN_OF("before"));
    rp_records_add_value(records, RP_SPAN_OF("kept"));
    rp_fetch_send_read(it->fetch, &read, &window, RP_SPAN_OF("k"));
    return rp_fetch_receive_read(it->fetch, &read, &window, RP_SPAN_OF("k"), records, &is_complete, error);
}

static void assert_value(const RpRecords *records, guint position, const char *expected) {
    RpSpan value;
    cr_assert(rp_records_values(records, position, &value, 1) == 1);
    cr_assert(rp_span_equal(value, rp_span(expected)), "%.*s", (int)value.size, value.data);
}

static void assert_goes_on_after(const Scene *first) {
    Scene scenes[] = {*first, {"a", NULL, "*2\r\n$1\r\nx\r\n$1\r\ny\r\n"}, {0}};
    Play it;
    RpRecords records;
    g_autoptr(GError) error = NULL;
    open_play(&it, scenes, 20);
    cr_assert(read_list(&it, &records, &error), "%s", error != NULL ? error->message : "");
    cr_assert(records.index->len == 3, "%u records", records.index->len);
    assert_value(&records, 0, "kept");
    assert_value(&records, 1, "x");
    assert_value(&records, 2, "y");
    rp_records_clear(&records);
    close_play(&it);
}

#define GOES_ON(name_, reply_)                                                                               \
    Test(channel, name_) {                                                                                   \
        assert_goes_on_after(&(const Scene){"a", NULL, reply_});                                             \
    }

#define GOES_ON_WITH_INFO(name_, info_)                                                                      \
    Test(channel, name_) {                                                                                   \
        assert_goes_on_after(&(const Scene){"a", NULL, "", info_});                                          \
    }

GOES_ON(after_no_answer, "")
GOES_ON(after_half_an_answer, "*2\r\n$1\r\np\r\n$1\r\n")
GOES_ON(after_half_a_value, "*2\r\n$1\r\np\r\n$9\r\nqqq")
GOES_ON(after_loading, "-LOADING Redis is loading the dataset in memory\r\n")
GOES_ON(after_busy, "-BUSY Redis is busy running a script\r\n")
GOES_ON(after_a_lost_master, "-MASTERDOWN Link with MASTER is down\r\n")

static void assert_fails(Scene *scenes, guint retry_seconds, RpSourceError code, const char *part) {
    Play it;
    RpRecords records;
    g_autoptr(GError) error = NULL;
    open_play(&it, scenes, retry_seconds);
    cr_assert(!read_list(&it, &records, &error));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code) && strstr(error->message, part) != NULL,
              "%d %s", error->code, error->message);
    rp_records_clear(&records);
    close_play(&it);
}

Test(channel, another_process_behind_the_address_is_told) {
    Scene scenes[] = {{"a", NULL, "*2\r\n$1\r\np\r\n"}, {"b", NULL, "*0\r\n"}, {0}};
    assert_fails(scenes, 20, RP_SOURCE_ERROR_RESTARTED, "started anew");
}

Test(channel, another_process_is_told_once_it_has_loaded) {
    Scene scenes[] = {{"a", NULL, ""}, {"b", "-LOADING wait\r\n", ""}, {"b", NULL, "*0\r\n"}, {0}};
    assert_fails(scenes, 20, RP_SOURCE_ERROR_RESTARTED, "started anew");
    cr_assert(g_atomic_int_get(&n_connections) >= 3);
}

Test(channel, an_answer_that_makes_no_sense_is_not_asked_for_again) {
    Scene scenes[] = {{"a", NULL, ":1\r\n"}, {0}};
    assert_fails(scenes, 20, RP_SOURCE_ERROR_PROTOCOL, "not made up as");
    cr_assert(g_atomic_int_get(&n_connections) == 1);
}

Test(channel, what_lasts_too_long_is_an_error) {
    Scene scenes[] = {{"a", NULL, ""}, {0}};
    assert_fails(scenes, 1, RP_SOURCE_ERROR_LOST, "(tried again for 1 s)");
}

Test(channel, nothing_is_asked_again_when_it_may_last_no_time) {
    Scene scenes[] = {{"a", NULL, ""}, {0}};
    assert_fails(scenes, 0, RP_SOURCE_ERROR_LOST, "closed the connection");
    cr_assert(g_atomic_int_get(&n_connections) == 1);
}

/* ---- side questions ---- */

/* An empty answer has it ask whether the key is there. */
Test(channel, a_side_question_whose_answer_is_of_another_kind_makes_no_sense) {
    Scene scenes[] = {{"a", NULL, "*0\r\n"}, {0}};
    assert_fails(scenes, 0, RP_SOURCE_ERROR_PROTOCOL, "not of the kind");
}

GOES_ON_WITH_INFO(with_info_that_is_a_number, ":7\r\n")
GOES_ON_WITH_INFO(with_info_that_is_an_array, "*1\r\n:7\r\n")
GOES_ON_WITH_INFO(with_info_that_is_nothing, "$-1\r\n")

static gpointer cancel_soon(gpointer flag) {
    g_usleep(300000);
    g_atomic_int_set((gint *)flag, TRUE);
    return NULL;
}

/* The second connection, for the side question, is let in by nobody. */
Test(channel, a_side_question_is_waited_for_no_longer_when_it_is_cancelled) {
    Scene scenes[] = {{"a", NULL, "*0\r\n"}, {"a", "", ""}, {0}};
    Play it;
    RpRecords records;
    g_autoptr(GError) error = NULL;
    timeout_seconds = 30;
    open_play(&it, scenes, 30);
    GThread *thread = g_thread_new("cancel", cancel_soon, &it.is_cancelled);
    const gint64 begin = g_get_monotonic_time();
    cr_assert(!read_list(&it, &records, &error));
    cr_assert(g_get_monotonic_time() - begin < 20 * G_USEC_PER_SEC);
    cr_assert(g_error_matches(error, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED), "%s", error->message);
    g_thread_join(thread);
    rp_records_clear(&records);
    close_play(&it);
}
