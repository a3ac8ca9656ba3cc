/* Choosing the open rejects that a replay tries again, and reading them. */
#pragma once

#include "ledger/rejects.h"
#include "mapping/mapping.h"
#include "sink/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Why an open reject is not replayed. */
typedef enum {
    RP_LEFT_VALUES,  /* its values were not kept: too large, or the key held another type */
    RP_LEFT_PARTIAL, /* of a big hash only fields were kept, and the mapping reads others now */
    RP_LEFT_TTL,     /* the mapping reads the time to live now, and it was not kept */
    RP_LEFT_DAMAGED, /* its record is not there, or cannot be read */
    RP_LEFT_LATER,   /* a run of its source read later, and may have written the row */
    RP_LEFT_ENTITY,  /* the mapping has no such entity any more, or its keys are others */
    RP_LEFT_SOURCE,  /* it is of another Redis than the one that is read now */
    RP_N_LEFT,
} RpLeft;

typedef struct {
    RpRejectFilter filter; /* id is not used */
    const RpMapping *mapping;
    gboolean is_from_source; /* keys are read anew: what was kept of them does not matter, */
    const char *source;      /* only of which Redis they are; else NULL: any, but of one alone */
} RpReplayChoice;

/* What was chosen. */
typedef struct {
    guint64 n_rejects;       /* that are replayed */
    guint64 n_records;       /* that stand for them; keys, when they are read anew */
    guint64 left[RP_N_LEFT]; /* open rejects that are not replayed */
    char *source;            /* of which Redis they are; NULL when there are none */
} RpReplaySelection;

void rp_replay_selection_clear(RpReplaySelection *selection);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpReplaySelection, rp_replay_selection_clear)

/* Chooses the open rejects that fit, and whatever is open of their keys too: a record is replayed once, and
 * settles all that is about it. The list is a temporary table of the connection, so that it is the same list
 * until the end, however long it is. RP_USAGE_ERROR when they are of several Redis servers. */
gboolean rp_replay_select(PGconn *connection, const RpReplayChoice *choice, RpReplaySelection *selection,
                          GError **error);

/* Takes from the list what others have settled since; call it when no other run can be at work. */
gboolean rp_replay_refresh(PGconn *connection, GError **error);

/* A page of the list, in memory that is bounded but for the first record. */
typedef struct {
    PGresult *result;
    guint64 after; /* position in the list that the next page begins behind */
    guint64 bytes_before;
} RpReplayPage;

/* An entry of it. The first of its key, or of its element, has the record that stands for all of them. */
typedef struct {
    guint64 position;
    RpSpan key;
    guint64 reject;
    gint64 element;    /* of an array that the mapping walks over; -1: none */
    gint64 read_at_us; /* Unix time in microseconds */
    gboolean is_first;
    RpSpan raw; /* of the first, unless keys are read anew */
} RpReplayEntry;

/* Reads the entries of an entity after the page's position; the first page is all zeros. None: the end. */
gboolean rp_replay_read(PGconn *connection, const char *entity, gboolean with_raw, RpReplayPage *page,
                        GError **error);
guint rp_replay_page_size(const RpReplayPage *page);
/* Borrowed until the next page is read. */
void rp_replay_page_get(const RpReplayPage *page, guint position, RpReplayEntry *entry);
void rp_replay_page_clear(RpReplayPage *page);

/* Marks a key, by the position of its first entry, whose records came in several batches:
 * rp_replay_settle_late settles its rejects. */
gboolean rp_replay_mark_late(PGconn *connection, guint64 position, GError **error);

/* Settles the rejects of the marked keys by what the run has refused; call it when every batch of theirs is
 * committed. */
gboolean rp_replay_settle_late(PGconn *connection, guint64 run, GError **error);

G_END_DECLS
