/* Fixture tests: the text of a file. What is read as a test says its parts' places; a command line is taken
 * apart. */
#include "fixture/command_line.h"
#include "fixture/fixture.h"

#include "input.h"

#define FILE_NAME "f.yaml"

static void check_findings(const RpFindings *findings) {
    for (guint i = 0; i < findings->items->len; i++) {
        const RpFinding *finding = g_ptr_array_index(findings->items, i);
        g_assert(g_utf8_validate(finding->text, -1, NULL) && finding->text[0] != '\0');
        g_assert(g_str_has_prefix(finding->place, FILE_NAME));
    }
}

/* Ends are behind beginnings, and cells are as many as rows and columns say. */
static void check_tables(const RpFixture *test) {
    for (guint i = 0; i < test->tables.items->len; i++) {
        const RpExpectedTable *table = g_ptr_array_index(test->tables.items, i);
        const RpYamlMark begin = rp_yaml_begin(table->rows), end = rp_yaml_end(table->rows);
        g_assert(end.line > begin.line || (end.line == begin.line && end.column >= begin.column));
        for (guint k = 0; k < table->n_rows * table->n_columns; k++)
            g_assert(table->cells[k].number != 0);
    }
}

static void split(const char *text, gsize size) {
    g_autofree char *line = g_strndup(text, size);
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(gsize));
    rp_command_line_split(line, words, sizes);
    g_assert(words->len == sizes->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    char *text = g_strndup((const char *)data, size);
    g_autoptr(RpFixtureFile) file = rp_fixture_file_parse(FILE_NAME, text, strlen(text), findings);
    for (guint i = 0; file != NULL && i < file->documents->len; i++) {
        g_autoptr(RpFixture) test = rp_fixture_read(file, i, findings);
        if (test != NULL)
            check_tables(test);
    }
    check_findings(findings);
    split((const char *)data, size);
    return 0;
}
