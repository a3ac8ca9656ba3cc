/* The replies of RESP2 (https://redis.io/docs/reference/protocol-spec/), taken apart in the buffer that they
 * were received into: what stands in them goes from there straight to where it belongs. */
#pragma once

#include "base/buffer.h"
#include "source/reply.h"

#include <glib.h>

G_BEGIN_DECLS

/* An array that is open: its elements so far, and in all. */
typedef struct {
    gint n_taken;
    gint n_elements;
} RpReplyArray;

typedef struct {
    RpBuffer bytes; /* received; what stands before `at` was taken */
    gsize at;
    guint depth; /* arrays that are open */
    RpReplyArray open[RP_REPLY_MAX_DEPTH];
    const char *trouble; /* why the bytes are no reply, as a static text */
} RpReplyParser;

typedef enum {
    RP_PARSED_PART,  /* more has to be received */
    RP_PARSED_REPLY, /* a whole reply was taken */
    RP_PARSED_BAD,   /* the bytes are no reply: see trouble. Nothing can be read any more */
} RpParsed;

void rp_reply_parser_init(RpReplyParser *parser);
void rp_reply_parser_clear(RpReplyParser *parser);
/* Forgets what was received and not taken: another connection begins. */
void rp_reply_parser_reset(RpReplyParser *parser);

/* Room for size_bytes more, valid until the next call; rp_reply_parser_note_received says how many came. */
char *rp_reply_parser_reserve(RpReplyParser *parser, gsize size_bytes);
void rp_reply_parser_note_received(RpReplyParser *parser, gsize size_bytes);

/* How many bytes were received and not taken: of one element at most, after RP_PARSED_PART. */
static inline gsize rp_reply_parser_n_left(const RpReplyParser *parser) {
    return parser->bytes.size - parser->at;
}

/* Takes the elements that have come, up to the end of the reply, into target. */
RpParsed rp_reply_parser_take(RpReplyParser *parser, RpReplyTarget *target);

G_END_DECLS
