/* Options and counts of a command, met from left to right. */
#include "source/key_walk.h"

#include "source/capture.h"

/* What the values of an option are. */
typedef enum {
    VALUE_PASSED,
    VALUE_KEY,
    VALUE_DATABASE,
    VALUE_TIME,
} Value;

typedef struct {
    const char *word;
    guint sets; /* RpOptions */
    guint8 n_values;
    Value value;
    RpLife life; /* of VALUE_TIME, and of words that say it without one */
} Option;

#define LIVING (RP_OPTIONS_SET | RP_OPTIONS_GETEX)

static const Option OPTIONS[] = {
    {"EX", LIVING, 1, VALUE_TIME, RP_LIFE_S},
    {"PX", LIVING, 1, VALUE_TIME, RP_LIFE_MS},
    {"EXAT", LIVING, 1, VALUE_TIME, RP_LIFE_AT_S},
    {"PXAT", LIVING, 1, VALUE_TIME, RP_LIFE_AT_MS},
    {"KEEPTTL", RP_OPTIONS_SET, 0, VALUE_TIME, RP_LIFE_UNTOLD},
    {"PERSIST", RP_OPTIONS_GETEX, 0, VALUE_TIME, RP_LIFE_NONE},
    {"IFEQ", RP_OPTIONS_SET, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"IFNE", RP_OPTIONS_SET, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"IFDEQ", RP_OPTIONS_SET, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"IFDNE", RP_OPTIONS_SET, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"ABSTTL", RP_OPTIONS_RESTORE, 0, VALUE_TIME, RP_LIFE_AT_MS},
    {"IDLETIME", RP_OPTIONS_RESTORE, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"FREQ", RP_OPTIONS_RESTORE, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"DB", RP_OPTIONS_COPY, 1, VALUE_DATABASE, RP_LIFE_UNTOLD},
    {"BY", RP_OPTIONS_SORT, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"GET", RP_OPTIONS_SORT, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"LIMIT", RP_OPTIONS_SORT, 2, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"STORE", RP_OPTIONS_SORT | RP_OPTIONS_GEO, 1, VALUE_KEY, RP_LIFE_UNTOLD},
    {"STOREDIST", RP_OPTIONS_GEO, 1, VALUE_KEY, RP_LIFE_UNTOLD},
    {"COUNT", RP_OPTIONS_GEO | RP_OPTIONS_XREADGROUP, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"GROUP", RP_OPTIONS_XREADGROUP, 2, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"BLOCK", RP_OPTIONS_XREADGROUP, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"CLAIM", RP_OPTIONS_XREADGROUP, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"AUTH", RP_OPTIONS_MIGRATE, 1, VALUE_PASSED, RP_LIFE_UNTOLD},
    {"AUTH2", RP_OPTIONS_MIGRATE, 2, VALUE_PASSED, RP_LIFE_UNTOLD},
};

static gboolean is_word(RpSpan span, const char *word) {
    return span.size == strlen(word) && g_ascii_strncasecmp(span.data, word, span.size) == 0;
}

void rp_key_walk_begin(RpKeyWalk *walk, const RpCommandShape *shape, guint32 n_arguments) {
    *walk = (RpKeyWalk){.shape = shape, .n_arguments = n_arguments, .life = shape->life};
    walk->options_from = shape->options_from;
    walk->keys_step = (guint32)MAX(shape->step, 1);
    if (shape->first <= 0)
        return;
    const gint64 last = shape->last > 0 ? shape->last : (gint64)n_arguments + shape->last;
    walk->keys_from = (guint32)shape->first;
    walk->keys_to = (guint32)MIN(MAX(last + 1, 0), n_arguments);
}

static gboolean is_in_run(const RpKeyWalk *walk, guint32 index) {
    return index >= walk->keys_from && index < walk->keys_to &&
           (index - walk->keys_from) % walk->keys_step == 0;
}

static gboolean is_number(const RpKeyWalk *walk, guint32 index) {
    const RpCommandShape *shape = walk->shape;
    return (shape->n_numbers > 0 && index >= shape->number_at &&
            index < (guint32)shape->number_at + shape->n_numbers) ||
           (shape->count_at > 0 && index == shape->count_at);
}

static RpArgumentUse judge(RpKeyWalk *walk, guint32 index) {
    if (is_number(walk, index))
        return RP_ARGUMENT_WORD;
    if (walk->option_left > 0) {
        walk->option_left--;
        return walk->awaited == VALUE_PASSED ? RP_ARGUMENT_VALUE
               : walk->awaited == VALUE_KEY  ? RP_ARGUMENT_KEY
                                             : RP_ARGUMENT_WORD;
    }
    if (is_in_run(walk, index))
        return RP_ARGUMENT_KEY;
    if (walk->options_from == 0 || walk->is_ended || index < walk->options_from)
        return RP_ARGUMENT_VALUE;
    walk->awaited = VALUE_PASSED;
    return RP_ARGUMENT_WORD;
}

