/* What INFO and CONFIG GET say about a Redis, judged as the source of a migration. */
#pragma once

#include "model/finding.h"

#include <glib.h>

G_BEGIN_DECLS

/* Two looks at INFO, and the settings; tables of text by name, borrowed. */
typedef struct {
    GHashTable *info;
    GHashTable *later;       /* INFO, elapsed_ms after the first look; NULL: there was no second one */
    gint64 elapsed_ms;       /* more than 0 where there is a second look */
    GHashTable *settings;    /* by CONFIG GET; NULL: it was refused */
    gboolean may_not_follow; /* PSYNC or REPLCONF is known to be refused */
} RpRedisFacts;

/* Adds what endangers a migration, and what is worth knowing before one. */
void rp_redis_judge(const RpRedisFacts *facts, RpFindings *findings);

/* The major number of redis_version (Valkey gives the Redis that it is compatible with); 0: not known. */
guint rp_redis_major_version(GHashTable *info);

G_END_DECLS
