/* Mapping files and folders: merged ones, and files that are no mapping at all. */
#include "handmade.h"

#include "mapping/document.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char *folder;
static RpFindings *findings;

static void make_folder(void) {
    folder = g_dir_make_tmp("redis2pg-mapping-XXXXXX", NULL);
    cr_assert(folder != NULL);
    findings = rp_findings_new();
}

static void remove_folder(void) {
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_remove(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
    g_free(folder);
    rp_findings_free(findings);
}

TestSuite(mapping_files, .init = make_folder, .fini = remove_folder, .timeout = 150);

static void write_file(const char *name, const char *text, gssize size) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    cr_assert(g_file_set_contents(path, text, size, NULL));
}

#define ENTITY(name_)                                                                                        \
    "redis2pg: 1\nentities:\n  " name_ ": {keys: \"" name_                                                   \
    ":{id}\", type: hash, table: t, key: [a], columns: {a: a}}\n"
#define LINK(entity_)                                                                                        \
    "redis2pg: 1\nlinks:\n  l: {keys: l, type: set, member: {entity: " entity_                               \
    ", column: a}, owner: {entity: a, column: a}}\n"

Test(mapping_files, of_a_folder_become_one_mapping) {
    write_file("10-b.yaml", ENTITY("b"), -1);
    write_file("20-a.yml", ENTITY("a") "ignore: [x]\n", -1);
    write_file("05-link.yaml", LINK("b"), -1);
    write_file("README.md", "not: [read", -1);
    g_autoptr(RpMapping) mapping = rp_mapping_load(folder, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 0, "%s", shown);
    cr_assert(mapping->entities->len == 2 && mapping->links->len == 1 && mapping->ignores->len == 1);
    cr_assert(strcmp(((const RpEntity *)g_ptr_array_index(mapping->entities, 0))->name, "b") == 0,
              "in the order of the names");
    cr_assert(strcmp(((const RpEntity *)g_ptr_array_index(mapping->entities, 0))->place, "10-b.yaml:3:3") ==
              0);
    g_autofree char *digest = g_strdup(mapping->digest);
    write_file("20-a.yml", ENTITY("a") "ignore: [y]\n", -1);
    g_autoptr(RpMapping) changed = rp_mapping_load(folder, findings);
    cr_assert(strcmp(digest, changed->digest) != 0, "a changed file changes the digest");
}

