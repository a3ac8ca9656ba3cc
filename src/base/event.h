/* Named events: the steps at which a crash or an outage could matter. Each is counted and has a log line
 * (level debug). A build with -Dfault_injection=true can be told to end, stand still or fail at the nth of
 * one. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* In the order in which a run meets them. */
typedef enum {
    RP_EVENT_RUN_OPENED,      /* the run stands in the ledger; nothing is read yet */
    RP_EVENT_RUN_CONTINUED,   /* another attempt of it does */
    RP_EVENT_SET_ASIDE,       /* a bulk load has taken keys and indexes off its tables; not committed yet */
    RP_EVENT_PAGE_READ,       /* the keys of a SCAN page came; their values have not */
    RP_EVENT_BATCH_FILLED,    /* a batch's records are read */
    RP_EVENT_BATCH_MAPPED,    /* a batch, or a portion of it, is mapped */
    RP_EVENT_BATCH_BEGUN,     /* its transaction has begun */
    RP_EVENT_ROWS_STAGED,     /* an entity's rows are staged */
    RP_EVENT_ROWS_LOADED,     /* an entity's rows are in the table, by a bulk load */
    RP_EVENT_ROWS_CHECKED,    /* the set-based checks have looked at them */
    RP_EVENT_ROWS_MERGED,     /* an entity's rows are written */
    RP_EVENT_ROWS_DEPARTED,   /* rows that Redis has no more are deleted */
    RP_EVENT_ROWS_PARKED,     /* a sync has noted what waits for other rows, and what does no more */
    RP_EVENT_ROWS_TRIED,      /* a trial of the search for bad rows is over */
    RP_EVENT_ROWS_UNDONE,     /* a rollback has undone some rows */
    RP_EVENT_REJECTS_SETTLED, /* a replay has settled what it replayed */
    RP_EVENT_BATCH_ACCOUNTED, /* the batch stands in the ledger */
    RP_EVENT_BEFORE_COMMIT,   /* COMMIT comes next */
    RP_EVENT_AFTER_COMMIT,    /* COMMIT was done; to fail here is to lose its answer */
    RP_EVENT_PASS_ENDED,      /* every batch of a pass is written */
    RP_EVENT_ROWS_TAKEN_OUT,  /* rows that a constraint cannot be put back over; not committed yet */
    RP_EVENT_RESTORED_ONE,    /* an index or a constraint is back; not committed yet */
    RP_EVENT_RESTORED_ALL,    /* all are back, and the tables analysed */
    RP_EVENT_BEFORE_CLOSE,    /* the run is done, and open */
    RP_EVENT_RUN_CLOSED,      /* the run is closed */
    RP_EVENT_STREAM_ATTACHED, /* the replication stream is held for us; nothing of it is told yet */
    RP_EVENT_STREAM_READ,     /* a piece of it was told */
    RP_EVENT_STREAM_LOST,     /* the connection that it came on failed */
    RP_EVENT_TOUCHED_READ,    /* a sync has read keys that were touched; they are not written yet */
    RP_EVENT_REDIS_LOST,      /* a connection to Redis failed, or it is busy; it will be tried again */
    RP_EVENT_REDIS_BACK,      /* and answers again */
    RP_EVENT_POSTGRES_LOST,   /* likewise */
    RP_EVENT_POSTGRES_BACK,
    RP_EVENT_BATCH_REPEATED,  /* a batch is written again whole, after a passing trouble */
    RP_EVENT_COMMIT_SETTLED,  /* the answer to a COMMIT was lost, and the ledger said what came of it */
    RP_EVENT_CUTOVER_STOPPED, /* nobody writes to Redis any more, as far as a cutover knows */
    RP_EVENT_CUTOVER_DRAINED, /* all that was written has arrived; the comparison comes next */
    RP_N_EVENTS,
} RpEvent;

/* "page_read" …; for RP_N_EVENTS and beyond NULL. */
const char *rp_event_name(RpEvent event);

/* Whether "fail" means something there: see rp_event_pass. */
gboolean rp_event_can_fail(RpEvent event);

/* How often it happened in this process. From any thread. */
guint64 rp_event_count(RpEvent event);

/* Says that it happened. From any thread. */
void rp_event_note(RpEvent event);

/* The same, at a step that can fail: FALSE with RP_FAULT_ERROR when it was told to. It is to be treated as a
 * trouble that passes: a lost connection. */
gboolean rp_event_pass(RpEvent event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A step that was told to fail. */
#define RP_FAULT_ERROR (rp_fault_error_quark())
GQuark rp_fault_error_quark(void);

typedef enum {
    RP_FAULT_ERROR_INJECTED,
} RpFaultError;

/* Reads what REDIS2PG_FAULT says: "ACTION:EVENT:N", several with commas between them, N from 1 (the default).
 * ACTION is kill (SIGKILL), stop (SIGSTOP), interrupt (SIGINT) or fail. RP_USAGE_ERROR for what it does not
 * understand, and for anything at all in a build without fault injection. NULL is fine. Call it before
 * threads start. */
gboolean rp_event_arm(const char *faults, GError **error);

G_END_DECLS
