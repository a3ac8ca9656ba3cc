/* Life and look-ups of the table description. */
#include "model/table.h"

#include <string.h>

void rp_table_column_free(RpColumn *column) {
    if (column == NULL)
        return;
    rp_table_column_free(column->element);
    g_free(column->name);
    g_free(column->type_name);
    g_free(column->cast_name);
    g_strfreev(column->labels);
    g_free(column);
}

static void constraint_free(gpointer data) {
    RpConstraint *constraint = data;
    g_free(constraint->name);
    g_strfreev(constraint->columns);
    g_free(constraint->expression);
    g_free(constraint->referenced_table);
    g_strfreev(constraint->referenced_columns);
    g_free(constraint);
}

RpTable *rp_table_new(void) {
    RpTable *table = g_new0(RpTable, 1);
    table->columns = g_ptr_array_new_with_free_func((GDestroyNotify)rp_table_column_free);
    table->constraints = g_ptr_array_new_with_free_func(constraint_free);
    return table;
}

void rp_table_free(RpTable *table) {
    if (table == NULL)
        return;
    g_free(table->schema);
    g_free(table->name);
    g_free(table->shown);
    g_free(table->quoted);
    g_ptr_array_unref(table->columns);
    g_ptr_array_unref(table->constraints);
    g_free(table);
}

RpColumn *rp_column_new(void) {
    RpColumn *column = g_new0(RpColumn, 1);
    column->max_characters = -1;
    column->precision = -1;
    return column;
}

RpConstraint *rp_constraint_new(void) {
    return g_new0(RpConstraint, 1);
}

const RpColumn *rp_table_find_column(const RpTable *table, const char *name) {
    for (guint i = 0; i < table->columns->len; i++) {
        const RpColumn *column = g_ptr_array_index(table->columns, i);
        if (strcmp(column->name, name) == 0)
            return column;
    }
    return NULL;
}

static gboolean has_same_names(const char *const *a, const char *const *b) {
    if (g_strv_length((char **)a) != g_strv_length((char **)b))
        return FALSE;
    for (; *a != NULL; a++)
        if (!g_strv_contains(b, *a))
            return FALSE;
    return TRUE;
}

const RpConstraint *rp_table_find_unique(const RpTable *table, const char *const *names) {
    for (guint i = 0; i < table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(table->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_UNIQUE &&
            has_same_names((const char *const *)constraint->columns, names))
            return constraint;
    }
    return NULL;
}
