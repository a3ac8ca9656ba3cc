/* The folder of a report: what is written, removed, left and refused. */
#include "documents.h"

#include "report/folder.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *make_folder(void) {
    char *path = g_dir_make_tmp("redis2pg-report-XXXXXX", NULL);
    cr_assert(path != NULL);
    return path;
}

static void remove_folder(const char *path) {
    GDir *folder = g_dir_open(path, 0, NULL);
    for (const char *name = g_dir_read_name(folder); name != NULL; name = g_dir_read_name(folder)) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_unlink(file) != 0)
            remove_folder(file);
    }
    g_dir_close(folder);
    cr_expect(g_rmdir(path) == 0);
}

static guint count_files(const char *path) {
    GDir *folder = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(folder) != NULL)
        n++;
    g_dir_close(folder);
    return n;
}

Test(report_folder, folder_gets_four_files_and_nothing_else) {
    g_autofree char *above = make_folder();
    g_autofree char *path = g_build_filename(above, "a", "b", NULL);
    g_autofree char *page = g_build_filename(path, "report.html", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) document = load("reconcile.json");
    struct stat status;
    umask(022);
    cr_assert(rp_report_folder_prepare(path, &error), "%s", error->message);
    cr_assert(count_files(path) == 0);
    for (guint i = 0; i < 2; i++) /* the second stands in place of the first */
        cr_assert(rp_report_folder_write(path, RP_REPORT_ALL_FACES, document, &error), "%s", error->message);
    cr_assert(count_files(path) == 4);
    cr_assert(stat(page, &status) == 0 && (status.st_mode & 0777) == 0644);
    remove_folder(above);
}

Test(report_folder, folder_that_cannot_be_written_is_refused) {
    g_autofree char *above = make_folder();
    g_autofree char *file = g_build_filename(above, "file", NULL);
    g_autofree char *below = g_build_filename(file, "folder", NULL);
    cr_assert(g_file_set_contents(file, "x", 1, NULL));
    const char *const paths[] = {"", file, below, "/proc/redis2pg-report", "/proc/self"};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        cr_expect(!rp_report_folder_prepare(paths[i], &error), "%s", paths[i]);
        cr_expect(error != NULL && strstr(error->message, "--report") != NULL);
    }
    remove_folder(above);
}

static void put(const char *folder, const char *name, const char *text) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    cr_assert(g_file_set_contents(path, text, -1, NULL));
}

static gboolean is_there(const char *folder, const char *name) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What stood there stays when one of the new ones cannot be written: here a folder has its place. */
Test(report_folder, a_report_that_cannot_be_written_leaves_the_earlier_one) {
    g_autofree char *path = make_folder();
    g_autofree char *taken = g_build_filename(path, "junit.xml", NULL);
    g_autofree char *earlier = g_build_filename(path, "report.json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL, refused = NULL;
    g_autoptr(json_t) document = load("reconcile.json");
    put(path, "report.json", "earlier");
    cr_assert(g_mkdir(taken, 0755) == 0);
    cr_assert(!rp_report_folder_prepare(path, &refused));
    assert_has(refused->message, "junit.xml");
    cr_assert(!rp_report_folder_write(path, RP_REPORT_ALL_FACES, document, &error));
    assert_has(error->message, "junit.xml");
    cr_assert(count_files(path) == 2); /* report.json, the folder, and no draft */
    cr_assert(g_file_get_contents(earlier, &text, NULL, NULL));
    cr_expect_str_eq(text, "earlier");
    remove_folder(path);
}

/* A name that leads elsewhere is no place for a report. */
Test(report_folder, a_symbolic_link_in_the_place_of_a_face_is_refused) {
    g_autofree char *path = make_folder();
    g_autofree char *face = g_build_filename(path, "report.html", NULL);
    g_autoptr(GError) error = NULL;
    cr_assert(symlink("/dev/null", face) == 0);
    cr_assert(!rp_report_folder_prepare(path, &error));
    assert_has(error->message, "no regular file");
    remove_folder(path);
}

/* The files of an earlier report go, and drafts of processes that are gone; nothing else. */
Test(report_folder, only_what_is_ours_is_removed) {
    g_autofree char *path = make_folder();
    g_autofree char *own = g_strdup_printf(".report.html.%d", (int)getpid());
    g_autofree char *others = g_strdup_printf(".report.html.%d", (int)getppid());
    static const char *const kept[] = {"notes.txt", ".report.html", ".report.html.x1", ".report.md.1"};
    g_autoptr(GError) error = NULL;
    const pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    cr_assert(waitpid(gone, NULL, 0) == gone);
    g_autofree char *dead = g_strdup_printf(".junit.xml.%d", (int)gone);
    const char *const removed[] = {own, dead, "report.json", "report.html", "report.txt", "junit.xml"};
    for (guint i = 0; i < G_N_ELEMENTS(removed); i++)
        put(path, removed[i], "x");
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        put(path, kept[i], "x");
    put(path, others, "x");
    cr_assert(rp_report_folder_prepare(path, &error), "%s", error->message);
    cr_expect(is_there(path, "report.json"));
    cr_assert(rp_report_folder_clear(path, &error), "%s", error->message);
    for (guint i = 0; i < G_N_ELEMENTS(removed); i++)
        cr_expect(!is_there(path, removed[i]), "%s", removed[i]);
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        cr_expect(is_there(path, kept[i]), "%s", kept[i]);
    cr_expect(is_there(path, others));
    remove_folder(path);
}

Test(report_folder, faces_are_chosen_by_name) {
    guint faces;
    g_autoptr(GError) error = NULL, empty = NULL;
    cr_assert(rp_report_faces_parse("text,json,html,junit", &faces, NULL) && faces == RP_REPORT_ALL_FACES);
    cr_assert(rp_report_faces_parse("junit, text", &faces, NULL) &&
              faces == (RP_REPORT_JUNIT | RP_REPORT_TEXT));
    cr_assert(!rp_report_faces_parse("text,jsn", &faces, &error));
    assert_has(error->message, "did you mean \"json\"?");
    cr_assert(!rp_report_faces_parse("", &faces, &empty));
    g_autofree char *path = make_folder();
    g_autoptr(json_t) document = load("reconcile.json");
    cr_assert(rp_report_folder_write(path, RP_REPORT_JUNIT | RP_REPORT_TEXT, document, NULL));
    cr_assert(count_files(path) == 2 && is_there(path, "junit.xml") && is_there(path, "report.txt"));
    remove_folder(path);
}