RpArgumentUse rp_key_walk_use(RpKeyWalk *walk, guint32 index) {
    walk->use = judge(walk, index);
    return walk->use;
}

static gint64 read_number(RpKeyWalk *walk, RpSpan word) {
    g_autofree char *text = g_strndup(word.data, word.size);
    gint64 number = 0;
    if (strlen(text) != word.size ||
        !g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL))
        walk->is_odd = TRUE;
    return number;
}

/* A count of keys, which stand behind it; options stand behind them. */
static void take_count(RpKeyWalk *walk, guint32 index, gint64 count) {
    const guint32 n_left = walk->n_arguments - index - 1;
    if (count < 0 || count > n_left / walk->keys_step) {
        walk->is_odd = TRUE;
        return;
    }
    walk->keys_from = index + 1;
    walk->keys_to = index + 1 + (guint32)count * walk->keys_step;
    if (walk->shape->options != RP_OPTIONS_NONE)
        walk->options_from = walk->keys_to;
}

static void take_number(RpKeyWalk *walk, guint32 index, RpSpan word) {
    const gint64 number = read_number(walk, word);
    if (walk->shape->count_at > 0 && index == walk->shape->count_at) {
        take_count(walk, index, number);
        return;
    }
    walk->numbers[walk->n_numbers++] = number;
    walk->time = number; /* where the shape says that it lives so long */
}

static void take_value(RpKeyWalk *walk, RpSpan word) {
    const gint64 number = read_number(walk, word);
    if (walk->awaited == VALUE_TIME) {
        walk->time = number;
    } else {
        walk->has_database = TRUE;
        walk->database = number;
    }
}

/* The keys of XREADGROUP are the first half of what stands behind STREAMS; MIGRATE's are all behind KEYS. */
static gboolean begin_run(RpKeyWalk *walk, guint32 index, RpSpan word) {
    const guint32 n_left = walk->n_arguments - index - 1;
    const gboolean is_streams = walk->shape->options == RP_OPTIONS_XREADGROUP && is_word(word, "STREAMS");
    const gboolean is_keys = walk->shape->options == RP_OPTIONS_MIGRATE && is_word(word, "KEYS");
    if (!is_streams && !is_keys)
        return FALSE;
    walk->keys_from = index + 1;
    walk->keys_to = index + 1 + (is_streams ? n_left / 2 : n_left);
    walk->is_ended = TRUE;
    return TRUE;
}

void rp_key_walk_take(RpKeyWalk *walk, guint32 index, RpSpan word) {
    if (is_number(walk, index)) {
        take_number(walk, index, word);
        return;
    }
    if (walk->awaited != VALUE_PASSED) {
        take_value(walk, word);
        return;
    }
    if (begin_run(walk, index, word))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(OPTIONS); i++) {
        const Option *option = &OPTIONS[i];
        if ((option->sets & walk->shape->options) == 0 || !is_word(word, option->word))
            continue;
        walk->option_left = option->n_values;
        walk->awaited = option->n_values > 0 ? option->value : VALUE_PASSED;
        if (option->value == VALUE_TIME)
            walk->life = option->life;
        return;
    }
}

gboolean rp_key_walk_is_sound(const RpKeyWalk *walk) {
    return !walk->is_odd && walk->option_left == 0 && walk->n_numbers == walk->shape->n_numbers;
}

/* A product or sum that cannot be held is as good as never. */
static gint64 time_ms(gint64 time, gint64 unit_ms, gint64 since_ms) {
    gint64 result;
    if (time <= 0 && since_ms == 0)
        return RP_EXPIRY_NOW;
    if (__builtin_mul_overflow(time, unit_ms, &result) || __builtin_add_overflow(result, since_ms, &result))
        return time > 0 ? RP_EXPIRY_NONE : RP_EXPIRY_NOW;
    return MAX(result, RP_EXPIRY_NOW);
}

gint64 rp_key_walk_get_expiry(const RpKeyWalk *walk, gint64 now_ms) {
    const gboolean is_restore = walk->shape->options == RP_OPTIONS_RESTORE;
    if (is_restore && walk->time == 0)
        return RP_EXPIRY_NONE;
    switch (walk->life) {
    case RP_LIFE_UNTOLD:
        return RP_EXPIRY_UNTOLD;
    case RP_LIFE_NONE:
        return RP_EXPIRY_NONE;
    case RP_LIFE_S:
        return time_ms(walk->time, 1000, now_ms);
    case RP_LIFE_MS:
        return time_ms(walk->time, 1, now_ms);
    case RP_LIFE_AT_S:
        return time_ms(walk->time, 1000, 0);
    case RP_LIFE_AT_MS:
        return time_ms(walk->time, 1, 0);
    }
    g_assert_not_reached();
}
