/* A survey: what Redis holds is read and mapped as in a run, and whoever wants to know takes the batches.
 * Nothing is written, and nothing is locked. */
#pragma once

#include "model/batch.h"
#include "pipeline/key_list.h"
#include "pipeline/load.h"

#include <glib.h>

G_BEGIN_DECLS

/* Takes a batch that was mapped (of one that was mapped in portions, each of them); it is borrowed. Called
 * from one thread of its own. FALSE with error set ends the survey. */
typedef gboolean (*RpSurveyTake)(RpBatch *batch, gpointer data, GError **error);

typedef struct {
    /* Borrowed. postgres, settings, n_writers, max_rejects and is_resuming mean nothing here. */
    const RpLoadOptions *load;
    const char *run_id; /* of the Redis process that must answer, as INFO gives it; NULL: any */
    RpSurveyTake take;
    RpKeyListNext next;       /* the keys to read; NULL: all that Redis has */
    gpointer data;            /* for both */
    const gint *is_cancelled; /* atomic: once it is set, the survey is given up */
} RpSurvey;

/* Reads and maps. FALSE with the error of Redis, or the one that take or next gave; with RP_STOP_ERROR when
 * it was cancelled. Signals are not looked at: see pipeline/interrupt.h. */
gboolean rp_survey(const RpSurvey *survey, GError **error);

G_END_DECLS
