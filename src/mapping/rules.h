/* Rules over one column's value: what the mapping demands beyond the type. */
#pragma once

#include "mapping/convert.h"
#include "mapping/reference.h"
#include "mapping/regex.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpRule RpRule;

/* Looks at a value that has converted. other is the text of the rule's reference (only `equals` has one),
 * with NULL data when it is absent. */
typedef gboolean (*RpRuleCheck)(const RpRule *rule, RpSpan text, const RpConverted *converted, RpSpan other,
                                RpProblem *problem);

struct RpRule {
    RpRuleCheck check;
    const char *word;     /* "min", for messages */
    char *text;           /* the argument as written */
    gsize limit;          /* of max_length, min_length */
    RpTypeKind kind;      /* of min, max: how to compare; set by binding */
    RpConverted bound;    /* of min, max; set by binding */
    gboolean needs_bound; /* text is to be converted to bound, */
    gboolean has_bound;   /* and was; set by binding */
    gboolean has_reference;
    RpReference reference;
    char **choices; /* of one_of */
    RpRegex *regex; /* of matches */
};

RpRule *rp_rule_new_min(const char *bound);
RpRule *rp_rule_new_max(const char *bound);
RpRule *rp_rule_new_min_length(gsize n_characters);
RpRule *rp_rule_new_max_length(gsize n_characters);
RpRule *rp_rule_new_equals(const char *text, RpReference reference);
/* Takes choices (NULL-terminated); text shows them. */
RpRule *rp_rule_new_one_of(char **choices, const char *text);
/* Takes the expression; the whole value must fit it. */
RpRule *rp_rule_new_matches(RpRegex *regex, const char *text);
/* format is one of RP_RULE_FORMATS; NULL for another. */
RpRule *rp_rule_new_format(const char *format);
void rp_rule_free(RpRule *rule);

/* "email", "url", "uuid", "currency", NULL. */
extern const char *const RP_RULE_FORMATS[];

G_END_DECLS
