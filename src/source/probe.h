/* Trying what a user of Redis may do, without doing any harm. */
#pragma once

#include "model/finding.h"
#include "model/record.h"
#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Keys that a run will read. */
typedef struct {
    RpRecordType type;
    const char *match;   /* a glob that they fit ("order:*"); NULL: any key */
    gboolean has_ttl;    /* their time to live is read, */
    gboolean has_expiry; /* and their time of expiry */
} RpRedisNeed;

/* Tries the commands that reading the needed keys takes: by ACL DRYRUN where the server has it and the user
 * may call it, else by calling them on a key that does not exist. What is refused becomes missing_privilege
 * with the ACL rule to give to user (NULL: the default user); a command that the server does not know becomes
 * redis_command_missing. major is the server's version. Gives FALSE where PSYNC or REPLCONF is known to be
 * refused. A lost connection shows in redis->err. */
gboolean rp_redis_probe(redisContext *redis, const char *user, guint major, const RpRedisNeed *needs,
                        guint n_needs, RpFindings *findings);

G_END_DECLS
