/* A stored record as JSON. */
#pragma once

#include "mapping/privacy.h"
#include "model/raw.h"

#include <jansson.h>

G_BEGIN_DECLS

/* The record with its type, its time to live and what it holds: fields of a hash or of a stream's entry by
 * name, else value, or member and score. Bytes that are no text are {"hex": "…"}. What privacy does not show
 * is
 * "***"; NULL: all is shown. Takes the values out of raw. The caller owns it. */
json_t *rp_record_json(RpRaw *raw, const RpPrivacy *privacy);

G_END_DECLS
