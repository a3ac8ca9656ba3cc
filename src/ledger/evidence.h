/* What a report of a run shows beside its summary. A dry run's is read before everything is rolled back. */
#pragma once

#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* How many examples there are at most of each code of an entity, and points of the throughput. */
#define RP_EVIDENCE_EXAMPLES 5u
#define RP_EVIDENCE_POINTS   120u

/* One of the first rejects of its entity and code, as the ledger holds it: sensitive values are masked. Texts
 * are cut to a length that a person reads. */
typedef struct {
    char *entity;
    char *code;
    char *key;        /* shown text */
    char *key_hex;    /* when the key is not UTF-8 text; else NULL */
    char *column;     /* or NULL: about the whole record */
    char *constraint; /* or NULL */
    char *message;
    char *value; /* or NULL; masked when it is sensitive */
} RpRejectExample;

/* What was written by then: totals since the run began, in order of time. The last one has the whole run's.
 */
typedef struct {
    double seconds; /* since the run began; in a run that was resumed the pause is in it */
    guint64 keys;   /* scanned, of all passes */
    guint64 rows;   /* inserted, updated or unchanged */
} RpThroughputPoint;

typedef struct {
    GPtrArray *examples;    /* of RpRejectExample, by entity, code, and the order in which they were found */
    GArray *throughput;     /* of RpThroughputPoint; empty when no batch was written */
    char *settings;         /* a JSON object: the run's, without secrets */
    char *tool_version;     /* of redis2pg */
    char *redis_version;    /* or NULL: Redis was not asked, or the run is older than this is kept */
    char *postgres_version; /* or NULL: the run is older than this is kept */
    char *mapping_digest;   /* SHA-256 of the mapping files' texts, in hex */
    char *host;             /* that the run was on, or NULL */
} RpEvidence;

void rp_evidence_free(RpEvidence *evidence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpEvidence, rp_evidence_free)

/* Reads the evidence of one run, in bounded memory; *evidence is NULL when there is no such run; the caller
 * owns it. The ledger must be of this version. RP_SINK_ERROR. */
gboolean rp_ledger_read_evidence(PGconn *connection, guint64 run, RpEvidence **evidence, GError **error);

G_END_DECLS
