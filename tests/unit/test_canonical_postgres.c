/* Canonical forms against PostgreSQL itself: what we write for a value is what we make of what PostgreSQL
 * sends for it, and two values have one form exactly when PostgreSQL says that they are equal. */
#include "canonicals.h"
#include "encoding.h"
#include "random_json.h"

TestSuite(canonical_postgres, .init = encoding_start, .fini = encoding_stop, .timeout = 120);

/* The column that the catalogue describes for that type. */
static RpTable *table_of(const char *type) {
    g_autoptr(GError) error = NULL;
    RpTable *table = NULL;
    cr_assert(rp_postgres_runf(connection, &error, "DROP TABLE IF EXISTS t; CREATE TABLE t (c %s)", type));
    cr_assert(rp_catalog_read_table(connection, "t", &table, &error) && table != NULL);
    return table;
}

/* The one field of the next row of what encoding_copy_out gives. */
static RpSpan next_field(const RpBuffer *rows, gsize *at) {
    guint32 size;
    memcpy(&size, rows->data + *at + 2, sizeof size);
    size = GUINT32_FROM_BE(size);
    cr_assert(size != G_MAXUINT32 && *at + 6 + size <= rows->size);
    const RpSpan field = {rows->data + *at + 6, size};
    *at += 6 + size;
    return field;
}

#define FIRST_ROW 19 /* past COPY's header */

/* What the mapper writes for a text; FALSE when it refuses it. */
static gboolean convert(const RpConversion *conversion, const char *text, RpBuffer *wire) {
    RpConverted converted;
    RpProblem problem = {0};
    wire->size = 0;
    return rp_converter_for(conversion->column->kind)(conversion, rp_span(text), wire, &converted, &problem);
}

static void assert_stored_same(const char *type, const GPtrArray *texts) {
    g_autoptr(RpTable) table = table_of(type);
    const RpConversion conversion = {.column = rp_table_find_column(table, "c")};
    g_autofree char *expression =
        g_str_has_suffix(type, "[]")
            ? g_strdup_printf("ARRAY(SELECT jsonb_array_elements_text(v::jsonb)::%.*s)",
                              (int)strlen(type) - 2, type)
            : g_strdup_printf("v::%s", type);
    g_auto(RpBuffer) rows = {0};
    g_auto(RpBuffer) wire = {0};
    encoding_copy_out(texts, expression, &rows);
    gsize at = FIRST_ROW;
    for (guint i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);
        cr_assert(convert(&conversion, text, &wire), "%s: %s", type, text);
        const RpSpan ours = {wire.data + 4, wire.size - 4};
        g_autoptr(GBytes) mapped = canonicals_of(conversion.column, ours, FALSE);
        g_autoptr(GBytes) stored = canonicals_of(conversion.column, next_field(&rows, &at), TRUE);
        g_autofree char *left = canonicals_show(mapped), *right = canonicals_show(stored);
        cr_assert(g_bytes_equal(mapped, stored), "%s %s: ours %s theirs %s", type, text, left, right);
        cr_assert(((const char *)g_bytes_get_data(mapped, NULL))[0] == 1, "%s %s is sound", type, text);
    }
}

/* texts: pairs parted by '|'. Our form of one is that of the other exactly when PostgreSQL says `=`. Where
 * the mapper takes both, its form of them as well. Gives how many pairs are equal. */
static guint assert_equality(const char *type, const GPtrArray *texts) {
    g_autoptr(RpTable) table = table_of(type);
    const RpConversion conversion = {.column = rp_table_find_column(table, "c")};
    g_autofree char *left_sql = g_strdup_printf("split_part(v, '|', 1)::%s", type);
    g_autofree char *right_sql = g_strdup_printf("split_part(v, '|', 2)::%s", type);
    g_autofree char *equal_sql = g_strdup_printf("%s = %s", left_sql, right_sql);
    g_auto(RpBuffer) lefts = {0}, rights = {0}, equals = {0}, wire = {0}, other = {0};
    encoding_copy_out(texts, left_sql, &lefts);
    encoding_copy_out(texts, right_sql, &rights);
    encoding_copy_out(texts, equal_sql, &equals);
    gsize left_at = FIRST_ROW, right_at = FIRST_ROW, equal_at = FIRST_ROW;
    guint n_equal = 0;
    for (guint i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);
        const gboolean is_equal = next_field(&equals, &equal_at).data[0];
        n_equal += is_equal;
        const RpSpan left = next_field(&lefts, &left_at), right = next_field(&rights, &right_at);
        cr_assert(canonicals_is_same(conversion.column, left, TRUE, right, TRUE) == is_equal, "%s %s: %d",
                  type, text, is_equal);
        g_auto(GStrv) parts = g_strsplit(text, "|", 2);
        if (conversion.column->kind == RP_TYPE_ARRAY || !convert(&conversion, parts[0], &wire) ||
            !convert(&conversion, parts[1], &other))
            continue;
        const RpSpan ours = {wire.data + 4, wire.size - 4}, others = {other.data + 4, other.size - 4};
        cr_assert(canonicals_is_same(conversion.column, ours, FALSE, right, TRUE) == is_equal, "%s %s: %d",
                  type, text, is_equal);
        cr_assert(canonicals_is_same(conversion.column, ours, FALSE, others, FALSE) == is_equal, "%s %s: %d",
                  type, text, is_equal);
    }
    return n_equal;
}

