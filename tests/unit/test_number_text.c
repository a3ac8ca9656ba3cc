/* Numbers and times as text. */
#include "mapping/number_text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(number_text, scores_are_short) {
    static const char *const CASES[][2] = {
        {"1", "1"},
        {"-1.5", "-1.5"},
        {"0.10000000000000001", "0.1"},
        {"0.29999999999999999", "0.3"},
        {"0.30000000000000004", "0.30000000000000004"}, /* another number than 0.3 */
        {"3.1400000000000001", "3.14"},
        {"1700000000123.4561", "1700000000123.456"},
        {"9007199254740993", "9007199254740993"},
        {"1.7976931348623157e+308", "1.7976931348623157e+308"},
        {"4.9406564584124654e-324", "4.94065645841247e-324"},
        {"inf", "inf"},
        {"-inf", "-inf"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        RpNumberText made;
        const RpSpan text = rp_number_text_score(&made, rp_span(CASES[i][0]));
        cr_assert(rp_span_equal(text, rp_span(CASES[i][1])), "%s gave %.*s", CASES[i][0], (int)text.size,
                  text.data);
        g_autofree char *shown = g_strndup(text.data, text.size);
        cr_assert(g_ascii_strtod(shown, NULL) == g_ascii_strtod(CASES[i][0], NULL), "%s", shown);
    }
}

Test(number_text, times_are_iso_8601) {
    RpNumberText text;
    rp_number_text_time(&text, 1700000000123, 1000);
    cr_assert(eq(str, text.bytes, "2023-11-14T22:13:20.123000Z"));
    rp_number_text_time(&text, -1, G_USEC_PER_SEC);
    cr_assert(eq(str, text.bytes, "1969-12-31T23:59:59.999999Z"));
    rp_number_text_integer(&text, G_MININT64);
    cr_assert(eq(str, text.bytes, "-9223372036854775808"));
}
