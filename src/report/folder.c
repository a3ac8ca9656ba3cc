/* Writing a report: each file under another name first, so that nobody reads half of one. */
#include "report/folder.h"

#include "base/error.h"
#include "report/document.h"
#include "report/html_page.h"
#include "report/junit_report.h"
#include "report/text_report.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

static gboolean refuse(const char *path, const char *what, int number, GError **error) {
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--report: %s %s: %s", what, path,
                g_strerror(number));
    return FALSE;
}

/* A name beside the file that no other process takes. */
static char *name_beside(const char *folder, const char *name) {
    g_autofree char *other = g_strdup_printf(".%s.%d", name, (int)getpid());
    return g_build_filename(folder, other, NULL);
}

/* Bytes into a new file of mode 0644, less what the umask takes; FALSE with errno. */
static gboolean write_bytes(const char *path, const char *bytes, gsize size) {
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0)
        return FALSE;
    ssize_t n = 0;
    for (gsize at = 0; at < size && n >= 0; at += (gsize)MAX(n, 0)) {
        n = write(file, bytes + at, size - at);
        if (n < 0 && errno == EINTR)
            n = 0;
    }
    const int number = n < 0 ? errno : 0;
    const gboolean is_closed = close(file) == 0;
    if (number != 0)
        errno = number;
    return number == 0 && is_closed;
}

gboolean rp_report_folder_prepare(const char *path, GError **error) {
    if (path[0] == '\0') {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--report takes the path of a folder");
        return FALSE;
    }
    if (g_mkdir_with_parents(path, 0755) != 0)
        return refuse(path, "cannot make the folder", errno, error);
    g_autofree char *trial = name_beside(path, "report");
    const gboolean is_fine = write_bytes(trial, "report\n", 7);
    const int number = errno;
    g_unlink(trial);
    return is_fine || refuse(path, "cannot write to the folder", number, error);
}

static gboolean write_file(const char *folder, const char *name, const char *text, GError **error) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *draft = name_beside(folder, name);
    if (write_bytes(draft, text, strlen(text)) && g_rename(draft, path) == 0)
        return TRUE;
    const int number = errno;
    g_unlink(draft);
    return refuse(path, "cannot write", number, error);
}

gboolean rp_report_folder_write(const char *path, const json_t *document, GError **error) {
    const struct {
        const char *name;
        char *(*render)(const json_t *document);
    } faces[] = {{"report.json", rp_document_text},
                 {"report.html", rp_html_page},
                 {"report.txt", rp_text_report},
                 {"junit.xml", rp_junit_report}};
    if (g_mkdir_with_parents(path, 0755) != 0)
        return refuse(path, "cannot make the folder", errno, error);
    for (guint i = 0; i < G_N_ELEMENTS(faces); i++) {
        g_autofree char *text = faces[i].render(document);
        if (!write_file(path, faces[i].name, text, error))
            return FALSE;
    }
    return TRUE;
}
