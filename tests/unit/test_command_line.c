/* Redis commands in one line, as redis-cli takes them apart. */
#include "fixture/command_line.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

typedef struct {
    char line[64];
    char words[64]; /* with | between them; "!" when the line is refused */
    gsize size;     /* of the last word */
} Sample;

ParameterizedTestParameters(command_line, is_taken_apart) {
    static Sample samples[] = {
        {"SET a b", "SET|a|b", 1},
        {"  SET \t a   b  ", "SET|a|b", 1},
        {"SET a \"b c\"", "SET|a|b c", 3},
        {"SET a 'b \"c'", "SET|a|b \"c", 4},
        {"SET a 'it\\'s'", "SET|a|it's", 4},
        {"SET a \"\"", "SET|a|", 0},
        {"SET a ''", "SET|a|", 0},
        {"SET a \"\\x41\\n\\t\\\\\\\"\"", "SET|a|A\n\t\\\"", 5},
        {"SET a \"\\x4\"", "SET|a|x4", 2},
        {"SET a \"\\xZZ\"", "SET|a|xZZ", 3},
        {"SET a b\"c d\"", "SET|a|bc d", 4},
        {"SET a '\\x41'", "SET|a|\\x41", 4},
        {"", "", 0},
        {"SET a \"b", "!", 0},
        {"SET a 'b", "!", 0},
        {"SET a \"b\"c", "!", 0},
        {"SET a \"b\\", "!", 0},
    };
    return cr_make_param_array(Sample, samples, G_N_ELEMENTS(samples), NULL);
}

ParameterizedTest(Sample *sample, command_line, is_taken_apart) {
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(gsize));
    const gboolean is_fine = rp_command_line_split(sample->line, words, sizes);
    g_ptr_array_add(words, NULL);
    g_autofree char *joined = is_fine ? g_strjoinv("|", (char **)words->pdata) : g_strdup("!");
    cr_assert(strcmp(joined, sample->words) == 0, "<%s> gives <%s>, not <%s>", sample->line, joined,
              sample->words);
    if (is_fine && sizes->len > 0)
        cr_assert_eq(g_array_index(sizes, gsize, sizes->len - 1), sample->size);
}

Test(command_line, holds_any_bytes) {
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(gsize));
    cr_assert(rp_command_line_split("SET a \"\\x00\\xff\"", words, sizes));
    cr_assert_eq(g_array_index(sizes, gsize, 2), 2);
    cr_assert(memcmp(g_ptr_array_index(words, 2), "\x00\xff", 2) == 0);
}
