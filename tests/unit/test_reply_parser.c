/* Replies as bytes: it does not matter in how many pieces they come, and what is none is refused. */
#include "source/reply_parser.h"

#include <criterion/criterion.h>
#include <glib.h>

#define VERY_LONG_LINE (100 * 1024)

static void feed(RpReplyParser *parser, const char *bytes, gsize size) {
    char *room = rp_reply_parser_reserve(parser, size);
    if (size > 0)
        memcpy(room, bytes, size);
    rp_reply_parser_note_received(parser, size);
}

/* Two replies that were asked for together: of a hash, and of a number. */
static const char REPLIES[] = "*4\r\n$1\r\na\r\n$0\r\n\r\n$3\r\nb\r\n\r\n$2\r\n\0\n\r\n:-12\r\n";

static void assert_hash(const RpRecords *records) {
    static const RpSpan expected[] = {RP_SPAN_OF("a"), RP_SPAN_OF(""), RP_SPAN_OF("b\r\n"),
                                      RP_SPAN_OF("\0\n")};
    RpSpan values[4];
    cr_assert(rp_records_values(records, 0, values, 4) == 4);
    for (guint i = 0; i < 4; i++)
        cr_assert(rp_span_equal(values[i], expected[i]), "value %u", i);
}

/* Feeds the pieces, and takes a reply as soon as it has come. */
static void assert_replies(gsize first_size, gsize second_size) {
    const RpSpan pieces[] = {
        {REPLIES, first_size},
        {REPLIES + first_size, second_size},
        {REPLIES + first_size + second_size, sizeof REPLIES - 1 - first_size - second_size}};
    RpRecords records;
    rp_records_init(&records);
    RpReplyTarget hash = {.shape = RP_REPLY_VALUES, .records = &records, .max_bytes = 1000};
    RpReplyTarget number = {.shape = RP_REPLY_NUMBER};
    RpReplyTarget *target = &hash;
    rp_reply_begin_record(&hash);
    RpReplyParser parser;
    rp_reply_parser_init(&parser);
    for (guint i = 0; i < G_N_ELEMENTS(pieces); i++) {
        feed(&parser, pieces[i].data, pieces[i].size);
        RpParsed parsed;
        while (target != NULL && (parsed = rp_reply_parser_take(&parser, target)) != RP_PARSED_PART) {
            cr_assert(parsed == RP_PARSED_REPLY);
            target = target == &hash ? &number : NULL;
        }
    }
    cr_assert(target == NULL && rp_reply_parser_n_left(&parser) == 0);
    cr_assert(!hash.is_odd && !number.is_odd && number.integer == -12);
    assert_hash(&records);
    rp_reply_parser_clear(&parser);
    rp_records_clear(&records);
}

Test(reply_parser, pieces_of_any_size_give_the_same) {
    const gsize size = sizeof REPLIES - 1;
    for (gsize first = 0; first <= size; first++)
        for (gsize second = 0; first + second <= size; second++)
            assert_replies(first, second);
}

static RpParsed take(const char *bytes, gsize size, RpReplyTarget *target) {
    RpReplyParser parser;
    rp_reply_parser_init(&parser);
    feed(&parser, bytes, size);
    const RpParsed parsed = rp_reply_parser_take(&parser, target);
    cr_assert((parser.trouble != NULL) == (parsed == RP_PARSED_BAD));
    rp_reply_parser_clear(&parser);
    return parsed;
}

Test(reply_parser, strings_of_any_length_are_taken_whole) {
    for (gsize size = 0; size < 1200; size++) {
        g_autofree char *text = g_strnfill(size, 'x');
        g_autofree char *reply = g_strdup_printf("$%zu\r\n%s\r\n", size, text);
        RpRecords records;
        rp_records_init(&records);
        RpReplyTarget target = {.shape = RP_REPLY_VALUES,
                                .records = &records,
                                .head = {.type = RP_RECORD_STRING},
                                .max_bytes = 10000};
        rp_reply_begin_record(&target);
        cr_assert(take(reply, strlen(reply), &target) == RP_PARSED_REPLY, "%zu", size);
        RpSpan value;
        cr_assert(rp_records_values(&records, 0, &value, 1) == 1);
        cr_assert(rp_span_equal(value, (RpSpan){text, size}), "%zu", size);
        rp_records_clear(&records);
    }
}

Test(reply_parser, numbers_are_of_64_bits) {
    static const struct {
        const char *bytes;
        RpParsed parsed;
        gint64 number;
    } cases[] = {
        {":0\r\n", RP_PARSED_REPLY, 0},
        {":9223372036854775807\r\n", RP_PARSED_REPLY, G_MAXINT64},
        {":-9223372036854775808\r\n", RP_PARSED_REPLY, G_MININT64},
        {":9223372036854775808\r\n", RP_PARSED_BAD, 0},
        {":-9223372036854775809\r\n", RP_PARSED_BAD, 0},
        {":01\r\n", RP_PARSED_BAD, 0},
        {":-0\r\n", RP_PARSED_BAD, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        RpReplyTarget target = {.shape = RP_REPLY_NUMBER};
        cr_assert(take(cases[i].bytes, strlen(cases[i].bytes), &target) == cases[i].parsed, "%s",
                  cases[i].bytes);
        cr_assert(target.integer == cases[i].number, "%s", cases[i].bytes);
    }
}

Test(reply_parser, what_is_no_reply_is_refused) {
    static const char *const cases[] = {
        "x",
        "\r\n",
        ":\r\n",
        ":-\r\n",
        ":1\n\n",
        ":1x\r\n",
        "$x\r\n",
        "$-2\r\n",
        "$1\r\nab\r\n",
        "$1\r\na\n\r",
        "*-2\r\n",
        "*1x\r\n",
        "*\r\n",
        ": 1\r\n",
        "$99999999999999999999\r\n",
        "$+1\r\n",
        "$01\r\na\r\n",
        "$1\n\r\na\r\n",
        "$10\n\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n",
        "*2147483648\r\n",
        "%1\r\n",
        "_\r\n",
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        RpReplyTarget target = {.shape = RP_REPLY_NUMBER};
        cr_assert(take(cases[i], strlen(cases[i]), &target) == RP_PARSED_BAD, "%s", cases[i]);
    }
}

Test(reply_parser, what_may_become_a_reply_is_waited_for) {
    static const char *const cases[] = {
        "",
        "$",
        "$1",
        "$1\r",
        "$1\r\n",
        "$1\r\na",
        "$1\r\na\r",
        "*1\r\n",
        "*",
        "-ERR",
        "-ERR\r",
        ":-",
        "$9223372036854775807\r\n",
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        RpReplyTarget target = {.shape = RP_REPLY_NUMBER};
        cr_assert(take(cases[i], strlen(cases[i]), &target) == RP_PARSED_PART, "%s", cases[i]);
    }
}

Test(reply_parser, an_error_is_kept_whole) {
    RpReplyTarget target = {.shape = RP_REPLY_NUMBER};
    cr_assert(take("-ERR no\rsuch\n\r\n", 15, &target) == RP_PARSED_REPLY);
    cr_assert_str_eq(target.error_text, "ERR no\rsuch\n");
    g_free(target.error_text);
}

Test(reply_parser, a_line_without_an_end_is_not_waited_for) {
    g_autofree char *line = g_strnfill(VERY_LONG_LINE, 'x');
    line[0] = '-';
    RpReplyTarget target = {.shape = RP_REPLY_NUMBER};
    cr_assert(take(line, VERY_LONG_LINE, &target) == RP_PARSED_BAD);
}
