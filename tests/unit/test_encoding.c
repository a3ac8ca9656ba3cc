/* The encoders against PostgreSQL itself: what a converter writes is what COPY sends for the same value. */
#include "encoding.h"

TestSuite(encoding, .init = encoding_start, .fini = encoding_stop, .timeout = 120);

/* The column that the catalogue describes for that type. */
static RpTable *table_of(const char *type) {
    g_autoptr(GError) error = NULL;
    RpTable *table = NULL;
    cr_assert(rp_postgres_runf(connection, &error, "DROP TABLE IF EXISTS t; CREATE TABLE t (c %s)", type));
    cr_assert(rp_catalog_read_table(connection, "t", &table, &error) && table != NULL);
    return table;
}

static void assert_type(const char *type, RpTypeKind kind, const char *const *values) {
    g_autoptr(RpTable) table = table_of(type);
    const RpConversion conversion = {.column = rp_table_find_column(table, "c")};
    cr_assert(conversion.column->kind == kind, "%s", type);
    g_autoptr(GPtrArray) array = g_ptr_array_new();
    for (; *values != NULL; values++)
        g_ptr_array_add(array, (gpointer)*values);
    g_autofree char *expression = g_strdup_printf("v::%s", type);
    encoding_assert_same(&conversion, array, expression);
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(encoding, of_every_type_is_that_of_postgres) {
    assert_type("boolean", RP_TYPE_BOOL, VALUES("true", "f", "YES", "no", "on", "off", "1", "0"));
    assert_type("smallint", RP_TYPE_INT2, VALUES("0", "-32768", "32767", "+7", "007"));
    assert_type("integer", RP_TYPE_INT4, VALUES("0", "-1", "-2147483648", "2147483647"));
    assert_type("bigint", RP_TYPE_INT8, VALUES("0", "-9223372036854775808", "9223372036854775807"));
    assert_type("numeric", RP_TYPE_NUMERIC,
                VALUES("0", "-0", "0.00", "1", "-1", "10", "9999", "10000", "123456789.987654321", "0.0001",
                       "0.00010", "0.00001", "1e10", "1.50e1", "1e-10", "NaN", "1e1999", "1e-1999", ".5",
                       "5.", "100000000.0000"));
    assert_type("numeric(10,2)", RP_TYPE_NUMERIC,
                VALUES("0", "1", "1.5", "-99999999.99", "1.500", "1e3", "0.01", "NaN"));
    assert_type("numeric(5)", RP_TYPE_NUMERIC, VALUES("0", "99999", "-1.00"));
    assert_type("numeric(3,5)", RP_TYPE_NUMERIC, VALUES("0", "0.00999", "-0.00001"));
    assert_type("numeric(3,-2)", RP_TYPE_NUMERIC, VALUES("0", "100", "-99900"));
    assert_type(
        "text", RP_TYPE_TEXT,
        VALUES("", "a", "d\xc3\xa9j\xc3\xa0", "\xf0\x9f\x98\x80", "tab\tand\nnewline", "\xef\xbf\xbf"));
    assert_type("varchar(4)", RP_TYPE_TEXT, VALUES("", "abcd", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "ab  "));
    assert_type("varchar", RP_TYPE_TEXT, VALUES("", "anything"));
    assert_type("char(4)", RP_TYPE_TEXT, VALUES("", "ab", "abcd", "\xc3\xa9", "a  "));
    assert_type("uuid", RP_TYPE_UUID,
                VALUES("00112233-4455-6677-8899-AABBCCDDEEFF", "ffffffffffffffffffffffffffffffff"));
    assert_type("date", RP_TYPE_DATE,
                VALUES("2000-01-01", "1999-12-31", "0001-01-01", "9999-12-31", "2024-02-29", "1900-02-28"));
    static const char *const TIMES[] = {"2000-01-01",
                                        "1999-12-31T23:59:59.999999",
                                        "0001-01-01T00:00:00",
                                        "9999-12-31T23:59:59.999999",
                                        "2024-02-29 12:30",
                                        "1970-01-01T00:00:00.5",
                                        NULL};
    assert_type("timestamp", RP_TYPE_TIMESTAMP, TIMES);
    assert_type("timestamptz", RP_TYPE_TIMESTAMPTZ, TIMES);
    assert_type("timestamptz", RP_TYPE_TIMESTAMPTZ,
                VALUES("2024-06-01T12:00:00Z", "2024-06-01 12:00:00+02", "2024-06-01T12:00:00-0530",
                       "2024-06-01T00:00:00+15:59"));
    assert_type("json", RP_TYPE_JSON, VALUES("{}", " [1, 2 ] ", "{\"a\":1,\"a\":2}", "\"\\u00e9\"", "1E400"));
    assert_type("jsonb", RP_TYPE_JSONB,
                VALUES("{}", "[]", "[1, 2.50, -3, null, true]", "{\"a\": {\"b\": \"c\"}, \"bb\": 1}",
                       "\"\xc3\xa9\""));
    assert_type("mood", RP_TYPE_ENUM, VALUES("sad", "d\xc3\xa9j\xc3\xa0 vu", ""));
}

static char *random_decimal(GRand *random) {
    GString *text = g_string_new(g_rand_boolean(random) ? "-" : "");
    const gint n_before = g_rand_int_range(random, 0, 25),
               n_after = g_rand_int_range(random, n_before == 0, 25);
    for (gint i = 0; i < n_before + n_after; i++) {
        if (i == n_before)
            g_string_append_c(text, '.');
        g_string_append_c(
            text, g_rand_int_range(random, 0, 3) == 0 ? (gchar)('0' + g_rand_int_range(random, 0, 10)) : '0');
    }
    if (g_rand_int_range(random, 0, 4) == 0)
        g_string_append_printf(text, "e%d", g_rand_int_range(random, -40, 40));
    return g_string_free(text, FALSE);
}

static char *random_time(GRand *random) {
    static const char *const ZONES[] = {"", "Z", "+02", "-0730", "+14:00"};
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%04d-%02d-%02d%c%02d:%02d:%02d", g_rand_int_range(random, 1, 10000),
                           g_rand_int_range(random, 1, 13), g_rand_int_range(random, 1, 29),
                           g_rand_boolean(random) ? 'T' : ' ', g_rand_int_range(random, 0, 24),
                           g_rand_int_range(random, 0, 60), g_rand_int_range(random, 0, 60));
    const gint n_digits = g_rand_int_range(random, 0, 7);
    for (gint i = 0; i < n_digits; i++)
        g_string_append_printf(text, "%s%d", i == 0 ? "." : "", g_rand_int_range(random, 0, 10));
    g_string_append(text, ZONES[g_rand_int_range(random, 0, G_N_ELEMENTS(ZONES))]);
    return g_string_free(text, FALSE);
}

