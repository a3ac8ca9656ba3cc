/* The rules that a column can state. */
#include "mapping/rules.h"

#include "mapping/uuid.h"

const char *const RP_RULE_FORMATS[] = {"email", "url", "uuid", "currency", NULL};

static RpRule *rule_new(const char *word, const char *text, RpRuleCheck check) {
    RpRule *rule = g_new0(RpRule, 1);
    rule->word = word;
    rule->text = g_strdup(text);
    rule->check = check;
    return rule;
}

void rp_rule_free(RpRule *rule) {
    g_free(rule->text);
    g_strfreev(rule->choices);
    rp_regex_free(rule->regex);
    g_free(rule);
}

static gboolean is_nan(const RpRule *rule, const RpConverted *converted) {
    return rp_converted_is_nan(rule->kind, converted);
}

static gboolean check_min(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                          RpProblem *problem) {
    (void)text;
    (void)other;
    if (!is_nan(rule, converted) && rp_converted_compare(rule->kind, converted, &rule->bound) >= 0)
        return TRUE;
    return rp_problem_set(problem, RP_REJECT_OUT_OF_RANGE, "is less than the minimum %s", rule->text);
}

static gboolean check_max(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                          RpProblem *problem) {
    (void)text;
    (void)other;
    if (!is_nan(rule, converted) && rp_converted_compare(rule->kind, converted, &rule->bound) <= 0)
        return TRUE;
    return rp_problem_set(problem, RP_REJECT_OUT_OF_RANGE, "is more than the maximum %s", rule->text);
}

RpRule *rp_rule_new_min(const char *bound) {
    RpRule *rule = rule_new("min", bound, check_min);
    rule->needs_bound = TRUE;
    return rule;
}

RpRule *rp_rule_new_max(const char *bound) {
    RpRule *rule = rule_new("max", bound, check_max);
    rule->needs_bound = TRUE;
    return rule;
}

static gboolean check_max_length(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                                 RpProblem *problem) {
    (void)converted;
    (void)other;
    if (text.size <= rule->limit || rp_text_characters(text) <= rule->limit)
        return TRUE;
    return rp_problem_set(problem, RP_REJECT_TOO_LONG, "is longer than %s characters", rule->text);
}

static gboolean check_min_length(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                                 RpProblem *problem) {
    (void)converted;
    (void)other;
    if (rp_text_characters(text) >= rule->limit)
        return TRUE;
    return rp_problem_set(problem, RP_REJECT_TOO_SHORT, "is shorter than %s characters", rule->text);
}

static RpRule *length_rule(const char *word, gsize n_characters, RpRuleCheck check) {
    g_autofree char *text = g_strdup_printf("%" G_GSIZE_FORMAT, n_characters);
    RpRule *rule = rule_new(word, text, check);
    rule->limit = n_characters;
    return rule;
}

RpRule *rp_rule_new_min_length(gsize n_characters) {
    return length_rule("min_length", n_characters, check_min_length);
}

RpRule *rp_rule_new_max_length(gsize n_characters) {
    return length_rule("max_length", n_characters, check_max_length);
}

static gboolean check_equals(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                             RpProblem *problem) {
    (void)converted;
    if (other.data != NULL && rp_span_equal(text, other))
        return TRUE;
    problem->constraint = "equals";
    return rp_problem_set(problem, RP_REJECT_RULE_FAILED, "does not equal %s", rule->text);
}

RpRule *rp_rule_new_equals(const char *text, RpReference reference) {
    RpRule *rule = rule_new("equals", text, check_equals);
    rule->has_reference = TRUE;
    rule->reference = reference;
    return rule;
}

static gboolean check_one_of(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                             RpProblem *problem) {
    (void)converted, (void)other;
    for (char **choice = rule->choices; *choice != NULL; choice++)
        if (rp_span_equal(rp_span(*choice), text))
            return TRUE;
    return rp_problem_set(problem, RP_REJECT_INVALID_VALUE, "is none of %s", rule->text);
}

RpRule *rp_rule_new_one_of(char **choices, const char *text) {
    RpRule *rule = rule_new("one_of", text, check_one_of);
    rule->choices = choices;
    return rule;
}

