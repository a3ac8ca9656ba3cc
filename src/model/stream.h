/* Places in a source's stream of changes. Plain data. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RP_REPLICATION_ID_SIZE 40 /* hexadecimal digits */

/* A place between two commands of the replication stream: its byte offset in the history that the replication
 * id names (https://redis.io/docs/latest/operate/oss_and_stack/management/replication/), and the database
 * that is selected there. */
typedef struct {
    char replication_id[RP_REPLICATION_ID_SIZE + 1]; /* empty: there is no place */
    guint64 offset;
    gint database; /* -1: not known until the next SELECT; keys are then touched in every database */
} RpStreamPlace;

static inline gboolean rp_stream_place_is_set(const RpStreamPlace *place) {
    return place->replication_id[0] != '\0';
}

G_END_DECLS
