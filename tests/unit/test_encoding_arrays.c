/* Floats, times of day, bytes and arrays against PostgreSQL itself. The columns are made by hand, so that
 * each element type can be tried. */
#include "encoding.h"

#include <math.h>
#include <stdlib.h>

static void start(void) {
    encoding_start();
    encoding_run("CREATE DOMAIN small AS int4 CHECK (VALUE < 100)");
    encoding_run("CREATE DOMAIN code AS varchar(3)");
    encoding_run("CREATE DOMAIN moods AS mood[]");
}

TestSuite(encoding_arrays, .init = start, .fini = encoding_stop, .timeout = 120);

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

static GPtrArray *array_of(const char *const *values) {
    GPtrArray *array = g_ptr_array_new();
    for (; *values != NULL; values++)
        g_ptr_array_add(array, (gpointer)*values);
    return array;
}

static void assert_type(const char *type, RpTypeKind kind, RpByteEncoding encoding, const char *expression,
                        const char *const *values) {
    const RpColumn column = {.type_name = (char *)type, .kind = kind, .max_characters = -1, .precision = -1};
    const RpConversion conversion = {.column = &column, .encoding = encoding};
    g_autoptr(GPtrArray) array = array_of(values);
    encoding_assert_same(&conversion, array, expression);
}

Test(encoding_arrays, floats_are_those_of_postgres) {
    assert_type("float8", RP_TYPE_FLOAT8, RP_ENCODING_RAW, "v::float8",
                VALUES("0", "-0", "1", "+1.5", ".5", "5.", "1e10", "-2.5E-3", "0.1", "NaN", "nan", "Infinity",
                       "-infinity", "+Infinity", "inf", "-INF", "+inf", "1.7976931348623157e308", "4.9e-324",
                       "2.2250738585072011e-308", "9007199254740993", "0e-400",
                       "123456789012345678901234567890.123456789"));
    assert_type("float4", RP_TYPE_FLOAT4, RP_ENCODING_RAW, "v::float4",
                VALUES("0", "-0", "1", "0.1", "16777217", "3.4028235e38", "1e-45", "NaN", "-inf",
                       "1.00000005960464477539062500000000000000000000000000000000001", "1.1754942e-38"));
}

static char *random_float(GRand *random) {
    return g_strdup_printf("%s%d.%09d%de%d", g_rand_boolean(random) ? "-" : "",
                           g_rand_int_range(random, 0, 1000), g_rand_int_range(random, 0, 1000000000),
                           g_rand_int_range(random, 0, 100000000), g_rand_int_range(random, -45, 35));
}

Test(encoding_arrays, random_floats_are_those_of_postgres) {
    g_autoptr(GRand) random = g_rand_new_with_seed(20250102);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) singles = g_ptr_array_new();
    for (guint i = 0; i < 2000; i++) {
        char *text = random_float(random);
        g_ptr_array_add(values, text);
        const double value = fabs(g_ascii_strtod(text, NULL));
        if (value > 1e-37 && value < 1e38)
            g_ptr_array_add(singles, text);
    }
    const RpColumn float8 = {.type_name = (char *)"float8", .kind = RP_TYPE_FLOAT8};
    const RpColumn float4 = {.type_name = (char *)"float4", .kind = RP_TYPE_FLOAT4};
    const RpConversion double_conversion = {.column = &float8}, single_conversion = {.column = &float4};
    cr_assert(singles->len > 1000);
    encoding_assert_same(&double_conversion, values, "v::float8");
    encoding_assert_same(&single_conversion, singles, "v::float4");
}

