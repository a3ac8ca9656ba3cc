/* What stands in the folder of a report when a command fails, is used wrongly, or is asked for some files. */
#include "shop.h"

#include <glib/gstdio.h>
#include <string.h>

#define NOWHERE_REDIS    "unix:///nowhere/redis.sock"
#define NOWHERE_POSTGRES "host=/nowhere"

static char *make_folder(void) {
    char *path = g_dir_make_tmp("redis2pg-test-XXXXXX", NULL);
    cr_assert(path != NULL);
    return path;
}

static int compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, in order; NULL when it is not there. The caller frees them. */
static char *list_folder(const char *path) {
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GDir *folder = g_dir_open(path, 0, NULL);
    if (folder == NULL)
        return NULL;
    for (const char *name = g_dir_read_name(folder); name != NULL; name = g_dir_read_name(folder))
        g_ptr_array_add(names, g_strdup(name));
    g_dir_close(folder);
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(" ", (char **)names->pdata);
}

static void assert_listed(const char *path, const char *expected) {
    g_autofree char *names = list_folder(path);
    cr_assert(names != NULL);
    cr_assert(eq(str, names, (char *)expected));
}

static void drop_folder(char *path) {
    g_autofree char *names = list_folder(path);
    g_auto(GStrv) parts = g_strsplit(names, " ", -1);
    for (char **name = parts; *name != NULL && **name != '\0'; name++) {
        g_autofree char *file = g_build_filename(path, *name, NULL);
        g_unlink(file);
    }
    cr_expect(g_rmdir(path) == 0);
    g_free(path);
}

static char *read_face(const char *folder, const char *name) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
    return text;
}

#define ALL_FACES "junit.xml report.html report.json report.txt"

/* ---- failures ---- */

/* Who looks at the folder after a command that failed must not find that all was fine, before. */
Test(report_folder, a_command_that_fails_leaves_no_earlier_report) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    static const char *const COMMANDS[] = {"run", "reconcile"};
    char *folder = make_folder();
    g_autofree char *notes = g_build_filename(folder, "notes.txt", NULL);
    cr_assert(g_file_set_contents(notes, "mine", -1, NULL));
    rp_case_add_customer(test_case, "c1");
    for (guint i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        g_auto(RpOutcome) fine = {0}, failed = {0};
        rp_case_run(test_case, &fine, "run", "--mapping", mapping, "--report", folder, NULL);
        rp_outcome_assert_status(&fine, 0);
        assert_listed(folder, "junit.xml notes.txt report.html report.json report.txt");
        rp_case_run(test_case, &failed, COMMANDS[i], "--mapping", mapping, "--report", folder, "--redis",
                    NOWHERE_REDIS, "--retry-seconds", "0", NULL);
        rp_outcome_assert_status(&failed, 3);
        assert_listed(folder, "notes.txt");
    }
    drop_folder(folder);
}

/* A mistake on the command line is told before a server is asked or a folder is made or emptied. */
Test(report_folder, is_not_touched_by_a_command_that_is_used_wrongly) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    static const char *const WRONG[][4] = {{"reconcile", "--level", "foo", NULL},
                                           {"reconcile", "--delete-extra", NULL, NULL},
                                           {"reconcile", "--format", "jsn", NULL},
                                           {"run", "--strategy", "foo", NULL},
                                           {"run", "--dry-run", "--resume", NULL},
                                           {"run", "--entity", "foo", NULL},
                                           {"reconcile", "--entity", "foo", NULL},
                                           {"reconcile", "--progress", "foo", NULL},
                                           {"run", "--mapping", "/nowhere/foo.yaml", NULL},
                                           {"runs", "show", "foo", NULL},
                                           {"rollback", "foo", NULL, NULL}};
    char *above = make_folder();
    g_autofree char *folder = g_build_filename(above, "report", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        const char *words[7] = {"--postgres", NOWHERE_POSTGRES, "--report", folder, "--mapping", mapping};
        if (g_str_equal(WRONG[i][1], "--mapping"))
            words[4] = NULL;
        g_auto(RpOutcome) out = {0};
        g_autoptr(GPtrArray) all = g_ptr_array_new();
        for (guint w = 0; WRONG[i][w] != NULL; w++)
            g_ptr_array_add(all, (gpointer)WRONG[i][w]);
        for (guint w = 0; words[w] != NULL; w++)
            g_ptr_array_add(all, (gpointer)words[w]);
        g_ptr_array_add(all, NULL);
        rp_case_run_words(test_case, &out, (const char *const *)all->pdata);
        rp_outcome_assert_status(&out, 2);
        cr_assert(eq(int, g_file_test(folder, G_FILE_TEST_EXISTS), FALSE), "%s %s", WRONG[i][0], WRONG[i][1]);
    }
    drop_folder(above);
}

/* ---- reconcile ---- */

Test(report_folder, reconcile_writes_the_files_that_are_asked_for) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) some = {0}, all = {0}, alone = {0}, unknown = {0};
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    char *folder = make_folder();
    rp_case_add_customer(test_case, "c1");
    json_decref(rp_case_load(test_case, 0, NULL));
    rp_case_run(test_case, &all, "reconcile", "--mapping", mapping, "--report", folder, NULL);
    rp_outcome_assert_status(&all, 0);
    assert_listed(folder, ALL_FACES);
    rp_case_run(test_case, &some, "reconcile", "--mapping", mapping, "--report", folder, "--format",
                "junit,text", NULL);
    rp_outcome_assert_status(&some, 0);
    assert_listed(folder, "junit.xml report.txt");
    rp_case_run(test_case, &alone, "reconcile", "--mapping", mapping, "--format", "json", NULL);
    rp_outcome_assert_status(&alone, 2);
    rp_assert_says(alone.errors, "--format goes with --report");
    rp_case_run(test_case, &unknown, "reconcile", "--mapping", mapping, "--report", folder, "--format",
                "junt", NULL);
    rp_outcome_assert_status(&unknown, 2);
    rp_assert_says(unknown.errors, "did you mean \"junit\"?");
    assert_listed(folder, "junit.xml report.txt");
    drop_folder(folder);
}

/* Nothing differs, but a record is refused and no reject is on record. */
Test(report_folder, reconcile_that_ends_with_1_has_a_failure_in_junit) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    char *folder = make_folder();
    rp_case_redis(test_case, "HSET customer:c1 name NoEmail");
    rp_case_run(test_case, &out, "reconcile", "--mapping", mapping, "--report", folder, NULL);
    rp_outcome_assert_status(&out, 1);
    g_autofree char *junit = read_face(folder, "junit.xml");
    rp_assert_says(junit, "failures=\"1\"");
    rp_assert_says(junit, "refused: 1, of which without an open reject: 1");
    drop_folder(folder);
}

Test(report_folder, reconcile_tells_what_it_ran_with) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    char *folder = make_folder();
    rp_case_add_customer(test_case, "c1");
    rp_case_run(test_case, &out, "reconcile", "--mapping", mapping, "--report", folder, "--repair",
                "--delete-extra", "--max-value-bytes", "4096", "--mappers", "2", NULL);
    rp_outcome_assert_status(&out, 0);
    g_autofree char *text = read_face(folder, "report.json");
    g_autoptr(json_t) report = json_loads(text, 0, NULL);
    cr_assert(eq(i64, rp_json_number(report, "settings.max_value_bytes"), 4096));
    cr_assert(eq(i64, rp_json_number(report, "settings.mappers"), 2));
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(report, "settings.repair")));
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(report, "settings.delete_extra")));
    cr_assert(eq(str, (char *)rp_json_text(report, "settings.level"), "rows"));
    drop_folder(folder);
}
