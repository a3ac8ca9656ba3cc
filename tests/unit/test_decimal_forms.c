/* Division and rounding: exact, or refused. */
#include "decimals.h"

typedef struct {
    const char *text;
    const char *expected;
} Case;

typedef struct {
    RpDecimalForm form;
    Case cases[14];
} FormCases;

static void assert_forms(const FormCases *forms, gsize n_forms) {
    for (gsize i = 0; i < n_forms; i++)
        for (guint j = 0; j < G_N_ELEMENTS(forms[i].cases) && forms[i].cases[j].text != NULL; j++) {
            const char *text = forms[i].cases[j].text;
            RpDecimal decimal;
            RpRejectCode code = RP_N_REJECT_CODES;
            g_autofree char *got = rp_decimal_read(rp_span(text), &forms[i].form, &decimal, &code)
                                       ? decimals_show(&decimal)
                                       : g_strdup(rp_reject_code_name(code));
            cr_assert(strcmp(got, forms[i].cases[j].expected) == 0,
                      "%s / %u as numeric(%d,%d) rounded %d gave %s, not %s", text, forms[i].form.divisor,
                      forms[i].form.precision, forms[i].form.scale, forms[i].form.rounding, got,
                      forms[i].cases[j].expected);
        }
}

Test(decimal_forms, divides_exactly) {
    static const FormCases FORMS[] = {
        {{.precision = -1, .divisor = 100},
         {{"1999", "+w0 d2: 19 9900"},
          {"2000", "+w0 d0: 20"},
          {"-5", "-w-1 d2: 500"},
          {"1.50", "+w-1 d3: 150"},
          {"0", "+w0 d0:"},
          {"-0", "+w0 d0:"},
          {"NaN", "nan"},
          {"abc", "invalid_decimal"},
          {"1e1999", "+w499 d0: 10"},
          {"1e-1998", "+w-500 d2000: 1"},
          {"1e-1999", "scale_exceeded"}}},
        {{.precision = -1, .divisor = 1}, {{"1.50", "+w0 d2: 1 5000"}}},
        {{.precision = -1, .divisor = 3},
         {{"9", "+w0 d0: 3"},
          {"10", "scale_exceeded"},
          {"0.3", "+w-1 d1: 1000"},
          {"-1e100", "scale_exceeded"}}},
        /* the most digits that an ending division adds: 2^29 */
        {{.precision = -1, .divisor = 536870912},
         {{"1", "+w-3 d29: 1862 6451 4923 957 312 5000"}, {"536870912", "+w0 d0: 1"}}},
        {{.precision = -1, .divisor = 244140625}, {{"1", "+w-3 d12: 4096"}}},
        {{.precision = -1, .divisor = 1000000000}, {{"1", "+w-3 d9: 1000"}, {"1e9", "+w0 d0: 1"}}},
        {{.precision = -1, .divisor = 999999999}, {{"1", "scale_exceeded"}, {"1999999998", "+w0 d0: 2"}}},
        {{.precision = 5, .scale = 2, .divisor = 100},
         {{"99999", "+w0 d2: 999 9900"},
          {"100000", "out_of_range"},
          {"1", "+w-1 d2: 100"},
          {"0.1", "scale_exceeded"},
          {"100000.1", "out_of_range"},
          {"0", "+w0 d2:"}}},
        {{.precision = 4, .scale = 2, .divisor = 3},
         {{"1", "scale_exceeded"}, {"1000", "out_of_range"}, {"3", "+w0 d2: 1"}, {"0.03", "+w-1 d2: 100"}}},
    };
    assert_forms(FORMS, G_N_ELEMENTS(FORMS));
}