static gboolean check_matches(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                              RpProblem *problem) {
    (void)converted, (void)other;
    if (!rp_span_is_text(text))
        return rp_problem_set(problem, RP_REJECT_INVALID_ENCODING, "is not UTF-8 text without NUL");
    switch (rp_regex_matches(rule->regex, text)) {
    case RP_REGEX_YES:
        return TRUE;
    case RP_REGEX_NO:
        return rp_problem_set(problem, RP_REJECT_PATTERN_MISMATCH, "does not fit %s", rule->text);
    case RP_REGEX_GAVE_UP:
        return rp_problem_set(problem, RP_REJECT_PATTERN_MISMATCH,
                              "costs more steps than an expression may take: %s", rule->text);
    case RP_REGEX_TOO_LONG:
        return rp_problem_set(problem, RP_REJECT_TOO_LONG,
                              "is longer than the %d bytes that an expression is given", RP_REGEX_MAX_TEXT);
    }
    g_assert_not_reached();
}

RpRule *rp_rule_new_matches(RpRegex *regex, const char *text) {
    RpRule *rule = rule_new("matches", text, check_matches);
    rule->regex = regex;
    return rule;
}

/* Without a way out in between, the compiler takes many bytes at a time. */
static gboolean has_blank(RpSpan text) {
    gboolean is_found = FALSE;
    for (gsize i = 0; i < text.size; i++)
        is_found |= (guchar)text.data[i] <= ' ' || text.data[i] == 0x7f;
    return is_found;
}

/* local@domain.tld, loosely: RFC 5321's lengths, one @, a dot inside the domain. Whether mail arrives, no
 * pattern can say. */
static gboolean is_email(RpSpan text) {
    const char *at_sign = text.size > 0 ? memchr(text.data, '@', text.size) : NULL;
    if (at_sign == NULL || has_blank(text) || text.size > 320)
        return FALSE;
    const gsize local = (gsize)(at_sign - text.data);
    const RpSpan domain = {at_sign + 1, text.size - local - 1};
    const char *dot = domain.size > 0 ? memchr(domain.data, '.', domain.size) : NULL;
    return local > 0 && local <= 64 && domain.size >= 3 && memchr(domain.data, '@', domain.size) == NULL &&
           dot != NULL && dot != domain.data && domain.data[domain.size - 1] != '.';
}

static gboolean is_url(RpSpan text) {
    static const char *const schemes[] = {"http://", "https://"};
    for (guint i = 0; i < G_N_ELEMENTS(schemes); i++) {
        const gsize size = strlen(schemes[i]);
        if (text.size > size && g_ascii_strncasecmp(text.data, schemes[i], size) == 0)
            return text.data[size] != '/' && !has_blank(text);
    }
    return FALSE;
}

static gboolean is_uuid(RpSpan text) {
    RpUuid uuid;
    return rp_uuid_parse(text, &uuid);
}

static gboolean is_currency(RpSpan text) {
    return text.size == 3 && g_ascii_isupper(text.data[0]) && g_ascii_isupper(text.data[1]) &&
           g_ascii_isupper(text.data[2]);
}

static gboolean refuse_format(gboolean is_fine, const char *shape, RpProblem *problem) {
    return is_fine || rp_problem_set(problem, RP_REJECT_FORMAT_MISMATCH, "is no %s", shape);
}

static gboolean check_email(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                            RpProblem *problem) {
    (void)rule, (void)converted, (void)other;
    return refuse_format(is_email(text), "e-mail address", problem);
}

static gboolean check_url(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                          RpProblem *problem) {
    (void)rule, (void)converted, (void)other;
    return refuse_format(is_url(text), "http or https URL", problem);
}

static gboolean check_uuid(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                           RpProblem *problem) {
    (void)rule, (void)converted, (void)other;
    return refuse_format(is_uuid(text), "UUID", problem);
}

static gboolean check_currency(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                               RpProblem *problem) {
    (void)rule, (void)converted, (void)other;
    return refuse_format(is_currency(text), "currency code of three capital letters", problem);
}

RpRule *rp_rule_new_format(const char *format) {
    static const RpRuleCheck checks[] = {check_email, check_url, check_uuid, check_currency};
    for (guint i = 0; RP_RULE_FORMATS[i] != NULL; i++)
        if (strcmp(format, RP_RULE_FORMATS[i]) == 0)
            return rule_new("format", format, checks[i]);
    return NULL;
}