static guint assert_equality_of(const char *type, const char *const *texts) {
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; texts[i] != NULL; i++)
        for (guint j = 0; texts[j] != NULL; j++)
            g_ptr_array_add(pairs, g_strdup_printf("%s|%s", texts[i], texts[j]));
    return assert_equality(type, pairs);
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(canonical_postgres, is_equal_when_postgres_says_so) {
    assert_equality_of("boolean", VALUES("true", "false"));
    assert_equality_of("bigint", VALUES("0", "-1", "256", "65536"));
    cr_expect(assert_equality_of("numeric", VALUES("0", "-0", "0.00", "1", "1.0", "1.000000", "10000", "1e4",
                                                   "10000.0000", "0.0001", "0.00010", "NaN", "Infinity",
                                                   "-Infinity", "-1", "1e1000", "1e-1000")) > 17);
    cr_expect(assert_equality_of("real", VALUES("0", "-0", "NaN", "Infinity", "-Infinity", "1e-45", "1")) ==
              9);
    cr_expect(assert_equality_of("double precision",
                                 VALUES("0", "-0", "NaN", "Infinity", "5e-324", "0.1", "0.10")) == 11);
    assert_equality_of("text", VALUES("", "a", "a ", "A", "\xc3\xa9", "e\xcc\x81"));
    cr_expect(assert_equality_of("char(4)", VALUES("", "a", "a ", "ab", " a", "   ")) == 10);
    cr_expect(assert_equality_of("bpchar", VALUES("a", "a  ", "a ")) == 9);
    assert_equality_of("date", VALUES("2000-01-01", "infinity", "-infinity", "0001-01-01"));
    assert_equality_of("time", VALUES("00:00", "24:00", "12:00:00.5"));
    cr_expect(assert_equality_of("timestamptz", VALUES("2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01",
                                                       "2024-01-01T00:00:00.000001Z")) == 5);
    assert_equality_of("numeric[]", VALUES("{}", "{1.0}", "{1}", "{1,NULL}", "{NULL,1}", "[0:0]={1}", "{{1}}",
                                           "{{1,2},{3,4}}", "{{1,2,3,4}}", "{1,2,3,4}", "[2:3]={1,NULL}"));
    assert_equality_of("float8[]", VALUES("{0}", "{-0}", "{NaN}", "{NaN,0}"));
    assert_equality_of("char(3)[]", VALUES("{a}", "{\"a \"}", "{ab}", "{NULL}"));
    assert_equality_of("jsonb[]", VALUES("{1,1.0}", "{1.0,1}", "{\"{}\"}", "{NULL}", "{null,\"[1.50]\"}"));
}

Test(canonical_postgres, is_equal_for_jsonb_when_postgres_says_so) {
    const guint n_equal = assert_equality_of(
        "jsonb", VALUES("0", "-0", "0.0", "0e3", "1", "1.0", "10e-1", "[1]", "[[1]]", "[1.00]", "[]", "{}",
                        "null", "[null]", "\"1\"", "\"1.0\"", "{\"a\":1}", "{\"a\":1.0}", "{\"a\":2,\"a\":1}",
                        "{\"a\":\"1\"}", "{\"a\":1,\"b\":2}", "{\"b\":2.0,\"\\u0061\":1}", "[1,2]", "[2,1]",
                        "\"\\u00e9\"", "\"\xc3\xa9\"", "1e-400", "1e400", "\"\\/\"", "\"/\""));
    cr_expect(n_equal > 50, "%u", n_equal);
}

static void assert_random_json(const char *type, gint64 seed) {
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)seed);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    while (texts->len < 3000)
        g_ptr_array_add(texts, random_json(random));
    assert_stored_same(type, texts);
}

Test(canonical_postgres, of_random_jsonb_is_that_of_what_is_stored) {
    assert_random_json("jsonb", 20250107);
    assert_random_json("json", 20250108);
}

