/* Matching of keys. A pattern is a run of parts; a part is a literal, or a hole that takes bytes. */
#include "mapping/pattern.h"

typedef struct {
    char *literal; /* NULL for a hole */
    gsize literal_size;
    char *capture; /* name of a hole; NULL in globs */
    gboolean takes_colon;
} Part;

/* Of an entity's pattern: literals stand between its captures. */
#define MAX_PARTS (2 * RP_PATTERN_MAX_CAPTURES + 1)

struct RpPattern {
    char *text;
    GArray *parts;                           /* of Part */
    char *captures[RP_PATTERN_MAX_CAPTURES]; /* names, borrowed from the parts */
    guint n_captures;
    gboolean is_glob;
};

static void clear_part(gpointer data) {
    Part *part = data;
    g_free(part->literal);
    g_free(part->capture);
}

static RpPattern *pattern_alloc(const char *text) {
    RpPattern *pattern = g_new0(RpPattern, 1);
    pattern->text = g_strdup(text);
    pattern->parts = g_array_new(FALSE, FALSE, sizeof(Part));
    g_array_set_clear_func(pattern->parts, clear_part);
    return pattern;
}

void rp_pattern_free(RpPattern *pattern) {
    if (pattern == NULL)
        return;
    g_free(pattern->text);
    g_array_unref(pattern->parts);
    g_free(pattern);
}

static void add_literal(RpPattern *pattern, const char *text, gsize size) {
    if (size == 0)
        return;
    const Part part = {.literal = g_strndup(text, size), .literal_size = size};
    g_array_append_val(pattern->parts, part);
}

static gboolean is_name(const char *text, gsize size) {
    for (gsize i = 0; i < size; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '_')
            return FALSE;
    return size > 0;
}

/* Adds the hole `{name}` or `{name+}` whose inside is text. */
static char *add_capture(RpPattern *pattern, const char *text, gsize size) {
    const gboolean takes_colon = size > 0 && text[size - 1] == '+';
    g_autofree char *name = g_strndup(text, takes_colon ? size - 1 : size);
    if (!is_name(name, strlen(name)))
        return g_strdup_printf("\"{%.*s}\" is no capture: letters, digits and _ make its name", (int)size,
                               text);
    if (rp_pattern_find_capture(pattern, name) >= 0)
        return g_strdup_printf("\"{%s}\" stands twice", name);
    if (pattern->n_captures == RP_PATTERN_MAX_CAPTURES)
        return g_strdup_printf("more than %d captures", RP_PATTERN_MAX_CAPTURES);
    if (pattern->parts->len > 0 &&
        g_array_index(pattern->parts, Part, pattern->parts->len - 1).literal == NULL)
        return g_strdup_printf("\"{%s}\" follows another capture without a character between them", name);
    const Part part = {.capture = name, .takes_colon = takes_colon};
    pattern->captures[pattern->n_captures++] = g_steal_pointer(&name);
    g_array_append_val(pattern->parts, part);
    return NULL;
}

RpPattern *rp_pattern_new(const char *text, char **problem) {
    g_autoptr(RpPattern) pattern = pattern_alloc(text);
    const char *at = text;
    while (*problem == NULL && *at != '\0') {
        const gsize literal_size = strcspn(at, "{}");
        add_literal(pattern, at, literal_size);
        at += literal_size;
        if (*at == '}') {
            *problem = g_strdup("\"}\" without \"{\"");
        } else if (*at == '{') {
            const char *end = strchr(at, '}');
            if (end == NULL) {
                *problem = g_strdup("\"{\" without \"}\"");
            } else {
                *problem = add_capture(pattern, at + 1, (gsize)(end - at - 1));
                at = end + 1;
            }
        }
    }
    if (*problem == NULL && pattern->parts->len == 0)
        *problem = g_strdup("the pattern is empty");
    return *problem == NULL ? g_steal_pointer(&pattern) : NULL;
}

RpPattern *rp_pattern_new_glob(const char *text) {
    RpPattern *pattern = pattern_alloc(text);
    pattern->is_glob = TRUE;
    const char *at = text;
    while (*at != '\0') {
        const gsize literal_size = strcspn(at, "*");
        add_literal(pattern, at, literal_size);
        at += literal_size;
        if (*at == '*') {
            const Part hole = {.takes_colon = TRUE};
            g_array_append_val(pattern->parts, hole);
            at += strspn(at, "*");
        }
    }
    return pattern;
}

const char *rp_pattern_get_text(const RpPattern *pattern) {
    return pattern->text;
}

int rp_pattern_find_capture(const RpPattern *pattern, const char *name) {
    for (guint i = 0; i < pattern->n_captures; i++)
        if (strcmp(pattern->captures[i], name) == 0)
            return (int)i;
    return -1;
}

guint rp_pattern_n_captures(const RpPattern *pattern) {
    return pattern->n_captures;
}

guint rp_pattern_n_parts(const RpPattern *pattern) {
    return pattern->parts->len;
}

const char *rp_pattern_get_literal(const RpPattern *pattern, guint part) {
    return g_array_index(pattern->parts, Part, part).literal;
}

gboolean rp_pattern_takes_colon(const RpPattern *pattern, guint capture) {
    for (guint i = 0; i < pattern->parts->len; i++) {
        const Part *part = &g_array_index(pattern->parts, Part, i);
        if (part->literal == NULL && capture-- == 0)
            return part->takes_colon;
    }
    g_assert_not_reached();
}

