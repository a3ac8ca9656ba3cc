/* Regular expressions over one value, bounded in time and memory. The only code that touches PCRE2. */
#pragma once

#include "base/buffer.h"
#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpRegex RpRegex;

typedef enum {
    RP_REGEX_NO,
    RP_REGEX_YES,
    RP_REGEX_GAVE_UP, /* the value costs more steps than any sound expression takes */
} RpRegexOutcome;

/* Compiles a Perl-compatible expression over UTF-8 (pcre2pattern(3)). NULL with a message (the caller frees
 * it) in *problem. The result is immutable: threads may share it. */
RpRegex *rp_regex_new(const char *text, char **problem);
void rp_regex_free(RpRegex *regex);
/* What it takes of memory, about. */
gsize rp_regex_get_bytes(const RpRegex *regex);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpRegex, rp_regex_free)

/* Whether the whole of text fits. text must be UTF-8. */
RpRegexOutcome rp_regex_matches(const RpRegex *regex, RpSpan text);

/* Appends text with every match replaced: $1 … and ${name} in with stand for groups, $$ for a dollar.
 * RP_REGEX_NO: nothing matched, and nothing was appended. Never makes more than max_bytes. */
RpRegexOutcome rp_regex_replace(const RpRegex *regex, RpSpan text, const char *with, gsize max_bytes,
                                RpBuffer *out);

/* Whether with can be used as a replacement; else a message, which the caller frees. */
char *rp_regex_check_replacement(const RpRegex *regex, const char *with);

G_END_DECLS