Test(canonical_postgres, tells_near_equal_jsonb_apart_as_postgres_does) {
    g_autoptr(GRand) random = g_rand_new_with_seed(20250109);
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);
    while (pairs->len < 4000) {
        const guint32 seed = g_rand_int(random);
        g_autoptr(GRand) left = g_rand_new_with_seed(seed), right = g_rand_new_with_seed(seed);
        g_autofree char *a = random_json_like(left, NULL), *b = random_json_like(right, random);
        g_ptr_array_add(pairs, g_strdup_printf("%s|%s", a, b));
    }
    const guint n_equal = assert_equality("jsonb", pairs);
    cr_expect(n_equal > 400 && n_equal < 3600, "%u", n_equal);
}

static char *random_number(GRand *random) {
    GString *text = g_string_new(g_rand_boolean(random) ? "-" : "");
    for (gint i = g_rand_int_range(random, 1, 12); i > 0; i--)
        g_string_append_c(text, "00001239"[g_rand_int_range(random, 0, 8)]);
    if (g_rand_boolean(random)) {
        g_string_append_c(text, '.');
        for (gint i = g_rand_int_range(random, 1, 12); i > 0; i--)
            g_string_append_c(text, "00001239"[g_rand_int_range(random, 0, 8)]);
    }
    if (g_rand_int_range(random, 0, 4) == 0)
        g_string_append_printf(text, "e%d", g_rand_int_range(random, -20, 20));
    return g_string_free(text, FALSE);
}

static char *random_int(GRand *random) {
    return g_strdup_printf("%d", g_rand_int_range(random, -32768, 32768));
}

static char *random_time(GRand *random) {
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", g_rand_int_range(random, 1, 10000),
                           g_rand_int_range(random, 1, 13), g_rand_int_range(random, 1, 29),
                           g_rand_int_range(random, 0, 24), g_rand_int_range(random, 0, 60),
                           g_rand_int_range(random, 0, 60), g_rand_int_range(random, 0, 1000000));
}

static char *random_date(GRand *random) {
    g_autofree char *time = random_time(random);
    return g_strndup(time, 10);
}

static char *random_clock(GRand *random) {
    g_autofree char *time = random_time(random);
    return g_strndup(time + 11, 15);
}

static char *random_bool(GRand *random) {
    return g_strdup(g_rand_boolean(random) ? "t" : "f");
}

static char *random_uuid(GRand *random) {
    return g_strdup_printf("%08x-%04x-4000-8000-%012x", g_rand_int(random), g_rand_int(random) & 0xffff,
                           g_rand_int(random));
}

static char *random_word(GRand *random) {
    static const char *const WORDS[] = {"a", "", " a", "b ", "\xc3\xa9", "tab\t", "a  ", "\\x", "'"};
    return g_strdup(WORDS[g_rand_int_range(random, 0, G_N_ELEMENTS(WORDS))]);
}

static char *random_mood(GRand *random) {
    return g_strdup(g_rand_boolean(random) ? "sad" : "d\xc3\xa9j\xc3\xa0 vu");
}

static char *random_numbers(GRand *random) {
    GString *text = g_string_new("[");
    for (gint i = g_rand_int_range(random, 0, 6); i > 0; i--) {
        g_autofree char *number = random_int(random);
        g_string_append_printf(text, "\"%s\",", number);
    }
    g_string_append(text, "null]");
    return g_string_free(text, FALSE);
}

Test(canonical_postgres, of_random_values_is_that_of_what_is_stored) {
    static const struct {
        const char *type;
        char *(*make)(GRand *random);
    } KINDS[] = {
        {"boolean", random_bool},
        {"smallint", random_int},
        {"integer", random_int},
        {"bigint", random_int},
        {"numeric", random_number},
        {"real", random_number},
        {"float8", random_number},
        {"text", random_word},
        {"varchar(6)", random_word},
        {"char(4)", random_word},
        {"uuid", random_uuid},
        {"date", random_date},
        {"time", random_clock},
        {"timestamp", random_time},
        {"timestamptz", random_time},
        {"mood", random_mood},
        {"integer[]", random_numbers},
        {"numeric[]", random_numbers},
        {"numeric(9,3)[]", random_numbers},
        {"float8[]", random_numbers},
        {"char(7)[]", random_numbers},
    };
    for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++) {
        g_autoptr(GRand) random = g_rand_new_with_seed(20250110 + i);
        g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
        while (texts->len < 500)
            g_ptr_array_add(texts, KINDS[i].make(random));
        assert_stored_same(KINDS[i].type, texts);
    }
}
