/* A table with a column of every kind, made by hand. */
#pragma once

#include "model/table.h"

#include <glib.h>

/* kind and type of each column; its name in mappings stands before. */
static const struct {
    const char *name;
    const char *type_name;
    RpTypeKind kind;
    RpTypeKind element; /* of an array */
} TARGET_COLUMNS[] = {
    {"id", "text", RP_TYPE_TEXT, 0},
    {"other", "inet", RP_TYPE_OTHER, 0},
    {"b", "boolean", RP_TYPE_BOOL, 0},
    {"i2", "smallint", RP_TYPE_INT2, 0},
    {"i4", "integer", RP_TYPE_INT4, 0},
    {"i8", "bigint", RP_TYPE_INT8, 0},
    {"f4", "real", RP_TYPE_FLOAT4, 0},
    {"f8", "double precision", RP_TYPE_FLOAT8, 0},
    {"n", "numeric", RP_TYPE_NUMERIC, 0},
    {"t", "text", RP_TYPE_TEXT, 0},
    {"u", "uuid", RP_TYPE_UUID, 0},
    {"bytes", "bytea", RP_TYPE_BYTEA, 0},
    {"d", "date", RP_TYPE_DATE, 0},
    {"time", "time without time zone", RP_TYPE_TIME, 0},
    {"ts", "timestamp without time zone", RP_TYPE_TIMESTAMP, 0},
    {"tz", "timestamp with time zone", RP_TYPE_TIMESTAMPTZ, 0},
    {"j", "json", RP_TYPE_JSON, 0},
    {"jb", "jsonb", RP_TYPE_JSONB, 0},
    {"e", "mood", RP_TYPE_ENUM, 0},
    {"b_", "boolean[]", RP_TYPE_ARRAY, RP_TYPE_BOOL},
    {"i4_", "integer[]", RP_TYPE_ARRAY, RP_TYPE_INT4},
    {"f8_", "double precision[]", RP_TYPE_ARRAY, RP_TYPE_FLOAT8},
    {"n_", "numeric[]", RP_TYPE_ARRAY, RP_TYPE_NUMERIC},
    {"t_", "text[]", RP_TYPE_ARRAY, RP_TYPE_TEXT},
    {"u_", "uuid[]", RP_TYPE_ARRAY, RP_TYPE_UUID},
    {"bytes_", "bytea[]", RP_TYPE_ARRAY, RP_TYPE_BYTEA},
    {"d_", "date[]", RP_TYPE_ARRAY, RP_TYPE_DATE},
    {"tz_", "timestamp with time zone[]", RP_TYPE_ARRAY, RP_TYPE_TIMESTAMPTZ},
    {"jb_", "jsonb[]", RP_TYPE_ARRAY, RP_TYPE_JSONB},
    {"e_", "mood[]", RP_TYPE_ARRAY, RP_TYPE_ENUM},
};

/* A column of no table, with no limits but an enum's labels. */
static inline RpColumn *target_column(RpTypeKind kind, const char *name, const char *type_name) {
    RpColumn *column = rp_column_new();
    column->name = g_strdup(name);
    column->kind = kind;
    column->type_name = g_strdup(type_name);
    column->type_oid = 1000 + kind;
    column->is_comparable = TRUE;
    column->max_characters = -1;
    column->precision = -1;
    if (kind == RP_TYPE_ENUM)
        column->labels = g_strsplit("sad ok happy", " ", -1);
    return column;
}

/* Column number i of TARGET_COLUMNS. */
static inline RpColumn *target_column_at(guint i) {
    RpColumn *column =
        target_column(TARGET_COLUMNS[i].kind, TARGET_COLUMNS[i].name, TARGET_COLUMNS[i].type_name);
    if (column->kind == RP_TYPE_ARRAY)
        column->element = target_column(TARGET_COLUMNS[i].element, TARGET_COLUMNS[i].name, "element");
    return column;
}

/* The table `t` with all of them; a row is what id names. */
static inline RpTable *target_table(void) {
    RpTable *table = rp_table_new();
    table->oid = 1;
    table->schema = g_strdup("public");
    table->name = g_strdup("t");
    table->shown = g_strdup("public.t");
    table->quoted = g_strdup("\"public\".\"t\"");
    for (guint i = 0; i < G_N_ELEMENTS(TARGET_COLUMNS); i++)
        g_ptr_array_add(table->columns, target_column_at(i));
    RpConstraint *key = rp_constraint_new();
    key->kind = RP_CONSTRAINT_UNIQUE;
    key->name = g_strdup("t_pkey");
    key->columns = g_strsplit("id", " ", -1);
    g_ptr_array_add(table->constraints, key);
    return table;
}