/* What PostgreSQL refuses as out of range, ours refuses as well. */
Test(encoding_arrays, floats_out_of_range_are_so_in_postgres) {
    static const struct {
        RpTypeKind kind;
        const char *type, *text;
    } CASES[] = {
        {RP_TYPE_FLOAT8, "float8", "1.7976931348623159e308"},
        {RP_TYPE_FLOAT8, "float8", "-1e400"},
        {RP_TYPE_FLOAT8, "float8", "1e-400"},
        {RP_TYPE_FLOAT8, "float8", "1e-324"},
        {RP_TYPE_FLOAT4, "float4", "3.4028236e38"},
        {RP_TYPE_FLOAT4, "float4", "1e-46"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const RpColumn column = {.type_name = (char *)CASES[i].type, .kind = CASES[i].kind};
        const RpConversion conversion = {.column = &column};
        g_auto(RpBuffer) out = {0};
        RpConverted converted;
        RpProblem problem;
        cr_assert(!rp_converter_for(CASES[i].kind)(&conversion, rp_span(CASES[i].text), &out, &converted,
                                                   &problem));
        cr_assert(problem.code == RP_REJECT_OUT_OF_RANGE);
        g_autofree char *sql = g_strdup_printf("SELECT '%s'::%s", CASES[i].text, CASES[i].type);
        g_autoptr(PGresult) result = PQexec(connection, sql);
        cr_assert(strcmp(PQresultErrorField(result, PG_DIAG_SQLSTATE), "22003") == 0, "%s", sql);
    }
}

Test(encoding_arrays, times_and_bytes_are_those_of_postgres) {
    assert_type("time", RP_TYPE_TIME, RP_ENCODING_RAW, "v::time",
                VALUES("00:00", "12:30", "23:59:59.999999", "00:00:00.000001", "24:00", "24:00:00",
                       "10:00:00.5", "01:02:03"));
    assert_type("bytea", RP_TYPE_BYTEA, RP_ENCODING_RAW, "convert_to(v, 'UTF8')",
                VALUES("", "abc", "d\xc3\xa9j\xc3\xa0", "\\x41", "\\\\"));
    assert_type("bytea", RP_TYPE_BYTEA, RP_ENCODING_HEX, "decode(v, 'hex')", VALUES("", "00", "DEADbeef"));
    assert_type("bytea", RP_TYPE_BYTEA, RP_ENCODING_HEX, "v::bytea", VALUES("\\x", "\\x00FFab"));
    assert_type("bytea", RP_TYPE_BYTEA, RP_ENCODING_BASE64, "decode(v, 'base64')",
                VALUES("", "Zg==", "Zm8=", "Zm9v", "+/+/AAAA", "AP8="));
}

/* Division and rounding as PostgreSQL's numeric does them (half_up is its own way). */
Test(encoding_arrays, quotients_are_those_of_postgres) {
    g_autoptr(GRand) random = g_rand_new_with_seed(20250103);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < 2000; i++)
        g_ptr_array_add(values,
                        g_strdup_printf("%s%d.%0*d", g_rand_boolean(random) ? "-" : "",
                                        g_rand_int_range(random, 0, 1000000), g_rand_int_range(random, 1, 8),
                                        g_rand_int_range(random, 0, 10)));
    static const guint32 DIVISORS[] = {0, 2, 3, 7, 8, 100, 1000, 999999999, 1000000000};
    static const int SCALES[] = {2, 0, 5, -2};
    for (guint i = 0; i < G_N_ELEMENTS(DIVISORS); i++)
        for (guint j = 0; j < G_N_ELEMENTS(SCALES); j++) {
            const RpColumn column = {
                .type_name = (char *)"numeric", .kind = RP_TYPE_NUMERIC, .precision = 30, .scale = SCALES[j]};
            const RpConversion conversion = {
                .column = &column, .divisor = DIVISORS[i], .rounding = RP_ROUND_HALF_UP};
            /* 40 more places than needed, then rounded once */
            g_autofree char *expression = g_strdup_printf("((v::numeric + 0.%060d) / %u)::numeric(30,%d)", 0,
                                                          MAX(DIVISORS[i], 1), SCALES[j]);
            encoding_assert_same(&conversion, values, expression);
        }
    const RpColumn integer = {.type_name = (char *)"int4", .kind = RP_TYPE_INT4};
    const RpConversion thirds = {.column = &integer, .divisor = 3, .rounding = RP_ROUND_HALF_UP};
    encoding_assert_same(&thirds, values, "(v::numeric / 3)::int4");
}

typedef struct {
    const char *type; /* of the elements, as it is written before [] */
    RpTypeKind kind;
    int max_characters, precision, scale;
    gboolean is_padded;
    char **labels;
} Element;

/* json: what ours reads; theirs: what PostgreSQL reads; separator: NULL for JSON. */
static void assert_arrays(const Element *element, const char *separator, const char *array_type,
                          const char *const *json, const char *const *theirs) {
    g_autoptr(GError) error = NULL;
    g_autofree char *find = g_strdup_printf("SELECT '%s'::regtype::oid", element->type);
    g_autoptr(PGresult) found = rp_postgres_query(connection, find, 0, NULL, &error);
    cr_assert(found != NULL, "%s", error != NULL ? error->message : "");
    RpColumn inner = {.type_name = (char *)element->type,
                      .kind = element->kind,
                      .type_oid = (guint32)strtoul(PQgetvalue(found, 0, 0), NULL, 10),
                      .max_characters = element->max_characters,
                      .precision = element->precision,
                      .scale = element->scale,
                      .is_padded = element->is_padded,
                      .labels = element->labels};
    const RpColumn column = {.type_name = (char *)array_type, .kind = RP_TYPE_ARRAY, .element = &inner};
    const RpConversion conversion = {.column = &column, .separator = (char *)separator};
    g_autoptr(GPtrArray) values = array_of(json);
    g_autoptr(GPtrArray) read = array_of(theirs);
    g_autofree char *expression = g_strdup_printf("v::%s", array_type);
    encoding_assert_equal(&conversion, values, read, expression);
}

static char *MOODS[] = {"sad", "d\xc3\xa9j\xc3\xa0 vu", "", NULL};

