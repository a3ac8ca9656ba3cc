/* INFO as a table of its fields. */
#pragma once

#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* The "name:value" lines of an INFO reply (https://redis.io/commands/info); other lines are passed over. A
 * table of text by name, to be unreffed by the caller. */
GHashTable *rp_redis_info_parse(const char *text);

/* Sends INFO and takes the reply apart. NULL with RP_SOURCE_ERROR when it could not be had. */
GHashTable *rp_redis_info_read(redisContext *redis, GError **error);

/* A field as text ("" where there is none; borrowed), and as a number (0 where it is none). */
const char *rp_redis_info_text(GHashTable *info, const char *field);
guint64 rp_redis_info_number(GHashTable *info, const char *field);

/* The value of one field of INFO ("run_id"), or NULL. The caller frees it. The second as
 * rp_redis_command_for. */
char *rp_redis_info_field(redisContext *redis, const char *section, const char *field, GError **error);
char *rp_redis_info_field_for(redisContext *redis, const RpRedisWait *wait, const char *section,
                              const char *field, GError **error);

G_END_DECLS
