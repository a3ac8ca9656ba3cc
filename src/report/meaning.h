/* What a reject code means, in words for those who do not know the codes. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One sentence; of an unknown code nothing. */
const char *rp_meaning_of_code(const char *code);

G_END_DECLS
