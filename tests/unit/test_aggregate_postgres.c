/* Aggregates against PostgreSQL's own: sum, min and max of random tables, as text. */
#include "canonicals.h"
#include "encoding.h"
#include "reconcile/aggregate.h"

#include <math.h>

static void start(void) {
    encoding_start();
    encoding_run("SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SET extra_float_digits = 1");
}

TestSuite(aggregate_postgres, .init = start, .fini = encoding_stop, .timeout = 120);

#define FIRST_ROW 19 /* past COPY's header */

/* What we make of the values as PostgreSQL sends them: in three parts, which are merged. */
static RpAggregate *aggregate_of(RpTypeKind kind, const GPtrArray *texts, const char *type) {
    const RpColumn column = canonicals_column(kind);
    RpAggregate *parts[3];
    for (guint i = 0; i < 3; i++)
        parts[i] = rp_aggregate_new(&column);
    g_autofree char *expression = g_strdup_printf("v::%s", type);
    g_auto(RpBuffer) rows = {0};
    encoding_copy_out(texts, expression, &rows);
    gsize at = FIRST_ROW;
    for (guint i = 0; i < texts->len; i++) {
        guint32 size;
        memcpy(&size, rows.data + at + 2, sizeof size);
        size = GUINT32_FROM_BE(size);
        rp_aggregate_add(parts[i % 3], (RpSpan){rows.data + at + 6, size});
        at += 6 + size;
    }
    for (guint i = 1; i < 3; i++) {
        rp_aggregate_merge(parts[0], parts[i]);
        rp_aggregate_free(parts[i]);
    }
    cr_expect(rp_aggregate_n_malformed(parts[0]) == 0);
    return parts[0];
}

static void assert_aggregates(RpTypeKind kind, const char *type, const GPtrArray *texts) {
    g_autoptr(RpAggregate) aggregate = aggregate_of(kind, texts, type);
    g_autofree char *array = encoding_sql_array(texts);
    for (guint i = 0; i < rp_aggregate_n_results(aggregate); i++) {
        g_autofree char *sql = g_strdup_printf("SELECT %s(v::%s)::text FROM unnest(%s) AS t (v)",
                                               rp_aggregate_name(aggregate, i), type, array);
        g_autoptr(GError) error = NULL;
        g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, &error);
        cr_assert(result != NULL, "%s", error != NULL ? error->message : "");
        g_autofree char *ours = rp_aggregate_show(aggregate, i);
        const char *theirs = PQgetisnull(result, 0, 0) ? NULL : PQgetvalue(result, 0, 0);
        cr_assert(g_strcmp0(ours, theirs) == 0, "%s of %s: ours %s, theirs %s",
                  rp_aggregate_name(aggregate, i), type, ours, theirs);
    }
}

