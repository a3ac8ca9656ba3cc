/* Reading, completing and putting back notify-keyspace-events. */
#include "source/notification_flags.h"

#include "base/log.h"
#include "source/info.h"

#include <string.h>

#define SETTING "notify-keyspace-events"

/* What A stands for. A server that does not know the last ones shows A when it has the others. */
#define CLASSES "g$lshzxetd"

/* Where the program ends, nobody waits long for a server that is away. */
#define RESTORE_SECONDS 5u

/* ---- what they mean ---- */

static gboolean is_set(const char *flags, char flag) {
    return strchr(flags, flag) != NULL || (strchr(CLASSES, flag) != NULL && strchr(flags, 'A') != NULL);
}

/* Whether all that the second has is in the first too, in whatever order and whichever way A is written. */
static gboolean covers(const char *flags, const char *wanted) {
    for (; *wanted != '\0'; wanted++)
        if (!is_set(flags, *wanted) && !(*wanted == 'A' && covers(flags, CLASSES)))
            return FALSE;
    return TRUE;
}

gboolean rp_notification_flags_suffice(const char *flags) {
    return covers(flags, "KA");
}

char *rp_notification_flags_complete(const char *flags) {
    return g_strconcat(flags, covers(flags, "K") ? "" : "K", covers(flags, "A") ? "" : "A", NULL);
}

/* ---- at the server ---- */

gboolean rp_notification_flags_read(redisContext *redis, const RpRedisWait *wait, char **flags,
                                    GError **error) {
    const char *const argv[] = {"CONFIG", "GET", SETTING};
    g_autoptr(GError) why = NULL;
    g_autoptr(redisReply) reply = rp_redis_command_for(redis, wait, REDIS_REPLY_ARRAY, 3, argv, NULL, &why);
    *flags = NULL;
    if (reply != NULL) {
        if (reply->elements == 2 && reply->element[1]->type == REDIS_REPLY_STRING)
            *flags = g_strdup(reply->element[1]->str);
        return TRUE;
    }
    /* Managed services answer with words of their own. */
    if (g_error_matches(why, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED) ||
        g_error_matches(why, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REPLY))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

static gboolean write_flags(redisContext *redis, const RpRedisWait *wait, const char *flags, GError **error) {
    const char *const argv[] = {"CONFIG", "SET", SETTING, flags};
    g_autoptr(redisReply) reply = rp_redis_command_for(redis, wait, REDIS_REPLY_STATUS, 4, argv, NULL, error);
    return reply != NULL;
}

static gboolean refuse(const char *present, const char *needed, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
                "Redis: " SETTING " is \"%s\", which does not tell of every change: CONFIG SET " SETTING
                " %s "
                "(of a managed service, set that parameter to \"%s\" where its settings are), or "
                "--configure-notifications, which sets it and puts it back",
                present, needed, needed);
    return FALSE;
}

static void clear(RpNotificationFlags *flags) {
    g_clear_pointer(&flags->before, g_free);
    g_clear_pointer(&flags->ours, g_free);
    g_clear_pointer(&flags->run_id, g_free);
}

/* Noted before they are set: where the answer is lost, they may have been. */
static gboolean configure(RpNotificationFlags *flags, redisContext *redis, const RpRedisWait *wait,
                          const char *present, const char *run_id, const char *user, GError **error) {
    g_autofree char *needed = rp_notification_flags_complete(present);
    g_autoptr(GError) why = NULL;
    clear(flags);
    *flags = (RpNotificationFlags){g_strdup(present), g_strdup(needed), g_strdup(run_id)};
    if (write_flags(redis, wait, needed, &why)) {
        g_autofree char *now = NULL;
        if (!rp_notification_flags_read(redis, wait, &now, error))
            return FALSE;
        if (now == NULL || !rp_notification_flags_suffice(now))
            return refuse(now != NULL ? now : present, needed, error);
        g_free(flags->ours);
        flags->ours = g_steal_pointer(&now);
        return TRUE;
    }
    const gboolean is_refused = g_error_matches(why, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED) ||
                                g_error_matches(why, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REPLY);
    if (is_refused) {
        clear(flags);
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
                    "%s: " SETTING
                    " is \"%s\" and cannot be set: ACL SETUSER %s +config|set, or have it set to \"%s\"",
                    why->message, present, user != NULL ? user : "default", needed);
        return FALSE;
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

gboolean rp_notification_flags_provide(RpNotificationFlags *flags, redisContext *redis,
                                       const RpRedisWait *wait, gboolean configures, const char *run_id,
                                       const char *user, gboolean *is_known, GError **error) {
    g_autofree char *present = NULL;
    if (!rp_notification_flags_read(redis, wait, &present, error))
        return FALSE;
    *is_known = present != NULL;
    if (present == NULL || rp_notification_flags_suffice(present))
        return TRUE;
    if (configures)
        return configure(flags, redis, wait, present, run_id, user, error);
    g_autofree char *needed = rp_notification_flags_complete(present);
    return refuse(present, needed, error);
}

/* ---- putting back ---- */

static gboolean is_same(const char *a, const char *b) {
    return covers(a, b) && covers(b, a);
}

static gboolean put_back(const RpNotificationFlags *flags, const RpRedisAddress *address, guint seconds,
                         char **left, GError **error) {
    const gint is_cancelled = FALSE;
    const RpRedisWait wait = {seconds, &is_cancelled};
    g_autoptr(redisContext) redis = rp_redis_enter(address, &wait, error);
    if (redis == NULL)
        return FALSE;
    g_autofree char *run_id = rp_redis_info_field_for(redis, &wait, "server", "run_id", error);
    g_autofree char *present = NULL;
    if (run_id == NULL || !rp_notification_flags_read(redis, &wait, &present, error))
        return FALSE;
    if (strcmp(run_id, flags->run_id) == 0 && present != NULL && is_same(present, flags->ours))
        return write_flags(redis, &wait, flags->before, error);
    if (present == NULL || !is_same(present, flags->before))
        *left = g_strdup(present != NULL ? present : "not told");
    return TRUE;
}

void rp_notification_flags_restore(RpNotificationFlags *flags, const RpRedisAddress *address,
                                   guint timeout_seconds) {
    g_autoptr(GError) error = NULL;
    g_autofree char *left = NULL;
    if (flags->before == NULL)
        return;
    if (!put_back(flags, address, MIN(timeout_seconds, RESTORE_SECONDS), &left, &error))
        rp_log(RP_LOG_WARNING, "Redis keeps the " SETTING " that we set; they were \"%s\" before: %s",
               flags->before, error->message);
    else if (left != NULL)
        rp_log(RP_LOG_WARNING,
               "Redis: somebody else has set " SETTING
               ", or another server answers: they are \"%s\" and stay so; "
               "they were \"%s\" before we set them",
               left, flags->before);
    clear(flags);
}