Test(encoding_arrays, arrays_are_those_of_postgres) {
    const Element integer = {"int4", RP_TYPE_INT4};
    assert_arrays(&integer, NULL, "int4[]", VALUES("[]", "[1]", "[1, null, -3]", "[null, null]", "[\"7\"]"),
                  VALUES("{}", "{1}", "{1,NULL,-3}", "{NULL,NULL}", "{7}"));
    assert_arrays(&integer, ",", "int4[]", VALUES("", "1", "1,2,3"), VALUES("{}", "{1}", "{1,2,3}"));
    const Element text = {"text", RP_TYPE_TEXT, .max_characters = -1};
    assert_arrays(&text, NULL, "text[]",
                  VALUES("[\"a\", \"\", \"null\", null, \"\\u00e9\\\"\\n{},\"]", "[1.50, true, \"x y\"]"),
                  VALUES("{a,\"\",\"null\",NULL,\"\xc3\xa9\\\"\n{},\"}", "{1.50,true,\"x y\"}"));
    assert_arrays(&text, "; ", "text[]", VALUES("a; b", "; "), VALUES("{a,b}", "{\"\",\"\"}"));
    const Element limited = {"varchar", RP_TYPE_TEXT, .max_characters = 3};
    assert_arrays(&limited, NULL, "varchar(3)[]", VALUES("[\"abc\", \"\xc3\xa9\xc3\xa9\xc3\xa9\", null]"),
                  VALUES("{abc,\xc3\xa9\xc3\xa9\xc3\xa9,NULL}"));
    const Element padded = {"bpchar", RP_TYPE_TEXT, .max_characters = 4, .is_padded = TRUE};
    assert_arrays(&padded, NULL, "char(4)[]", VALUES("[\"ab\", \"\"]"), VALUES("{ab,\"\"}"));
    const Element numeric = {"numeric", RP_TYPE_NUMERIC, .precision = 10, .scale = 2};
    assert_arrays(&numeric, NULL, "numeric(10,2)[]", VALUES("[1, 2.50, \"3.1\", -1e2, null]"),
                  VALUES("{1,2.50,3.1,-1e2,NULL}"));
    const Element real = {"float8", RP_TYPE_FLOAT8};
    assert_arrays(&real, NULL, "float8[]", VALUES("[0.1, \"NaN\", -1e308]"), VALUES("{0.1,NaN,-1e308}"));
    const Element boolean = {"bool", RP_TYPE_BOOL};
    assert_arrays(&boolean, NULL, "bool[]", VALUES("[true, false, null, \"t\"]"), VALUES("{t,f,NULL,t}"));
}

Test(encoding_arrays, arrays_of_more_types_are_those_of_postgres) {
    const Element mood = {"mood", RP_TYPE_ENUM, .labels = MOODS};
    assert_arrays(&mood, NULL, "mood[]", VALUES("[\"sad\", null, \"\"]", "[]"),
                  VALUES("{sad,NULL,\"\"}", "{}"));
    assert_arrays(&mood, NULL, "moods", VALUES("[\"sad\"]"), VALUES("{sad}")); /* a domain over an array */
    const Element domain = {"small", RP_TYPE_INT4};
    assert_arrays(&domain, NULL, "small[]", VALUES("[1, 99, null]", "[]"), VALUES("{1,99,NULL}", "{}"));
    const Element code = {"code", RP_TYPE_TEXT, .max_characters = 3};
    assert_arrays(&code, NULL, "code[]", VALUES("[\"abc\"]"), VALUES("{abc}"));
    const Element uuid = {"uuid", RP_TYPE_UUID};
    assert_arrays(&uuid, NULL, "uuid[]", VALUES("[\"00112233-4455-6677-8899-aabbccddeeff\"]"),
                  VALUES("{00112233-4455-6677-8899-aabbccddeeff}"));
    const Element date = {"date", RP_TYPE_DATE};
    assert_arrays(&date, ",", "date[]", VALUES("2024-02-29,1999-12-31"), VALUES("{2024-02-29,1999-12-31}"));
    const Element instant = {"timestamptz", RP_TYPE_TIMESTAMPTZ, .precision = -1};
    assert_arrays(&instant, NULL, "timestamptz[]", VALUES("[\"2024-06-01T12:00:00Z\", null]"),
                  VALUES("{\"2024-06-01 12:00:00Z\",NULL}"));
    const Element time = {"time", RP_TYPE_TIME, .precision = -1};
    assert_arrays(&time, NULL, "time[]", VALUES("[\"24:00\", \"12:30:00.5\"]"), VALUES("{24:00,12:30:00.5}"));
    const Element bytes = {"bytea", RP_TYPE_BYTEA};
    assert_arrays(&bytes, NULL, "bytea[]", VALUES("[\"abc\", \"\"]"), VALUES("{abc,\"\"}"));
    const Element json = {"json", RP_TYPE_JSON}, jsonb = {"jsonb", RP_TYPE_JSONB};
    assert_arrays(&json, NULL, "json[]", VALUES("[{\"a\": 1}, \"x\", [1 ,2], null]"),
                  VALUES("{\"{\\\"a\\\": 1}\",\"\\\"x\\\"\",\"[1 ,2]\",NULL}"));
    assert_arrays(&jsonb, NULL, "jsonb[]", VALUES("[{\"a\": 1}, \"x\", true]"),
                  VALUES("{\"{\\\"a\\\": 1}\",\"\\\"x\\\"\",\"true\"}"));
}
