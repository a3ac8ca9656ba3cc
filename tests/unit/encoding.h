/* What converters write against what PostgreSQL itself sends: a private server, and COPY in binary. */
#pragma once

#include "mapping/convert.h"
#include "sandbox/sandbox.h"
#include "sink/catalog.h"

#include <criterion/criterion.h>
#include <glib.h>

static RpSandbox *sandbox;
static PGconn *connection;

static inline void encoding_run(const char *sql) {
    g_autoptr(GError) error = NULL;
    cr_assert(rp_postgres_run(connection, sql, &error), "%s: %s", sql, error != NULL ? error->message : "");
}

static inline void encoding_start(void) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions options = {.is_without_redis = TRUE};
    sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    connection = rp_postgres_connect(rp_sandbox_get_conninfo(sandbox), &error);
    cr_assert(connection != NULL, "%s", error != NULL ? error->message : "");
    encoding_run("CREATE TYPE mood AS ENUM ('sad', 'd\xc3\xa9j\xc3\xa0 vu', '')");
}

static inline void encoding_stop(void) {
    PQfinish(connection);
    rp_sandbox_stop(sandbox);
}

/* The values as an array literal's elements. */
static inline char *encoding_sql_array(const GPtrArray *values) {
    GString *sql = g_string_new("ARRAY[NULL::text");
    for (guint i = 0; i < values->len; i++) {
        g_autofree char *literal = rp_postgres_literal(connection, g_ptr_array_index(values, i));
        g_string_append_printf(sql, ",%s", literal);
    }
    g_string_append_c(sql, ']');
    return g_string_free(sql, FALSE);
}

/* All rows of `SELECT expression FROM unnest(values) AS v` as COPY sends them, in one buffer, header cut. */
static inline void encoding_copy_out(const GPtrArray *values, const char *expression, RpBuffer *out) {
    g_autofree char *array = encoding_sql_array(values);
    g_autofree char *sql =
        g_strdup_printf("COPY (SELECT %s FROM unnest(%s) WITH ORDINALITY AS t (v, n) WHERE n > 1 ORDER BY n) "
                        "TO STDOUT (FORMAT binary)",
                        expression, array);
    g_autoptr(PGresult) begun = PQexec(connection, sql);
    cr_assert(PQresultStatus(begun) == PGRES_COPY_OUT, "%.300s: %s", sql, PQerrorMessage(connection));
    char *chunk = NULL;
    for (int size = PQgetCopyData(connection, &chunk, 0); size > 0;
         size = PQgetCopyData(connection, &chunk, 0)) {
        rp_buffer_append(out, chunk, (gsize)size);
        PQfreemem(chunk);
    }
    g_autoptr(PGresult) ended = PQgetResult(connection);
    cr_assert(PQresultStatus(ended) == PGRES_COMMAND_OK, "%.300s: %s", sql, PQerrorMessage(connection));
    g_autoptr(PGresult) last = PQgetResult(connection);
    cr_assert(last == NULL && out->size >= 21);
}

/* Converts each value by ours and compares it, with its size before it, with the one field of the row that
 * expression makes of what PostgreSQL reads (v) in its place. */
static inline void encoding_assert_equal(const RpConversion *conversion, const GPtrArray *values,
                                         const GPtrArray *theirs_read, const char *expression) {
    g_auto(RpBuffer) theirs = {0};
    encoding_copy_out(theirs_read, expression, &theirs);
    gsize at = 19;
    for (guint i = 0; i < values->len; i++) {
        const char *value = g_ptr_array_index(values, i);
        g_auto(RpBuffer) ours = {0};
        RpConverted converted;
        RpProblem problem = {0};
        const gboolean is_fine = rp_converter_for(conversion->column->kind)(conversion, rp_span(value), &ours,
                                                                            &converted, &problem);
        cr_assert(is_fine, "%s as %s: %s", value, conversion->column->type_name, problem.message);
        at += 2; /* the field count: 1 */
        const gsize size = MIN(ours.size, theirs.size - at);
        const gboolean is_same = size == ours.size && memcmp(ours.data, theirs.data + at, size) == 0;
        if (!is_same)
            for (gsize byte = 0; byte < MIN(ours.size, 64); byte++)
                g_printerr("%02x %02x\n", (guchar)ours.data[byte], (guchar)theirs.data[at + byte]);
        cr_assert(is_same, "%s as %s is not what %s sends", value, conversion->column->type_name, expression);
        at += ours.size;
    }
    cr_assert(at + 2 == theirs.size, "nothing but the trailer is left");
}

static inline void encoding_assert_same(const RpConversion *conversion, const GPtrArray *values,
                                        const char *expression) {
    encoding_assert_equal(conversion, values, values, expression);
}
