/* Reading the keys of a list into batches: some are asked for ahead, and taken in their order. */
#pragma once

#include "pipeline/key_reader.h"

#include <glib.h>

G_BEGIN_DECLS

/* Keys that are asked for before the first answer is taken. */
#define RP_KEYS_AHEAD 100

/* Gives the next key that is to be read, for the entity of that number in the mapping: *key is borrowed until
 * the next call. *is_end instead when there is none. Called from the reading thread. */
typedef gboolean (*RpKeyListNext)(guint *entity, RpSpan *key, gboolean *is_end, gpointer data,
                                  GError **error);

/* Called for each key in the order in which they were given, when all of it is read: the batch that holds it,
 * whose records begin with that one; NULL when it came in several batches. */
typedef void (*RpKeyListTaken)(RpBatch *batch, guint32 first_record, gpointer data);

typedef struct {
    RpKeyListNext next;
    RpKeyListTaken taken; /* or NULL */
    gpointer data;        /* for both; borrowed */
    gboolean is_known;    /* an earlier pass has counted the keys */
} RpKeyList;

/* Reads until the end of the list, or until the crew stops: then perhaps in the middle of a key. The reader
 * is open, and so may its batch be after it. Each key is counted as scanned and mapped, unless
 * they are known. */
gboolean rp_key_list_read(const RpKeyList *list, RpKeyReader *keys, GError **error);

G_END_DECLS
