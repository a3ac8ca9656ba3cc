/* A validating JSON scanner. */
#include "mapping/json.h"

#define MAX_STRING_BYTES  0x0FFFFFFF /* JENTRY_OFFLENMASK of jsonb.h */
#define MAX_NUMBER_DIGITS 1000
#define MAX_EXPONENT      1000

typedef struct {
    const char *at;
    const char *end;
    const char *problem;
} Scan;

static gboolean fail(Scan *scan, const char *problem) {
    if (scan->problem == NULL)
        scan->problem = problem;
    return FALSE;
}

static void skip_blanks(Scan *scan) {
    scan->at = rp_json_skip_blanks(scan->at, scan->end);
}

static int take_hex4(Scan *scan) {
    if (scan->end - scan->at < 4)
        return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const int digit = g_ascii_xdigit_value(*scan->at++);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* After the `u` of \u. */
static gboolean scan_unicode(Scan *scan) {
    const int first = take_hex4(scan);
    if (first < 0)
        return fail(scan, "\\u needs four hex digits");
    if (first == 0)
        return fail(scan, "\\u0000 cannot be stored");
    if (first >= 0xDC00 && first <= 0xDFFF)
        return fail(scan, "a low surrogate without a high one before it");
    if (first < 0xD800 || first > 0xDBFF)
        return TRUE;
    if (scan->end - scan->at < 2 || scan->at[0] != '\\' || scan->at[1] != 'u')
        return fail(scan, "a high surrogate without a low one after it");
    scan->at += 2;
    const int second = take_hex4(scan);
    return second >= 0xDC00 && second <= 0xDFFF ? TRUE
                                                : fail(scan, "a high surrogate without a low one after it");
}

#define EACH_BYTE(value) (G_GUINT64_CONSTANT(0x0101010101010101) * (value))

/* The highest bit of each byte that is zero. Those above the lowest one that is set may be set in vain. */
static guint64 zero_bytes(guint64 word) {
    return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* Passes over bytes that stand for themselves inside a string, eight at a time. */
static const char *skip_plain(const char *at, const char *end) {
    while ((gsize)(end - at) >= sizeof(guint64)) {
        guint64 word;
        memcpy(&word, at, sizeof word);
        word = GUINT64_FROM_LE(word);
        const guint64 controls = (word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80);
        const guint64 special =
            zero_bytes(word ^ EACH_BYTE('"')) | zero_bytes(word ^ EACH_BYTE('\\')) | controls;
        if (special != 0)
            return at + __builtin_ctzll(special) / 8;
        at += sizeof word;
    }
    while (at < end && *at != '"' && *at != '\\' && (guchar)*at >= 0x20)
        at++;
    return at;
}

/* After a backslash. */
static gboolean scan_escape(Scan *scan) {
    const char escape = *scan->at++;
    if (escape == 'u')
        return scan_unicode(scan);
    if (strchr("\"\\/bfnrt", escape) == NULL || escape == '\0')
        return fail(scan, "an unknown escape in a string");
    return TRUE;
}

/* At the opening quote. */
static gboolean scan_string(Scan *scan) {
    const char *start = ++scan->at;
    for (;;) {
        scan->at = skip_plain(scan->at, scan->end);
        if (scan->at == scan->end)
            return fail(scan, "it ends inside a string");
        const char byte = *scan->at++;
        if (byte == '"')
            return scan->at - start <= MAX_STRING_BYTES ? TRUE : fail(scan, "a string is too long for jsonb");
        if (byte != '\\')
            return fail(scan, "a control character in a string is not escaped");
        if (scan->at == scan->end)
            return fail(scan, "it ends inside a string");
        if (!scan_escape(scan))
            return FALSE;
    }
}

static int skip_digits(Scan *scan) {
    const char *start = scan->at;
    while (scan->at < scan->end && g_ascii_isdigit(*scan->at))
        scan->at++;
    return (int)MIN(scan->at - start, G_MAXINT);
}

static gboolean scan_exponent(Scan *scan) {
    scan->at++;
    if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
        scan->at++;
    const char *digits = scan->at;
    if (skip_digits(scan) == 0)
        return fail(scan, "an exponent without digits");
    int exponent = 0;
    for (; digits < scan->at; digits++)
        exponent = MIN(exponent * 10 + (*digits - '0'), MAX_EXPONENT + 1);
    return exponent <= MAX_EXPONENT ? TRUE : fail(scan, "a number's exponent is too large");
}

static gboolean scan_number(Scan *scan) {
    if (*scan->at == '-')
        scan->at++;
    const char *first = scan->at;
    const int n_whole = skip_digits(scan);
    if (n_whole == 0)
        return fail(scan, "an unexpected character");
    if (*first == '0' && n_whole > 1)
        return fail(scan, "a number begins with 0");
    int n_places = 0;
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        n_places = skip_digits(scan);
        if (n_places == 0)
            return fail(scan, "a decimal point without digits after it");
    }
    if (n_whole > MAX_NUMBER_DIGITS || n_places > MAX_NUMBER_DIGITS)
        return fail(scan, "a number has too many digits");
    if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E'))
        return scan_exponent(scan);
    return TRUE;
}

static gboolean scan_word(Scan *scan, const char *word) {
    const gsize size = strlen(word);
    if ((gsize)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
        return fail(scan, "an unexpected character");
    scan->at += size;
    return TRUE;
}

static gboolean scan_scalar(Scan *scan) {
    switch (*scan->at) {
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        return scan_number(scan);
    }
}

/* A member's name and its colon. */
static gboolean scan_name(Scan *scan) {
    skip_blanks(scan);
    if (scan->at == scan->end || *scan->at != '"')
        return fail(scan, scan->at == scan->end ? "it ends inside an object" : "a member's name is missing");
    if (!scan_string(scan))
        return FALSE;
    skip_blanks(scan);
    if (scan->at == scan->end || *scan->at != ':')
        return fail(scan, scan->at == scan->end ? "it ends inside an object" : "\":\" is missing");
    scan->at++;
    return TRUE;
}

/* The brackets that are open stand here, not on the stack of calls. */
typedef struct {
    char open[RP_JSON_MAX_DEPTH];
    int depth;
} Nest;

/* At a bracket. *is_inside: a value follows in it; else it is closed again. */
static gboolean scan_open(Scan *scan, Nest *nest, gboolean *is_inside) {
    if (nest->depth == RP_JSON_MAX_DEPTH)
        return fail(scan, "it is nested too deeply");
    const char bracket = *scan->at++;
    skip_blanks(scan);
    *is_inside = scan->at == scan->end || *scan->at != (bracket == '{' ? '}' : ']');
    if (!*is_inside) {
        scan->at++;
        return TRUE;
    }
    nest->open[nest->depth++] = bracket;
    return bracket != '{' || scan_name(scan);
}

/* A value has ended: closes what ends with it, or goes on to the next, which is there unless depth is 0. */
static gboolean scan_after(Scan *scan, Nest *nest) {
    while (nest->depth > 0) {
        const gboolean is_object = nest->open[nest->depth - 1] == '{';
        skip_blanks(scan);
        if (scan->at == scan->end)
            return fail(scan, is_object ? "it ends inside an object" : "it ends inside an array");
        const char next = *scan->at++;
        if (next == ',')
            return !is_object || scan_name(scan);
        if (next != (is_object ? '}' : ']'))
            return fail(scan, "\",\" is missing between values");
        nest->depth--;
    }
    return TRUE;
}

/* Scans one value with all inside it. */
static gboolean scan_value(Scan *scan) {
    Nest nest;
    nest.depth = 0; /* the rest is written before it is read */
    do {
        skip_blanks(scan);
        if (scan->at == scan->end)
            return fail(scan, "it ends before a value");
        gboolean is_inside = FALSE;
        const gboolean is_fine =
            *scan->at == '{' || *scan->at == '[' ? scan_open(scan, &nest, &is_inside) : scan_scalar(scan);
        if (!is_fine || (!is_inside && !scan_after(scan, &nest)))
            return FALSE;
    } while (nest.depth > 0);
    return TRUE;
}

const char *rp_json_check(RpSpan text, RpJsonShape shape) {
    Scan scan = {text.data, text.data + text.size, NULL};
    skip_blanks(&scan);
    const char first = scan.at < scan.end ? *scan.at : '\0';
    if (!scan_value(&scan))
        return scan.problem;
    skip_blanks(&scan);
    if (scan.at != scan.end)
        return "something follows the value";
    if (shape == RP_JSON_OBJECT && first != '{')
        return "it is not an object";
    if (shape == RP_JSON_ARRAY && first != '[')
        return "it is not an array";
    return NULL;
}
