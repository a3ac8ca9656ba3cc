/* Writing a report.
 *
 * 1. Every file is written under another name first, so that nobody reads half of one.
 * 2. None is renamed before all are written: what goes wrong until then leaves an earlier report as it was.
 * 3. A crash leaves drafts, whose names tell the process: the next report removes them. */
#include "report/folder.h"

#include "base/error.h"
#include "base/suggest.h"
#include "report/document.h"
#include "report/html_page.h"
#include "report/junit_report.h"
#include "report/text_report.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static gboolean refuse(const char *path, const char *what, int number, GError **error) {
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--report: %s %s: %s", what, path,
                g_strerror(number));
    return FALSE;
}

static const struct {
    const char *name;
    const char *file;
    char *(*render)(const json_t *document);
} FACES[] = {{"json", "report.json", rp_document_text},
             {"html", "report.html", rp_html_page},
             {"text", "report.txt", rp_text_report},
             {"junit", "junit.xml", rp_junit_report}};

G_STATIC_ASSERT(RP_REPORT_ALL_FACES == (1u << G_N_ELEMENTS(FACES)) - 1);

gboolean rp_report_faces_parse(const char *list, guint *faces, GError **error) {
    const char *names[G_N_ELEMENTS(FACES) + 1] = {NULL};
    g_auto(GStrv) parts = g_strsplit(list, ",", -1);
    for (guint i = 0; i < G_N_ELEMENTS(FACES); i++)
        names[i] = FACES[i].name;
    *faces = 0;
    for (char **part = parts; *part != NULL; part++) {
        const char *name = g_strstrip(*part);
        guint i = 0;
        while (i < G_N_ELEMENTS(FACES) && !g_str_equal(name, names[i]))
            i++;
        if (i == G_N_ELEMENTS(FACES)) {
            g_autofree char *hint = rp_suggest_hint(name, names);
            g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                        "--format is one or more of text,json,html,junit, not \"%s\"%s", name, hint);
            return FALSE;
        }
        *faces |= 1u << i;
    }
    if (*faces != 0)
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "--format takes one or more of text,json,html,junit");
    return FALSE;
}

/* ---- drafts ---- */

/* A name beside the file that no other process of this machine takes. */
static char *name_beside(const char *folder, const char *name) {
    g_autofree char *other = g_strdup_printf(".%s.%d", name, (int)getpid());
    return g_build_filename(folder, other, NULL);
}

/* Whether it is a draft's name, and the process that made it is gone, or had our number. */
static gboolean is_leftover(const char *name) {
    guint64 process;
    const char *dot = strrchr(name, '.');
    gboolean is_draft = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(FACES) && !is_draft; i++)
        is_draft = name[0] == '.' && g_str_has_prefix(name + 1, FACES[i].file) &&
                   dot == name + 1 + strlen(FACES[i].file);
    return is_draft && g_ascii_string_to_unsigned(dot + 1, 10, 1, G_MAXINT32, &process, NULL) &&
           ((pid_t)process == getpid() || (kill((pid_t)process, 0) != 0 && errno == ESRCH));
}

/* A process that was killed while it wrote leaves its drafts. */
static void remove_leftovers(const char *path) {
    GDir *folder = g_dir_open(path, 0, NULL);
    for (const char *name = folder != NULL ? g_dir_read_name(folder) : NULL; name != NULL;
         name = g_dir_read_name(folder)) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (is_leftover(name) && g_file_test(file, G_FILE_TEST_IS_REGULAR))
            g_unlink(file);
    }
    if (folder != NULL)
        g_dir_close(folder);
}

