/* The first reading of both sides, at the same time. */
#pragma once

#include "reconcile/sides.h"

#include "pipeline/survey.h"

#include <glib.h>

G_BEGIN_DECLS

/* Borrowed. */
typedef struct {
    const RpUnits *units;
    const RpSurvey *survey; /* of everything; its take and data are replaced */
    PGconn *connection;     /* the target is read in one snapshot, taken before the source is read */
    RpSourceSide *source;
    RpSide *target;
    gint *is_cancelled; /* set when one side has failed */
} RpFirstReading;

gboolean rp_first_read(const RpFirstReading *reading, GError **error);

G_END_DECLS
