/* A session as a replica.
 *
 * 1. Attaching tells nothing; following tells everything from the place that attaching gave.
 * 2. The stream is asked for from the place behind the last unit that was told whole, so a loss in the middle
 *    of one repeats it and skips nothing.
 * 3. A session that failed is over: no byte behind the failure is read. */
#include "source/replication.h"

#include "base/error.h"
#include "base/outage.h"
#include "source/handshake.h"
#include "source/key_asker.h"
#include "source/snapshot.h"

#include <string.h>

struct RpReplication {
    const RpRedisAddress *address;
    RpPatience patience;
    RpCaptureTaker taker;
    RpKeyQuestions questions;
    RpOutage outage;
    RpReplicaLink link;
    RpStreamTouches *touches; /* NULL: not attached */
    char *run_id;             /* of the process at the other end */
};

RpReplication *rp_replication_new(const RpRedisAddress *address, const RpPatience *patience,
                                  const RpCaptureTaker *taker) {
    RpReplication *replication = g_new0(RpReplication, 1);
    replication->address = address;
    replication->patience = *patience;
    replication->taker = *taker;
    rp_key_questions_init(&replication->questions, address, patience);
    rp_outage_init(&replication->outage, "Redis", RP_EVENT_REDIS_LOST, RP_EVENT_REDIS_BACK,
                   patience->retry_seconds);
    return replication;
}

static void leave(RpReplication *replication) {
    rp_replica_link_close(&replication->link);
    rp_key_questions_clear(&replication->questions);
    g_clear_pointer(&replication->touches, rp_stream_touches_free);
    g_clear_pointer(&replication->run_id, g_free);
}

void rp_replication_free(RpReplication *replication) {
    if (replication == NULL)
        return;
    leave(replication);
    rp_outage_clear(&replication->outage);
    g_free(replication);
}

/* ---- attaching ---- */

/* Of the snapshot nothing is wanted but the database that is selected behind it. */
static gboolean drop_snapshot(RpReplicaLink *link, RpStreamPlace *place, GError **error) {
    RpSnapshot snapshot = {0};
    while (snapshot.step != RP_SNAPSHOT_OVER)
        if (!rp_replica_link_read(link, NULL, error) || !rp_snapshot_feed(&snapshot, &link->rest, error))
            return FALSE;
    place->database = rp_snapshot_get_database(&snapshot);
    return TRUE;
}

static gboolean attach_once(RpReplication *replication, const RpStreamPlace *from,
                            RpReplicationOutcome *outcome, RpStreamPlace *place, GError **error) {
    RpReplicaLink *link = &replication->link;
    gboolean is_full = FALSE;
    leave(replication);
    if (!rp_replica_link_open(link, replication->address, &replication->patience, error) ||
        !rp_handshake(link, from, place, &is_full, &replication->run_id, error))
        return FALSE;
    if (is_full && !drop_snapshot(link, place, error))
        return FALSE;
    rp_replica_link_begin_acknowledging(link);
    if (!rp_event_pass(RP_EVENT_STREAM_ATTACHED, error))
        return FALSE;
    *outcome = is_full || from == NULL ? RP_REPLICATION_FULL : RP_REPLICATION_CONTINUED;
    const RpKeyAsker asker = rp_key_questions_asker(&replication->questions);
    replication->touches =
        rp_stream_touches_new(place, replication->address->database, &replication->taker, &asker);
    return TRUE;
}

static gboolean passes(const GError *trouble) {
    return trouble->domain == RP_FAULT_ERROR ||
           (trouble->domain == RP_SOURCE_ERROR && rp_redis_error_passes(trouble));
}

/* What the operator has to do about a refusal. */
static void add_advice(const RpReplication *replication, GError *trouble) {
    const char *user = replication->address->user != NULL ? replication->address->user : "default";
    if (g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED) &&
        strstr(trouble->message, "NOPERM") != NULL)
        rp_outage_add_words(
            trouble,
            ": to follow the replication stream takes \"ACL SETUSER %s +psync +replconf +ping "
            "+info\", or use --capture notify",
            user);
    if (g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL) &&
        strstr(trouble->message, "Protocol error") != NULL)
        rp_outage_add_words(trouble, ": what answers at this address does not speak the protocol of Redis");
}

gboolean rp_replication_attach(RpReplication *replication, const RpStreamPlace *from,
                               RpReplicationOutcome *outcome, RpStreamPlace *place, GError **error) {
    const RpStreamPlace *start = from != NULL && rp_stream_place_is_set(from) ? from : NULL;
    GError *trouble = NULL;
    while (!attach_once(replication, start, outcome, place, &trouble)) {
        leave(replication);
        if (!passes(trouble)) {
            add_advice(replication, trouble);
            g_propagate_error(error, trouble);
            return FALSE;
        }
        if (!rp_outage_wait(&replication->outage, trouble, TRUE, replication->patience.is_pressed, error))
            return FALSE;
        trouble = NULL;
    }
    rp_outage_end(&replication->outage);
    return TRUE;
}

/* ---- following ---- */

static gboolean follow(RpReplication *replication, const gint *is_stopping, GError **error) {
    RpReplicaLink *link = &replication->link;
    for (;;) {
        if (!rp_replica_link_read(link, is_stopping, error))
            return FALSE;
        const RpSpan piece = link->rest;
        link->rest = (RpSpan){0};
        if (!rp_stream_touches_feed(replication->touches, piece, error) ||
            !rp_event_pass(RP_EVENT_STREAM_READ, error))
            return FALSE;
    }
}

/* A step that was told to fail is a connection that fails there. */
static void take_for_lost(GError *trouble) {
    if (trouble->domain != RP_FAULT_ERROR)
        return;
    trouble->domain = RP_SOURCE_ERROR;
    trouble->code = RP_SOURCE_ERROR_LOST;
}

gboolean rp_replication_follow(RpReplication *replication, const gint *is_stopping, GError **error) {
    GError *trouble = NULL;
    g_assert(replication->touches != NULL);
    follow(replication, is_stopping, &trouble);
    const gboolean is_stopped =
        g_error_matches(trouble, RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED) && g_atomic_int_get(is_stopping);
    if (is_stopped) {
        g_error_free(trouble);
        return TRUE;
    }
    take_for_lost(trouble);
    leave(replication);
    if (g_error_matches(trouble, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST))
        rp_event_note(RP_EVENT_STREAM_LOST);
    g_propagate_error(error, trouble);
    return FALSE;
}

const char *rp_replication_get_run_id(const RpReplication *replication) {
    return replication->run_id;
}
