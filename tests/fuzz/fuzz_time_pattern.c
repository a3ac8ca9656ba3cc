/* Forms of times: a pattern, and on the next line a time. */
#include "mapping/time_pattern.h"

#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    g_autofree char *text = input_text(&input);
    g_autofree char *problem = NULL;
    g_autoptr(RpTimePattern) pattern = rp_time_pattern_new(text, &problem);
    g_assert((pattern == NULL) == (problem != NULL));
    if (pattern == NULL)
        return 0;
    const gint64 day_us = G_GINT64_CONSTANT(86400000000);
    gint64 local_us = G_MININT64;
    gboolean has_offset = FALSE;
    gint32 offset_s = 0;
    RpRejectCode code = RP_N_REJECT_CODES;
    if (!rp_time_pattern_parse(pattern, input_rest(&input), &local_us, &has_offset, &offset_s, &code)) {
        g_assert(code < RP_N_REJECT_CODES);
        return 0;
    }
    /* Years 0001 to 9999. */
    g_assert(local_us >= -730485 * day_us && local_us < 2921940 * day_us);
    g_assert(rp_time_pattern_has_date(pattern) || (local_us >= 0 && local_us <= day_us));
    g_assert(!has_offset || ABS(offset_s) < 24 * 3600);
    return 0;
}
