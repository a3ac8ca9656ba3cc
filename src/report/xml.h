/* Text as XML takes it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Appends text so that it may stand in an element or, in quotes of either kind, in an attribute. Bytes that
 * are no UTF-8 become U+FFFD; characters that XML 1.0 has no place for (production 2, "Char": most control
 * characters) are dropped. NULL appends nothing. */
void rp_xml_append(GString *xml, const char *text);

/* Appends a blank, name, ="…" with the text escaped as above, in which line ends and tabs stay what they are.
 * NULL: no attribute. */
void rp_xml_append_attribute(GString *xml, const char *name, const char *text);

G_END_DECLS
