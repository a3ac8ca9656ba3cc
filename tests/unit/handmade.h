/* Tables and mappings made by hand, for tests that need no server. */
#pragma once

#include <criterion/criterion.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "mapping/mapping.h"
#include "model/finding.h"
#include "model/table.h"

static inline RpTable *handmade_table(const char *name, guint32 oid) {
    RpTable *table = rp_table_new();
    table->oid = oid;
    table->schema = g_strdup("public");
    table->name = g_strdup(name);
    table->shown = g_strconcat("public.", name, NULL);
    table->quoted = g_strdup_printf("\"public\".\"%s\"", name);
    return table;
}

static inline RpColumn *handmade_column(RpTable *table, const char *name, RpTypeKind kind,
                                        const char *type_name) {
    RpColumn *column = rp_column_new();
    column->name = g_strdup(name);
    column->kind = kind;
    column->type_name = g_strdup(type_name);
    column->is_comparable = TRUE;
    g_ptr_array_add(table->columns, column);
    return column;
}

/* columns: "a b". */
static inline RpConstraint *handmade_constraint(RpTable *table, RpConstraintKind kind, const char *name,
                                                const char *columns) {
    RpConstraint *constraint = rp_constraint_new();
    constraint->kind = kind;
    constraint->name = g_strdup(name);
    constraint->columns = g_strsplit(columns, " ", -1);
    g_ptr_array_add(table->constraints, constraint);
    return constraint;
}

static inline void handmade_foreign_key(RpTable *child, const RpTable *parent) {
    RpConstraint *constraint = handmade_constraint(child, RP_CONSTRAINT_FOREIGN, "fk", "id");
    constraint->referenced_oid = parent->oid;
}

/* Loads a mapping of one file, m.yaml, with that text. */
static inline RpMapping *handmade_mapping_sized(const char *yaml, gssize size, RpFindings *findings) {
    g_autofree char *folder = g_dir_make_tmp("redis2pg-mapping-XXXXXX", NULL);
    cr_assert(folder != NULL);
    g_autofree char *path = g_build_filename(folder, "m.yaml", NULL);
    cr_assert(g_file_set_contents(path, yaml, size, NULL));
    RpMapping *mapping = rp_mapping_load(path, findings);
    g_remove(path);
    g_rmdir(folder);
    return mapping;
}

static inline RpMapping *handmade_mapping(const char *yaml, RpFindings *findings) {
    return handmade_mapping_sized(yaml, -1, findings);
}

/* "code place text" a line. */
static inline char *handmade_show_findings(const RpFindings *findings) {
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < findings->items->len; i++) {
        const RpFinding *finding = g_ptr_array_index(findings->items, i);
        g_string_append_printf(lines, "%s %s %s\n", finding->code, finding->place, finding->text);
    }
    return g_string_free(lines, FALSE);
}
