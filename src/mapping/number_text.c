/* Text of numbers, into memory that the caller has. */
#include "mapping/number_text.h"

#include <time.h>

/* units: how many make a second. A product could wrap around: Redis takes any 64-bit number of ms. */
void rp_number_text_time(RpNumberText *text, gint64 unix_time, gint64 units) {
    const gint64 seconds = unix_time / units - (unix_time % units < 0);
    const gint64 fraction = unix_time - seconds * units;
    const time_t time = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&time, &parts) == NULL) { /* a year that no type holds: refused as what it is */
        g_snprintf(text->bytes, sizeof text->bytes, "%" G_GINT64_FORMAT, unix_time);
        return;
    }
    g_snprintf(text->bytes, sizeof text->bytes, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
               parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
               (int)(fraction * (G_USEC_PER_SEC / units)));
}

void rp_number_text_integer(RpNumberText *text, gint64 number) {
    g_snprintf(text->bytes, sizeof text->bytes, "%" G_GINT64_FORMAT, number);
}

/* Redis before 7.2 writes 0.1 as 0.10000000000000001: the shortest text of the same number is meant
 * (redis: util.c, d2string). */
RpSpan rp_number_text_score(RpNumberText *made, RpSpan written) {
    char text[40];
    if (written.size < 17 || written.size >= sizeof text)
        return written;
    memcpy(text, written.data, written.size);
    text[written.size] = '\0';
    const double score = g_ascii_strtod(text, NULL);
    static const char *const formats[] = {"%.15g", "%.16g"};
    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(made->bytes, sizeof made->bytes, formats[i], score);
        if (g_ascii_strtod(made->bytes, NULL) == score)
            return rp_span(made->bytes);
    }
    return written;
}
