/* A full load: reader → mappers → writers, supervised by the calling thread. */
#pragma once

#include "ledger/summary.h"
#include "mapping/mapping.h"
#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* How rows are written. */
typedef enum {
    RP_STRATEGY_MERGE, /* into tables as they are */
    RP_STRATEGY_BULK,  /* into empty tables, whose keys and indexes are put back at the end */
    RP_STRATEGY_AUTO,  /* bulk where the mapping and its tables allow it, and in a dry run merge */
} RpStrategy;

/* "merge", "bulk", "auto". The second is FALSE for other names. */
const char *rp_strategy_name(RpStrategy strategy);
gboolean rp_strategy_parse(const char *name, RpStrategy *strategy);

/* How far a load has come; a snapshot. */
typedef struct {
    guint64 keys_read;      /* records read, of all passes */
    guint64 keys_expected;  /* an estimate; 0: not known yet */
    guint64 rows_committed; /* inserted, updated or unchanged */
    guint64 rejects;
    gboolean is_held_back; /* Redis is slow: see redis_latency_ms */
    double seconds;
} RpLoadProgress;

typedef void (*RpLoadObserver)(const RpLoadProgress *progress, gpointer data);

/* All borrowed. */
typedef struct {
    const RpRedisAddress *redis;
    const char *postgres;     /* conninfo */
    const RpMapping *mapping; /* bound, without errors */
    const char *const *only;  /* names of the entities to load, NULL: all */
    const char *settings;     /* a JSON object for the ledger; see rp_load_entities_json */
    guint batch_rows;         /* a batch is closed with the first page that brings it to so many records */
    gsize batch_bytes;        /* or to so many bytes of them */
    guint n_mappers;
    guint n_writers;
    gsize max_value_bytes;
    RpStrategy strategy; /* only a full load has another one than merge */
    /* Does it all, and rolls it back: n_writers must be 1, and is_resuming FALSE. */
    gboolean is_dry_run;
    gboolean is_resuming; /* goes on with the last interrupted run of this mapping and source */
    guint retry_seconds; /* how long a trouble that passes may last (a lost server, a deadlock); 0: not at all
                          */
    guint timeout_seconds;       /* how long an answer of a server may take; not 0 */
    guint64 max_keys_per_second; /* that SCAN goes over or that are read, elements of collections among them;
                                    0: any number */
    guint redis_latency_ms; /* fewer keys are read while Redis takes longer for a PING; 0: nobody looks */
    guint64 max_rejects;    /* more stop the run with RP_GUARD_ERROR; G_MAXUINT64: no limit */
    RpLoadObserver observe; /* called from the calling thread a few times a second; may be NULL */
    gpointer observe_data;
} RpLoadOptions;

/* The names of the entities to load as a JSON array in the order of the alphabet, "null" for all: what the
 * settings in the ledger hold as "entities". The caller frees it. */
char *rp_load_entities_json(const char *const *only);

/* Runs the load and writes it to the ledger, whose tables must be there. Blocks SIGINT and SIGTERM while it
 * runs: the first stops reading, and the batches in hand are committed; the second aborts them.
 * TRUE: completed, perhaps with rejects. FALSE: error says why; RP_STOP_ERROR when it was interrupted, by a
 * signal or by a server that went away (what is committed stands). *summary is what the ledger says of the
 * run; NULL when it could not be opened or read; the caller owns it.
 * A dry run creates or upgrades the ledger itself where it has to, and leaves it as it was; *summary has the
 * evidence then. What would be waited out and repeated on another connection ends it. */
gboolean rp_load(const RpLoadOptions *options, RpRunSummary **summary, GError **error);

G_END_DECLS
