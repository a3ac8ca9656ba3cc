/* What a capture by notifications needs of the server: flags, and rights of its user. */
#include "notifying.h"
#include "proxy.h"

#include <signal.h>

TestSuite(notification_rights, .timeout = 120);

/* ---- flags ---- */

Test(notification_rights, missing_flags_are_refused_with_the_value_to_set) {
    static const struct {
        const char *flags, *words;
    } cases[] = {
        {"", "is \"\", which does not tell of every change: CONFIG SET notify-keyspace-events KA "},
        {"K", "CONFIG SET notify-keyspace-events KA "},
        {"Ex", "CONFIG SET notify-keyspace-events xEKA "},
        {"AE", "CONFIG SET notify-keyspace-events AEK "},
        {"Kg$lshzxe", "--configure-notifications"},
    };
    g_auto(Capture) capture;
    capture_init(&capture, "");
    capture_make(&capture, 10, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        do_redis(&capture, "CONFIG SET notify-keyspace-events %s", cases[i].flags);
        assert_no_attach(&capture, RP_SOURCE_ERROR_REFUSED, cases[i].words);
    }
    do_redis(&capture, "CONFIG SET notify-keyspace-events Kg$lshzxetd");
    capture_attach(&capture);
}

static void assert_flags(Capture *capture, const char *expected) {
    g_autofree char *flags = get_flags(capture);
    cr_assert(eq(str, flags, (char *)expected));
}

Test(notification_rights, flags_are_set_and_put_back) {
    static const struct {
        const char *before, *set;
    } cases[] = {{"", "AK"}, {"xE", "AKE"}, {"xKEm", "AKEm"}, {"AK", "AK"}, {"AKE", "AKE"}};
    g_auto(Capture) capture;
    capture_init(&capture, "");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        do_redis(&capture, "CONFIG SET notify-keyspace-events %s", cases[i].before);
        capture_make(&capture, 10, TRUE);
        capture_attach(&capture);
        capture_follow(&capture);
        assert_flags(&capture, cases[i].set);
        g_free(take_told(&capture));
        capture_end(&capture);
        assert_flags(&capture, cases[i].before);
    }
}

Test(notification_rights, flags_are_put_back_after_a_connection_was_lost) {
    g_auto(Capture) capture;
    capture_init(&capture, "xE");
    capture_make(&capture, 10, TRUE);
    capture_attach(&capture);
    capture_follow(&capture);
    do_redis(&capture, "CLIENT KILL TYPE normal"); /* the looks' connection; not the one that says so */
    await_error(&capture, RP_SOURCE_ERROR_LOST, "");
    capture_end(&capture);
    assert_flags(&capture, "xE");
}

Test(notification_rights, flags_are_put_back_as_they_were_before_the_first_attach) {
    g_auto(Capture) capture;
    capture_init(&capture, "xE");
    capture_make(&capture, 10, TRUE);
    for (guint i = 0; i < 3; i++)
        capture_attach(&capture);
    capture_end(&capture);
    assert_flags(&capture, "xE");
}

Test(notification_rights, flags_that_somebody_else_has_set_since_stay) {
    g_auto(Capture) capture;
    capture_init(&capture, "xE");
    capture_make(&capture, 10, TRUE);
    capture_attach(&capture);
    do_redis(&capture, "CONFIG SET notify-keyspace-events AKEm");
    capture_end(&capture);
    assert_flags(&capture, "AKEm");
}

Test(notification_rights, flags_of_another_process_stay) {
    g_auto(Capture) capture;
    capture_init(&capture, "xE");
    capture_make(&capture, 10, TRUE);
    capture_attach(&capture);
    kill(rp_sandbox_get_redis_pid(capture.sandbox), SIGKILL);
    GError *error = NULL;
    cr_assert(rp_sandbox_start_again(capture.sandbox, RP_SANDBOX_REDIS, &error), "%s",
              error != NULL ? error->message : "");
    redisFree(capture.redis);
    capture.redis = redisConnectUnix(rp_sandbox_get_redis_socket(capture.sandbox));
    do_redis(&capture, "CONFIG SET notify-keyspace-events AKE");
    capture_end(&capture);
    assert_flags(&capture, "AKE");
}

Test(notification_rights, flags_that_were_switched_off_are_set_again) {
    g_auto(Capture) capture;
    capture_init(&capture, "xE");
    capture_make(&capture, 10, TRUE);
    capture_attach(&capture);
    capture_follow(&capture);
    do_redis(&capture, "CONFIG SET notify-keyspace-events %s", "");
    await_error(&capture, RP_SOURCE_ERROR_LOST, "somebody has set");
    capture_attach(&capture);
    assert_flags(&capture, "AK");
    capture_end(&capture);
    assert_flags(&capture, "");
}

