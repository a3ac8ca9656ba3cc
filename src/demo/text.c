/* Numbers and times as text, without the cost of formats. */
#include "demo/text.h"

static const char DIGITS[] = "0123456789abcdef";

static void add_padded(RpText *text, guint64 number, guint n_digits) {
    char digits[20];
    for (guint i = n_digits; i > 0; i--) {
        digits[i - 1] = DIGITS[number % 10];
        number /= 10;
    }
    rp_text_add_bytes(text, digits, n_digits);
}

void rp_text_add_number(RpText *text, guint64 number) {
    guint n_digits = 1;
    for (guint64 rest = number / 10; rest > 0; rest /= 10)
        n_digits++;
    add_padded(text, number, n_digits);
}

void rp_text_add_hex(RpText *text, guint64 number, guint n_digits) {
    char digits[16];
    g_assert(n_digits <= sizeof digits);
    for (guint i = n_digits; i > 0; i--) {
        digits[i - 1] = DIGITS[number & 15];
        number >>= 4;
    }
    rp_text_add_bytes(text, digits, n_digits);
}

void rp_text_add_cents(RpText *text, guint64 cents) {
    rp_text_add_number(text, cents / 100);
    rp_text_add_bytes(text, ".", 1);
    add_padded(text, cents % 100, 2);
}

/* The civil date of a day count since 1970-01-01: Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", civil_from_days; for days after 1970. */
static void add_date(RpText *text, guint64 days) {
    const guint64 shifted = days + 719468;
    const guint64 era = shifted / 146097;
    const guint64 day_of_era = shifted % 146097;
    const guint64 year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const guint64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const guint64 shifted_month = (5 * day_of_year + 2) / 153;
    const guint64 month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    add_padded(text, year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4);
    rp_text_add_bytes(text, "-", 1);
    add_padded(text, month, 2);
    rp_text_add_bytes(text, "-", 1);
    add_padded(text, day_of_year - (153 * shifted_month + 2) / 5 + 1, 2);
}

void rp_text_add_time(RpText *text, guint64 unix_us) {
    const guint64 seconds = unix_us / G_USEC_PER_SEC;
    add_date(text, seconds / 86400);
    rp_text_add_bytes(text, "T", 1);
    add_padded(text, seconds / 3600 % 24, 2);
    rp_text_add_bytes(text, ":", 1);
    add_padded(text, seconds / 60 % 60, 2);
    rp_text_add_bytes(text, ":", 1);
    add_padded(text, seconds % 60, 2);
    rp_text_add_bytes(text, ".", 1);
    add_padded(text, unix_us % G_USEC_PER_SEC, 6);
}
