/* Which values of a record may be shown, by the columns of the mapping that are sensitive. */
#pragma once

#include "mapping/mapping.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpPrivacy RpPrivacy;

/* NULL for the mapping: nothing may be shown of any record. The mapping is borrowed, and bound. */
RpPrivacy *rp_privacy_new(const RpMapping *mapping);
void rp_privacy_free(RpPrivacy *privacy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpPrivacy, rp_privacy_free)

/* Begins with a record of a key that the entity of that name read. Entities that read the same key have a
 * say, too. FALSE: the mapping has no such entity, and nothing may be shown. */
gboolean rp_privacy_begin(RpPrivacy *privacy, const char *entity, RpSpan key, RpRecordType type);

/* Whether a field of the record, a hash or a stream's entry, may be shown. Where some column is sensitive, a
 * field that no column reads may not: it may be the same value under another name. */
gboolean rp_privacy_shows_field(const RpPrivacy *privacy, RpSpan name);

/* Whether the record's value, element, member, score or id may be shown. */
gboolean rp_privacy_shows_value(const RpPrivacy *privacy);

G_END_DECLS
