/* Values in canonical form, hashed by XXH3 (https://github.com/Cyan4973/xxHash). */
#include "reconcile/digest.h"

#include "reconcile/canonical.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

guint rp_hash_of_hash(gconstpointer hash) {
    return (guint)((const RpHash *)hash)->low;
}

gboolean rp_hash_is_same(gconstpointer a, gconstpointer b) {
    return rp_hash_equal(a, b);
}

struct RpDigester {
    guint64 seed;
    RpBuffer canonical;
    RpCanonical form;
};

RpDigester *rp_digester_new(guint64 seed) {
    RpDigester *digester = g_new0(RpDigester, 1);
    digester->seed = seed;
    return digester;
}

void rp_digester_free(RpDigester *digester) {
    if (digester == NULL)
        return;
    rp_canonical_clear(&digester->form);
    rp_buffer_clear(&digester->canonical);
    g_free(digester);
}

guint64 rp_digest_bytes(RpSpan bytes) {
    return XXH3_64bits(bytes.data, bytes.size);
}

guint64 rp_digester_seed(void) {
    return (guint64)g_random_int() << 32 | g_random_int();
}

static RpHash hash(const RpBuffer *bytes, guint64 seed) {
    const XXH128_hash_t sum = XXH3_128bits_withSeed(bytes->data, bytes->size, seed);
    return (RpHash){sum.low64, sum.high64};
}

/* A value is told from the next one by its size, and from none by a size that none has. */
static void append_value(RpDigester *digester, const RpUnitColumn *column, RpSpan value, gboolean is_stored) {
    RpBuffer *out = &digester->canonical;
    const gsize at = out->size;
    rp_buffer_append_u32(out, G_MAXUINT32);
    if (value.data == NULL)
        return;
    if (column->is_text)
        rp_buffer_append(out, value.data, value.size);
    else
        rp_canonical_append(&digester->form, column->column, value, is_stored, out);
    const guint32 size = (guint32)(out->size - at - sizeof(guint32));
    memcpy(out->data + at, &size, sizeof size);
}

/* Values of the key that PostgreSQL may hold equal though their case differs have one identity: whether they
 * are equal is for PostgreSQL to say, of a row that differs. */
static void append_key_value(RpDigester *digester, const RpUnitColumn *column, RpSpan value,
                             gboolean is_stored) {
    const gsize at = digester->canonical.size;
    append_value(digester, column, value, is_stored);
    if (!column->is_caseless || value.data == NULL)
        return;
    for (gsize i = at + sizeof(guint32); i < digester->canonical.size; i++)
        digester->canonical.data[i] = g_ascii_tolower(digester->canonical.data[i]);
}

void rp_digester_digest(RpDigester *digester, const RpUnit *unit, const RpSpan *values, gboolean is_stored,
                        RpDigest *digest) {
    if (unit->is_caseless)
        rp_digester_identify(digester, unit, values, is_stored, &digest->identity);
    digester->canonical.size = 0;
    rp_buffer_append_u32(&digester->canonical, unit->leader);
    for (guint i = 0; i < unit->columns->len; i++) {
        append_value(digester, rp_unit_column(unit, i), values[i], is_stored);
        if (i + 1 == unit->n_keys && !unit->is_caseless)
            digest->identity = hash(&digester->canonical, digester->seed);
    }
    digest->row = hash(&digester->canonical, digester->seed);
}

void rp_digester_identify(RpDigester *digester, const RpUnit *unit, const RpSpan *values, gboolean is_stored,
                          RpHash *identity) {
    digester->canonical.size = 0;
    rp_buffer_append_u32(&digester->canonical, unit->leader);
    for (guint i = 0; i < unit->n_keys; i++)
        append_key_value(digester, rp_unit_column(unit, i), values[i], is_stored);
    *identity = hash(&digester->canonical, digester->seed);
}

void rp_digester_hash_key(RpDigester *digester, guint unit, RpSpan key, RpHash *hashed) {
    digester->canonical.size = 0;
    rp_buffer_append_u32(&digester->canonical, unit);
    rp_buffer_append(&digester->canonical, key.data, key.size);
    *hashed = hash(&digester->canonical, digester->seed);
}

void rp_digester_digest_columns(RpDigester *digester, const RpUnit *unit, const RpSpan *values,
                                gboolean is_stored, guint64 *hashes) {
    for (guint i = 0; i < unit->columns->len; i++) {
        digester->canonical.size = 0;
        append_value(digester, rp_unit_column(unit, i), values[i], is_stored);
        hashes[i] = hash(&digester->canonical, digester->seed).low;
    }
}

void rp_digester_source_values(const RpUnit *unit, const RpTuples *tuples, guint ordinal, RpSpan *values) {
    const RpRow *row = rp_tuples_get(tuples, ordinal);
    RpTupleFields fields = rp_tuple_fields(
        (RpSpan){tuples->bytes.data + row->offset, rp_tuples_row_end(tuples, ordinal) - row->offset});
    const guint n_fields = fields.n_left;
    for (guint field = 0; field < n_fields; field++) {
        const RpSpan value = rp_tuple_next(&fields);
        const guint place = field < unit->places->len ? g_array_index(unit->places, guint, field) : G_MAXUINT;
        if (place != G_MAXUINT)
            values[place] = value;
    }
}

gboolean rp_digester_target_values(const RpUnit *unit, RpSpan tuple, RpSpan *values) {
    RpTupleFields fields = rp_tuple_fields(tuple);
    if (fields.n_left != unit->columns->len)
        return FALSE;
    for (guint i = 0; i < unit->columns->len; i++)
        values[i] = rp_tuple_next(&fields);
    return TRUE;
}