/* A match under way. */
typedef struct {
    const RpPattern *pattern;
    RpSpan key;
    RpSpan *captures; /* or NULL */
    /* By part: the lowest place that a hole ended at so far. */
    gsize lowest[MAX_PARTS];
} Match;

/* Where the hole that begins at place can end at most. Places from lowest on were tried: each hole is asked
 * at ever lower places and ends at ever lower ones, so no pair of part and place is tried twice. */
static gsize reach(const Match *match, const Part *hole, guint number, gsize place) {
    const gsize untried = match->lowest[number] - 1;
    if (hole->takes_colon || untried <= place)
        return untried;
    const char *colon = memchr(match->key.data + place, ':', untried - place);
    return colon != NULL ? (gsize)(colon - match->key.data) : untried;
}

static gboolean has_literal(const Part *part, RpSpan key, gsize place) {
    return key.size - place >= part->literal_size &&
           memcmp(key.data + place, part->literal, part->literal_size) == 0;
}

/* Holes take as much as they can, and give back from the end when the rest does not fit. */
static gboolean match_from(Match *match, guint number, guint capture, gsize place) {
    if (number == match->pattern->parts->len)
        return place == match->key.size;
    const Part *part = &g_array_index(match->pattern->parts, Part, number);
    if (part->literal != NULL)
        return has_literal(part, match->key, place) &&
               match_from(match, number + 1, capture, place + part->literal_size);
    for (gsize end = reach(match, part, number, place); end > place; end--) {
        match->lowest[number] = end;
        if (match->captures != NULL)
            match->captures[capture] = (RpSpan){match->key.data + place, end - place};
        if (match_from(match, number + 1, capture + 1, end))
            return TRUE;
    }
    return FALSE;
}

/* Stars take as little as they can; only the last one that was met has to take more (any earlier one that
 * did would leave less). */
static gboolean match_glob(const RpPattern *pattern, RpSpan key) {
    guint number = 0, after_star = 0;
    gsize place = 0, star_end = 0;
    for (;;) {
        const Part *part = number < pattern->parts->len ? &g_array_index(pattern->parts, Part, number) : NULL;
        if (part != NULL && part->literal == NULL) {
            after_star = ++number;
            star_end = place;
        } else if (part != NULL && has_literal(part, key, place)) {
            number++;
            place += part->literal_size;
        } else if (part == NULL && place == key.size) {
            return TRUE;
        } else if (after_star == 0 || star_end == key.size) {
            return FALSE;
        } else {
            number = after_star;
            place = ++star_end;
        }
    }
}

gboolean rp_pattern_match(const RpPattern *pattern, RpSpan key, RpSpan *captures) {
    if (pattern->is_glob)
        return match_glob(pattern, key);
    const Part *first = &g_array_index(pattern->parts, Part, 0);
    if (first->literal != NULL && !has_literal(first, key, 0)) /* most keys are another entity's */
        return FALSE;
    Match match; /* of its places only those that the pattern has are written */
    match.pattern = pattern;
    match.key = key;
    match.captures = captures;
    for (guint i = 0; i < pattern->parts->len; i++)
        match.lowest[i] = key.size + 1;
    return match_from(&match, 0, 0, 0);
}

char *rp_pattern_scan_match(const RpPattern *pattern) {
    const Part *first = pattern->parts->len > 0 ? &g_array_index(pattern->parts, Part, 0) : NULL;
    if (first == NULL || first->literal == NULL)
        return NULL;
    GString *match = g_string_new(NULL);
    for (const char *at = first->literal; *at != '\0'; at++) {
        if (strchr("*?[]\\^-", *at) != NULL)
            g_string_append_c(match, '\\');
        g_string_append_c(match, *at);
    }
    if (pattern->parts->len > 1)
        g_string_append_c(match, '*');
    return g_string_free(match, FALSE);
}

#define MAX_SHAPE_BYTES 100

static gboolean looks_like_an_id(const char *segment, gsize size) {
    if (size > 20)
        return TRUE;
    for (gsize i = 0; i < size; i++)
        if (g_ascii_isdigit(segment[i]) || !g_ascii_isgraph(segment[i]))
            return TRUE;
    return FALSE;
}

char *rp_pattern_shape(RpSpan key) {
    GString *shape = g_string_new(NULL);
    const char *at = key.data;
    const char *end = key.data + key.size;
    for (guint number = 0; number == 0 || at <= end; number++) {
        const char *colon = at < end ? memchr(at, ':', (gsize)(end - at)) : NULL;
        const char *stop = colon != NULL ? colon : end;
        const gboolean is_last_of_several = colon == NULL && number > 0;
        if (is_last_of_several || looks_like_an_id(at, (gsize)(stop - at)))
            g_string_append_c(shape, '*');
        else
            g_string_append_len(shape, at, stop - at);
        if (colon == NULL)
            break;
        g_string_append_c(shape, ':');
        at = colon + 1;
    }
    if (shape->len > MAX_SHAPE_BYTES) {
        g_string_truncate(shape, MAX_SHAPE_BYTES);
        g_string_append_c(shape, '*');
    }
    return g_string_free(shape, FALSE);
}
