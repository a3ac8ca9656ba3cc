/* The folder of a report: report.json and the faces that are made of it. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* Whether a report could be written to the folder, asked before the work begins: makes the folder, and those
 * above it, where they are missing, and tries a file in it. Nothing is left of that file. RP_USAGE_ERROR. */
gboolean rp_report_folder_prepare(const char *path, GError **error);

/* Writes report.json, report.html, report.txt and junit.xml of a document, each all of it or not at all, in
 * place of those of an earlier report. RP_USAGE_ERROR names the file that could not be written. */
gboolean rp_report_folder_write(const char *path, const json_t *document, GError **error);

G_END_DECLS
