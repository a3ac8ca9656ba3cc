/* The set of touched keys: order, duplicates, places, gaps, and what goes to files. */
#include "sync/touched.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define MEMORY (1024 * 1024)

static RpStreamPlace place_at(guint64 offset) {
    RpStreamPlace place = {.offset = offset, .database = 0};
    memset(place.replication_id, 'a', RP_REPLICATION_ID_SIZE);
    return place;
}

static void add(RpTouched *touched, const char *key, guint64 before, gint64 expires_at_ms) {
    const RpTouch touch = {rp_span(key), expires_at_ms, place_at(before)};
    const RpStreamPlace after = place_at(before + 10);
    cr_assert(rp_touched_add(touched, &touch, NULL));
    rp_touched_reach(touched, &after);
}

/* "a b c | 30": the keys that are taken, and the offset of the place. */
static char *take(RpTouched *touched, guint n_most) {
    g_autoptr(RpTouchedKeys) keys = rp_touched_keys_new();
    RpStreamPlace place;
    GString *text = g_string_new(NULL);
    cr_assert(rp_touched_take(touched, n_most, keys, &place, NULL));
    for (guint i = 0; i < keys->index->len; i++) {
        const RpSpan key = rp_touched_keys_get(keys, i);
        g_string_append_len(text, key.data, (gssize)key.size);
        g_string_append_c(text, ' ');
    }
    if (rp_stream_place_is_set(&place))
        g_string_append_printf(text, "| %" G_GUINT64_FORMAT, place.offset);
    return g_string_free(text, FALSE);
}

static void assert_takes(RpTouched *touched, guint n_most, const char *expected) {
    g_autofree char *taken = take(touched, n_most);
    cr_assert(eq(str, taken, (char *)expected));
}

Test(touched, keys_come_once_in_the_order_of_their_first_touch) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    add(touched, "a", 0, RP_EXPIRY_UNTOLD);
    add(touched, "b", 10, RP_EXPIRY_UNTOLD);
    add(touched, "a", 20, RP_EXPIRY_UNTOLD);
    cr_assert(eq(u64, rp_touched_count(touched), 2));
    cr_assert(eq(u64, rp_touched_count_touches(touched), 3));
    assert_takes(touched, 10, "a b | 30");
    assert_takes(touched, 10, "| 30");
}

/* All before the place is done when what was taken is written: a key that still waits holds it. */
Test(touched, the_place_is_before_the_first_touch_of_what_still_waits) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    add(touched, "a", 0, RP_EXPIRY_UNTOLD);
    add(touched, "b", 10, RP_EXPIRY_UNTOLD);
    add(touched, "c", 20, RP_EXPIRY_UNTOLD);
    add(touched, "b", 30, RP_EXPIRY_UNTOLD);
    assert_takes(touched, 1, "a | 10");
    add(touched, "a", 40, RP_EXPIRY_UNTOLD);
    assert_takes(touched, 1, "b | 20");
    assert_takes(touched, 1, "c | 40");
    assert_takes(touched, 1, "a | 50");
}

Test(touched, a_key_that_is_touched_after_it_was_taken_waits_again) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    add(touched, "a", 0, RP_EXPIRY_UNTOLD);
    assert_takes(touched, 1, "a | 10");
    add(touched, "a", 10, RP_EXPIRY_UNTOLD);
    assert_takes(touched, 1, "a | 20");
}

Test(touched, what_the_source_said_last_of_an_expiry_is_kept) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    g_autoptr(RpTouchedKeys) keys = rp_touched_keys_new();
    RpStreamPlace place;
    add(touched, "a", 0, 1000);
    add(touched, "a", 10, RP_EXPIRY_UNTOLD);
    add(touched, "b", 20, RP_EXPIRY_UNTOLD);
    add(touched, "c", 30, 5);
    add(touched, "c", 30, 6);
    cr_assert(rp_touched_take(touched, 10, keys, &place, NULL));
    cr_assert(eq(i64, g_array_index(keys->index, RpTouchedKey, 0).expires_at_ms, 1000));
    cr_assert(eq(i64, g_array_index(keys->index, RpTouchedKey, 1).expires_at_ms, RP_EXPIRY_UNTOLD));
    cr_assert(eq(i64, g_array_index(keys->index, RpTouchedKey, 2).expires_at_ms, 6));
}

/* Keys are bytes. */
Test(touched, keys_of_any_bytes_are_told_apart) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    const RpTouch touches[] = {{{"\0a", 2}, RP_EXPIRY_UNTOLD, place_at(0)},
                               {{"\0b", 2}, RP_EXPIRY_UNTOLD, place_at(0)},
                               {{"", 0}, RP_EXPIRY_UNTOLD, place_at(0)},
                               {{"\0", 1}, RP_EXPIRY_UNTOLD, place_at(0)},
                               {{"\0a", 2}, RP_EXPIRY_UNTOLD, place_at(0)}};
    for (guint i = 0; i < G_N_ELEMENTS(touches); i++)
        cr_assert(rp_touched_add(touched, &touches[i], NULL));
    cr_assert(eq(u64, rp_touched_count(touched), 4));
}