static void assert_findings(const char *expected) {
    g_autoptr(RpMapping) mapping = rp_mapping_load(folder, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(strstr(shown, expected) != NULL && findings->items->len == 1, "%s\nlacks %s", shown, expected);
}

Test(mapping_files, must_not_repeat_an_entity) {
    write_file("1.yaml", ENTITY("a"), -1);
    write_file("2.yaml", ENTITY("a"), -1);
    assert_findings("duplicate_name 2.yaml:3:3 entity \"a\" stands at 1.yaml:3:3 too");
}

/* Files of one name in two folders are told apart. */
Test(mapping_files, of_folders_in_a_folder_are_named_with_their_folder) {
    static const char *const NAMES[] = {"x", "y"};
    for (guint i = 0; i < 2; i++) {
        g_autofree char *inside = g_build_filename(folder, NAMES[i], NULL);
        cr_assert(g_mkdir(inside, 0700) == 0);
        g_autofree char *name = g_strconcat(NAMES[i], "/orders.yaml", NULL);
        write_file(name, ENTITY("a"), -1);
    }
    assert_findings("duplicate_name y/orders.yaml:3:3 entity \"a\" stands at x/orders.yaml:3:3 too");
    for (guint i = 0; i < 2; i++) {
        g_autofree char *name = g_build_filename(folder, NAMES[i], "orders.yaml", NULL);
        g_autofree char *inside = g_build_filename(folder, NAMES[i], NULL);
        cr_assert(g_remove(name) == 0 && g_rmdir(inside) == 0);
    }
}

Test(mapping_files, must_not_repeat_a_link) {
    write_file("1.yaml", ENTITY("a"), -1);
    write_file("2.yaml", LINK("a"), -1);
    write_file("3.yaml", LINK("a"), -1);
    assert_findings("duplicate_name 3.yaml:3:3 link \"l\" stands at 2.yaml:3:3 too");
}

Test(mapping_files, each_need_the_version) {
    write_file("1.yaml", ENTITY("a"), -1);
    write_file("2.yaml", "ignore: [x]\n", -1);
    assert_findings("missing_word 2.yaml:1:1 the mapping lacks \"redis2pg\"");
}

Test(mapping_files, must_be_there) {
    g_autofree char *path = g_build_filename(folder, "nothing.yaml", NULL);
    g_autoptr(RpMapping) mapping = rp_mapping_load(path, findings);
    cr_assert(findings->items->len == 1);
    cr_assert(strcmp(((const RpFinding *)g_ptr_array_index(findings->items, 0))->code, "unreadable_file") ==
              0);
}

Test(mapping_files, must_be_some) {
    assert_findings("holds no *.yaml file");
}

/* Loads m.yaml with the text; the findings' codes and places, a line each. */
static char *load(const char *text, gssize size) {
    const clock_t start = clock(); /* of the processor: the machine may be busy with other tests */
    g_autoptr(RpMapping) mapping = handmade_mapping_sized(text, size, findings);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    cr_assert(seconds < 5, "it took %f s", seconds);
    return handmade_show_findings(findings);
}

Test(mapping_files, that_are_no_mapping_are_refused) {
    static const struct {
        const char *text;
        gssize size;
        const char *finding;
    } FILES[] = {
        {"", -1, "wrong_yaml_type m.yaml the file is no map"},
        {"# nothing\n\n", -1, "wrong_yaml_type m.yaml the file is no map"},
        {"---\n...\n", -1, "wrong_yaml_type m.yaml the file is no map"},
        {"just text\n", -1, "wrong_yaml_type m.yaml the file is no map"},
        {"[redis2pg, 1]\n", -1, "wrong_yaml_type m.yaml the file is no map"},
        {ENTITY("a") "---\nredis2pg: 1\n", -1, "yaml_syntax m.yaml:5:1 a second document"},
        {ENTITY("a") "---\n[\n", -1, "yaml_syntax m.yaml:6:1 no YAML"},
        {"redis2pg: 1\nentities:\n\ta: b\n", -1, "yaml_syntax m.yaml:3:1 no YAML"},
        {"redis2pg: 1\nentities: {a: {\n", -1, "yaml_syntax m.yaml:3:1 no YAML"},
        {"redis2pg: 1\nentities: \"a\n", -1, "yaml_syntax m.yaml:3:1 no YAML"},
        {"redis2pg: 1\nentities: *nothing\n", -1, "yaml_syntax m.yaml:2:11 no YAML"},
        {"redis2pg: 1\n  entities: {}\n", -1, "yaml_syntax m.yaml:2:11 no YAML"},
        {"redis2pg: \xff\n", -1, "yaml_syntax m.yaml"},
        {"redis2pg: 1\0\n", 13, "yaml_syntax m.yaml"},
        {"redis2pg: \"1\\0x\"\n", -1, "yaml_syntax m.yaml:1:11 a NUL"},
        {"redis2pg: 1\n\"entities\\0\": {}\n", -1, "yaml_syntax m.yaml:2:1 a NUL"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(FILES); i++) {
        g_ptr_array_set_size(findings->items, 0);
        g_autofree char *shown = load(FILES[i].text, FILES[i].size);
        cr_assert(strstr(shown, FILES[i].finding) != NULL, "%s\n%s\nlacks %s", FILES[i].text, shown,
                  FILES[i].finding);
        cr_assert(findings->items->len == 1, "%s\n%s", FILES[i].text, shown);
    }
}

static char *repeat(const char *head, const char *unit, guint times) {
    GString *text = g_string_new(head);
    for (guint i = 0; i < times; i++)
        g_string_append(text, unit);
    return g_string_free(text, FALSE);
}

Test(mapping_files, that_are_huge_are_refused) {
    g_autofree char *huge = repeat("redis2pg: 1\n", "# comment\n", 1024 * 1024);
    g_autofree char *shown = load(huge, -1);
    cr_assert(g_str_has_prefix(shown, "unreadable_file ") &&
                  strstr(shown, " it is larger than 1 MiB") != NULL,
              "%s", shown);
}

/* None of these is read: a pipe would never end, and memory would not hold a sparse file. */
Test(mapping_files, of_no_use_are_not_read) {
    g_autofree char *pipe = g_build_filename(folder, "pipe.yaml", NULL);
    g_autofree char *sparse = g_build_filename(folder, "sparse.yaml", NULL);
    cr_assert(mkfifo(pipe, 0600) == 0);
    write_file("sparse.yaml", "", 0);
    cr_assert(truncate(sparse, G_GINT64_CONSTANT(1) << 40) == 0);
    const char *const PATHS[][2] = {{pipe, "it is no regular file"}, {sparse, "it is larger than 1 MiB"}};
    for (guint i = 0; i < G_N_ELEMENTS(PATHS); i++) {
        g_autoptr(RpYamlFile) file = rp_yaml_load(PATHS[i][0], findings);
        g_autoptr(RpMapping) mapping = rp_mapping_load(PATHS[i][0], findings);
        g_autofree char *shown = handmade_show_findings(findings);
        g_autofree char *expected = g_strdup_printf("unreadable_file %s %s\n", PATHS[i][0], PATHS[i][1]);
        cr_assert(file == NULL && g_str_has_prefix(shown, expected), "%s", shown);
        cr_assert(g_str_has_prefix(shown + strlen(expected), expected), "%s", shown);
        g_ptr_array_set_size(findings->items, 0);
    }
}

Test(mapping_files, nested_deeply_end_quickly) {
    static const char *const UNITS[] = {"[", "{a: ", "- ", "? ", "{? "};
    for (guint i = 0; i < G_N_ELEMENTS(UNITS); i++) {
        g_autofree char *deep = repeat("redis2pg: 1\nentities:\n  ", UNITS[i], 200000);
        g_autofree char *shown = load(deep, -1);
        cr_assert(findings->items->len == 1 && strstr(shown, "nested deeper than 32") != NULL, "%s: %s",
                  UNITS[i], shown);
        g_ptr_array_set_size(findings->items, 0);
    }
}

Test(mapping_files, with_aliases_do_not_grow) {
    GString *bomb = g_string_new("redis2pg: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (guint i = 1; i < 30; i++)
        g_string_append_printf(bomb, "a%u: &a%u [*a%u, *a%u, *a%u, *a%u, *a%u, *a%u]\n", i, i, i - 1, i - 1,
                               i - 1, i - 1, i - 1, i - 1);
    g_string_append(bomb, "entities: {e: {keys: k, type: hash, table: t, key: *a29, columns: {c: *a29}}}\n");
    g_autofree char *text = g_string_free(bomb, FALSE);
    g_autofree char *shown = load(text, -1);
    cr_assert(strstr(shown, "wrong_yaml_type") != NULL, "%s", shown);
}

Test(mapping_files, that_hold_themselves_end) {
    g_autofree char *shown = load(
        "redis2pg: 1\nentities: &e\n  a: *e\n  b: &k {keys: *k, columns: *k, key: [*k], checks: *k}\n", -1);
    cr_assert(findings->items->len > 0 && strstr(shown, "wrong_yaml_type") != NULL, "%s", shown);
}
