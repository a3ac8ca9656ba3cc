/* Taking replies apart while hiredis parses them: values go from its read buffer straight to where they
 * belong, and no tree of replies is made. */
#pragma once

#include "base/buffer.h"
#include "model/record.h"

#include <glib.h>
#include <hiredis/hiredis.h>

G_BEGIN_DECLS

/* The keys that one SCAN step gave. */
typedef struct {
    guint64 next_cursor; /* 0: the iteration is complete */
    gboolean has_cursor; /* the answer had the shape of a SCAN's */
    RpBuffer bytes;
    GArray *spans; /* of {offset, size}; see rp_key_page_get */
} RpKeyPage;

void rp_key_page_init(RpKeyPage *page);
void rp_key_page_clear(RpKeyPage *page);
guint rp_key_page_size(const RpKeyPage *page);
/* Borrowed until the page is received into again. */
RpSpan rp_key_page_get(const RpKeyPage *page, guint position);

/* What the next reply is for; hiredis hands it to the callbacks below. */
typedef struct {
    RpRecords *records; /* values go here, or */
    RpKeyPage *page;    /* keys go here */
    gsize max_bytes;
    gsize n_bytes;
    guint64 n_elements;
    gboolean is_too_large;
    gboolean is_nil;
    long long integer;
    char *error_text;
} RpReplyTarget;

/* For a reader (redisReader.fn) whose privdata is an RpReplyTarget; a reply is then that target again. */
extern redisReplyObjectFunctions RP_REPLY_FUNCTIONS;

G_END_DECLS
