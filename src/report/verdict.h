/* What a result means, in words: for those who decide, and for those who have to do something now. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* {"status", "is_fine", "headline", "sentences"} of a report whose kind and result stand in document. status
 * is fine, findings, refused, failed, interrupted, undone or open; is_fine: it is the first. Commands in
 * sentences stand between backticks. The caller owns it. */
json_t *rp_verdict_of(const json_t *document);

G_END_DECLS
