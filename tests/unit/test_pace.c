/* The pace, with a clock of the tests. */
#include "pipeline/pace.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define SECOND 1000000
#define START  (1000 * (gint64)SECOND)

static RpPace pace_of(guint64 max_keys_per_second, guint latency_ms) {
    RpPace pace;
    rp_pace_init(&pace, max_keys_per_second, latency_ms);
    return pace;
}

/* Asks as the reader does, as soon as it may, until the end; gives the number of keys. */
static guint64 ask_until(RpPace *pace, gint64 now, gint64 end) {
    guint64 n_keys = 0;
    for (; (now = MAX(now, rp_pace_get_next(pace))) < end;) {
        const guint page = rp_pace_get_page(pace);
        rp_pace_note_keys(pace, now, page);
        n_keys += page;
    }
    return n_keys;
}

/* ---- a limit ---- */

Test(pace, without_a_limit_holds_nobody_back) {
    RpPace pace = pace_of(0, 0);
    for (guint i = 0; i < 1000; i++)
        rp_pace_note_keys(&pace, START, 1000);
    cr_assert(eq(i64, rp_pace_get_next(&pace), 0));
    cr_assert(eq(u32, rp_pace_get_page(&pace), G_MAXUINT));
}

static const struct {
    guint64 limit;
    guint page;
} PAGES[] = {{1, 10}, {50, 10}, {5000, 10}, {6000, 12}, {20000, 40}, {1000000, 2000}, {1000000000, 2000000}};

Test(pace, a_page_is_what_the_limit_gives_in_a_few_milliseconds) {
    for (guint i = 0; i < G_N_ELEMENTS(PAGES); i++) {
        RpPace pace = pace_of(PAGES[i].limit, 0);
        cr_assert(rp_pace_get_page(&pace) == PAGES[i].page, "%" G_GUINT64_FORMAT ": %u", PAGES[i].limit,
                  rp_pace_get_page(&pace));
    }
}

Test(pace, keeps_to_the_limit_on_average) {
    for (guint i = 0; i < G_N_ELEMENTS(PAGES); i++) {
        RpPace pace = pace_of(PAGES[i].limit, 0);
        const guint seconds = 100;
        const guint64 n_keys = ask_until(&pace, START, START + seconds * SECOND);
        const guint64 due = seconds * PAGES[i].limit;
        cr_assert(n_keys <= due + 2 * PAGES[i].page && n_keys + 2 * PAGES[i].page >= due,
                  "%" G_GUINT64_FORMAT " keys in place of %" G_GUINT64_FORMAT, n_keys, due);
    }
}

Test(pace, does_not_ask_for_a_second_page_at_once) {
    RpPace pace = pace_of(50, 0);
    rp_pace_note_keys(&pace, START, 10);
    cr_assert(eq(i64, rp_pace_get_next(&pace), START + SECOND / 5 - 2000));
}

Test(pace, time_without_keys_is_not_saved_up) {
    RpPace pace = pace_of(20000, 0);
    ask_until(&pace, START, START + SECOND);
    const gint64 later = START + 60 * (gint64)SECOND;
    cr_assert(ask_until(&pace, later, later + 1) <= 80);
}

Test(pace, what_came_beside_what_was_asked_for_is_made_up_for) {
    RpPace pace = pace_of(1000, 0);
    rp_pace_note_keys(&pace, START, 10);
    rp_pace_note_keys(&pace, START + 1000, 990);
    cr_assert(ge(i64, rp_pace_get_next(&pace), START + SECOND - 2000));
}

/* ---- PINGs ---- */

/* A PING after a time in which so many keys were asked for. */
static RpPaceChange ping_after(RpPace *pace, gint64 *now, guint n_keys, gint64 took_us) {
    rp_pace_note_keys(pace, *now, n_keys);
    *now += SECOND / 20;
    return rp_pace_note_ping(pace, *now, took_us);
}

Test(pace, quick_pings_change_nothing) {
    RpPace pace = pace_of(0, 2);
    gint64 now = START;
    for (guint i = 0; i < 100; i++)
        cr_assert(ping_after(&pace, &now, 5000, 2000) == RP_PACE_SAME);
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), 0));
    cr_assert(eq(i64, rp_pace_get_next(&pace), 0));
}

/* Redis does what one client has asked for in one go. */
Test(pace, asks_for_few_keys_at_once_where_the_latency_matters) {
    RpPace watched = pace_of(0, 2), limited = pace_of(1000000, 2);
    cr_assert(eq(u32, rp_pace_get_page(&watched), 50));
    cr_assert(eq(u32, rp_pace_get_page(&limited), 50));
}