Test(notification_rights, a_server_that_is_away_at_the_end_is_not_waited_for) {
    g_auto(Capture) capture;
    capture_init(&capture, "xE");
    RpProxy *proxy = rp_proxy_new(rp_sandbox_get_redis_socket(capture.sandbox));
    capture.address.socket_path = (char *)rp_proxy_get_socket(proxy);
    capture_make(&capture, 1, TRUE);
    capture_attach(&capture);
    rp_proxy_stall(proxy, TRUE);
    const gint64 start = g_get_monotonic_time();
    capture_end(&capture);
    cr_assert(g_get_monotonic_time() - start < 10 * G_USEC_PER_SEC);
    assert_flags(&capture, "AKE");
    rp_proxy_free(proxy);
}

/* ---- rights ---- */

#define ALL   "+ping +select +info +psubscribe +config|get +set +del &__keyspace@0__:* ~redis2pg:probe:*"
#define BLIND "+ping +select +info +psubscribe +set +del &__keyspace@0__:* ~redis2pg:probe:*"
#define TYPES " +get +hset +rpush +sadd +zadd +xadd"

static void enter_as(Capture *capture, const char *rules) {
    g_autofree char *command = g_strconcat("ACL SETUSER u reset on >x resetchannels ", rules, NULL);
    do_all(capture, command);
    capture->address.user = "u";
    capture->address.password = "x";
}

static const struct {
    const char *flags, *rules;
    const char *words; /* of the refusal; NULL: it attaches */
} RIGHTS[] = {
    {"KA", ALL, NULL},
    {"KA", ALL " -psubscribe", "ACL SETUSER u +psubscribe +ping &__keyspace@0__:*"},
    {"KA", "+ping +info +psubscribe &__keyspace@1__:*", "ACL SETUSER u +psubscribe +ping &__keyspace@0__:*"},
    {"KA", ALL " -info", "info"},
    {"KA", ALL " -set", "ACL SETUSER u ~redis2pg:probe:* +set +del"},
    {"KA", ALL " -del", "ACL SETUSER u ~redis2pg:probe:* +set +del"},
    {"KA", ALL " resetkeys ~data:*", "nothing proves that keyspace events arrive"},
    {"", ALL, "CONFIG SET notify-keyspace-events KA "},
    /* the flags are not told: each class has to prove itself */
    {"KA", BLIND TYPES, NULL},
    {"Kg$lshzxet", BLIND TYPES, NULL},
    {"KA", BLIND, "+set +del +get +hset +rpush +sadd +zadd +xadd"},
    {"", BLIND TYPES, "no keyspace event of it came"},
    {"EA", BLIND TYPES, "no keyspace event of it came"},
    {"K$g", BLIND TYPES,
     "not these: hset (h), rpush (l), sadd (s), zadd (z), xadd (t), expired (x). Set notify-keyspace-events"},
    {"Kg$lshzet", BLIND TYPES, "not these: expired (x)."},
    {"Kg$lshzxe", BLIND TYPES, "not these: xadd (t)."},
};

Test(notification_rights, what_is_missing_is_named) {
    g_auto(Capture) capture;
    capture_init(&capture, "");
    for (guint i = 0; i < G_N_ELEMENTS(RIGHTS); i++) {
        do_redis(&capture, "CONFIG SET notify-keyspace-events %s", RIGHTS[i].flags);
        do_redis(&capture, "FLUSHALL"); /* what a probe leaves that may not delete expires later */
        enter_as(&capture, RIGHTS[i].rules);
        capture_make(&capture, 1, FALSE);
        if (RIGHTS[i].words != NULL)
            assert_no_attach(&capture, RP_SOURCE_ERROR_REFUSED, RIGHTS[i].words);
        else
            capture_attach(&capture);
        capture_end(&capture);
        redisReply *size = redisCommand(capture.redis, "DBSIZE");
        cr_assert(RIGHTS[i].words != NULL || size->integer == 0, "%s leaves a key", RIGHTS[i].rules);
        freeReplyObject(size);
    }
}

Test(notification_rights, without_config_it_follows) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    enter_as(&capture, BLIND TYPES);
    capture_make(&capture, 10, TRUE);
    capture_attach(&capture);
    capture_follow(&capture);
    g_free(take_told(&capture));
    do_redis(&capture, "FLUSHALL");
    await_told(&capture, "{FLUSHALL");
}

Test(notification_rights, flags_that_may_not_be_set_are_refused_with_the_right_to_give) {
    g_auto(Capture) capture;
    capture_init(&capture, "E");
    enter_as(&capture, ALL);
    capture_make(&capture, 10, TRUE);
    assert_no_attach(&capture, RP_SOURCE_ERROR_REFUSED, "ACL SETUSER u +config|set");
    assert_no_attach(&capture, RP_SOURCE_ERROR_REFUSED, "or have it set to \"EKA\"");
    enter_as(&capture, ALL " +config|set");
    capture_attach(&capture);
    capture_end(&capture);
    assert_flags(&capture, "E");
}

Test(notification_rights, a_full_memory_is_a_trouble_that_passes) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_make(&capture, 10, FALSE);
    do_redis(&capture, "CONFIG SET maxmemory 1");
    assert_no_attach(&capture, RP_SOURCE_ERROR_RETRY, "no key could be written that would prove");
    do_redis(&capture, "CONFIG SET maxmemory 0");
    capture_attach(&capture);
}
