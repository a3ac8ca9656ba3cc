/* Numbers in the canonical text of jsonb: numeric's own text (postgresql: src/backend/utils/adt/numeric.c,
 * numeric_out) without zeros at the end of the fraction. */
#pragma once

#include "base/buffer.h"

#include <glib.h>

G_BEGIN_DECLS

/* Appends the JSON number at *at, which it passes: 1e2 becomes 100, 1.50 becomes 1.5, -0.0 becomes 0. FALSE
 * for what is no number, or has more digits or a larger exponent than rp_json_check takes. */
gboolean rp_canonical_number_append(const char **at, const char *end, RpBuffer *out);

/* Appends the fraction that begins with the point at `at`, without zeros at its end, and without the point
 * when nothing else is left; gives what follows it in the text. */
const char *rp_canonical_number_append_fraction(const char *at, const char *end, RpBuffer *out);

G_END_DECLS
