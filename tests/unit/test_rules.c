/* Rules: what passes, what is refused with which code, and what its message says. */
#include "mapping/rules.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <math.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpRule, rp_rule_free)

/* Checks and frees the rule. expected NULL: it passes. */
static void assert_checked(RpRule *owned, RpSpan text, RpSpan other, const char *expected,
                           const char *message) {
    g_autoptr(RpRule) rule = owned;
    RpProblem problem = {.code = RP_N_REJECT_CODES};
    const RpConverted converted = {0};
    const gboolean passes = rule->check(rule, text, &converted, other, &problem);
    const char *got = passes ? NULL : rp_reject_code_name(problem.code);
    cr_assert(g_strcmp0(got, expected) == 0, "%s %s: \"%s\" gave %s", rule->word, rule->text, text.data,
              got != NULL ? got : "no reject");
    if (message != NULL)
        cr_assert(strcmp(problem.message, message) == 0, "%s", problem.message);
}

static void assert_text(RpRule *rule, const char *text, const char *expected) {
    assert_checked(rule, rp_span(text), (RpSpan){NULL, 0}, expected, NULL);
}

Test(rules, lengths_count_characters) {
    assert_text(rp_rule_new_max_length(3), "abc", NULL);
    assert_text(rp_rule_new_max_length(3), "\xc3\xa9\xc3\xa9\xc3\xa9", NULL);
    assert_text(rp_rule_new_max_length(3), "abcd", "too_long");
    assert_text(rp_rule_new_max_length(3), "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "too_long");
    assert_text(rp_rule_new_max_length(0), "", NULL);
    assert_text(rp_rule_new_max_length(0), "a", "too_long");
    assert_text(rp_rule_new_min_length(2), "ab", NULL);
    assert_text(rp_rule_new_min_length(2), "\xc3\xa9", "too_short");
    assert_text(rp_rule_new_min_length(0), "", NULL);
    assert_checked(rp_rule_new_max_length(3), RP_SPAN_OF("abcd"), (RpSpan){NULL, 0}, "too_long",
                   "is longer than 3 characters");
    assert_checked(rp_rule_new_min_length(3), RP_SPAN_OF(""), (RpSpan){NULL, 0}, "too_short",
                   "is shorter than 3 characters");
}

typedef struct {
    const char *format;
    const char *good[6];
    const char *bad[14];
} Format;

Test(rules, formats_tell_good_from_bad) {
    static const Format FORMATS[] = {
        {"email",
         {"a@b.c", "first.last+tag@mail.example.com", "\xc3\xa9@example.com", "!#$%@a-b.co"},
         {"", "a", "a@", "@b.c", "a@b", "a@.c", "a@b.", "a@b@c.d", "a b@c.d", "a@b.c\n", "a@b .c", "a@\x7f.c",
          "@"}},
        {"url",
         {"http://x", "https://example.com/a?b=c#d", "HTTPS://EXAMPLE.COM"},
         {"", "http://", "https://", "http:///x", "ftp://x", "example.com", "http:/x", "http://x y",
          "http://x\n", "javascript:alert(1)", " http://x"}},
        {"uuid",
         {"00112233-4455-6677-8899-aabbccddeeff", "00112233445566778899AABBCCDDEEFF"},
         {"", "00112233-4455-6677-8899-aabbccddeef", "x0112233-4455-6677-8899-aabbccddeeff"}},
        {"currency", {"EUR", "USD"}, {"", "eur", "EU", "EURO", "E1R", "EU ", "\xc3\x89U"}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(FORMATS); i++) {
        for (guint j = 0; FORMATS[i].good[j] != NULL; j++)
            assert_text(rp_rule_new_format(FORMATS[i].format), FORMATS[i].good[j], NULL);
        for (guint j = 0; FORMATS[i].bad[j] != NULL; j++)
            assert_text(rp_rule_new_format(FORMATS[i].format), FORMATS[i].bad[j], "format_mismatch");
    }
    assert_checked(rp_rule_new_format("email"), RP_SPAN_OF("a@b.c\0"), (RpSpan){NULL, 0}, "format_mismatch",
                   "is no e-mail address");
    cr_assert(rp_rule_new_format("phone") == NULL);
    for (guint i = 0; RP_RULE_FORMATS[i] != NULL; i++) {
        g_autoptr(RpRule) rule = rp_rule_new_format(RP_RULE_FORMATS[i]);
        cr_assert(rule != NULL && !rule->needs_bound && !rule->has_reference, "%s", RP_RULE_FORMATS[i]);
    }
}

Test(rules, an_email_keeps_to_the_lengths_of_rfc_5321) {
    g_autofree char *local = g_strnfill(64, 'a');
    g_autofree char *domain = g_strnfill(252, 'b');
    g_autofree char *longest = g_strdup_printf("%s@%s.de", local, domain);
    g_autofree char *too_long = g_strdup_printf("%s@%sb.de", local, domain);
    g_autofree char *local_too_long = g_strdup_printf("a%s@b.de", local);
    g_autofree char *local_fits = g_strdup_printf("%s@b.de", local);
    assert_text(rp_rule_new_format("email"), longest, NULL);
    assert_text(rp_rule_new_format("email"), too_long, "format_mismatch");
    assert_text(rp_rule_new_format("email"), local_too_long, "format_mismatch");
    assert_text(rp_rule_new_format("email"), local_fits, NULL);
}

static RpConverted integer(gint64 value) {
    return (RpConverted){.integer = value};
}

static RpConverted decimal(const char *text) {
    RpConverted converted = {0};
    RpRejectCode code;
    cr_assert(rp_decimal_parse(rp_span(text), -1, 0, &converted.decimal, &code));
    return converted;
}

/* Against a bound of 10; sign says on which side the value lies. */
static void assert_bounds(RpTypeKind kind, RpConverted bound, RpConverted value, int sign) {
    g_autoptr(RpRule) minimum = rp_rule_new_min("10");
    g_autoptr(RpRule) maximum = rp_rule_new_max("10");
    cr_assert(minimum->needs_bound && maximum->needs_bound);
    minimum->kind = maximum->kind = kind;
    minimum->bound = maximum->bound = bound;
    RpProblem low = {0}, high = {0};
    const RpSpan text = RP_SPAN_OF("x");
    cr_assert(minimum->check(minimum, text, &value, (RpSpan){NULL, 0}, &low) == (sign >= 0));
    cr_assert(maximum->check(maximum, text, &value, (RpSpan){NULL, 0}, &high) == (sign <= 0));
    if (sign < 0)
        cr_assert(low.code == RP_REJECT_OUT_OF_RANGE &&
                  strcmp(low.message, "is less than the minimum 10") == 0);
    if (sign > 0)
        cr_assert(high.code == RP_REJECT_OUT_OF_RANGE &&
                  strcmp(high.message, "is more than the maximum 10") == 0);
}

Test(rules, bounds_are_allowed_values) {
    assert_bounds(RP_TYPE_INT4, integer(10), integer(9), -1);
    assert_bounds(RP_TYPE_INT4, integer(10), integer(10), 0);
    assert_bounds(RP_TYPE_INT4, integer(10), integer(11), 1);
    assert_bounds(RP_TYPE_TIMESTAMPTZ, integer(10), integer(-1), -1);
    assert_bounds(RP_TYPE_NUMERIC, decimal("10"), decimal("9.999"), -1);
    assert_bounds(RP_TYPE_NUMERIC, decimal("10"), decimal("10.000"), 0);
    assert_bounds(RP_TYPE_NUMERIC, decimal("10"), decimal("10.0001"), 1);
    assert_bounds(RP_TYPE_NUMERIC, decimal("10"), decimal("-100"), -1);
}

static void assert_in_no_range(RpTypeKind kind, RpConverted bound, RpConverted value) {
    g_autoptr(RpRule) minimum = rp_rule_new_min("0");
    g_autoptr(RpRule) maximum = rp_rule_new_max("0");
    minimum->kind = maximum->kind = kind;
    minimum->bound = maximum->bound = bound;
    RpProblem problem = {0};
    cr_assert(!minimum->check(minimum, RP_SPAN_OF("NaN"), &value, (RpSpan){NULL, 0}, &problem));
    cr_assert(!maximum->check(maximum, RP_SPAN_OF("NaN"), &value, (RpSpan){NULL, 0}, &problem));
}

Test(rules, not_a_number_is_in_no_range) {
    const RpConverted not_real = {.real = (double)NAN};
    assert_in_no_range(RP_TYPE_NUMERIC, decimal("0"), decimal("NaN"));
    assert_in_no_range(RP_TYPE_FLOAT4, (RpConverted){.real = 0}, not_real);
    assert_in_no_range(RP_TYPE_FLOAT8, (RpConverted){.real = 0}, not_real);
}

Test(rules, one_of_compares_bytes) {
    static const struct {
        const char *choices, *text, *expected;
    } CASES[] = {
        {"a b", "a", NULL},
        {"a b", "b", NULL},
        {"a b", "c", "invalid_value"},
        {"a b", "A", "invalid_value"},
        {"a b", "a b", "invalid_value"},
        {"ab", "a", "invalid_value"},
        {"a", "ab", "invalid_value"},
        {"a ", "", NULL},
        {"a", "", "invalid_value"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_text(rp_rule_new_one_of(g_strsplit(CASES[i].choices, " ", -1), CASES[i].choices),
                    CASES[i].text, CASES[i].expected);
    assert_checked(rp_rule_new_one_of(g_strsplit("a,b", ",", -1), "a, b"), RP_SPAN_OF("a\0"),
                   (RpSpan){NULL, 0}, "invalid_value", "is none of a, b");
}

static RpRule *matches(const char *expression) {
    g_autofree char *problem = NULL;
    RpRegex *regex = rp_regex_new(expression, &problem);
    cr_assert(regex != NULL, "%s", problem);
    return rp_rule_new_matches(regex, expression);
}

Test(rules, matches_takes_the_whole_value) {
    g_autofree char *too_long = g_strnfill(RP_REGEX_MAX_TEXT + 1, 'a');
    assert_checked(matches("a*"), rp_span(too_long), (RpSpan){NULL, 0}, "too_long",
                   "is longer than the 65536 bytes that an expression is given");
    assert_text(matches("[a-c]+"), "abc", NULL);
    assert_text(matches("[a-c]+"), "abcd", "pattern_mismatch");
    assert_text(matches("[a-c]+"), "", "pattern_mismatch");
    assert_text(matches(""), "", NULL);
    assert_text(matches("."), "\xc3\xa9", NULL);
    assert_text(matches("..?"), "\xc3", "invalid_encoding");
    assert_checked(matches("a"), RP_SPAN_OF("a\0"), (RpSpan){NULL, 0}, "invalid_encoding", NULL);
    assert_checked(matches("a+"), RP_SPAN_OF("b"), (RpSpan){NULL, 0}, "pattern_mismatch", "does not fit a+");
    assert_checked(matches("(a+)+[bc]"), RP_SPAN_OF("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
                   (RpSpan){NULL, 0}, "pattern_mismatch",
                   "costs more steps than an expression may take: (a+)+[bc]");
}

Test(rules, equals_compares_bytes) {
    const RpReference reference = {RP_REFERENCE_CAPTURE, 3};
    assert_checked(rp_rule_new_equals("$key.id", reference), RP_SPAN_OF("a\0b"), RP_SPAN_OF("a\0b"), NULL,
                   NULL);
    assert_checked(rp_rule_new_equals("$key.id", reference), RP_SPAN_OF(""), RP_SPAN_OF(""), NULL, NULL);
    assert_checked(rp_rule_new_equals("$key.id", reference), RP_SPAN_OF("a"), RP_SPAN_OF("A"), "rule_failed",
                   "does not equal $key.id");
    assert_checked(rp_rule_new_equals("$key.id", reference), RP_SPAN_OF(""), (RpSpan){NULL, 0}, "rule_failed",
                   NULL);
    g_autoptr(RpRule) rule = rp_rule_new_equals("$key.id", reference);
    cr_assert(rule->has_reference && rule->reference.kind == RP_REFERENCE_CAPTURE &&
              rule->reference.index == 3);
    RpProblem problem = {0};
    cr_assert(!rule->check(rule, RP_SPAN_OF("a"), NULL, RP_SPAN_OF("b"), &problem));
    cr_assert(g_strcmp0(problem.constraint, "equals") == 0);
}
