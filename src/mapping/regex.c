/* PCRE2 with limits: what a hostile value and a careless expression can cost together is bounded.
 *
 * PCRE2's own limit counts steps, of which one may run over the whole text, and begins anew at each place
 * where a match may begin. So the expression calls us before each of its items (PCRE2_AUTO_CALLOUT), and the
 * bytes that it has moved over in between are counted. */
#include "mapping/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MAX_STEPS      1000000   /* of a match at one place */
#define MAX_COST       300000000 /* of all places: bytes that were moved over, and ITEM_COST for each item */
#define ITEM_COST      8
#define HEAP_LIMIT_KIB 8192
#define MAX_PATTERN    8000 /* bytes of an expression: compiled, PCRE2 takes 64 KiB */
#define MAX_GROUPS     99

struct RpRegex {
    pcre2_code *code;
};

/* What a thread needs for matching: made at its first match, freed at its end. */
typedef struct {
    pcre2_match_context *context;
    pcre2_match_data *data;
    guint64 cost; /* so far, of the value that is looked at */
    gsize position;
} Worker;

static void worker_free(gpointer data) {
    Worker *worker = data;
    pcre2_match_data_free(worker->data);
    pcre2_match_context_free(worker->context);
    g_free(worker);
}

static int count_cost(pcre2_callout_block *block, void *data) {
    Worker *worker = data;
    const gsize before = worker->position;
    worker->position = block->current_position;
    worker->cost += ITEM_COST + MAX(before, worker->position) - MIN(before, worker->position);
    return worker->cost > MAX_COST ? PCRE2_ERROR_CALLOUT : 0;
}

static Worker *worker_new(void) {
    Worker *worker = g_new0(Worker, 1);
    worker->context = pcre2_match_context_create(NULL);
    worker->data = pcre2_match_data_create(MAX_GROUPS + 1, NULL);
    if (worker->context == NULL || worker->data == NULL)
        g_error("out of memory");
    pcre2_set_heap_limit(worker->context, HEAP_LIMIT_KIB);
    pcre2_set_match_limit(worker->context, MAX_STEPS);
    pcre2_set_callout(worker->context, count_cost, worker);
    return worker;
}

/* The thread's own, for the next value. */
static Worker *worker_get(void) {
    static GPrivate private = G_PRIVATE_INIT(worker_free);
    Worker *worker = g_private_get(&private);
    if (worker == NULL) {
        worker = worker_new();
        g_private_set(&private, worker);
    }
    worker->cost = 0;
    worker->position = 0;
    return worker;
}

static char *describe(int code) {
    PCRE2_UCHAR text[256];
    pcre2_get_error_message(code, text, sizeof text);
    return g_strdup((const char *)text);
}

static guint32 n_groups(const RpRegex *regex) {
    guint32 n = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return n;
}

RpRegex *rp_regex_new(const char *text, char **problem) {
    int code;
    PCRE2_SIZE offset;
    if (strlen(text) > MAX_PATTERN) {
        *problem = g_strdup_printf("it is longer than %d bytes", MAX_PATTERN);
        return NULL;
    }
    static const guint32 OPTIONS = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)text, strlen(text), OPTIONS, &code, &offset, NULL);
    if (compiled == NULL) {
        g_autofree char *said = describe(code);
        *problem = g_strdup_printf("%s, at byte %zu", said, offset);
        return NULL;
    }
    g_autoptr(RpRegex) regex = g_new0(RpRegex, 1);
    regex->code = compiled;
    if (n_groups(regex) > MAX_GROUPS) {
        *problem = g_strdup_printf("it has more than %d groups", MAX_GROUPS);
        return NULL;
    }
    return g_steal_pointer(&regex);
}

void rp_regex_free(RpRegex *regex) {
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    g_free(regex);
}

gsize rp_regex_get_bytes(const RpRegex *regex) {
    size_t size = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &size);
    return size;
}

static RpRegexOutcome outcome_of(int count) {
    if (count == PCRE2_ERROR_NOMATCH)
        return RP_REGEX_NO;
    return count < 0 ? RP_REGEX_GAVE_UP : RP_REGEX_YES;
}

RpRegexOutcome rp_regex_matches(const RpRegex *regex, RpSpan text) {
    if (text.size > RP_REGEX_MAX_TEXT)
        return RP_REGEX_TOO_LONG;
    const Worker *worker = worker_get();
    return outcome_of(pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.size, 0,
                                  PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NO_UTF_CHECK, worker->data,
                                  worker->context));
}

RpRegexOutcome rp_regex_replace(const RpRegex *regex, RpSpan text, const char *with, gsize max_bytes,
                                RpBuffer *out) {
    if (text.size > RP_REGEX_MAX_TEXT)
        return RP_REGEX_TOO_LONG;
    const Worker *worker = worker_get();
    gsize room = MIN(max_bytes, 2 * text.size + 256);
    for (;;) {
        PCRE2_SIZE size = room;
        const int count =
            pcre2_substitute(regex->code, (PCRE2_SPTR)text.data, text.size, 0,
                             PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY |
                                 PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | PCRE2_NO_UTF_CHECK,
                             worker->data, worker->context, (PCRE2_SPTR)with, PCRE2_ZERO_TERMINATED,
                             (PCRE2_UCHAR *)rp_buffer_reserve(out, room), &size);
        if (count == PCRE2_ERROR_NOMEMORY && size > max_bytes)
            return RP_REGEX_TOO_LONG;
        if (count == PCRE2_ERROR_NOMEMORY) {
            room = size;
            continue;
        }
        if (count > 0)
            out->size += size;
        return count == 0 ? RP_REGEX_NO : outcome_of(count);
    }
}

/* Reads the group that stands after a dollar, `1`, `{1}`, `name` or `{name}`, and moves past it. */
static char *take_group(const char **at) {
    const gboolean is_braced = **at == '{';
    const char *start = *at + is_braced;
    const char *end = start;
    while (g_ascii_isalnum(*end) || *end == '_')
        end++;
    if (end == start || (is_braced && *end != '}'))
        return NULL;
    *at = end + is_braced;
    return g_strndup(start, (gsize)(end - start));
}

static gboolean has_group(const RpRegex *regex, const char *group) {
    guint64 number;
    if (g_ascii_isdigit(group[0]))
        return g_ascii_string_to_unsigned(group, 10, 0, n_groups(regex), &number, NULL);
    return pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)group) > 0;
}

/* PCRE2 looks at a replacement only when something has matched. */
char *rp_regex_check_replacement(const RpRegex *regex, const char *with) {
    for (const char *at = strchr(with, '$'); at != NULL; at = strchr(at, '$')) {
        if (*++at == '$') {
            at++;
            continue;
        }
        g_autofree char *group = take_group(&at);
        if (group == NULL)
            return g_strdup("after a dollar stands a group ($1, ${name}), or another dollar for itself");
        if (!has_group(regex, group))
            return g_strdup_printf("the expression has no group \"%s\"", group);
    }
    return NULL;
}
