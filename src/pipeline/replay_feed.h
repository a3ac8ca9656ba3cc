/* What the parts of a replay's feed share; not for others. */
#pragma once

#include "pipeline/key_reader.h"
#include "pipeline/replay.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    RpCrew *crew;
    const RpReplaySource *source;
    RpFilling filling;
    RpKeyReader keys; /* when keys are read anew */
    guint32 entity;
    /* The entry that came last with a record: those after it may be of the same. */
    gboolean has_key;
    RpBuffer key;
    gboolean is_taken; /* the batch has its records, and no other batch has */
    gboolean is_left;  /* it is not replayed, */
    RpLeft left;       /* and why */
    guint32 record;    /* the first of its records */
    gint64 read_at_us; /* when they were read, unless it is just now */
} RpReplayFeed;

const RpEntity *rp_replay_feed_entity(const RpReplayFeed *feed);
gboolean rp_replay_feed_is_stopping(const RpReplayFeed *feed);

/* Begins with an entry that has a record, in the open batch: its key is counted, unless it is the same as
 * before or is left. */
void rp_replay_feed_begin(RpReplayFeed *feed, RpSpan key);

/* Takes note of an entry whose record, begun with it or an entry before, is read, or left. element: of the
 * record's array, or -1. */
void rp_replay_feed_add(RpReplayFeed *feed, const RpReplayEntry *entry, gint64 element);

/* Take the records of a page of the list into batches: as they were kept, or of keys as they are now. */
gboolean rp_replay_take_records(RpReplayFeed *feed, const RpReplayPage *page, GError **error);
gboolean rp_replay_take_keys(RpReplayFeed *feed, const RpReplayPage *page, GError **error);

G_END_DECLS
