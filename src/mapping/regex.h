/* Regular expressions over one value. The only code that touches PCRE2.
 *
 * What is bounded: the text, the memory that matching takes, its steps at one place, and for all places
 * together the items of the expression that were tried and the bytes that they moved over: the worst value
 * ends in about a second. Not counted is what a single item looks at before it fails (a backreference, a
 * repeat of many thousands); the length of the text bounds it. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpRegex RpRegex;

typedef enum {
    RP_REGEX_NO,
    RP_REGEX_YES,
    RP_REGEX_GAVE_UP,  /* the value costs more than any sound expression takes */
    RP_REGEX_TOO_LONG, /* the value has more than RP_REGEX_MAX_TEXT bytes, or its replacement too many */
} RpRegexOutcome;

/* The longest text that an expression is given, in bytes. */
#define RP_REGEX_MAX_TEXT (64 * 1024)

/* Compiles a Perl-compatible expression over UTF-8 (pcre2pattern(3)) of at most 8,000 bytes and 99 groups.
 * NULL with a message (the caller frees it) in *problem. The result is immutable: threads may share it. */
RpRegex *rp_regex_new(const char *text, char **problem);
void rp_regex_free(RpRegex *regex);
/* What it takes of memory, about. */
gsize rp_regex_get_bytes(const RpRegex *regex);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpRegex, rp_regex_free)

/* Whether the whole of text fits. text must be UTF-8. */
RpRegexOutcome rp_regex_matches(const RpRegex *regex, RpSpan text);

/* Appends text with every match replaced: $1 … and ${name} in with stand for groups, $$ for a dollar.
 * RP_REGEX_NO: nothing matched, and nothing was appended. Never makes more than max_bytes
 * (RP_REGEX_TOO_LONG). */
RpRegexOutcome rp_regex_replace(const RpRegex *regex, RpSpan text, const char *with, gsize max_bytes,
                                RpBuffer *out);

/* Whether with can be used as a replacement; else a message, which the caller frees. */
char *rp_regex_check_replacement(const RpRegex *regex, const char *with);

G_END_DECLS
