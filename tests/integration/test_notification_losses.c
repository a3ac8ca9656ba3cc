/* A capture by notifications whose connection is lost, or falls silent: it ends, and is attached again. */
#include "notifying.h"
#include "proxy.h"
#include "source/notification_looks.h"

#include <signal.h>

TestSuite(notification_losses, .timeout = 120);

static RpProxy *go_through_proxy(Capture *capture) {
    RpProxy *proxy = rp_proxy_new(rp_sandbox_get_redis_socket(capture->sandbox));
    capture->address.socket_path = (char *)rp_proxy_get_socket(proxy);
    return proxy;
}

static void assert_heard(Capture *capture) {
    do_redis(capture, "SET again 1");
    await_told(capture, "again ");
    g_free(take_told(capture));
}

Test(notification_losses, a_connection_that_was_cut_is_attached_again) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    RpProxy *proxy = go_through_proxy(&capture);
    capture_begin(&capture);
    for (guint i = 0; i < 2; i++) {
        assert_heard(&capture);
        rp_proxy_cut(proxy);
        await_error(&capture, RP_SOURCE_ERROR_LOST, "");
        capture_attach(&capture);
        capture_follow(&capture);
    }
    assert_heard(&capture);
    capture_end(&capture);
    rp_proxy_free(proxy);
}

Test(notification_losses, a_connection_that_an_administrator_ends_is_lost) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    do_redis(&capture, "CLIENT KILL TYPE pubsub");
    await_error(&capture, RP_SOURCE_ERROR_LOST, "the connection that hears keyspace events: Server closed");
}

/* The answers to PSUBSCRIBE and to the probe come; then nothing does on that connection, while the other one,
 * on which looks are taken, goes on. */
Test(notification_losses, a_connection_that_falls_silent_is_lost) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    RpProxy *proxy = go_through_proxy(&capture);
    const RpProxyRule rule = {.action = RP_PROXY_STALL, .way = RP_PROXY_TO_CLIENT, .text = "silence"};
    capture_make(&capture, 1, FALSE);
    capture_attach(&capture);
    rp_proxy_add_rule(proxy, &rule);
    capture_follow(&capture);
    do_redis(&capture, "SET silence 1");
    rp_proxy_await_met(proxy, 1);
    await_error(&capture, RP_SOURCE_ERROR_LOST, "no sign of life within 1 s");
    capture_end(&capture);
    rp_proxy_free(proxy);
}

Test(notification_losses, a_quiet_server_is_not_lost) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_make(&capture, 1, FALSE);
    capture_attach(&capture);
    capture_follow(&capture);
    for (guint i = 0; i < 3; i++) { /* each is seen after up to a second, in which no event comes */
        do_redis(&capture, "SWAPDB 2 3");
        await_told(&capture, "{SWAPDB");
        g_mutex_lock(&capture.mutex);
        g_string_truncate(capture.told, 0);
        g_mutex_unlock(&capture.mutex);
    }
    assert_heard(&capture);
}

Test(notification_losses, looks_that_are_not_answered_are_a_loss) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    RpProxy *proxy = go_through_proxy(&capture);
    const RpProxyRule rule = {
        .action = RP_PROXY_STALL, .way = RP_PROXY_TO_SERVER, .connection = 2, .text = "commandstats"};
    capture_make(&capture, 1, FALSE);
    capture_attach(&capture);
    rp_proxy_add_rule(proxy, &rule);
    capture_follow(&capture);
    await_error(&capture, RP_SOURCE_ERROR_LOST, "no answer within 1 s");
    capture_end(&capture);
    rp_proxy_free(proxy);
}

Test(notification_losses, a_server_that_was_killed_is_lost_and_heard_again_when_it_is_back) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    kill(rp_sandbox_get_redis_pid(capture.sandbox), SIGKILL);
    await_error(&capture, RP_SOURCE_ERROR_LOST, "");
    GError *error = NULL;
    cr_assert(rp_sandbox_start_again(capture.sandbox, RP_SANDBOX_REDIS, &error), "%s",
              error != NULL ? error->message : "");
    redisFree(capture.redis);
    capture.redis = redisConnectUnix(rp_sandbox_get_redis_socket(capture.sandbox));
    assert_no_attach(&capture, RP_SOURCE_ERROR_REFUSED, "notify-keyspace-events is \"\"");
    do_redis(&capture, "CONFIG SET notify-keyspace-events KA");
    capture_attach(&capture);
    capture_follow(&capture);
    assert_heard(&capture);
}

/* Who reads nothing while the server has more for it than it keeps is closed by the server. */
Test(notification_losses, a_reader_that_is_too_slow_is_lost) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    do_redis(&capture, "CONFIG SET client-output-buffer-limit %s", "pubsub 64kb 0 0");
    capture_begin(&capture);
    g_atomic_int_set(&capture.is_held, 1);
    g_autofree char *key = g_strnfill(4096, 'k');
    for (guint i = 0; i < 500; i++)
        do_redis(&capture, "SET %s:%u 1", key, i);
    g_mutex_lock(&capture.mutex);
    g_atomic_int_set(&capture.is_held, 0);
    g_cond_broadcast(&capture.cond);
    g_mutex_unlock(&capture.mutex);
    await_error(&capture, RP_SOURCE_ERROR_LOST, "reads too slowly for its client-output-buffer-limit pubsub");
}

Test(notification_losses, a_server_that_becomes_a_replica_is_left) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    do_redis(&capture, "REPLICAOF 127.0.0.1 1");
    await_error(&capture, RP_SOURCE_ERROR_RETRY, "it is a replica");
    assert_no_attach(&capture, RP_SOURCE_ERROR_RETRY, "Give the master's address");
    do_redis(&capture, "REPLICAOF NO ONE");
    capture_attach(&capture);
    capture_follow(&capture);
    assert_heard(&capture);
}

Test(notification_losses, events_that_are_switched_off_end_it) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_begin(&capture);
    do_redis(&capture, "CONFIG SET notify-keyspace-events KEx");
    await_error(&capture, RP_SOURCE_ERROR_LOST, "somebody has set notify-keyspace-events to \"xKE\"");
    assert_no_attach(&capture, RP_SOURCE_ERROR_REFUSED, "CONFIG SET notify-keyspace-events xKEA");
}

/* What hears and what looks may have been led to different servers. */
Test(notification_losses, looks_at_another_process_are_a_loss) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    const RpRedisWait wait = {10, &capture.is_cancelled};
    g_autoptr(GError) error = NULL;
    g_autoptr(RpNotificationLooks) looks = rp_notification_looks_new(&capture.address, &wait, &error);
    cr_assert(looks != NULL);
    cr_assert(eq(int, rp_notification_looks_begin(looks, &wait, "another", TRUE, &error), FALSE));
    cr_assert(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST), "%s", error->message);
}

Test(notification_losses, attaching_ends_when_it_is_cancelled) {
    g_auto(Capture) capture;
    capture_init(&capture, "KA");
    capture_make(&capture, 10, FALSE);
    capture.is_cancelled = TRUE;
    g_autoptr(GError) error = NULL;
    cr_assert(eq(int, rp_notifications_attach(capture.notifications, &error), FALSE));
    cr_assert(strstr(error->message, "stopped") != NULL, "%s", error->message);
}
