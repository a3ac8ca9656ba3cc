/* Replies that are not made up as their command's replies are: said, and never taken for records. */
#include "source/reply_parser.h"

#include <criterion/criterion.h>
#include <glib.h>

typedef struct {
    RpReplyShape shape;
    RpRecordType type;
    const char *bytes;
    const char *shown; /* values of the records, "|" after each record; NULL: the reply is odd */
} Case;

/* Of a window that asks for three elements, from the id 5-5 on. */
#define ENTRY(id_) "*2\r\n" id_ "\r\n*0\r\n"

#define CURSOR "*2\r\n$1\r\n0\r\n"

static const Case CASES[] = {
    {RP_REPLY_NUMBER, RP_RECORD_HASH, ":7\r\n", ""},
    {RP_REPLY_NUMBER, RP_RECORD_HASH, "$1\r\n7\r\n", NULL},
    {RP_REPLY_NUMBER, RP_RECORD_HASH, "*1\r\n:7\r\n", NULL},
    {RP_REPLY_VALUES, RP_RECORD_HASH, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "a b |"},
    {RP_REPLY_VALUES, RP_RECORD_HASH, "*1\r\n$1\r\na\r\n", NULL},
    {RP_REPLY_VALUES, RP_RECORD_HASH, "*2\r\n$1\r\na\r\n$-1\r\n", NULL},
    {RP_REPLY_VALUES, RP_RECORD_HASH, "*2\r\n$1\r\na\r\n:5\r\n", NULL},
    {RP_REPLY_VALUES, RP_RECORD_HASH, "*2\r\n$1\r\na\r\n-ERR\r\n", NULL},
    {RP_REPLY_VALUES, RP_RECORD_HASH, "$1\r\na\r\n", NULL},
    {RP_REPLY_VALUES, RP_RECORD_STRING, "$1\r\na\r\n", "a |"},
    {RP_REPLY_VALUES, RP_RECORD_STRING, "$-1\r\n", "|"},
    {RP_REPLY_VALUES, RP_RECORD_STRING, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", NULL},
    {RP_REPLY_FIELDS, RP_RECORD_HASH, "*2\r\n$1\r\n1\r\n$-1\r\n", "x 1 |"},
    {RP_REPLY_FIELDS, RP_RECORD_HASH, "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n3\r\n", NULL},
    {RP_REPLY_FIELDS, RP_RECORD_HASH, "*1\r\n$1\r\n1\r\n", NULL},
    {RP_REPLY_ITEMS, RP_RECORD_LIST, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "a |b |"},
    {RP_REPLY_ITEMS, RP_RECORD_LIST, "$1\r\na\r\n", NULL},
    {RP_REPLY_ITEMS, RP_RECORD_LIST, "*1\r\n*1\r\n$1\r\na\r\n", NULL},
    {RP_REPLY_MEMBERS, RP_RECORD_SET, CURSOR "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "a |b |"},
    {RP_REPLY_MEMBERS, RP_RECORD_SET, "$1\r\na\r\n", NULL},
    {RP_REPLY_MEMBERS, RP_RECORD_SET, "*2\r\n*1\r\n$1\r\na\r\n$1\r\n0\r\n", NULL},
    {RP_REPLY_MEMBERS, RP_RECORD_SET, "*3\r\n$1\r\n0\r\n*0\r\n$1\r\na\r\n", NULL},
    {RP_REPLY_SCORES, RP_RECORD_ZSET, CURSOR "*2\r\n$1\r\na\r\n$1\r\n5\r\n", "a 5 |"},
    {RP_REPLY_SCORES, RP_RECORD_ZSET, "$1\r\na\r\n", NULL},
    {RP_REPLY_SCORES, RP_RECORD_ZSET, CURSOR "*1\r\n$1\r\na\r\n", NULL},
    {RP_REPLY_SCORES, RP_RECORD_ZSET, CURSOR "*2\r\n:1\r\n$1\r\n5\r\n", NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
     "1-2 a b |"},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n*2\r\n:1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n*2\r\n*0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n*2\r\n$3\r\n1-2\r\n*1\r\n$1\r\na\r\n", NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n$3\r\n1-2\r\n", NULL},
};

static const Case WINDOWS[] = {
    {RP_REPLY_ITEMS, RP_RECORD_LIST, "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", "a |b |c |"},
    {RP_REPLY_ITEMS, RP_RECORD_LIST, "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n", NULL},
    {RP_REPLY_MEMBERS, RP_RECORD_SET, CURSOR "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
     "a |b |c |d |"}, /* COUNT is a hint */
    {RP_REPLY_MEMBERS, RP_RECORD_SET, "*2\r\n$1\r\nx\r\n*0\r\n", NULL},
    {RP_REPLY_MEMBERS, RP_RECORD_SET, "*2\r\n$2\r\n-1\r\n*0\r\n", NULL},
    {RP_REPLY_MEMBERS, RP_RECORD_SET, "*2\r\n$0\r\n\r\n*0\r\n", NULL},
    {RP_REPLY_SCORES, RP_RECORD_ZSET, "*2\r\n$20\r\n18446744073709551615\r\n*0\r\n", ""},
    {RP_REPLY_SCORES, RP_RECORD_ZSET, "*2\r\n$20\r\n18446744073709551616\r\n*0\r\n", NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*0\r\n", ""},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*3\r\n" ENTRY("$3\r\n5-5") ENTRY("$3\r\n5-6") ENTRY("$3\r\n6-0"),
     "5-5 |5-6 |6-0 |"},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM,
     "*4\r\n" ENTRY("$3\r\n6-1") ENTRY("$3\r\n6-2") ENTRY("$3\r\n6-3") ENTRY("$3\r\n6-4"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$3\r\n5-4"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$3\r\n4-9"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*2\r\n" ENTRY("$3\r\n7-1") ENTRY("$3\r\n7-1"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*2\r\n" ENTRY("$3\r\n7-1") ENTRY("$3\r\n6-9"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$41\r\n18446744073709551615-18446744073709551615"),
     "18446744073709551615-18446744073709551615 |"},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM,
     "*2\r\n" ENTRY("$41\r\n18446744073709551615-18446744073709551615") ENTRY("$3\r\n7-1"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$22\r\n18446744073709551616-1"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM,
     "*2\r\n" ENTRY("$22\r\n6-18446744073709551615") ENTRY("$22\r\n6-18446744073709551615"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$2\r\n7-"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$1\r\n7"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$4\r\n7-1x"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$4\r\n7--1"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$4\r\n 7-1"), NULL},
    {RP_REPLY_ENTRIES, RP_RECORD_STREAM, "*1\r\n" ENTRY("$0\r\n"), NULL},
};

static char *show(const RpRecords *records) {
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < records->index->len; i++) {
        RpSpan values[8];
        const guint32 n_values = rp_records_values(records, i, values, G_N_ELEMENTS(values));
        for (guint32 j = 0; j < n_values; j++)
            g_string_append_printf(text, "%.*s ", (int)values[j].size, values[j].data);
        g_string_append_c(text, '|');
    }
    return g_string_free(text, FALSE);
}

static void assert_reply(const Case *expected, guint max_elements, guint64 first_id) {
    static char *names[] = {"x", "y"};
    const GPtrArray fields = {(gpointer *)names, G_N_ELEMENTS(names)};
    RpRecords records;
    rp_records_init(&records);
    RpReplyTarget target = {.shape = expected->shape,
                            .records = &records,
                            .head = {.type = (guint8)expected->type},
                            .key = RP_SPAN_OF("key"),
                            .fields = &fields,
                            .max_elements = max_elements,
                            .first_id = {first_id, first_id},
                            .max_bytes = 1000};
    if (target.shape == RP_REPLY_VALUES || target.shape == RP_REPLY_FIELDS)
        rp_reply_begin_record(&target);
    RpReplyParser parser;
    rp_reply_parser_init(&parser);
    const gsize size = strlen(expected->bytes);
    memcpy(rp_reply_parser_reserve(&parser, size), expected->bytes, size);
    rp_reply_parser_note_received(&parser, size);
    cr_assert(rp_reply_parser_take(&parser, &target) == RP_PARSED_REPLY, "%s", expected->bytes);
    cr_assert(rp_reply_parser_n_left(&parser) == 0, "%s", expected->bytes);
    rp_reply_parser_clear(&parser);
    g_autofree char *shown = show(&records);
    cr_assert(target.is_odd == (expected->shown == NULL), "shape %d: %s", expected->shape, expected->bytes);
    cr_assert(target.is_odd || strcmp(shown, expected->shown) == 0, "%s gave %s", expected->bytes, shown);
    cr_assert(target.error_text == NULL);
    rp_records_clear(&records);
}

Test(reply, is_taken_only_when_it_is_made_up_as_expected) {
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_reply(&CASES[i], 0, 0);
}

Test(reply, of_a_window_is_what_was_asked_for) {
    for (guint i = 0; i < G_N_ELEMENTS(WINDOWS); i++)
        assert_reply(&WINDOWS[i], 3, 5);
}
