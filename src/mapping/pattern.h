/* Key patterns. In an entity: `order:{order_id}`, where {name} takes one or more bytes other than a colon
 * and {name+} takes colons too. In `ignore`: `session:*`, where * takes any bytes, none included. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpPattern RpPattern;

/* At most this many captures in one pattern. */
#define RP_PATTERN_MAX_CAPTURES 16

/* Compiles an entity's pattern. NULL with a message (the caller frees it) in *problem otherwise. */
RpPattern *rp_pattern_new(const char *text, char **problem);
/* Compiles an ignore pattern; every text is one. */
RpPattern *rp_pattern_new_glob(const char *text);
void rp_pattern_free(RpPattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpPattern, rp_pattern_free)

const char *rp_pattern_get_text(const RpPattern *pattern);

/* The position of the capture of that name, or -1. */
int rp_pattern_find_capture(const RpPattern *pattern, const char *name);
guint rp_pattern_n_captures(const RpPattern *pattern);
/* Its parts in their order: the literal at that position, or NULL where a capture stands. Borrowed. */
guint rp_pattern_n_parts(const RpPattern *pattern);
const char *rp_pattern_get_literal(const RpPattern *pattern, guint part);
/* Whether the capture at that position is {name+}. */
gboolean rp_pattern_takes_colon(const RpPattern *pattern, guint capture);

/* Whether the whole key matches; captures (RP_PATTERN_MAX_CAPTURES of them, or NULL) get what was taken,
 * borrowed from the key. A capture takes as much as it can, and at least one byte, so that two keys which
 * match differ in a capture. Never takes more than |key|·|pattern| steps. */
gboolean rp_pattern_match(const RpPattern *pattern, RpSpan key, RpSpan *captures);

/* What SCAN's MATCH can be told: the literal prefix with glob characters escaped, then `*`
 * (redis: util.c, stringmatchlen). NULL when there is no literal prefix. The caller frees it. */
char *rp_pattern_scan_match(const RpPattern *pattern);

/* The shape of an unmapped key: its segments between colons, where those that look like ids (a digit, more
 * than 20 bytes, or bytes that are not plain ASCII) and the last of several become `*`:
 * it is cut after 100 bytes: "session:ab12:data" gives "session:*:*", "foo:bar" gives "foo:*". The caller
 * frees it. */
char *rp_pattern_shape(RpSpan key);

G_END_DECLS
