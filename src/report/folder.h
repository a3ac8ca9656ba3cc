/* The folder of a report: report.json and the faces that are made of it. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/* Files of a report, as a set. */
enum {
    RP_REPORT_JSON = 1 << 0,
    RP_REPORT_HTML = 1 << 1,
    RP_REPORT_TEXT = 1 << 2,
    RP_REPORT_JUNIT = 1 << 3,
    RP_REPORT_ALL_FACES = 15,
};

/* Of "text,json,html,junit" or some of them. RP_USAGE_ERROR names --format and the nearest word. */
gboolean rp_report_faces_parse(const char *list, guint *faces, GError **error);

/* Whether a report could be written to the folder, asked before the work begins: makes the folder, and those
 * above it, where they are missing, tries a file in it, and looks that nothing but regular files stands where
 * the report's are to be. Nothing is left of the file that is tried, nor of drafts that a process left that
 * is gone. RP_USAGE_ERROR. */
gboolean rp_report_folder_prepare(const char *path, GError **error);

/* Removes the files of an earlier report, so that nobody takes it for that of a command that failed. Nothing
 * else in the folder is touched. RP_USAGE_ERROR. */
gboolean rp_report_folder_clear(const char *path, GError **error);

/* Writes those files of report.json, report.html, report.txt and junit.xml that faces has, in place of those
 * of an earlier report: each all of it or not at all, and none unless all could be written. RP_USAGE_ERROR
 * names the file that could not be. */
gboolean rp_report_folder_write(const char *path, guint faces, const json_t *document, GError **error);

G_END_DECLS
