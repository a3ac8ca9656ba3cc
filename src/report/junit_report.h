/* A report as JUnit XML: one suite, a case for each check. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* The caller frees it. */
char *rp_junit_report(const json_t *document);

G_END_DECLS
