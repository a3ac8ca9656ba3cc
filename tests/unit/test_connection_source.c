/* Redis addresses, what error replies mean, and that no error tells the password. */
#include "source/connection.h"

#include "base/error.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* "host:port db N user password", with - for what is absent. */
static char *show(const RpRedisAddress *address) {
    g_autofree char *place = rp_redis_address_show(address);
    return g_strdup_printf("%s %s %s", place, address->user != NULL ? address->user : "-",
                           address->password != NULL ? address->password : "-");
}

Test(address, is_read_from_a_url) {
    static const char *const CASES[][2] = {
        {"redis://127.0.0.1:6379/0", "127.0.0.1:6379 db 0 - -"},
        {"redis://example.com", "example.com:6379 db 0 - -"},
        {"redis://example.com/", "example.com:6379 db 0 - -"},
        {"redis://example.com:7000/15", "example.com:7000 db 15 - -"},
        {"redis://", "127.0.0.1:6379 db 0 - -"},
        {"redis://:secret@h", "h:6379 db 0 - secret"},
        {"redis://user:secret@h:1/2", "h:1 db 2 user secret"},
        {"redis://user:p%40ss%3Aw%2Frd%23@h", "h:6379 db 0 user p@ss:w/rd#"},
        {"redis://user:a:b@h", "h:6379 db 0 user a:b"},
        {"redis://[::1]:7000/3", "::1:7000 db 3 - -"},
        {"REDIS://h", "h:6379 db 0 - -"},
        {"unix:///run/redis.sock", "/run/redis.sock db 0 - -"},
        {"unix:///run/redis.sock?db=7", "/run/redis.sock db 7 - -"},
        {"unix:///run/a%20b.sock?", "/run/a b.sock db 0 - -"},
        {"unix://user:secret@/run/redis.sock?db=1", "/run/redis.sock db 1 user secret"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(RpRedisAddress) address = rp_redis_address_parse(CASES[i][0], &error);
        cr_assert(address != NULL, "%s: %s", CASES[i][0], error != NULL ? error->message : "");
        g_autofree char *shown = show(address);
        cr_assert(strcmp(shown, CASES[i][1]) == 0, "%s gave %s", CASES[i][0], shown);
    }
}

Test(address, that_is_bad_is_refused_without_its_password) {
    static const char *const CASES[][2] = {
        {"", "no URL"},
        {"localhost:6379", "unknown"},
        {"/run/redis.sock", "no URL"},
        {":hunter2@localhost", "no URL"},
        {"http://h", "\"http://\" is unknown"},
        {"rediss://user:hunter2@h", "TLS"},
        {"redis://h/x", "database number"},
        {"redis://h/-1", "database number"},
        {"redis://h/1/2", "database number"},
        {"redis://h/99999999999", "database number"},
        {"redis://h:99999", "no URL"},
        {"redis://h:port", "no URL"},
        {"redis://h?db=1", "?"},
        {"redis://h/0#x", "#"},
        {"unix:///s?db=x", "database number"},
        {"unix:///s?hunter2", "only ?db=N"},
        {"unix:///s?db=1#x", "#"},
        {"unix://", "path"},
        {"unix://h/s", "unix:///"},
        {"redis://user:hunter2@h/x", "database number"},
        {"redis://user:hunter2@h:x/", "no URL"},
        /* special characters of a password that are not written as %XX cut the URL short */
        {"redis://:12/hunter2@h:1/0", "database number"},
        {"redis://:12#hunter2@h:1/0", "#"},
        {"redis://:12?hunter2@h:1/0", "?"},
        {"redis://user:hunter2%zz@h", "no URL"},
        {"redis://user:12@hunter2@h:1/0", "more than one @"},
        {"redis://hunter2@h", "no password"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(RpRedisAddress) address = rp_redis_address_parse(CASES[i][0], &error);
        cr_assert(address == NULL && error != NULL, "%s was taken", CASES[i][0]);
        cr_assert(g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID), "%s", CASES[i][0]);
        cr_assert(strstr(error->message, CASES[i][1]) != NULL, "%s: %s", CASES[i][0], error->message);
        cr_assert(strstr(error->message, "hunter2") == NULL, "%s: %s", CASES[i][0], error->message);
    }
}

Test(reply, is_classified_by_its_first_word) {
    static const struct {
        const char *text;
        RpSourceError meaning;
    } REPLIES[] = {
        {"WRONGTYPE Operation against a key holding the wrong kind of value", RP_SOURCE_ERROR_WRONG_TYPE},
        {"NOAUTH Authentication required.", RP_SOURCE_ERROR_REFUSED},
        {"WRONGPASS invalid username-password pair or user is disabled.", RP_SOURCE_ERROR_REFUSED},
        {"NOPERM this user has no permissions to run the 'scan' command", RP_SOURCE_ERROR_REFUSED},
        {"LOADING Redis is loading the dataset in memory", RP_SOURCE_ERROR_RETRY},
        {"BUSY Redis is busy running a script.", RP_SOURCE_ERROR_RETRY},
        {"MASTERDOWN Link with MASTER is down", RP_SOURCE_ERROR_RETRY},
        {"CLUSTERDOWN The cluster is down", RP_SOURCE_ERROR_RETRY},
        {"TRYAGAIN", RP_SOURCE_ERROR_RETRY},
        {"ERR unknown command", RP_SOURCE_ERROR_REPLY},
        {"ERR LOADING", RP_SOURCE_ERROR_REPLY},
        {"LOADINGS x", RP_SOURCE_ERROR_REPLY},
        {"LOAD x", RP_SOURCE_ERROR_REPLY},
        {"MOVED 1 127.0.0.1:7000", RP_SOURCE_ERROR_REPLY},
        {"", RP_SOURCE_ERROR_REPLY},
    };
    for (guint i = 0; i < G_N_ELEMENTS(REPLIES); i++)
        cr_assert(rp_redis_reply_classify(REPLIES[i].text) == REPLIES[i].meaning, "%s", REPLIES[i].text);
}

/* A server that answers each thing it is sent with one reply, once. */
typedef struct {
    int listener;
    const char *reply;
} Server;

static gpointer answer_once(gpointer data) {
    const Server *server = data;
    char request[512];
    const int peer = accept(server->listener, NULL, NULL);
    if (read(peer, request, sizeof request) > 0)
        (void)!write(peer, server->reply, strlen(server->reply));
    while (read(peer, request, sizeof request) > 0)
        continue; /* the reply must arrive before the end */
    close(peer);
    return NULL;
}

static void assert_refused_by(const char *reply, RpSourceError code, const char *part) {
    g_autofree char *folder = g_dir_make_tmp("redis2pg-source-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "s", NULL);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    g_strlcpy(name.sun_path, path, sizeof name.sun_path);
    Server server = {socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), reply};
    cr_assert(bind(server.listener, (const struct sockaddr *)&name, sizeof name) == 0 &&
              listen(server.listener, 1) == 0);
    GThread *thread = g_thread_new("server", answer_once, &server);
    RpRedisAddress address = {.socket_path = path, .user = (char *)"joe", .password = (char *)"hunter2"};
    g_autoptr(GError) error = NULL;
    cr_assert(rp_redis_connect(&address, 10, &error) == NULL);
    g_thread_join(thread);
    close(server.listener);
    g_remove(path);
    g_rmdir(folder);
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, (int)code), "%s: %s", reply, error->message);
    cr_assert(strstr(error->message, part) != NULL && strstr(error->message, path) != NULL, "%s",
              error->message);
    cr_assert(strstr(error->message, "hunter2") == NULL, "%s", error->message);
}

Test(connect, says_why_it_was_refused_but_not_the_password, .timeout = 150) {
    assert_refused_by("-WRONGPASS invalid username-password pair\r\n", RP_SOURCE_ERROR_REFUSED, "WRONGPASS");
    assert_refused_by("-ERR max number of clients reached\r\n", RP_SOURCE_ERROR_RETRY, "max number");
    assert_refused_by("-LOADING Redis is loading the dataset in memory\r\n", RP_SOURCE_ERROR_RETRY,
                      "LOADING");
    /* what Redis answers where AUTH was renamed */
    assert_refused_by("-ERR unknown command 'AUTH', with args beginning with: 'joe' 'hunter2' \r\n",
                      RP_SOURCE_ERROR_REFUSED, "ERR unknown command 'AUTH'");
}

Test(connect, to_nobody_is_an_error) {
    RpRedisAddress address = {.socket_path = (char *)"/there/is/no/socket", .password = (char *)"hunter2"};
    g_autoptr(GError) error = NULL;
    cr_assert(rp_redis_connect(&address, 10, &error) == NULL);
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_CONNECT));
    cr_assert(strstr(error->message, "/there/is/no/socket db 0") != NULL &&
              strstr(error->message, "hunter2") == NULL);
}
