/* Random JSON that jsonb takes: names that come twice, escapes, numbers of all forms. It holds no '|'. */
#pragma once

#include <glib.h>

/* What a value is made with. shape: the same seed gives the same values; style: how they are written, and,
 * rarely, a value that is another one. NULL: shape alone. */
typedef struct {
    GRand *shape;
    GRand *style;
    GString *text;
} RandomJson;

static inline gint random_json_styled(RandomJson *json, gint n) {
    return json->style != NULL ? g_rand_int_range(json->style, 0, n) : 0;
}

static inline void random_json_blank(RandomJson *json) {
    static const char *const BLANKS[] = {"", "", " ", "\n\t"};
    g_string_append(json->text, BLANKS[random_json_styled(json, 4)]);
}

static inline void random_json_string(RandomJson *json) {
    /* in each row the same character, written in different ways */
    static const char *const CHARACTERS[][3] = {
        {"a", "\\u0061", "a"},
        {"b", "b", "\\u0062"},
        {"\\n", "\\u000a", "\\u000A"},
        {"\\\"", "\\u0022", "\\\""},
        {"\\\\", "\\u005c", "\\u005C"},
        {"/", "\\/", "\\u002f"},
        {"\xc3\xa9", "\\u00e9", "\xc3\xa9"},
        {"\xf0\x9f\x98\x80", "\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {"\\u0001", "\\u0001", "\\u0001"},
        {"\x7f", "\\u007f", "\x7f"},
        {"1.0", "1\\u002e0", "1.0"},
        {"\\t", "\\u0009", "\\t"},
    };
    g_string_append_c(json->text, '"');
    for (gint i = g_rand_int_range(json->shape, 0, 4); i > 0; i--)
        g_string_append(json->text, CHARACTERS[g_rand_int_range(json->shape, 0, G_N_ELEMENTS(CHARACTERS))]
                                              [random_json_styled(json, 3)]);
    g_string_append_c(json->text, '"');
}

static inline void random_json_number(RandomJson *json) {
    /* in each row the same number */
    static const char *const NUMBERS[][5] = {
        {"0", "-0", "0.0", "0e3", "0.00e-2"},
        {"1", "1.0", "1.000", "10e-1", "1E0"},
        {"-150", "-150.00", "-1.5e2", "-1.50E+2", "-15e1"},
        {"0.001", "1e-3", "0.0010", "10e-4", "0.1e-2"},
        {"1e30", "1000000000000000000000000000000", "1.0e30", "100e28", "1e+30"},
        {"12345.6789", "12345.67890", "1.23456789e4", "123456789e-4", "12345.6789e0"},
        {"7e-40", "0.7e-39", "7.00e-40", "70e-41", "7E-40"},
    };
    g_string_append(
        json->text,
        NUMBERS[g_rand_int_range(json->shape, 0, G_N_ELEMENTS(NUMBERS))][random_json_styled(json, 5)]);
}

static inline void random_json_value(RandomJson *json, gint depth);

static inline void random_json_container(RandomJson *json, gboolean is_object, gint depth) {
    const gint n = g_rand_int_range(json->shape, 0, 5);
    g_string_append_c(json->text, is_object ? '{' : '[');
    for (gint i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(json->text, ',');
        random_json_blank(json);
        if (is_object) {
            random_json_string(json);
            random_json_blank(json);
            g_string_append_c(json->text, ':');
        }
        random_json_value(json, depth + 1);
    }
    random_json_blank(json);
    g_string_append_c(json->text, is_object ? '}' : ']');
}

static inline void random_json_value(RandomJson *json, gint depth) {
    static const char *const WORDS[] = {"true", "false", "null"};
    random_json_blank(json);
    const gint choice = g_rand_int_range(json->shape, 0, depth > 4 ? 5 : 9);
    if (random_json_styled(json, 12) == 11)
        g_string_append(json->text, "[2]"); /* another value in place of this one */
    else if (choice == 0)
        g_string_append(json->text, WORDS[g_rand_int_range(json->shape, 0, 3)]);
    else if (choice < 3)
        random_json_number(json);
    else if (choice < 5)
        random_json_string(json);
    else
        random_json_container(json, choice < 7, depth);
    random_json_blank(json);
}

/* A value that shape chooses, written as style chooses; the caller frees it. */
static inline char *random_json_like(GRand *shape, GRand *style) {
    RandomJson json = {shape, style, g_string_new(NULL)};
    random_json_value(&json, 0);
    return g_string_free(json.text, FALSE);
}

static inline char *random_json(GRand *random) {
    return random_json_like(random, random);
}
