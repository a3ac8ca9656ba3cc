/* A load whose records come from somewhere else than a scan. */
#pragma once

#include "pipeline/crew.h"
#include "pipeline/load.h"

#include <glib.h>

G_BEGIN_DECLS

/* Like rp_load, with the records that the feed reads; it is borrowed. */
gboolean rp_load_from(const RpLoadOptions *options, const RpFeed *feed, RpRunSummary **summary,
                      GError **error);

G_END_DECLS