Test(decimal_forms, rounds_as_it_is_told) {
    static const FormCases FORMS[] = {
        {{.precision = 3, .scale = 2, .rounding = RP_ROUND_HALF_UP},
         {{"1.005", "+w0 d2: 1 100"},
          {"-1.005", "-w0 d2: 1 100"},
          {"1.004999", "+w0 d2: 1"},
          {"9.994", "+w0 d2: 9 9900"},
          {"9.995", "out_of_range"},
          {"-9.995", "out_of_range"},
          {"0.995", "+w0 d2: 1"},
          {"0.005", "+w-1 d2: 100"},
          {"0.004", "+w0 d2:"},
          {"-0.004", "+w0 d2:"},
          {"1e-99999999", "+w0 d2:"},
          {"10", "out_of_range"},
          {"NaN", "nan"},
          {"1.x", "invalid_decimal"}}},
        {{.precision = 3, .scale = 2, .rounding = RP_ROUND_HALF_EVEN},
         {{"1.005", "+w0 d2: 1"},
          {"1.015", "+w0 d2: 1 200"},
          {"-1.025", "-w0 d2: 1 200"},
          {"1.0050000000000000000000000000000001", "+w0 d2: 1 100"},
          {"0.005", "+w0 d2:"},
          {"0.015", "+w-1 d2: 200"},
          {"0.0051", "+w-1 d2: 100"},
          {"9.985", "+w0 d2: 9 9800"},
          {"9.995", "out_of_range"},
          {"1.5", "+w0 d2: 1 5000"}}},
        {{.precision = 3, .scale = 2, .rounding = RP_ROUND_DOWN},
         {{"9.999", "+w0 d2: 9 9900"},
          {"-9.999", "-w0 d2: 9 9900"},
          {"0.009", "+w0 d2:"},
          {"-0.009", "+w0 d2:"},
          {"10", "out_of_range"}}},
        {{.precision = 3, .scale = -2, .rounding = RP_ROUND_HALF_UP},
         {{"150", "+w0 d0: 200"},
          {"149", "+w0 d0: 100"},
          {"50", "+w0 d0: 100"},
          {"49.99", "+w0 d0:"},
          {"5", "+w0 d0:"},
          {"-50", "-w0 d0: 100"},
          {"99949", "+w1 d0: 9 9900"},
          {"99950", "out_of_range"}}},
        {{.precision = 3, .scale = -2, .rounding = RP_ROUND_HALF_EVEN},
         {{"150", "+w0 d0: 200"}, {"250", "+w0 d0: 200"}, {"50", "+w0 d0:"}, {"50.1", "+w0 d0: 100"}}},
        {{.precision = 2, .scale = 5, .rounding = RP_ROUND_HALF_UP},
         {{"0.000985", "+w-1 d5: 9 9000"}, {"0.000994", "+w-1 d5: 9 9000"}, {"0.000995", "out_of_range"}}},
        {{.precision = 4, .scale = 0, .rounding = RP_ROUND_HALF_UP},
         {{"0.5", "+w0 d0: 1"}, {"9998.5", "+w0 d0: 9999"}, {"9999.5", "out_of_range"}}},
        /* nothing to round to */
        {{.precision = -1, .rounding = RP_ROUND_HALF_UP}, {{"1.23456789", "+w0 d8: 1 2345 6789"}}},
        {{.precision = -1, .divisor = 3, .rounding = RP_ROUND_HALF_UP}, {{"1", "scale_exceeded"}}},
    };
    assert_forms(FORMS, G_N_ELEMENTS(FORMS));
}

Test(decimal_forms, rounds_quotients) {
    static const FormCases FORMS[] = {
        {{.precision = 10, .scale = 2, .divisor = 3, .rounding = RP_ROUND_HALF_UP},
         {{"1", "+w-1 d2: 3300"},
          {"2", "+w-1 d2: 6700"},
          {"-2", "-w-1 d2: 6700"},
          {"100", "+w0 d2: 33 3300"},
          {"1e-100", "+w0 d2:"},
          {"0.015", "+w-1 d2: 100"},
          {"0.01", "+w0 d2:"}}},
        {{.precision = 10, .scale = 2, .divisor = 3, .rounding = RP_ROUND_DOWN},
         {{"2", "+w-1 d2: 6600"}, {"-2", "-w-1 d2: 6600"}}},
        {{.precision = 10, .scale = 2, .divisor = 8, .rounding = RP_ROUND_HALF_EVEN},
         {{"1", "+w-1 d2: 1200"}, {"3", "+w-1 d2: 3800"}, {"1.00000000000000001", "+w-1 d2: 1300"}}},
        /* zeros at the end of what was divided so far, and more behind them */
        {{.precision = 10, .scale = 2, .divisor = 999999999, .rounding = RP_ROUND_DOWN},
         {{"1000000000", "+w0 d2: 1"}, {"500000000", "+w-1 d2: 5000"}}},
        {{.precision = 10, .scale = 0, .divisor = 999999999, .rounding = RP_ROUND_HALF_EVEN},
         {{"2500000000", "+w0 d0: 3"}, {"2499999997", "+w0 d0: 2"}}},
        {{.precision = 3, .scale = 0, .divisor = 2, .rounding = RP_ROUND_HALF_UP},
         {{"1998", "+w0 d0: 999"}, {"1999", "out_of_range"}}},
    };
    assert_forms(FORMS, G_N_ELEMENTS(FORMS));
    static const RpDecimalForm DEEP = {
        .precision = 1000, .scale = 1000, .divisor = 7, .rounding = RP_ROUND_DOWN};
    RpDecimal decimal;
    RpRejectCode code;
    cr_assert(rp_decimal_read(RP_SPAN_OF("1"), &DEEP, &decimal, &code));
    cr_assert(decimal.n_groups == 250 && decimal.groups[249] == 1428); /* 1/7 has a period of six */
    g_autofree char *nines = g_strnfill(RP_DECIMAL_MAX_DIGITS, '9');
    static const RpDecimalForm LONG = {.precision = -1, .divisor = 9};
    cr_assert(rp_decimal_read(rp_span(nines), &LONG, &decimal, &code));
    cr_assert(decimal.n_groups == 500 && decimal.groups[499] == 1111);
}
