/* Tables of text: columns stand under their headings. */
#include "report/table.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

static void assert_shown(const RpTextTable *table, const char *expected) {
    g_autofree char *shown = rp_text_table_show(table);
    cr_assert(strcmp(shown, expected) == 0, "\n%s\nnot\n%s", shown, expected);
}

#define ADD(table, ...) rp_text_table_add(table, (const char *const[]){__VA_ARGS__})

Test(text_table, pads_columns_to_their_widest_cell) {
    static const char *const HEADINGS[] = {"entity", ">rows", "note", NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(HEADINGS);
    assert_shown(table, "entity  rows  note\n");
    ADD(table, "orders", "5", "a");
    ADD(table, "a longer name", "12 345", "the last column ends without blanks");
    ADD(table, "x", NULL, "");
    assert_shown(table, "entity           rows  note\n"
                        "orders              5  a\n"
                        "a longer name  12 345  the last column ends without blanks\n"
                        "x\n");
}

/* In the last column to the right, too. */
Test(text_table, lines_end_without_blanks) {
    static const char *const HEADINGS[] = {"a", ">", "", NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(HEADINGS);
    ADD(table, "one ", " ", "equal");
    ADD(table, "two", "", "");
    assert_shown(table, "a\none      equal\ntwo\n");
}

Test(text_table, counts_characters_not_bytes) {
    static const char *const HEADINGS[] = {"\xc3\xa9\xc3\xa9\xc3\xa9", ">n", NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(HEADINGS);
    ADD(table, "ab", "1");
    assert_shown(table, "\xc3\xa9\xc3\xa9\xc3\xa9  n\nab   1\n");
}

Test(text_table, copies_its_cells) {
    static const char *const HEADINGS[] = {"a", NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(HEADINGS);
    char cell[] = "before";
    ADD(table, cell);
    strcpy(cell, "after!");
    assert_shown(table, "a\nbefore\n");
}

Test(text_table, numbers_have_groups_of_three_digits) {
    static const struct {
        guint64 number;
        const char *text;
    } NUMBERS[] = {{0, "0"},
                   {7, "7"},
                   {999, "999"},
                   {1000, "1 000"},
                   {12345, "12 345"},
                   {123456, "123 456"},
                   {1000000, "1 000 000"},
                   {G_MAXUINT64, "18 446 744 073 709 551 615"}};
    for (guint i = 0; i < G_N_ELEMENTS(NUMBERS); i++) {
        g_autofree char *text = rp_text_number(NUMBERS[i].number);
        cr_assert(strcmp(text, NUMBERS[i].text) == 0, "%s", text);
    }
}
