/* Records: many in one buffer, and the raw form that a reject keeps, read back by hiredis. */
#include "model/record.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <hiredis/hiredis.h>

static RpRecords records;

static void init(void) {
    rp_records_init(&records);
}

static void clear(void) {
    rp_records_clear(&records);
}

TestSuite(record, .init = init, .fini = clear);

Test(record, keeps_keys_and_values_of_any_bytes) {
    rp_records_begin(&records, 3, RP_RECORD_HASH, RP_SPAN_OF("k\0\xff"));
    rp_records_add_value(&records, RP_SPAN_OF("name"));
    rp_records_add_value(&records, RP_SPAN_OF(""));
    rp_records_begin(&records, 4, RP_RECORD_STRING, (RpSpan){NULL, 0});
    rp_records_add_value(&records, RP_SPAN_OF("\r\n\0"));
    RpSpan values[2];
    cr_assert(records.index->len == 2);
    cr_assert(rp_records_get(&records, 0)->entity == 3 &&
              rp_records_get(&records, 1)->type == RP_RECORD_STRING);
    cr_assert(rp_records_get(&records, 0)->ttl_ms == -2 &&
              rp_records_get(&records, 0)->outcome == RP_READ_OK);
    cr_assert(rp_span_equal(rp_records_key(&records, 0), RP_SPAN_OF("k\0\xff")));
    cr_assert(rp_records_values(&records, 0, values, 2) == 2);
    cr_assert(rp_span_equal(values[0], RP_SPAN_OF("name")) && values[1].size == 0 && values[1].data != NULL);
    cr_assert(rp_records_key(&records, 1).size == 0);
    cr_assert(rp_records_values(&records, 1, values, 2) == 1);
    cr_assert(rp_span_equal(values[0], RP_SPAN_OF("\r\n\0")));
}

Test(record, gives_no_more_values_than_asked_for) {
    rp_records_begin(&records, 0, RP_RECORD_LIST, RP_SPAN_OF("k"));
    for (guint i = 0; i < 5; i++)
        rp_records_add_value(&records, RP_SPAN_OF("v"));
    RpSpan values[3] = {{NULL, 0}, {NULL, 0}, {NULL, 77}};
    cr_assert(rp_records_values(&records, 0, values, 2) == 5);
    cr_assert(values[1].size == 1 && values[2].size == 77);
    cr_assert(rp_records_values(&records, 0, NULL, 0) == 5);
}

Test(record, drops_the_values_of_the_newest_only) {
    rp_records_begin(&records, 0, RP_RECORD_HASH, RP_SPAN_OF("first"));
    rp_records_add_value(&records, RP_SPAN_OF("kept"));
    rp_records_begin(&records, 0, RP_RECORD_HASH, RP_SPAN_OF("second"));
    const gsize size = records.bytes.size;
    rp_records_add_value(&records, RP_SPAN_OF("dropped"));
    rp_records_drop_values(&records);
    cr_assert(records.bytes.size == size && rp_records_get(&records, 1)->n_values == 0);
    cr_assert(rp_span_equal(rp_records_key(&records, 1), RP_SPAN_OF("second")));
    RpSpan value;
    cr_assert(rp_records_values(&records, 0, &value, 1) == 1 && rp_span_equal(value, RP_SPAN_OF("kept")));
    rp_records_begin(&records, 0, RP_RECORD_HASH, RP_SPAN_OF("third"));
    cr_assert(rp_span_equal(rp_records_key(&records, 2), RP_SPAN_OF("third")));
}

Test(record, reset_keeps_small_buffers_and_gives_large_ones_back) {
    g_autofree char *large = g_strnfill(100000, 'x');
    rp_records_begin(&records, 0, RP_RECORD_STRING, RP_SPAN_OF("k"));
    rp_records_reset(&records, 1000);
    cr_assert(records.index->len == 0 && records.bytes.size == 0 && records.bytes.capacity > 0);
    rp_records_begin(&records, 0, RP_RECORD_STRING, rp_span(large));
    rp_records_reset(&records, 1000);
    cr_assert(records.bytes.size == 0 && records.bytes.capacity == 0);
}

static void assert_bulk(const redisReply *reply, RpSpan expected) {
    cr_assert(reply->type == REDIS_REPLY_STRING);
    cr_assert(rp_span_equal((RpSpan){reply->str, reply->len}, expected), "%s", reply->str);
}

static redisReply *read_back(redisReader *reader, guint position) {
    g_auto(RpBuffer) raw = {0};
    rp_records_append_raw(&records, position, &raw);
    void *reply = NULL;
    cr_assert(redisReaderFeed(reader, raw.data, raw.size) == REDIS_OK);
    cr_assert(redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL);
    cr_assert(reader->pos == reader->len, "nothing is left over");
    return reply;
}

Test(record, raw_form_is_a_resp_array) {
    rp_records_begin(&records, 0, RP_RECORD_HASH, RP_SPAN_OF("k\0\r\n\xff"))->ttl_ms = 1234567890123;
    rp_records_add_value(&records, RP_SPAN_OF("name\r\n$3\r\n"));
    rp_records_add_value(&records, RP_SPAN_OF("\0\xff"));
    rp_records_add_value(&records, RP_SPAN_OF(""));
    rp_records_begin(&records, 0, RP_RECORD_OTHER, RP_SPAN_OF(""))->ttl_ms = -1;
    redisReader *reader = redisReaderCreate();

    redisReply *first = read_back(reader, 0);
    cr_assert(first->type == REDIS_REPLY_ARRAY && first->elements == 6);
    assert_bulk(first->element[0], RP_SPAN_OF("k\0\r\n\xff"));
    assert_bulk(first->element[1], RP_SPAN_OF("hash"));
    cr_assert(first->element[2]->type == REDIS_REPLY_INTEGER && first->element[2]->integer == 1234567890123);
    assert_bulk(first->element[3], RP_SPAN_OF("name\r\n$3\r\n"));
    assert_bulk(first->element[4], RP_SPAN_OF("\0\xff"));
    assert_bulk(first->element[5], RP_SPAN_OF(""));
    freeReplyObject(first);

    redisReply *second = read_back(reader, 1);
    cr_assert(second->elements == 3 && second->element[2]->integer == -1);
    assert_bulk(second->element[0], RP_SPAN_OF(""));
    assert_bulk(second->element[1], RP_SPAN_OF("other"));
    freeReplyObject(second);
    redisReaderFree(reader);
}

Test(record, types_have_redis_names) {
    static const char *const NAMES[] = {"hash", "string", "list", "set", "zset", "stream", "other"};
    for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        cr_assert(strcmp(rp_record_type_name((RpRecordType)i), NAMES[i]) == 0);
        cr_assert(rp_record_type_parse(NAMES[i]) == (RpRecordType)i);
    }
    static const char *const UNKNOWN[] = {"none", "", "Hash", "hashes", "ReJSON-RL", "vectorset"};
    for (guint i = 0; i < G_N_ELEMENTS(UNKNOWN); i++)
        cr_assert(rp_record_type_parse(UNKNOWN[i]) == RP_RECORD_OTHER, "%s", UNKNOWN[i]);
}