static void assert_sweep(const char *type, char *(*make)(GRand *)) {
    g_autoptr(RpTable) table = table_of(type);
    const RpConversion conversion = {.column = rp_table_find_column(table, "c")};
    g_autoptr(GRand) random = g_rand_new_with_seed(20250101);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < 2000; i++)
        g_ptr_array_add(values, make(random));
    g_autofree char *expression = g_strdup_printf("v::%s", type);
    encoding_assert_same(&conversion, values, expression);
}

Test(encoding, of_random_values_is_that_of_postgres) {
    assert_sweep("numeric", random_decimal);
    assert_sweep("timestamptz", random_time);
}

/* A wall-clock time that the zone skips or shows twice is read as PostgreSQL reads it. */
Test(encoding, of_times_in_a_zone_is_that_of_postgres) {
    static const char *const ZONES[] = {"Europe/Berlin",       "America/New_York",  "Asia/Kathmandu",
                                        "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"};
    g_autoptr(RpTable) table = table_of("timestamptz");
    g_autoptr(RpTable) local = table_of("timestamp");
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (gint year = 1985; year < 2030; year += 3)
        for (gint month = 1; month <= 12; month++)
            g_ptr_array_add(
                values, g_strdup_printf("%d-%02d-%02dT%02d:30:00", year, month, 1 + month * 2, year % 24));
    for (gint hour = 0; hour < 4; hour++)
        for (gint half = 0; half < 60; half += 15)
            for (gint day = 0; day < 4; day++) {
                static const char *const DAYS[] = {"2024-03-31", "2024-10-27", "2024-03-10", "2024-11-03"};
                g_ptr_array_add(values, g_strdup_printf("%s %02d:%02d", DAYS[day], hour, half));
            }
    for (guint i = 0; i < G_N_ELEMENTS(ZONES); i++) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(ZONES[i]);
        g_autofree char *expression = g_strdup_printf("v::timestamp AT TIME ZONE '%s'", ZONES[i]);
        const RpConversion conversion = {.column = rp_table_find_column(table, "c"), .zone = zone};
        encoding_assert_same(&conversion, values, expression);
        g_autofree char *back =
            g_strdup_printf("v::timestamp AT TIME ZONE '%s' AT TIME ZONE '%s'", ZONES[i], ZONES[i]);
        const RpConversion wall_clock = {.column = rp_table_find_column(local, "c"), .zone = zone};
        encoding_assert_same(&wall_clock, values, back);
    }
}
