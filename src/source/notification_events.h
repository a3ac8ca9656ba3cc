/* What a message on the channels of keyspace events says
 * (https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/). */
#pragma once

#include "source/capture.h"
#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

#define RP_NOTIFICATION_MAX_KEY (1024 * 1024) /* bytes; a longer one stops the capture */

/* Keys by which it is proved that events arrive begin so; their events are nobody's. */
#define RP_NOTIFICATION_PROBE_PREFIX "redis2pg:probe:"

typedef enum {
    RP_NOTIFICATION_TOUCH,  /* a key was changed, deleted or created */
    RP_NOTIFICATION_OTHER,  /* nothing of the kind: a read that found no key */
    RP_NOTIFICATION_PROBE,  /* an event of a probe's key */
    RP_NOTIFICATION_ANSWER, /* to PSUBSCRIBE or PING, an error reply too */
} RpNotificationKind;

/* key and event are borrowed from the reply; set for TOUCH, OTHER and PROBE. */
typedef struct {
    RpNotificationKind kind;
    RpSpan key;
    RpSpan event;        /* "hset", "expired", "rename_from" */
    gboolean is_removal; /* the key is gone by it */
} RpNotification;

/* The pattern of the channels of the database, one a key: "__keyspace@0__:*". The key is what the * stands
 * for, whatever its bytes. The caller frees it. */
char *rp_notification_events_pattern(int database);

/* Takes a message apart. RP_SOURCE_ERROR_PROTOCOL for what is none, RP_SOURCE_ERROR_REFUSED for a key of more
 * than RP_NOTIFICATION_MAX_KEY. */
gboolean rp_notification_events_parse(const redisReply *reply, const char *pattern,
                                      RpNotification *notification, GError **error);

/* What a TOUCH tells: its place is not set. */
RpTouch rp_notification_events_touch(const RpNotification *notification);

G_END_DECLS
