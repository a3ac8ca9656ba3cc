/* A sorted list of keys. */
#include "reconcile/wishes.h"

#include <string.h>

typedef struct {
    guint32 unit;
    guint32 size;
    gsize offset;
} Wish;

void rp_wishes_init(RpWishes *wishes) {
    *wishes = (RpWishes){.index = g_array_new(FALSE, FALSE, sizeof(Wish))};
}

void rp_wishes_clear(RpWishes *wishes) {
    rp_buffer_clear(&wishes->bytes);
    g_clear_pointer(&wishes->index, g_array_unref);
}

void rp_wishes_add(RpWishes *wishes, guint unit, RpSpan key) {
    const Wish wish = {unit, (guint32)key.size, wishes->bytes.size};
    rp_buffer_append(&wishes->bytes, key.data, key.size);
    g_array_append_val(wishes->index, wish);
}

static RpSpan key_of(const RpWishes *wishes, const Wish *wish) {
    return (RpSpan){wishes->bytes.data + wish->offset, wish->size};
}

static gint compare(gconstpointer a, gconstpointer b, gpointer data) {
    const Wish *left = a, *right = b;
    const RpWishes *wishes = data;
    if (left->unit != right->unit)
        return left->unit < right->unit ? -1 : 1;
    const int order =
        memcmp(key_of(wishes, left).data, key_of(wishes, right).data, MIN(left->size, right->size));
    return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

void rp_wishes_sort(RpWishes *wishes) {
    g_array_sort_with_data(wishes->index, compare, wishes);
}

gboolean rp_wishes_next(RpWishes *wishes, guint *unit, RpSpan *key) {
    const Wish *all = (const Wish *)(void *)wishes->index->data;
    while (wishes->next > 0 && wishes->next < wishes->index->len &&
           compare(&all[wishes->next - 1], &all[wishes->next], wishes) == 0)
        wishes->next++;
    if (wishes->next >= wishes->index->len)
        return FALSE;
    const Wish *wish = &all[wishes->next++];
    *unit = wish->unit;
    *key = key_of(wishes, wish);
    return TRUE;
}
