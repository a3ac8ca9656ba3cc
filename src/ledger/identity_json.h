/* Identities of rows as JSON, made of their tuples: what row_to_json gives of the columns of entity->key, in
 * its order, but for blanks between a date and its time. */
#pragma once

#include "mapping/mapping.h"
#include "model/tuples.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpIdentityJson RpIdentityJson;

/* Whether values of the column can be written: their tuple holds them, and no other value equals them. */
gboolean rp_identity_json_takes(const RpMapColumn *column);

/* The entity is bound, and borrowed; all columns of its key must be taken. */
RpIdentityJson *rp_identity_json_new(const RpEntity *entity);
void rp_identity_json_free(RpIdentityJson *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpIdentityJson, rp_identity_json_free)

/* Appends the object of one row. The tuples must be the entity's, as the mapper makes them. */
void rp_identity_json_append(const RpIdentityJson *json, const RpTuples *tuples, guint ordinal,
                             RpBuffer *text);

G_END_DECLS
