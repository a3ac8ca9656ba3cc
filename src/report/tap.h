/* Results as TAP, the Test Anything Protocol, version 14
 * (https://testanything.org/tap-version-14-specification). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Append the version and the plan; the line of a test, whose name may hold anything; and the line by which
 * all ends too early. */
void rp_tap_append_plan(GString *tap, guint n_tests);
void rp_tap_append_test(GString *tap, gboolean is_ok, guint number, const char *name);
void rp_tap_append_bail_out(GString *tap, const char *reason);

/* Appends text in double quotes as YAML and JSON have them, on one line; NULL: null. */
void rp_tap_append_quoted(GString *yaml, const char *text);

G_END_DECLS
