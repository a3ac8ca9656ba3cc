/* docs/commands.md lists the options that --help shows: each of them, and no other. */
#include "shop.h"

#include <string.h>

static const char *const COMMANDS[] = {"check", "schema", "run", "runs", "rejects", "demo"};

static char *read_document(void) {
    g_autofree char *path = rp_source_path("docs/commands.md");
    char *text = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s is not there", path);
    return text;
}

/* The part of the document under a heading of the second level. */
static char *find_section(const char *document, const char *heading) {
    g_autofree char *line = g_strdup_printf("\n## %s\n", heading);
    const char *start = strstr(document, line);
    cr_assert(start != NULL, "no section %s", heading);
    const char *end = strstr(start + 1, "\n## ");
    return end != NULL ? g_strndup(start, (gsize)(end - start)) : g_strdup(start);
}

/* Adds what the pattern's first group matches in each place of the text. */
static void add_matches(GHashTable *names, const char *text, const char *pattern) {
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL))
        g_hash_table_add(names, g_match_info_fetch(match, 1));
}

static GHashTable *new_names(void) {
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void assert_all_in(GHashTable *names, GHashTable *others, const char *command, const char *where) {
    GHashTableIter iterator;
    gpointer name;
    g_hash_table_iter_init(&iterator, names);
    while (g_hash_table_iter_next(&iterator, &name, NULL))
        cr_assert(g_hash_table_contains(others, name), "%s: --%s is not %s", command, (char *)name, where);
}

Test(options, the_document_lists_what_help_shows_and_no_more) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *document = read_document();
    g_autofree char *global_section = find_section(document, "Global options");
    for (guint i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        g_auto(RpOutcome) out = {0};
        rp_case_run(test_case, &out, COMMANDS[i], "--help", NULL);
        g_autofree char *heading = g_strdup_printf("`%s`", COMMANDS[i]);
        g_autofree char *section = find_section(document, heading);
        g_autoptr(GHashTable) shown = new_names();
        g_autoptr(GHashTable) listed = new_names();
        add_matches(shown, out.output, "^  (?:-., )?--([a-z-]+)");
        g_hash_table_remove(shown, "help");
        add_matches(listed, section, "^\\| `--([a-z-]+)[ `]");
        add_matches(listed, global_section, "^\\| `--([a-z-]+)[ `]");
        g_hash_table_remove(listed, "version");
        g_hash_table_remove(listed, "help");
        cr_assert(g_hash_table_size(shown) >= 9);
        assert_all_in(shown, listed, COMMANDS[i], "in the document");
        assert_all_in(listed, shown, COMMANDS[i], "shown by --help");
    }
}

/* A default that help tells in brackets is the one of the document. */
Test(options, defaults_are_the_same_in_both) {
    static const char *const numbers[] = {"batch-rows", "mappers", "writers"};
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *document = read_document();
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "run", "--help", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *in_help = g_strdup_printf("--%s=N .*\\((\\d+)\\)", numbers[i]);
        g_autofree char *in_document = g_strdup_printf("^\\| `--%s N` \\| \\| `(\\d+)`", numbers[i]);
        g_autoptr(GHashTable) shown = new_names();
        g_autoptr(GHashTable) listed = new_names();
        add_matches(shown, out.output, in_help);
        add_matches(listed, document, in_document);
        cr_assert(eq(u32, g_hash_table_size(shown), 1), "%s", numbers[i]);
        assert_all_in(shown, listed, numbers[i], "the default of the document");
    }
}

Test(options, the_document_names_each_environment_variable) {
    static const char *const variables[] = {"REDIS2PG_REDIS_URL", "REDIS2PG_POSTGRES_URL", "REDIS2PG_MAPPING",
                                            "REDIS2PG_CONFIG"};
    g_autofree char *document = read_document();
    for (guint i = 0; i < G_N_ELEMENTS(variables); i++)
        rp_assert_says(document, variables[i]);
}
