/* Assertions on converters: the bytes of good values in hex, the code of bad ones. */
#pragma once

#include "mapping/convert.h"

#include <criterion/criterion.h>
#include <glib.h>

typedef struct {
    const char *text;
    const char *expected; /* bytes in hex, or a reject code */
} Case;

static inline char *converting_hex(const RpBuffer *buffer) {
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < buffer->size; i++)
        g_string_append_printf(text, "%02x", (guchar)buffer->data[i]);
    return g_string_free(text, FALSE);
}

static inline void assert_conversion(const RpConversion *conversion, RpSpan text, const char *expected) {
    g_auto(RpBuffer) out = {0};
    RpConverted converted;
    RpProblem problem = {.code = RP_N_REJECT_CODES};
    g_autofree char *got = NULL;
    if (rp_converter_for(conversion->column->kind)(conversion, text, &out, &converted, &problem)) {
        g_autofree char *bytes = converting_hex(&out);
        g_autofree char *size = g_strndup(bytes, MIN(strlen(bytes), 8));
        cr_assert(g_ascii_strtoull(size, NULL, 16) == out.size - 4, "%s: the size is wrong", text.data);
        got = g_strdup(bytes + 8);
    } else {
        got = g_strdup(rp_reject_code_name(problem.code));
        cr_assert(problem.message[0] != '\0');
        cr_assert(text.size < 6 || strstr(problem.message, text.data) == NULL, "the message shows the value");
    }
    cr_assert(strcmp(got, expected) == 0, "\"%s\" as %s gave %s, not %s", text.data,
              conversion->column->type_name, got, expected);
}

static inline void assert_cases(const RpConversion *conversion, const Case *cases, gsize n_cases) {
    for (gsize i = 0; i < n_cases; i++)
        assert_conversion(conversion, rp_span(cases[i].text), cases[i].expected);
}

/* Cases of a column whose mapping refines nothing. */
#define ASSERT_CASES(column_, ...)                                                                           \
    do {                                                                                                     \
        static const Case cases_[] = {__VA_ARGS__};                                                          \
        const RpConversion conversion_ = {.column = (column_)};                                              \
        assert_cases(&conversion_, cases_, G_N_ELEMENTS(cases_));                                            \
    } while (0)

/* Cases of a conversion (a pointer to one). */
#define ASSERT_REFINED(conversion_, ...)                                                                     \
    do {                                                                                                     \
        static const Case cases_[] = {__VA_ARGS__};                                                          \
        assert_cases((conversion_), cases_, G_N_ELEMENTS(cases_));                                           \
    } while (0)

#define SIZED(kind_, name_, ...)                                                                             \
    (&(const RpColumn){.kind = (kind_), .type_name = (char *)(name_), __VA_ARGS__})
#define COLUMN(kind_, name_) SIZED(kind_, name_, .max_characters = -1, .precision = -1)
