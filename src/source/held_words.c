/* Words one behind the other in one run of bytes. */
#include "source/held_words.h"

#define KEPT_BYTES (64 * 1024)

void rp_held_words_init(RpHeldWords *words) {
    *words = (RpHeldWords){.sizes = g_array_new(FALSE, FALSE, sizeof(gsize))};
}

void rp_held_words_clear(RpHeldWords *words) {
    rp_buffer_clear(&words->bytes);
    g_array_free(words->sizes, TRUE);
}

void rp_held_words_add(RpHeldWords *words, RpSpan word) {
    rp_buffer_append(&words->bytes, word.data, word.size);
    g_array_append_val(words->sizes, word.size);
}

void rp_held_words_drop(RpHeldWords *words) {
    rp_buffer_reset(&words->bytes, KEPT_BYTES);
    if (words->sizes->len > KEPT_BYTES / sizeof(gsize)) {
        g_array_free(words->sizes, TRUE);
        words->sizes = g_array_new(FALSE, FALSE, sizeof(gsize));
    }
    g_array_set_size(words->sizes, 0);
}

gsize rp_held_words_measure(const RpHeldWords *words) {
    return words->bytes.size + words->sizes->len * sizeof(gsize);
}

RpSpan *rp_held_words_list(const RpHeldWords *words) {
    RpSpan *list = g_new(RpSpan, words->sizes->len);
    const char *at = words->bytes.data;
    for (guint i = 0; i < words->sizes->len; i++) {
        list[i] = (RpSpan){at, g_array_index(words->sizes, gsize, i)};
        at += list[i].size;
    }
    return list;
}
