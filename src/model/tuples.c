/* Binary COPY tuples in one buffer. */
#include "model/tuples.h"

void rp_tuples_init(RpTuples *tuples) {
    *tuples = (RpTuples){.rows = g_array_new(FALSE, FALSE, sizeof(RpRow))};
}

void rp_tuples_clear(RpTuples *tuples) {
    rp_buffer_clear(&tuples->bytes);
    g_clear_pointer(&tuples->rows, g_array_unref);
}

void rp_tuples_reset(RpTuples *tuples, gsize keep_bytes) {
    rp_buffer_reset(&tuples->bytes, keep_bytes);
    g_array_set_size(tuples->rows, 0);
}

void rp_tuples_begin_row(RpTuples *tuples, guint32 record, guint32 element, guint n_fields) {
    const RpRow row = {.record = record, .element = element, .offset = tuples->bytes.size};
    g_array_append_val(tuples->rows, row);
    rp_buffer_append_u16(&tuples->bytes, (guint16)(n_fields + 1));
}

void rp_tuples_end_row(RpTuples *tuples) {
    rp_buffer_append_u32(&tuples->bytes, sizeof(guint32));
    rp_buffer_append_u32(&tuples->bytes, tuples->rows->len - 1);
}

void rp_tuples_cut_row(RpTuples *tuples) {
    tuples->bytes.size = rp_tuples_get(tuples, tuples->rows->len - 1)->offset;
    g_array_set_size(tuples->rows, tuples->rows->len - 1);
}

RpSpan rp_tuples_get_field(const RpTuples *tuples, guint ordinal, guint field) {
    const char *at = tuples->bytes.data + rp_tuples_get(tuples, ordinal)->offset + sizeof(guint16);
    for (;;) {
        guint32 size;
        memcpy(&size, at, sizeof size);
        size = GUINT32_FROM_BE(size);
        const gsize whole = sizeof size + (size == G_MAXUINT32 ? 0 : size);
        if (field-- == 0)
            return (RpSpan){at, whole};
        at += whole;
    }
}