/* Each value for itself, and all of them. */
static void assert_each(RpTypeKind kind, const char *type, const char *const *values) {
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    for (; *values != NULL; values++) {
        g_autoptr(GPtrArray) one = g_ptr_array_new();
        g_ptr_array_add(one, (gpointer)*values);
        g_ptr_array_add(all, (gpointer)*values);
        assert_aggregates(kind, type, one);
    }
    assert_aggregates(kind, type, all);
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(aggregate_postgres, of_each_kind_is_shown_as_postgres_shows_it) {
    assert_each(RP_TYPE_INT2, "smallint", VALUES("32767", "-32768", "1"));
    assert_each(RP_TYPE_INT4, "integer", VALUES("2147483647", "2147483647", "-1"));
    assert_each(RP_TYPE_INT8, "bigint", VALUES("9223372036854775807", "9223372036854775807", "-5"));
    assert_each(RP_TYPE_DATE, "date",
                VALUES("2000-01-01", "1999-12-31", "2000-02-29", "2000-03-01", "1900-02-28", "2024-12-31",
                       "0001-01-01", "0044-03-15 BC", "0001-12-31 BC", "4714-11-24 BC", "5874897-12-31",
                       "infinity", "-infinity", "12345-06-07"));
    assert_each(RP_TYPE_TIME, "time", VALUES("00:00", "24:00", "23:59:59.999999", "12:30:00.5", "01:02:03"));
    assert_each(RP_TYPE_TIMESTAMP, "timestamp",
                VALUES("2025-01-01", "1999-12-31 23:59:59.999999", "294276-12-31 23:59:59.999999", "infinity",
                       "-infinity", "4714-11-24 00:00:00 BC", "0001-02-03 04:05:06.7 BC"));
    assert_each(RP_TYPE_TIMESTAMPTZ, "timestamptz",
                VALUES("2025-01-01 00:00:00+00", "2025-01-01 05:06:07.08+05:30", "infinity", "-infinity",
                       "0044-03-15 12:00:00+00 BC"));
}

Test(aggregate_postgres, of_numerics_is_the_sum_of_postgres) {
    assert_each(RP_TYPE_NUMERIC, "numeric",
                VALUES("0", "0.00", "-1.50", "1e100", "1e-100", "-1e100", "9999.9999", "0.0001", "-10000",
                       "99999999999999999999999999999999999999.99"));
    assert_each(RP_TYPE_NUMERIC, "numeric", VALUES("1", "NaN"));
    assert_each(RP_TYPE_NUMERIC, "numeric", VALUES("1.5", "Infinity"));
    assert_each(RP_TYPE_NUMERIC, "numeric", VALUES("-Infinity", "3"));
    assert_each(RP_TYPE_NUMERIC, "numeric", VALUES("-Infinity", "Infinity"));
    assert_each(RP_TYPE_NUMERIC, "numeric", VALUES("1e131071", "1e-16383", "-3"));
}

Test(aggregate_postgres, of_reals_has_the_shortest_digits) {
    assert_each(RP_TYPE_FLOAT8, "float8",
                VALUES("0", "1", "-1.5", "0.1", "1e23", "9007199254740993", "1e15", "1e14", "999999999999999",
                       "123456789012345680", "0.0001", "0.00001", "5e-324", "1.7976931348623157e308",
                       "2.2250738585072014e-308", "2.2250738585072011e-308", "NaN", "Infinity", "-Infinity",
                       "9.5367431640625e-07", "100", "1234.5678", "9.999999999999999e22", "5e22", "2e16"));
    assert_each(RP_TYPE_FLOAT4, "real",
                VALUES("0", "0.1", "123456", "1e6", "999999", "16777216", "33554432", "8388608.5", "1e-45",
                       "3.4028235e38", "1.1754944e-38", "NaN", "-Infinity", "0.0001", "0.00001", "-2.5"));
    /* Powers of two, whose lower neighbour is nearer than the upper one. */
    for (int i = -1074; i < 1024; i += 3) {
        g_autoptr(GPtrArray) one = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(one, g_strdup_printf("%.25e", ldexp(1, i)));
        assert_aggregates(RP_TYPE_FLOAT8, "float8", one);
        if (i >= -149 && i < 128)
            assert_aggregates(RP_TYPE_FLOAT4, "real", one);
    }
}

static char *random_decimal(GRand *random) {
    GString *text = g_string_new(g_rand_boolean(random) ? "-" : "");
    const gint n_before = g_rand_int_range(random, 1, 30), n_after = g_rand_int_range(random, 0, 30);
    for (gint i = 0; i < n_before + n_after; i++) {
        if (i == n_before)
            g_string_append_c(text, '.');
        g_string_append_c(text, "0099123456789"[g_rand_int_range(random, 0, 13)]);
    }
    return g_string_free(text, FALSE);
}

static char *random_real(GRand *random) {
    const gint form = g_rand_int_range(random, 0, 3);
    return form == 0 ? g_strdup_printf("%.17e", g_rand_double(random) * 1e5)
           : form == 1
               ? g_strdup_printf("%d.%02d", g_rand_int_range(random, -99999, 99999),
                                 g_rand_int_range(random, 0, 100))
               : g_strdup_printf("%.17ge%d", g_rand_double(random) * 10, g_rand_int_range(random, -36, 36));
}

static char *random_integer(GRand *random) {
    return g_strdup_printf("%d", g_rand_int_range(random, -32768, 32768));
}

static char *random_moment(GRand *random) {
    return g_strdup_printf("%04d-%02d-%02d %02d:%02d:%02d.%d%s", g_rand_int_range(random, 1, 4000),
                           g_rand_int_range(random, 1, 13), g_rand_int_range(random, 1, 29),
                           g_rand_int_range(random, 0, 24), g_rand_int_range(random, 0, 60),
                           g_rand_int_range(random, 0, 60), g_rand_int_range(random, 0, 1000000),
                           g_rand_int_range(random, 0, 4) == 0 ? " BC" : "");
}

static char *random_clock(GRand *random) {
    g_autofree char *moment = random_moment(random);
    return g_strndup(moment + 11, 8);
}

Test(aggregate_postgres, of_random_tables_is_that_of_postgres) {
    static const struct {
        RpTypeKind kind;
        const char *type;
        char *(*make)(GRand *random);
    } KINDS[] = {
        {RP_TYPE_INT2, "smallint", random_integer},      {RP_TYPE_INT4, "integer", random_integer},
        {RP_TYPE_INT8, "bigint", random_integer},        {RP_TYPE_NUMERIC, "numeric", random_decimal},
        {RP_TYPE_FLOAT4, "real", random_real},           {RP_TYPE_FLOAT8, "float8", random_real},
        {RP_TYPE_DATE, "date", random_moment},           {RP_TYPE_TIME, "time", random_clock},
        {RP_TYPE_TIMESTAMP, "timestamp", random_moment}, {RP_TYPE_TIMESTAMPTZ, "timestamptz", random_moment},
    };
    g_autoptr(GRand) random = g_rand_new_with_seed(20250111);
    for (guint round = 0; round < 150; round++)
        for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++) {
            g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
            for (gint n = g_rand_int_range(random, 0, 12); n > 0; n--)
                g_ptr_array_add(texts, KINDS[i].make(random));
            assert_aggregates(KINDS[i].kind, KINDS[i].type, texts);
        }
}
