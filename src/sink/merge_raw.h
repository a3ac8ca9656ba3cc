/* What the files that generate the SQL of the raw table share: what COPY brings where PostgreSQL has to cast
 * text to its column's type or to look a value up. In this SQL r is the raw table, l the table that is looked
 * into, and fI_J the J-th field of the entity's column I. */
#pragma once

#include "sink/merge_sql.h"

G_BEGIN_DECLS

/* The SQL as far as it has come. */
typedef struct {
    RpMergeSql *generator;
    GString *definitions; /* of the raw table's columns */
    GString *names;
    GString *functions;   /* that try a cast */
    GString *values;      /* of the staged row */
    GString *cast_cases;  /* WHEN text cannot be cast THEN verdict */
    GString *cast_values; /* WHEN verdict THEN the text */
    GString *null_cases;  /* WHEN a value is missing THEN verdict */
    GString *null_values; /* WHEN verdict THEN what was looked up by */
    GString *nullable;    /* condition: some value that is judged is null */
} RpRawSql;

/* A column of the entity, and where it stands. */
typedef struct {
    const RpMapColumn *column;
    guint number;
    char *quoted;
} RpRawTarget;

/* Appends text, after the separator unless it is the first. */
void rp_raw_join(GString *sql, const char *separator, const char *text);

/* The name of a column's field in the raw table; the caller frees it. */
char *rp_raw_field_name(const RpRawTarget *target, guint position);

/* Adds a field to the raw table. The result gives its value in the type that is asked for: the field itself,
 * or its text cast, which is null where that fails and the column wants no reject. The caller frees it. */
char *rp_raw_add_field(RpRawSql *raw, const RpRawTarget *target, guint position, const RpColumn *type);

/* Adds the value of the staged row's column: value, or the default. The modifier of the column's type is left
 * to the assignment: a cast would cut a value to fit. */
void rp_raw_append_value(RpRawSql *raw, const RpRawTarget *target, const char *value);

/* Adds the cases of a column that must not be null. One that is cast or looked up can come out null although
 * the mapper let its row pass. */
void rp_raw_add_null_cases(RpRawSql *raw, const RpRawTarget *target);

/* Adds a column that is looked up (merge_lookups.c). */
void rp_raw_add_looked_up(RpRawSql *raw, const RpRawTarget *target);

G_END_DECLS
