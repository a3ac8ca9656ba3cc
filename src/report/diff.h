/* Two texts, line by line. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The unified diff from before to after with three lines of context, as `diff -u` writes it; "" when they are
 * equal. name stands in its head. The caller frees it. */
char *rp_diff_unified(const char *name, const char *before, const char *after);

G_END_DECLS