/* Far more keys than memory holds: each comes, in order, and the place never runs ahead. */
Test(touched, what_does_not_fit_into_memory_waits_in_files) {
    g_autoptr(RpTouched) touched = rp_touched_new(64 * 1024);
    const guint n_keys = 20000;
    for (guint i = 0; i < n_keys; i++) {
        g_autofree char *key = g_strdup_printf("key:%05u", i);
        add(touched, key, i * 10, RP_EXPIRY_UNTOLD);
        if (i % 7 == 0)
            add(touched, key, i * 10, RP_EXPIRY_UNTOLD);
    }
    cr_assert(eq(u64, rp_touched_count(touched), n_keys));
    for (guint i = 0; i < n_keys; i += 100) {
        g_autoptr(RpTouchedKeys) keys = rp_touched_keys_new();
        RpStreamPlace place;
        cr_assert(rp_touched_take(touched, 100, keys, &place, NULL));
        cr_assert(eq(u32, keys->index->len, 100));
        for (guint j = 0; j < 100; j++) {
            g_autofree char *expected = g_strdup_printf("key:%05u", i + j);
            cr_assert(rp_span_equal(rp_touched_keys_get(keys, j), rp_span(expected)), "%s", expected);
        }
        cr_assert(eq(u64, place.offset, (i + 100) * 10));
    }
    cr_assert(eq(u64, rp_touched_count(touched), 0));
}

Test(touched, nothing_is_taken_while_there_is_a_gap) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    guint64 number;
    RpStreamPlace place;
    add(touched, "a", 0, RP_EXPIRY_UNTOLD);
    rp_touched_open_gap(touched, "FLUSHALL", NULL);
    add(touched, "b", 10, RP_EXPIRY_UNTOLD);
    assert_takes(touched, 10, "");
    g_autofree char *reason = rp_touched_find_gap(touched, &number, &place);
    cr_assert(eq(str, reason, "FLUSHALL"));
    cr_assert(eq(u64, place.offset, 10));
    rp_touched_close_gap(touched, number);
    assert_takes(touched, 10, "a b | 20");
}

Test(touched, a_gap_that_opens_while_all_keys_are_read_stays_open) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    guint64 number;
    RpStreamPlace place;
    rp_touched_open_gap(touched, "first", NULL);
    g_autofree char *first = rp_touched_find_gap(touched, &number, &place);
    rp_touched_open_gap(touched, "second", NULL);
    rp_touched_close_gap(touched, number);
    g_autofree char *second = rp_touched_find_gap(touched, &number, &place);
    cr_assert(eq(str, second, "second"));
}

/* What waited was of another history: its places mean nothing in this one. */
Test(touched, another_history_begins_with_nothing) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    RpStreamPlace begin = place_at(5000), place;
    guint64 number;
    add(touched, "a", 0, RP_EXPIRY_UNTOLD);
    rp_touched_open_gap(touched, "FULLRESYNC", &begin);
    add(touched, "b", 5000, RP_EXPIRY_UNTOLD);
    g_autofree char *reason = rp_touched_find_gap(touched, &number, &place);
    cr_assert(eq(u64, place.offset, 5000));
    rp_touched_close_gap(touched, number);
    assert_takes(touched, 10, "b | 5010");
}

Test(touched, whoever_waits_is_woken_by_a_key) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    cr_assert_not(rp_touched_wait(touched, 1, g_get_monotonic_time() + 1000));
    add(touched, "a", 0, RP_EXPIRY_UNTOLD);
    cr_assert(rp_touched_wait(touched, 1, g_get_monotonic_time() + 60 * G_USEC_PER_SEC));
    rp_touched_wake(touched);
    cr_assert(rp_touched_wait(touched, 100, g_get_monotonic_time() + 60 * G_USEC_PER_SEC));
}

/* A run that ends in the middle gives back what it had taken: the place is what it was. */
Test(touched, keys_that_are_given_back_come_first_again) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    g_autoptr(RpTouchedKeys) first = rp_touched_keys_new(), second = rp_touched_keys_new();
    RpStreamPlace place;
    add(touched, "a", 0, 7);
    add(touched, "b", 10, RP_EXPIRY_UNTOLD);
    add(touched, "c", 20, RP_EXPIRY_UNTOLD);
    cr_assert(rp_touched_take(touched, 1, first, &place, NULL));
    cr_assert(rp_touched_take(touched, 1, second, &place, NULL));
    add(touched, "a", 30, RP_EXPIRY_UNTOLD);
    rp_touched_give_back(touched, second);
    rp_touched_give_back(touched, first);
    assert_takes(touched, 1, "a | 10");
    assert_takes(touched, 1, "b | 20");
    assert_takes(touched, 1, "c | 30");
}

Test(touched, keys_from_before_a_gap_are_not_given_back) {
    g_autoptr(RpTouched) touched = rp_touched_new(MEMORY);
    g_autoptr(RpTouchedKeys) taken = rp_touched_keys_new();
    RpStreamPlace begin = place_at(5000), place;
    guint64 number;
    add(touched, "a", 0, RP_EXPIRY_UNTOLD);
    cr_assert(rp_touched_take(touched, 1, taken, &place, NULL));
    rp_touched_open_gap(touched, "FULLRESYNC", &begin);
    rp_touched_give_back(touched, taken);
    g_autofree char *reason = rp_touched_find_gap(touched, &number, &place);
    rp_touched_close_gap(touched, number);
    assert_takes(touched, 1, "| 5000");
}
