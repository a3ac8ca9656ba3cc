/* Lists of keys, a slice after the other. */
#include "pipeline/key_list.h"

typedef struct {
    guint entity;
    gsize offset;
    gsize size;
    RpWindow window;
} Wish;

/* What is asked for, and not yet taken. */
typedef struct {
    const RpKeyList *list;
    RpKeyReader *keys;
    RpBuffer bytes;
    Wish wishes[RP_KEYS_AHEAD];
    guint n_wishes;
    gboolean is_end;
} Slice;

static RpSpan key_of(const Slice *slice, const Wish *wish) {
    return (RpSpan){slice->bytes.data + wish->offset, wish->size};
}

static gboolean is_stopping(const Slice *slice) {
    return g_atomic_int_get(&slice->keys->crew->is_stopping) != 0;
}

static gboolean list_keys(Slice *slice, GError **error) {
    const RpKeyList *list = slice->list;
    slice->n_wishes = 0;
    slice->bytes.size = 0;
    const guint most = rp_throttle_fit(slice->keys->throttle, RP_KEYS_AHEAD);
    while (slice->n_wishes < most) {
        guint entity;
        RpSpan key;
        if (!list->next(&entity, &key, &slice->is_end, list->data, error))
            return FALSE;
        if (slice->is_end)
            return TRUE;
        slice->wishes[slice->n_wishes++] =
            (Wish){.entity = entity, .offset = slice->bytes.size, .size = key.size};
        rp_buffer_append(&slice->bytes, key.data, key.size);
    }
    return TRUE;
}

static gboolean take_key(Slice *slice, Wish *wish, GError **error) {
    RpFilling *filling = slice->keys->filling;
    gsize n_bytes;
    if (!rp_filling_make_room(filling, error))
        return FALSE;
    const guint64 number = filling->batch->number;
    const guint32 first = filling->batch->records.index->len;
    if (!slice->list->is_known) {
        filling->batch->keys.scanned++;
        filling->batch->keys.mapped++;
    }
    if (!rp_key_reader_take(slice->keys, wish->entity, &wish->window, key_of(slice, wish), &n_bytes, error))
        return FALSE;
    if (slice->list->taken != NULL && !is_stopping(slice))
        slice->list->taken(filling->batch->number == number ? filling->batch : NULL, first,
                           slice->list->data);
    return TRUE;
}

static gboolean take_keys(Slice *slice, GError **error) {
    if (slice->n_wishes > 0)
        rp_key_reader_await(slice->keys, slice->n_wishes);
    for (guint i = 0; i < slice->n_wishes; i++) {
        Wish *wish = &slice->wishes[i];
        wish->window = rp_key_reader_send(slice->keys, wish->entity, key_of(slice, wish));
    }
    for (guint i = 0; i < slice->n_wishes && !is_stopping(slice); i++)
        if (!take_key(slice, &slice->wishes[i], error))
            return FALSE;
    return TRUE;
}

gboolean rp_key_list_read(const RpKeyList *list, RpKeyReader *keys, GError **error) {
    g_autofree Slice *slice = g_new0(Slice, 1);
    gboolean is_fine = TRUE;
    slice->list = list;
    slice->keys = keys;
    while (is_fine && !slice->is_end && !is_stopping(slice))
        is_fine = list_keys(slice, error) && take_keys(slice, error);
    rp_buffer_clear(&slice->bytes);
    return is_fine;
}
