/* Regular expressions: an expression, on the next line what replaces, then a value. */
#include "mapping/regex.h"

#include "input.h"

#define MAX_BYTES (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    g_autofree char *text = input_text(&input);
    g_autofree char *with = input_text(&input);
    const RpSpan value = input_rest(&input);
    /* YAML's texts are UTF-8, and values are checked before an expression sees them. */
    if (!rp_span_is_text(rp_span(text)) || !rp_span_is_text(rp_span(with)) || !rp_span_is_text(value))
        return -1;
    g_autofree char *problem = NULL;
    g_autoptr(RpRegex) regex = rp_regex_new(text, &problem);
    g_assert((regex == NULL) == (problem != NULL));
    if (regex == NULL)
        return 0;
    rp_regex_matches(regex, value);
    g_autofree char *refused = rp_regex_check_replacement(regex, with);
    if (refused != NULL)
        return 0;
    g_auto(RpBuffer) out = {0};
    const RpRegexOutcome outcome = rp_regex_replace(regex, value, with, MAX_BYTES, &out);
    g_assert(out.size <= MAX_BYTES && (outcome == RP_REGEX_YES || out.size == 0));
    g_assert(rp_span_is_text((RpSpan){out.data, out.size}));
    return 0;
}