/* Bytes into a new file of mode 0644, less what the umask takes; FALSE with errno. */
static gboolean write_bytes(const char *path, const char *bytes, gsize size) {
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0)
        return FALSE;
    ssize_t n = 0;
    for (gsize at = 0; at < size && n >= 0; at += (gsize)MAX(n, 0)) {
        n = write(file, bytes + at, size - at);
        if (n < 0 && errno == EINTR)
            n = 0;
    }
    int number = n < 0 ? errno : 0;
    if (close(file) != 0 && number == 0)
        number = errno;
    if (number == 0)
        return TRUE;
    g_unlink(path);
    errno = number;
    return FALSE;
}

/* ---- before the work ---- */

/* A file of ours can only take the place of a file, or of nothing. */
static gboolean check_place(const char *folder, const char *name, GError **error) {
    GStatBuf status;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_lstat(path, &status) != 0)
        return errno == ENOENT || refuse(path, "cannot look at", errno, error);
    if (S_ISREG(status.st_mode))
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "--report: cannot write %s: what stands there is no regular file", path);
    return FALSE;
}

gboolean rp_report_folder_prepare(const char *path, GError **error) {
    if (path[0] == '\0') {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--report takes the path of a folder");
        return FALSE;
    }
    if (g_mkdir_with_parents(path, 0755) != 0)
        return refuse(path, "cannot make the folder", errno, error);
    for (guint i = 0; i < G_N_ELEMENTS(FACES); i++)
        if (!check_place(path, FACES[i].file, error))
            return FALSE;
    remove_leftovers(path);
    g_autofree char *trial = name_beside(path, FACES[0].file);
    if (!write_bytes(trial, "report\n", 7))
        return refuse(path, "cannot write to the folder", errno, error);
    g_unlink(trial);
    return TRUE;
}

gboolean rp_report_folder_clear(const char *path, GError **error) {
    for (guint i = 0; i < G_N_ELEMENTS(FACES); i++) {
        g_autofree char *file = g_build_filename(path, FACES[i].file, NULL);
        if (!check_place(path, FACES[i].file, error))
            return FALSE;
        if (g_unlink(file) != 0 && errno != ENOENT)
            return refuse(file, "cannot remove the earlier", errno, error);
    }
    return TRUE;
}

/* ---- after it ---- */

static gboolean write_drafts(const char *path, guint faces, const json_t *document, char **drafts,
                             GError **error) {
    for (guint i = 0; i < G_N_ELEMENTS(FACES); i++) {
        if ((faces & 1u << i) == 0)
            continue;
        g_autofree char *text = FACES[i].render(document);
        g_autofree char *draft = name_beside(path, FACES[i].file);
        if (!check_place(path, FACES[i].file, error))
            return FALSE;
        if (!write_bytes(draft, text, strlen(text))) {
            const int number = errno;
            g_autofree char *file = g_build_filename(path, FACES[i].file, NULL);
            return refuse(file, "cannot write", number, error);
        }
        drafts[i] = g_steal_pointer(&draft);
    }
    return TRUE;
}

/* What has no draft is left as it is. Takes the drafts that it renames. */
static gboolean take_drafts(const char *path, char **drafts, GError **error) {
    for (guint i = 0; i < G_N_ELEMENTS(FACES); i++) {
        g_autofree char *file = g_build_filename(path, FACES[i].file, NULL);
        if (drafts[i] != NULL && g_rename(drafts[i], file) != 0)
            return refuse(file, "cannot write", errno, error);
        g_clear_pointer(&drafts[i], g_free);
    }
    return TRUE;
}

gboolean rp_report_folder_write(const char *path, guint faces, const json_t *document, GError **error) {
    char *drafts[G_N_ELEMENTS(FACES)] = {NULL};
    if (g_mkdir_with_parents(path, 0755) != 0)
        return refuse(path, "cannot make the folder", errno, error);
    const gboolean is_written =
        write_drafts(path, faces, document, drafts, error) && take_drafts(path, drafts, error);
    for (guint i = 0; i < G_N_ELEMENTS(FACES); i++) {
        if (drafts[i] != NULL)
            g_unlink(drafts[i]);
        g_free(drafts[i]);
    }
    return is_written;
}
