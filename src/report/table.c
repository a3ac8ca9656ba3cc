/* Tables of text. */
#include "report/table.h"

#include <string.h>

struct RpTextTable {
    guint n_columns;
    gboolean *is_right;
    GPtrArray *rows; /* of char **; the first are the headings */
};

RpTextTable *rp_text_table_new(const char *const *headings) {
    RpTextTable *table = g_new0(RpTextTable, 1);
    table->n_columns = g_strv_length((char **)headings);
    table->is_right = g_new0(gboolean, table->n_columns);
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    char **row = g_new0(char *, table->n_columns + 1);
    for (guint i = 0; i < table->n_columns; i++) {
        table->is_right[i] = headings[i][0] == '>';
        row[i] = g_strdup(headings[i] + (table->is_right[i] ? 1 : 0));
    }
    g_ptr_array_add(table->rows, row);
    return table;
}

void rp_text_table_free(RpTextTable *table) {
    if (table == NULL)
        return;
    g_free(table->is_right);
    g_ptr_array_unref(table->rows);
    g_free(table);
}

void rp_text_table_add(RpTextTable *table, const char *const *cells) {
    char **row = g_new0(char *, table->n_columns + 1);
    for (guint i = 0; i < table->n_columns; i++)
        row[i] = g_strdup(cells[i] != NULL ? cells[i] : "");
    g_ptr_array_add(table->rows, row);
}

static glong width_of(const RpTextTable *table, guint column) {
    glong width = 0;
    for (guint i = 0; i < table->rows->len; i++)
        width = MAX(width, g_utf8_strlen(((char **)g_ptr_array_index(table->rows, i))[column], -1));
    return width;
}

static void append_padding(GString *text, glong n) {
    for (; n > 0; n--)
        g_string_append_c(text, ' ');
}

char *rp_text_table_show(const RpTextTable *table) {
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < table->rows->len; i++) {
        char **row = g_ptr_array_index(table->rows, i);
        for (guint column = 0; column < table->n_columns; column++) {
            const glong padding = width_of(table, column) - g_utf8_strlen(row[column], -1);
            if (column > 0)
                g_string_append(text, "  ");
            if (table->is_right[column])
                append_padding(text, padding);
            g_string_append(text, row[column]);
            if (!table->is_right[column] && column + 1 < table->n_columns)
                append_padding(text, padding);
        }
        while (text->len > 0 && text->str[text->len - 1] == ' ') /* diffs and mails do not like them */
            g_string_truncate(text, text->len - 1);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

char *rp_text_number(guint64 number) {
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    GString *text = g_string_new(NULL);
    const gsize size = strlen(digits);
    for (gsize i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            g_string_append_c(text, ' ');
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}