Test(pace, a_slow_ping_halves_it) {
    RpPace pace = pace_of(0, 2);
    gint64 now = START;
    ping_after(&pace, &now, 0, 100);
    ping_after(&pace, &now, 4000, 100);
    ping_after(&pace, &now, 2000, 100);
    cr_assert(ping_after(&pace, &now, 2000, 2001) == RP_PACE_HELD_BACK);
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), 40000)); /* of 80,000, the most there was */
    cr_assert(ping_after(&pace, &now, 1000, 50000) == RP_PACE_SAME);
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), 20000));
    cr_assert(eq(u32, rp_pace_get_page(&pace), 40));
    cr_assert(gt(i64, rp_pace_get_next(&pace), 0));
}

Test(pace, does_not_come_to_a_stop) {
    RpPace pace = pace_of(0, 2);
    gint64 now = START;
    for (guint i = 0; i < 100; i++)
        ping_after(&pace, &now, 1000, G_MAXINT64);
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), RP_PACE_LEAST_KEYS));
    cr_assert(eq(u32, rp_pace_get_page(&pace), RP_PACE_LEAST_PAGE));
}

Test(pace, recovers_when_pings_are_quick_again) {
    RpPace pace = pace_of(0, 2);
    gint64 now = START;
    guint n_pings = 1;
    ping_after(&pace, &now, 0, 100);
    for (guint i = 0; i < 100; i++)
        ping_after(&pace, &now, 4000, 9000);
    while (ping_after(&pace, &now, 100, 100) != RP_PACE_RECOVERED)
        n_pings++;
    cr_assert(n_pings >= 90 && n_pings <= 101, "%u", n_pings);
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), 0));
    cr_assert(eq(i64, rp_pace_get_next(&pace), 0));
    cr_assert(ping_after(&pace, &now, 4000, 100) == RP_PACE_SAME);
}

/* Slow before anything was asked for. */
Test(pace, recovers_also_from_nothing) {
    RpPace pace = pace_of(0, 2);
    gint64 now = START;
    cr_assert(ping_after(&pace, &now, 0, 9000) == RP_PACE_HELD_BACK);
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), RP_PACE_LEAST_KEYS));
    cr_assert(ping_after(&pace, &now, 5, 100) == RP_PACE_RECOVERED);
}

Test(pace, of_two_limits_the_smaller_one_holds) {
    RpPace pace = pace_of(30000, 2);
    gint64 now = START;
    ping_after(&pace, &now, 0, 100);
    ping_after(&pace, &now, 4000, 9000);
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), 30000));
    ping_after(&pace, &now, 1500, 9000);
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), 20000));
    while (ping_after(&pace, &now, 1000, 100) != RP_PACE_RECOVERED)
        ;
    cr_assert(eq(dbl, rp_pace_get_rate(&pace), 30000));
}

/* What was asked for beyond the limit is still owed when Redis is quick again. */
Test(pace, recovery_does_not_give_up_the_limit) {
    RpPace pace = pace_of(1000, 2);
    gint64 now = START;
    ping_after(&pace, &now, 0, 9000);
    ping_after(&pace, &now, 10000, 100);
    while (ping_after(&pace, &now, 0, 100) != RP_PACE_RECOVERED)
        ;
    cr_assert(ge(i64, rp_pace_get_next(&pace), START + 9 * SECOND));
}

/* A Redis that is slow from so many keys a second on. */
Test(pace, settles_below_the_place_where_redis_becomes_slow) {
    RpPace pace = pace_of(0, 2);
    const double bearable = 40000;
    gint64 now = START;
    guint n_slow = 0, n_pings = 2000;
    double n_keys = 0;
    ping_after(&pace, &now, 5000, 100);
    for (guint i = 0; i < n_pings; i++) {
        const double rate = rp_pace_get_rate(&pace) > 0 ? rp_pace_get_rate(&pace) : 100000;
        const gboolean is_slow = rate > bearable;
        n_slow += is_slow;
        n_keys += rate / 20;
        ping_after(&pace, &now, (guint)(rate / 20), is_slow ? 3000 : 500);
    }
    const double average = n_keys * 20 / n_pings;
    cr_assert(n_slow <= n_pings / 20, "%u of %u PINGs were slow", n_slow, n_pings);
    cr_assert(average > 0.6 * bearable && average < bearable, "%f keys/s", average);
}
