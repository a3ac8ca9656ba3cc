/* Paths into a JSON text: all that an entity reads from one text are found in one walk over it. */
#pragma once

#include "mapping/json_text.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpJsonPaths RpJsonPaths;

RpJsonPaths *rp_json_paths_new(void);
void rp_json_paths_free(RpJsonPaths *paths);

/* The slot of a path: names of members, or indexes (from 0) where an array stands; none for the whole text
 * (segments is NULL-terminated). A path that was added before keeps its slot. */
guint rp_json_paths_add(RpJsonPaths *paths, const char *const *segments);

/* Slots in use. */
guint rp_json_paths_size(const RpJsonPaths *paths);

/* Sets values[slot] to the JSON of what stands at each path, borrowed from json; NULL data where nothing
 * stands. Of members with the same name the last counts, as in jsonb. json must have passed rp_json_check. */
void rp_json_paths_find(const RpJsonPaths *paths, RpSpan json, RpSpan *values);

/* Whether some path takes the whole text, or leads into its member of that name (as it stands between its
 * quotes). */
gboolean rp_json_paths_leads_to(const RpJsonPaths *paths, RpSpan name);

G_END_DECLS
