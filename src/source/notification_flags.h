/* The flags by which a server is told which events to send (notify-keyspace-events in redis.conf). */
#pragma once

#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* What was set, and how it is put back. All NULL: nothing was. */
typedef struct {
    char *before; /* as they were */
    char *ours;   /* as the server gives them since */
    char *run_id; /* of the process that has them */
} RpNotificationFlags;

/* Whether flags, as CONFIG GET gives them, tell of every change of a key: K, and A or all classes that it
 * stands for. */
gboolean rp_notification_flags_suffice(const char *flags);

/* flags and what they lack. The caller frees it. */
char *rp_notification_flags_complete(const char *flags);

/* The server's flags; *flags is NULL when it refuses to tell. The caller frees it. Error: a lost connection,
 * or a server that is busy. */
gboolean rp_notification_flags_read(redisContext *redis, const RpRedisWait *wait, char **flags,
                                    GError **error);

/* Sees to it that the server sends what is needed: sets what lacks, if configures, and notes in flags how it
 * was. *is_known is FALSE when the server does not tell. RP_SOURCE_ERROR_REFUSED in words that say what to
 * set. run_id is that of the process, user the one that we are there (NULL: the default user). */
gboolean rp_notification_flags_provide(RpNotificationFlags *flags, redisContext *redis,
                                       const RpRedisWait *wait, gboolean configures, const char *run_id,
                                       const char *user, gboolean *is_known, GError **error);

/* Puts back what was set, on a connection of its own, unless somebody else has set them since; logs what
 * could not be put back. Frees what flags hold. */
void rp_notification_flags_restore(RpNotificationFlags *flags, const RpRedisAddress *address,
                                   guint timeout_seconds);

G_END_DECLS
