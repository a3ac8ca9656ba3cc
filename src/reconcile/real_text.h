/* Floating-point numbers as PostgreSQL shows them with extra_float_digits = 1, its default. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The fewest digits that lie strictly between the number's neighbours' halves (postgresql: src/common/d2s.c,
 * which takes no bounds: 1e23 is 9.999999999999999e+22). The caller frees the text. */
char *rp_real_text_float8(double value);
char *rp_real_text_float4(float value);

G_END_DECLS
