/* Key patterns and globs: `p` or `g`, a pattern, and on the next line a key. */
#include "mapping/pattern.h"

#include "input.h"

/* Patterns that match a capture to what it may take, in the key and in order. */
static void check_captures(const RpPattern *pattern, RpSpan key, const RpSpan *captures) {
    const char *at = key.data;
    for (guint i = 0; i < rp_pattern_n_captures(pattern); i++) {
        g_assert(captures[i].size > 0 && captures[i].data >= at);
        at = captures[i].data + captures[i].size;
        g_assert(at <= key.data + key.size);
        g_assert(rp_pattern_takes_colon(pattern, i) ||
                 memchr(captures[i].data, ':', captures[i].size) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    const gboolean is_glob = input_byte(&input) == 'g';
    g_autofree char *text = input_text(&input);
    const RpSpan key = input_rest(&input);
    g_autofree char *problem = NULL;
    g_autoptr(RpPattern) pattern = is_glob ? rp_pattern_new_glob(text) : rp_pattern_new(text, &problem);
    g_autofree char *shape = rp_pattern_shape(key);
    g_assert((pattern == NULL) == (problem != NULL) && strlen(shape) <= 101);
    if (pattern == NULL)
        return 0;
    RpSpan captures[RP_PATTERN_MAX_CAPTURES];
    const gboolean is_match = rp_pattern_match(pattern, key, captures);
    if (is_match)
        check_captures(pattern, key, captures);
    g_assert(is_match == rp_pattern_match(pattern, key, NULL));
    g_autofree char *scanned = rp_pattern_scan_match(pattern);
    g_assert(scanned == NULL || scanned[0] != '\0');
    return 0;
}
