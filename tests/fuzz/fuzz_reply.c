/* Replies of Redis: a digit for the shape that is expected, one for the most bytes of a value, one for
 * whether less can be asked for, and after a newline the protocol's bytes, which come in two pieces. */
#include "source/reply_parser.h"

#include "input.h"

#include <hiredis/hiredis.h>

static const gsize MAX_BYTES[] = {0, 1, 10, 100, 1000, 1 << 20};

/* What the mapper may rely on. */
static gboolean is_whole(const RpRecord *record) {
    switch ((RpRecordType)record->type) {
    case RP_RECORD_HASH:
        return record->n_values % 2 == 0;
    case RP_RECORD_STREAM:
        return record->n_values % 2 == 1;
    case RP_RECORD_ZSET:
        return record->n_values == 2;
    case RP_RECORD_STRING: /* none: the key is gone */
        return record->n_values <= 1;
    default:
        return record->n_values == 1;
    }
}

static void check_records(const RpRecords *records, gboolean is_sound) {
    for (guint i = 0; i < records->index->len; i++) {
        const RpRecord *record = rp_records_get(records, i);
        g_assert(rp_span_equal(rp_records_key(records, i), RP_SPAN_OF("key")));
        g_assert(!is_sound || record->outcome != RP_READ_OK || is_whole(record));
        g_autofree RpSpan *values = g_new(RpSpan, record->n_values);
        rp_records_values(records, i, values, record->n_values);
        const char *end = records->bytes.data + records->bytes.size;
        for (guint32 j = 0; j < record->n_values; j++)
            g_assert(values[j].data <= end && values[j].size <= (gsize)(end - values[j].data));
    }
}

static void check_page(const RpKeyPage *page) {
    gsize n_bytes = 0;
    for (guint i = 0; i < rp_key_page_size(page); i++)
        n_bytes += rp_key_page_get(page, i).size;
    g_assert(n_bytes == page->bytes.size);
}

static void feed(RpReplyParser *parser, const char *bytes, gsize size) {
    char *room = rp_reply_parser_reserve(parser, size);
    if (size > 0)
        memcpy(room, bytes, size);
    rp_reply_parser_note_received(parser, size);
}

/* What hiredis makes of the bytes. */
static gboolean is_reply_for_hiredis(RpSpan bytes) {
    redisReader *reader = redisReaderCreate();
    redisReply *reply = NULL;
    redisReaderFeed(reader, bytes.data, bytes.size);
    redisReaderGetReply(reader, (void **)&reply);
    if (reply != NULL)
        freeReplyObject(reply);
    redisReaderFree(reader);
    return reply != NULL;
}

/* Reads one reply of what is fed, as a channel does. FALSE: it is not there yet, or no reply. */
static gboolean receive(RpReplyTarget *target, RpSpan bytes) {
    RpReplyParser parser;
    rp_reply_parser_init(&parser);
    const gsize half = bytes.size / 2;
    feed(&parser, bytes.data, half);
    RpParsed parsed = rp_reply_parser_take(&parser, target);
    if (parsed == RP_PARSED_PART) {
        feed(&parser, bytes.data + half, bytes.size - half);
        parsed = rp_reply_parser_take(&parser, target);
    }
    g_assert((parsed == RP_PARSED_BAD) == (parser.trouble != NULL));
    g_assert(parsed != RP_PARSED_REPLY || is_reply_for_hiredis(bytes));
    rp_reply_parser_clear(&parser);
    return parsed == RP_PARSED_REPLY;
}

static RpRecordType type_of(RpReplyShape shape, gboolean is_string) {
    switch (shape) {
    case RP_REPLY_NUMBER:
    case RP_REPLY_PAGE:
    case RP_REPLY_FIELDS:
        return RP_RECORD_HASH;
    case RP_REPLY_VALUES:
        return is_string ? RP_RECORD_STRING : RP_RECORD_HASH;
    case RP_REPLY_ITEMS:
        return RP_RECORD_LIST;
    case RP_REPLY_MEMBERS:
        return RP_RECORD_SET;
    case RP_REPLY_SCORES:
        return RP_RECORD_ZSET;
    case RP_REPLY_ENTRIES:
        return RP_RECORD_STREAM;
    }
    g_assert_not_reached();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    static char *names[] = {"a", "b", "c"};
    const GPtrArray fields = {(gpointer *)names, G_N_ELEMENTS(names)};
    RpKeyPage page;
    RpRecords records;
    rp_key_page_init(&page);
    rp_records_init(&records);
    RpReplyTarget target = {.shape = (RpReplyShape)input_choose(&input, RP_REPLY_ENTRIES + 1),
                            .page = &page,
                            .records = &records,
                            .key = RP_SPAN_OF("key"),
                            .fields = &fields,
                            .max_bytes = MAX_BYTES[input_choose(&input, G_N_ELEMENTS(MAX_BYTES))]};
    target.is_smallest = input_choose(&input, 2) == 1;
    target.head.type = (guint8)type_of(target.shape, target.is_smallest);
    input_line(&input);
    if (target.shape == RP_REPLY_VALUES || target.shape == RP_REPLY_FIELDS)
        rp_reply_begin_record(&target);
    const gboolean is_there = receive(&target, input_rest(&input));
    check_records(&records, is_there && !target.is_odd && !target.is_too_large);
    check_page(&page);
    g_free(target.error_text);
    rp_key_page_clear(&page);
    rp_records_clear(&records);
    return 0;
}
