/* JUnit XML: well-formed whatever the texts hold, with sums that fit. */
#include "report/junit.h"
#include "report/xml.h"

#include "base/error.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void assert_escaped(const char *text, const char *expected) {
    g_autoptr(GString) xml = g_string_new(NULL);
    rp_xml_append(xml, text);
    cr_assert(strcmp(xml->str, expected) == 0, "%s\nnot\n%s", xml->str, expected);
}

Test(xml, escapes_markup_and_drops_what_xml_cannot_have) {
    assert_escaped("<script>\"a\" & 'b'</script>",
                   "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
    assert_escaped("a\x01\x1b[0m\tb\nc\rd", "a[0m\tb\nc&#13;d");
    assert_escaped("]]>", "]]&gt;");
    assert_escaped("\xff\xc3\xa4", "\xef\xbf\xbd\xc3\xa4");
    assert_escaped("\xef\xbf\xbf\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
    assert_escaped(NULL, "");
}

Test(xml, attributes_keep_line_ends_and_tabs) {
    g_autoptr(GString) xml = g_string_new(NULL);
    rp_xml_append_attribute(xml, "name", "a\n\tb\"");
    rp_xml_append_attribute(xml, "none", NULL);
    cr_assert(strcmp(xml->str, " name=\"a&#10;&#9;b&quot;\"") == 0, "%s", xml->str);
}

/* Numbers of elements by name, as a parser meets them. */
static void count_element(GMarkupParseContext *context, const char *name, const char **names,
                          const char **values, gpointer data, GError **error) {
    (void)context, (void)names, (void)values, (void)error;
    GHashTable *counts = data;
    g_hash_table_insert(counts, g_strdup(name),
                        GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, name)) + 1));
}

Test(junit, is_well_formed_and_adds_up) {
    g_autoptr(RpJunit) junit = rp_junit_new("all & everything");
    rp_junit_begin_suite(junit, "a.yaml");
    rp_junit_add(junit, &(RpJunitCase){.name = "passes", .seconds = 0.25});
    rp_junit_add(junit, &(RpJunitCase){.name = "<script>\x02 \xff",
                                       .file = "a.yaml",
                                       .line = 7,
                                       .seconds = 0.5,
                                       .outcome = RP_JUNIT_FAILED,
                                       .message = "one \"line\"",
                                       .text = "]]> & more\n"});
    rp_junit_begin_suite(junit, "b.yaml");
    rp_junit_add(junit, &(RpJunitCase){.name = "broken", .outcome = RP_JUNIT_ERROR});
    rp_junit_add(junit, &(RpJunitCase){.name = "left out", .outcome = RP_JUNIT_SKIPPED});
    g_autofree char *text = rp_junit_text(junit);
    static const GMarkupParser PARSER = {.start_element = count_element};
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&PARSER, 0, counts, NULL);
    g_autoptr(GError) error = NULL;
    cr_assert(g_markup_parse_context_parse(context, text, -1, &error) &&
                  g_markup_parse_context_end_parse(context, &error),
              "%s\n%s", error->message, text);
    static const struct {
        const char *name;
        guint n;
    } EXPECTED[] = {{"testsuites", 1}, {"testsuite", 2}, {"testcase", 4},
                    {"failure", 1},    {"error", 1},     {"skipped", 1}};
    for (guint i = 0; i < G_N_ELEMENTS(EXPECTED); i++)
        cr_assert_eq(GPOINTER_TO_UINT(g_hash_table_lookup(counts, EXPECTED[i].name)), EXPECTED[i].n, "%s",
                     EXPECTED[i].name);
    cr_assert(strstr(text,
                     "<testsuites name=\"all &amp; everything\" tests=\"4\" failures=\"1\" errors=\"1\" "
                     "skipped=\"1\" time=\"0.750\">") != NULL,
              "%s", text);
}

Test(junit, is_written_whole_or_refused_before) {
    g_autofree char *folder = g_dir_make_tmp("junit-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "out.xml", NULL);
    g_autofree char *beyond = g_build_filename(folder, "none", "out.xml", NULL);
    g_autoptr(RpJunit) junit = rp_junit_new("empty");
    g_autoptr(GError) error = NULL;
    cr_assert(rp_junit_check_path(path, &error));
    cr_assert(!g_file_test(path, G_FILE_TEST_EXISTS), "asking leaves nothing");
    cr_assert(rp_junit_write(junit, path, &error));
    cr_assert(rp_junit_check_path(path, &error), "what is there is replaced");
    cr_assert(!rp_junit_check_path(beyond, &error));
    cr_assert(g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID));
    g_clear_error(&error);
    cr_assert(!rp_junit_check_path(folder, &error), "a folder is no file");
    g_clear_error(&error);
    cr_assert(!rp_junit_check_path("", &error), "an empty path is none");
    g_clear_error(&error);
    cr_assert(rp_junit_remove(path, &error) && rp_junit_remove(path, &error));
    cr_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
    cr_assert(g_file_set_contents(path, "test: a\n", -1, NULL));
    cr_assert(!rp_junit_check_path(path, &error), "somebody's work is not replaced");
    g_unlink(path);
    cr_assert(g_rmdir(folder) == 0, "nothing else was left");
}
