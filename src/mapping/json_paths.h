/* Paths into a JSON text: all that an entity reads from one text are found in one walk over it. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

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

/* A JSON value as text: a string's content, null (NULL data) for null, else the JSON itself. What has to be
 * unescaped is appended to scratch, whose room must suffice (a string's content is never longer than its
 * JSON): the result is borrowed from there, or from value. */
RpSpan rp_json_text(RpSpan value, RpBuffer *scratch);

/* The elements of an array, or the members of an object, that has passed rp_json_check, one after the other.
 */
typedef struct {
    const char *at;
    const char *end;
} RpJsonElements;

void rp_json_elements_init(RpJsonElements *elements, RpSpan container);
gboolean rp_json_elements_next(RpJsonElements *elements, RpSpan *element);

/* Whether some path takes the whole text, or leads into its member of that name (as it stands between its
 * quotes). */
gboolean rp_json_paths_leads_to(const RpJsonPaths *paths, RpSpan name);

/* The same walk over an object: the next member's name, as it stands between its quotes. */
gboolean rp_json_elements_next_name(RpJsonElements *elements, RpSpan *name);

G_END_DECLS
