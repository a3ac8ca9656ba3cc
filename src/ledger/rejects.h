/* Reading rejects back. */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Which rejects; 0 and NULL: all. */
typedef struct {
    guint64 id;
    guint64 run;
    const char *entity;
    const char *code;
    gboolean is_open; /* neither resolved nor replaced, and of no run that was rolled back */
} RpRejectFilter;

/* A reject as the ledger holds it. */
typedef struct {
    guint64 id;
    guint64 run;
    char *entity;
    char *key;     /* shown text */
    char *key_hex; /* when the key is not UTF-8 text; else NULL */
    char *element; /* index or id of the element of the key; NULL: about the whole key */
    char *stage;
    char *column; /* NULL: about the whole record */
    char *code;
    char *constraint;
    char *message;
    char *value;
    char *rejected_at;
    guint64 resolved_by; /* the run in which its record passed, or was gone; 0: none */
    guint64 replaced_by; /* the run that refused it again; 0: none. Open when both are 0 */
    GBytes *raw;         /* only when asked for; empty when another reject of the key's batch holds it */
} RpStoredReject;

/* Called for each reject in the order of their ids; the reject is freed after it. */
typedef void (*RpRejectVisitor)(const RpStoredReject *reject, gpointer data);

/* Visits at most limit rejects (0: all), in memory that is bounded but for the largest record. */
gboolean rp_ledger_visit_rejects(PGconn *connection, const RpRejectFilter *filter, gboolean with_raw,
                                 guint64 limit, RpRejectVisitor visit, gpointer data, GError **error);

/* Counts by code: an array of RpCodeCount (summary.h) that frees them. */
GPtrArray *rp_ledger_count_rejects(PGconn *connection, const RpRejectFilter *filter, GError **error);

G_END_DECLS
