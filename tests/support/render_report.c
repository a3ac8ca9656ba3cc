/* Renders a report's JSON into a folder: for tests of results that no run gives, and for pictures. A document
 * without a verdict gets the one that follows from it.
 *
 * usage: redis2pg-render-report REPORT.json FOLDER */
#include "report/folder.h"
#include "report/verdict.h"

int main(int argc, char **argv) {
    if (argc != 3) {
        g_printerr("usage: %s REPORT.json FOLDER\n", argv[0]);
        return 2;
    }
    json_error_t trouble;
    g_autoptr(GError) error = NULL;
    json_t *document = json_load_file(argv[1], JSON_ALLOW_NUL, &trouble);
    if (document == NULL) {
        g_printerr("%s:%d: %s\n", argv[1], trouble.line, trouble.text);
        return 1;
    }
    if (!json_is_object(json_object_get(document, "verdict")))
        json_object_set_new(document, "verdict", rp_verdict_of(document));
    const gboolean is_written = rp_report_folder_prepare(argv[2], &error) &&
                                rp_report_folder_write(argv[2], RP_REPORT_ALL_FACES, document, &error);
    json_decref(document);
    if (!is_written)
        g_printerr("%s\n", error->message);
    return is_written ? 0 : 1;
}
