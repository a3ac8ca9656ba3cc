/* What happens to keys without an event, seen by looking at the server about every second: whole databases
 * that are emptied or swapped, events that are switched off, a server that becomes a replica. */
#pragma once

#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* What one look saw. */
typedef struct {
    char *run_id;
    char *flags; /* notify-keyspace-events; NULL: not told */
    gboolean is_replica;
    gboolean has_calls; /* the calls are told */
    guint64 n_calls[3]; /* of FLUSHALL, FLUSHDB and SWAPDB, since the counters were set back */
    guint64 n_commands; /* of all */
    guint64 n_keys;     /* in the database */
} RpNotificationLook;

void rp_notification_look_clear(RpNotificationLook *look);

/* What the INFO of a server says; flags and the rest of look are left as they are. */
void rp_notification_look_parse(GHashTable *info, int database, RpNotificationLook *look);

/* What happened between two looks at the same process that touched keys which nobody can name: "FLUSHALL, …",
 * or NULL. The caller frees it. */
char *rp_notification_look_compare(const RpNotificationLook *before, const RpNotificationLook *now);

/* Whether a database that is empty became so by events. All 0 at first. */
typedef struct {
    guint64 n_removals; /* events of keys that went, since the look before */
    guint64 n_emptied;  /* so many keys were gone at that look, and it is not clear yet why; 0: none were */
} RpNotificationSize;

/* Takes the number of keys at a look and at the one before. Words when keys went that no event told of, or
 * NULL: at the look after the one that found the database empty, since events may be under way. The caller
 * frees them. */
char *rp_notification_size_judge(RpNotificationSize *size, guint64 n_before, guint64 n_now);

typedef struct RpNotificationLooks RpNotificationLooks;

/* Connects on the side. The address is borrowed. Belongs to one thread. */
RpNotificationLooks *rp_notification_looks_new(const RpRedisAddress *address, const RpRedisWait *wait,
                                               GError **error);
void rp_notification_looks_free(RpNotificationLooks *looks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpNotificationLooks, rp_notification_looks_free)

/* The connection: for other questions before the first look, and for poll. */
redisContext *rp_notification_looks_get_redis(const RpNotificationLooks *looks);

/* Takes the first look, with which the next ones are compared, and waits for it. run_id: that of the process
 * from which events are heard. has_flags: its flags are told. Errors as of rp_notification_looks_read;
 * RP_SOURCE_ERROR_REFUSED in words that say what to grant. */
gboolean rp_notification_looks_begin(RpNotificationLooks *looks, const RpRedisWait *wait, const char *run_id,
                                     gboolean has_flags, GError **error);

/* An event told that a key went. */
void rp_notification_looks_count_removal(RpNotificationLooks *looks);

/* To be called now and then: asks for the next look when it is time. RP_SOURCE_ERROR_LOST when the one before
 * did not come within timeout_seconds. */
gboolean rp_notification_looks_tend(RpNotificationLooks *looks, guint timeout_seconds, GError **error);

/* Takes what came, without waiting: call it when poll says that there is something. *what is what was seen by
 * a look that is complete now, in words, or NULL; the caller frees it. RP_SOURCE_ERROR_LOST when from now on,
 * or since the look before, not every event is heard: the connection is lost, or leads to another process;
 * the events were switched off. RP_SOURCE_ERROR_RETRY for a replica, whose master's data comes without
 * events. */
gboolean rp_notification_looks_read(RpNotificationLooks *looks, char **what, GError **error);

G_END_DECLS
