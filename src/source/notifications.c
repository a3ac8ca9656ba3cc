/* Capturing changes by keyspace notifications: one connection that hears events, and one beside it for looks
 * at what is done without any.
 *
 * 1. Subscribed first, then looked and proved: whatever is changed after rp_notifications_attach is heard or
 * seen.
 * 2. Nothing is waited for but the two sockets: a reader that is slow is cut off by the server.
 * 3. Whatever may have been missed ends the following with an error, or is told as a barrier. */
#include "source/notifications.h"

#include "source/notification_flags.h"
#include "source/notification_looks.h"
#include "source/notification_probe.h"

#include <errno.h>
#include <poll.h>

/* So soon a stop, a silence and the time for a look are noticed. */
#define POLL_MS 200

struct RpNotifications {
    const RpRedisAddress *address;
    RpPatience patience;
    gboolean configures;
    RpCaptureTaker taker;
    RpNotificationFlags flags;
    RpSubscription *subscription; /* NULL: not attached */
    RpNotificationLooks *looks;
};

RpNotifications *rp_notifications_new(const RpRedisAddress *address, const RpPatience *patience,
                                      gboolean configures, const RpCaptureTaker *taker) {
    RpNotifications *notifications = g_new0(RpNotifications, 1);
    notifications->address = address;
    notifications->patience = *patience;
    notifications->configures = configures;
    notifications->taker = *taker;
    return notifications;
}

static void detach(RpNotifications *notifications) {
    g_clear_pointer(&notifications->subscription, rp_subscription_free);
    g_clear_pointer(&notifications->looks, rp_notification_looks_free);
}

void rp_notifications_free(RpNotifications *notifications) {
    if (notifications == NULL)
        return;
    detach(notifications);
    rp_notification_flags_restore(&notifications->flags, notifications->address,
                                  notifications->patience.timeout_seconds);
    g_free(notifications);
}

/* ---- attaching ---- */

/* is_known: the flags are told, so that a single event proves the rest. */
static gboolean provide_flags(RpNotifications *notifications, const RpRedisWait *wait, gboolean *is_known,
                              GError **error) {
    return rp_notification_flags_provide(
        &notifications->flags, rp_notification_looks_get_redis(notifications->looks), wait,
        notifications->configures, rp_subscription_get_run_id(notifications->subscription),
        notifications->address->user, is_known, error);
}

static gboolean attach(RpNotifications *notifications, const RpRedisWait *wait, GError **error) {
    const RpRedisAddress *address = notifications->address;
    gboolean is_known;
    notifications->subscription = rp_subscription_new(address, wait, error);
    if (notifications->subscription == NULL)
        return FALSE;
    notifications->looks = rp_notification_looks_new(address, wait, error);
    return notifications->looks != NULL && provide_flags(notifications, wait, &is_known, error) &&
           rp_notification_looks_begin(notifications->looks, wait,
                                       rp_subscription_get_run_id(notifications->subscription), is_known,
                                       error) &&
           rp_notification_probe(notifications->subscription,
                                 rp_notification_looks_get_redis(notifications->looks), address->user, wait,
                                 is_known ? RP_NOTIFICATION_PROBE_ONE : RP_NOTIFICATION_PROBE_CLASSES, error);
}

gboolean rp_notifications_attach(RpNotifications *notifications, GError **error) {
    const RpRedisWait wait = {notifications->patience.timeout_seconds, notifications->patience.is_cancelled};
    detach(notifications);
    if (attach(notifications, &wait, error))
        return TRUE;
    detach(notifications);
    return FALSE;
}

/* ---- following ---- */

static gboolean hear(const RpNotification *notification, gpointer data, GError **error) {
    RpNotifications *notifications = data;
    const RpCaptureTaker *taker = &notifications->taker;
    if (notification->is_removal)
        rp_notification_looks_count_removal(notifications->looks);
    if (notification->kind != RP_NOTIFICATION_TOUCH)
        return TRUE;
    const RpTouch touch = rp_notification_events_touch(notification);
    return taker->touch(&touch, taker->data, error);
}

static gboolean see(RpNotifications *notifications, GError **error) {
    const RpCaptureTaker *taker = &notifications->taker;
    const RpStreamPlace nowhere = {.database = -1};
    g_autofree char *what = NULL;
    return rp_notification_looks_read(notifications->looks, &what, error) &&
           (what == NULL || taker->barrier(what, &nowhere, taker->data, error));
}

/* Waits for the sockets for a while, and takes what there is. */
static gboolean turn(RpNotifications *notifications, GError **error) {
    RpSubscription *subscription = notifications->subscription;
    struct pollfd fds[] = {
        {.fd = rp_subscription_get_fd(subscription), .events = POLLIN},
        {.fd = rp_notification_looks_get_redis(notifications->looks)->fd, .events = POLLIN},
    };
    if (poll(fds, G_N_ELEMENTS(fds), POLL_MS) < 0 && errno != EINTR) {
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "Redis: %s", g_strerror(errno));
        return FALSE;
    }
    return (fds[0].revents == 0 || rp_subscription_read(subscription, hear, notifications, error)) &&
           (fds[1].revents == 0 || see(notifications, error));
}

gboolean rp_notifications_follow(RpNotifications *notifications, const gint *is_stopping, GError **error) {
    const guint timeout = notifications->patience.timeout_seconds;
    if (notifications->subscription == NULL) {
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST,
                    "Redis: keyspace events are not subscribed to");
        return FALSE;
    }
    while (!g_atomic_int_get(is_stopping))
        if (!turn(notifications, error) ||
            !rp_subscription_tend(notifications->subscription, timeout, error) ||
            !rp_notification_looks_tend(notifications->looks, timeout, error)) {
            detach(notifications);
            return FALSE;
        }
    return TRUE;
}

const char *rp_notifications_get_run_id(const RpNotifications *notifications) {
    return notifications->subscription != NULL ? rp_subscription_get_run_id(notifications->subscription)
                                               : NULL;
}
