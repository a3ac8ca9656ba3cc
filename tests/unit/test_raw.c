/* Raw records: what a reject keeps is read back as it was, and nothing else is taken for one. */
#include "model/raw.h"

#include <criterion/criterion.h>
#include <glib.h>

static RpRecords records, again;

static void init(void) {
    rp_records_init(&records);
    rp_records_init(&again);
}

static void clear(void) {
    rp_records_clear(&records);
    rp_records_clear(&again);
}

TestSuite(raw, .init = init, .fini = clear);

static void add_values(const RpSpan *values, guint n) {
    for (guint i = 0; i < n; i++)
        rp_records_add_value(&records, values[i]);
}

/* One record of each type, with bytes that could be mistaken for the protocol's. */
static void make_records(void) {
    const RpSpan odd[] = {RP_SPAN_OF("a\r\n$1\r\n"), RP_SPAN_OF("\0\xff"), RP_SPAN_OF(""),
                          RP_SPAN_OF("*3\r\n")};
    rp_records_begin(&records, 0, RP_RECORD_HASH, RP_SPAN_OF("k\0\r\n\xff"))->ttl_ms = G_MAXINT64;
    add_values(odd, 4);
    rp_records_begin(&records, 0, RP_RECORD_HASH, RP_SPAN_OF("big"))->is_partial = TRUE;
    add_values(odd, 2);
    rp_records_begin(&records, 0, RP_RECORD_STRING, RP_SPAN_OF("s"))->ttl_ms = 0;
    add_values(odd, 1);
    RpRecord *element = rp_records_begin(&records, 0, RP_RECORD_LIST, RP_SPAN_OF("l"));
    element->index = G_MAXINT64;
    element->ttl_ms = -1;
    add_values(odd + 1, 1);
    rp_records_begin(&records, 0, RP_RECORD_SET, RP_SPAN_OF("t"));
    add_values(odd + 2, 1);
    rp_records_begin(&records, 0, RP_RECORD_ZSET, RP_SPAN_OF("z"));
    add_values(odd, 2);
    rp_records_begin(&records, 0, RP_RECORD_STREAM, RP_SPAN_OF("x"));
    add_values(odd, 3);
}

static void assert_same(guint position) {
    const RpRecord *a = rp_records_get(&records, position), *b = rp_records_get(&again, position);
    cr_assert(a->type == b->type && a->ttl_ms == b->ttl_ms && a->index == b->index);
    cr_assert(a->is_partial == b->is_partial && a->n_values == b->n_values && b->outcome == RP_READ_OK);
    cr_assert(rp_span_equal(rp_records_key(&records, position), rp_records_key(&again, position)));
    RpSpan first[4], second[4];
    rp_records_values(&records, position, first, 4);
    rp_records_values(&again, position, second, 4);
    for (guint i = 0; i < a->n_values; i++)
        cr_assert(rp_span_equal(first[i], second[i]), "value %u of record %u", i, position);
}

Test(raw, every_type_comes_back_as_it_was) {
    make_records();
    for (guint i = 0; i < records.index->len; i++) {
        g_auto(RpBuffer) bytes = {0};
        RpRaw raw;
        rp_records_append_raw(&records, i, &bytes);
        cr_assert(rp_raw_open(&raw, (RpSpan){bytes.data, bytes.size}), "record %u", i);
        cr_assert(rp_raw_is_whole(&raw), "record %u", i);
        cr_assert(rp_raw_append(&raw, 7, &again)->entity == 7);
        assert_same(i);
    }
}

/* Whatever is cut off, added or in the way. */
Test(raw, a_damaged_record_is_refused) {
    make_records();
    for (guint i = 0; i < records.index->len; i++) {
        g_auto(RpBuffer) bytes = {0};
        RpRaw raw;
        rp_records_append_raw(&records, i, &bytes);
        for (gsize size = 0; size < bytes.size; size++) {
            g_autofree char *exact = g_memdup2(bytes.data, MAX(size, 1)); /* whose end a sanitizer guards */
            cr_assert(!rp_raw_open(&raw, (RpSpan){exact, size}), "record %u, %zu bytes", i, size);
        }
        rp_buffer_append(&bytes, "x", 1);
        cr_assert(!rp_raw_open(&raw, (RpSpan){bytes.data, bytes.size}));
    }
}

Test(raw, what_is_not_written_so_is_refused) {
    static const char *const BAD[] = {
        "",
        "x",
        "*3\r\n",
        "*2\r\n$1\r\nk\r\n$4\r\nhash\r\n",                         /* no time to live */
        "*3\r\n$1\r\nk\r\n$4\r\nhush\r\n:-1\r\n",                  /* no such type */
        "*3\r\n$1\r\nk\r\n$5\r\nlist*\r\n:-1\r\n",                 /* only hashes are partial */
        "*3\r\n$1\r\nk\r\n$4\r\nhash\r\n:-3\r\n",                  /* no such time */
        "*3\r\n$1\r\nk\r\n$4\r\nhash\r\n:+1\r\n",                  /* not the shortest form */
        "*3\r\n$01\r\nk\r\n$4\r\nhash\r\n:-1\r\n",                 /* nor this */
        "*4\r\n$1\r\nk\r\n$4\r\nhash\r\n:-1\r\n",                  /* less than announced */
        "*3\r\n$1\r\nk\r\n$4\r\nhash\r\n:-1\r\n$1\r\na\r\n",       /* more */
        "*4\r\n$1\r\nk\r\n$4\r\nhash\r\n:-1\r\n$-1\r\n",           /* nil */
        "*4\r\n$1\r\nk\r\n$4\r\nlist\r\n:-1\r\n:-5\r\n",           /* a negative index */
        "*5\r\n$1\r\nk\r\n$4\r\nhash\r\n:-1\r\n$1\r\na\r\n:5\r\n", /* a number where a value is */
        "*4294967299\r\n$1\r\nk\r\n$4\r\nhash\r\n:-1\r\n",         /* 3 modulo 2^32 */
        "*4\r\n$1\r\nk\r\n$4\r\nhash\r\n:-1\r\n$9223372036854775807\r\na\r\n",
        "*4\r\n$1\r\nk\r\n$4\r\nhash\r\n:-1\r\n$99999999999999999999\r\na\r\n",
    };
    RpRaw raw;
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        cr_assert(!rp_raw_open(&raw, rp_span(BAD[i])), "%s", BAD[i]);
}

Test(raw, a_record_without_its_values_is_not_whole) {
    for (guint type = 0; type <= RP_RECORD_OTHER; type++) {
        g_auto(RpBuffer) bytes = {0};
        RpRaw raw;
        rp_records_begin(&records, 0, (RpRecordType)type, RP_SPAN_OF("k"));
        rp_records_append_raw(&records, type, &bytes);
        cr_assert(rp_raw_open(&raw, (RpSpan){bytes.data, bytes.size}));
        cr_assert(!rp_raw_is_whole(&raw), "%s", rp_record_type_name((RpRecordType)type));
    }
}
