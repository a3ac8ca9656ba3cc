/* The words of a column. */
#include "mapping/words.h"

#include <string.h>

static void take_default(RpLoader *loader, RpYamlNode value) {
    loader->column->fallback = g_strdup(rp_yaml_text(value));
}

static void take_required(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->is_required);
}

static void take_timestamp(RpLoader *loader, RpYamlNode value) {
    static const char *const formats[] = {"iso8601", "unix", "unix_ms", "unix_us", NULL};
    RpConversion *conversion = &loader->column->conversion;
    guint position;
    loader->column->refinements |= RP_REFINES_TIMESTAMP;
    if (strchr(rp_yaml_text(value), '%') == NULL) {
        if (rp_words_choice(loader, value, formats, &position))
            conversion->time_format = (RpTimeFormat)position;
        return;
    }
    if (!rp_words_spend(loader, value, RP_TIME_PATTERN_COST))
        return;
    g_autofree char *problem = NULL;
    conversion->time_format = RP_TIME_PATTERN;
    conversion->time_pattern = rp_time_pattern_new(rp_yaml_text(value), &problem);
    if (problem != NULL)
        rp_words_error(loader, value, "bad_value", "\"%s\" is no time format: %s", rp_yaml_text(value),
                       problem);
}

static void take_zone(RpLoader *loader, RpYamlNode value) {
    const char *name = rp_yaml_text(value);
    loader->column->refinements |= RP_REFINES_ZONE;
    GTimeZone *zone = g_time_zone_new_identifier(name);
    if (zone == NULL) {
        rp_words_error(loader, value, "bad_value", "the time zone \"%s\" is unknown", name);
        return;
    }
    g_clear_pointer(&loader->column->conversion.zone, g_time_zone_unref);
    if (strcmp(name, "UTC") == 0)
        g_time_zone_unref(zone);
    else
        loader->column->conversion.zone = zone;
}

static void take_json(RpLoader *loader, RpYamlNode value) {
    static const char *const shapes[] = {"any", "object", "array", NULL};
    guint position;
    if (rp_words_choice(loader, value, shapes, &position))
        loader->column->conversion.json_shape = (RpJsonShape)position;
    loader->column->refinements |= RP_REFINES_JSON;
}

#define MAX_BOOLEAN_WORDS 100 /* of each: all are compared with all */

static char **take_boolean_words(RpLoader *loader, RpYamlNode value) {
    if (rp_yaml_length(value) <= MAX_BOOLEAN_WORDS)
        return rp_words_list(loader, value);
    rp_words_error(loader, value, "bad_value", "boolean takes at most %d words of each", MAX_BOOLEAN_WORDS);
    return NULL;
}

static void take_true(RpLoader *loader, RpYamlNode value) {
    loader->column->conversion.true_words = take_boolean_words(loader, value);
}

static void take_false(RpLoader *loader, RpYamlNode value) {
    loader->column->conversion.false_words = take_boolean_words(loader, value);
}

static const RpWord BOOLEAN_WORDS[] = {
    {"true", RP_YAML_LIST, take_true},
    {"false", RP_YAML_LIST, take_false},
    {NULL, RP_YAML_NONE, NULL},
};

static void take_boolean(RpLoader *loader, RpYamlNode value) {
    static const char *const needed[] = {"true", "false", NULL};
    rp_words_demand(loader, value, "boolean", needed);
    rp_words_walk(loader, BOOLEAN_WORDS, value, "boolean");
    loader->column->refinements |= RP_REFINES_BOOLEAN;
    char **true_words = loader->column->conversion.true_words;
    for (char **word = true_words; word != NULL && *word != NULL; word++)
        if (loader->column->conversion.false_words != NULL &&
            g_strv_contains((const char *const *)loader->column->conversion.false_words, *word))
            rp_words_error(loader, value, "bad_value", "\"%s\" is both true and false", *word);
}

static void take_divide(RpLoader *loader, RpYamlNode value) {
    guint64 divisor;
    if (g_ascii_string_to_unsigned(rp_yaml_text(value), 10, 1, RP_MAX_DIVISOR, &divisor, NULL))
        loader->column->conversion.divisor = (guint32)divisor;
    else
        rp_words_error(loader, value, "bad_value", "\"%s\" is no whole number from 1 to %d",
                       rp_yaml_text(value), RP_MAX_DIVISOR);
    loader->column->refinements |= RP_REFINES_DIVIDE;
}

static void take_round(RpLoader *loader, RpYamlNode value) {
    static const char *const roundings[] = {"half_even", "half_up", "down", NULL};
    guint position;
    if (rp_words_choice(loader, value, roundings, &position))
        loader->column->conversion.rounding = (RpRounding)(RP_ROUND_HALF_EVEN + position);
    loader->column->refinements |= RP_REFINES_ROUND;
}

static void take_encoding(RpLoader *loader, RpYamlNode value) {
    static const char *const encodings[] = {"hex", "base64", NULL};
    guint position;
    if (rp_words_choice(loader, value, encodings, &position))
        loader->column->conversion.encoding = (RpByteEncoding)(RP_ENCODING_HEX + position);
    loader->column->refinements |= RP_REFINES_ENCODING;
}

static void take_on_invalid(RpLoader *loader, RpYamlNode value) {
    static const char *const choices[] = {"reject", "null", "default", NULL};
    guint position;
    if (rp_yaml_is_plain_null(value)) /* `on_invalid: null`, without quotes, is what people write */
        loader->column->on_invalid = RP_INVALID_IS_NULL;
    else if (rp_yaml_text(value) == NULL)
        rp_words_error(loader, value, "wrong_yaml_type", "\"on_invalid\" takes reject, null or default");
    else if (rp_words_choice(loader, value, choices, &position))
        loader->column->on_invalid = (RpOnInvalid)position;
}

static void take_min(RpLoader *loader, RpYamlNode value) {
    g_ptr_array_add(loader->column->rules, rp_rule_new_min(rp_yaml_text(value)));
}

static void take_max(RpLoader *loader, RpYamlNode value) {
    g_ptr_array_add(loader->column->rules, rp_rule_new_max(rp_yaml_text(value)));
}

static void take_min_length(RpLoader *loader, RpYamlNode value) {
    gsize n_characters;
    if (rp_words_count(loader, value, &n_characters))
        g_ptr_array_add(loader->column->rules, rp_rule_new_min_length(n_characters));
}

static void take_max_length(RpLoader *loader, RpYamlNode value) {
    gsize n_characters;
    if (rp_words_count(loader, value, &n_characters))
        g_ptr_array_add(loader->column->rules, rp_rule_new_max_length(n_characters));
}

static void take_format(RpLoader *loader, RpYamlNode value) {
    guint position;
    if (rp_words_choice(loader, value, RP_RULE_FORMATS, &position))
        g_ptr_array_add(loader->column->rules, rp_rule_new_format(RP_RULE_FORMATS[position]));
}

static void take_one_of(RpLoader *loader, RpYamlNode value) {
    char **choices = rp_words_list(loader, value);
    if (choices == NULL)
        return;
    g_autofree char *shown = g_strjoinv(", ", choices);
    if (choices[0] == NULL)
        rp_words_error(loader, value, "bad_value", "one_of names no value");
    g_ptr_array_add(loader->column->rules, rp_rule_new_one_of(choices, shown));
}

static void take_matches(RpLoader *loader, RpYamlNode value) {
    RpRegex *regex = rp_words_regex(loader, value);
    if (regex != NULL)
        g_ptr_array_add(loader->column->rules, rp_rule_new_matches(regex, rp_yaml_text(value)));
}

static void take_equals(RpLoader *loader, RpYamlNode value) {
    RpReference reference = {0};
    if (rp_words_reference(loader, value, &reference))
        g_ptr_array_add(loader->column->rules, rp_rule_new_equals(rp_yaml_text(value), reference));
}

static void take_sensitive(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->is_sensitive);
}

static void take_hash(RpLoader *loader, RpYamlNode value) {
    static const char *const digests[] = {"sha256", NULL};
    guint position;
    loader->column->is_hashed = rp_words_choice(loader, value, digests, &position);
    loader->column->refinements |= RP_REFINES_HASH;
}

/* In the order in which they act. */
static const RpWord COLUMN_WORDS[] = {
    /* source */
    {"from", RP_YAML_SCALAR, rp_source_take_from},
    {"const", RP_YAML_SCALAR, rp_source_take_const},
    {"template", RP_YAML_SCALAR, rp_source_take_template},
    {"coalesce", RP_YAML_LIST, rp_source_take_coalesce},
    {"uuid5", RP_YAML_LIST, rp_source_take_uuid5},
    {"lookup", RP_YAML_MAP, rp_source_take_lookup},
    /* clean */
    {"trim", RP_YAML_SCALAR, rp_clean_take_trim},
    {"lower", RP_YAML_SCALAR, rp_clean_take_lower},
    {"upper", RP_YAML_SCALAR, rp_clean_take_upper},
    {"replace", RP_YAML_MAP, rp_clean_take_replace},
    {"empty_as_null", RP_YAML_SCALAR, rp_clean_take_empty_as_null},
    {"map", RP_YAML_MAP, rp_clean_take_map},
    {"map_default", RP_YAML_SCALAR, rp_clean_take_map_default},
    {"split", RP_YAML_SCALAR, rp_clean_take_split},
    /* default */
    {"default", RP_YAML_SCALAR, take_default},
    {"required", RP_YAML_SCALAR, take_required},
    /* convert */
    {"timestamp", RP_YAML_SCALAR, take_timestamp},
    {"zone", RP_YAML_SCALAR, take_zone},
    {"boolean", RP_YAML_MAP, take_boolean},
    {"divide", RP_YAML_SCALAR, take_divide},
    {"round", RP_YAML_SCALAR, take_round},
    {"json", RP_YAML_SCALAR, take_json},
    {"encoding", RP_YAML_SCALAR, take_encoding},
    {"on_invalid", RP_YAML_NONE, take_on_invalid},
    /* rules */
    {"min", RP_YAML_SCALAR, take_min},
    {"max", RP_YAML_SCALAR, take_max},
    {"min_length", RP_YAML_SCALAR, take_min_length},
    {"max_length", RP_YAML_SCALAR, take_max_length},
    {"one_of", RP_YAML_LIST, take_one_of},
    {"matches", RP_YAML_SCALAR, take_matches},
    {"format", RP_YAML_SCALAR, take_format},
    {"equals", RP_YAML_SCALAR, take_equals},
    /* privacy */
    {"sensitive", RP_YAML_SCALAR, take_sensitive},
    {"hash", RP_YAML_SCALAR, take_hash},
    {NULL, RP_YAML_NONE, NULL},
};

static void clear_conversion(RpConversion *conversion) {
    g_clear_pointer(&conversion->zone, g_time_zone_unref);
    g_clear_pointer(&conversion->time_pattern, rp_time_pattern_free);
    g_strfreev(conversion->true_words);
    g_strfreev(conversion->false_words);
    g_free(conversion->separator);
}

void rp_column_free(RpMapColumn *column) {
    g_free(column->name);
    g_free(column->place);
    for (guint i = 0; i < column->n_parts; i++)
        g_free(column->parts[i].literal);
    rp_lookup_free(column->lookup);
    rp_regex_free(column->replaced);
    g_free(column->replacement);
    g_clear_pointer(&column->map, g_hash_table_unref);
    g_free(column->map_default);
    g_free(column->fallback);
    clear_conversion(&column->conversion);
    g_ptr_array_unref(column->rules);
    g_free(column);
}

/* Sources whose value is made for the column: words that clean or convert do not touch it. */
static void check_words_without_effect(RpLoader *loader, RpYamlNode value) {
    static const char *const on_uuid5[] = {"trim", "lower",       "upper", "replace",    "empty_as_null",
                                           "map",  "map_default", "split", "on_invalid", NULL};
    static const char *const on_lookup[] = {
        "trim",     "lower",     "upper", "replace",    "empty_as_null", "map",    "map_default",
        "split",    "timestamp", "zone",  "boolean",    "divide",        "round",  "json",
        "encoding", "min",       "max",   "min_length", "max_length",    "one_of", "matches",
        "format",   "equals",    "hash",  NULL};
    const RpMapColumn *column = loader->column;
    const gboolean is_lookup = column->source == RP_FROM_LOOKUP;
    if (!is_lookup && column->source != RP_FROM_UUID5)
        return;
    for (guint i = 0; i < rp_yaml_length(value); i++) {
        RpYamlNode word, argument;
        rp_yaml_pair(value, i, &word, &argument);
        if (rp_yaml_text(word) != NULL &&
            g_strv_contains(is_lookup ? on_lookup : on_uuid5, rp_yaml_text(word)))
            rp_words_error(loader, word, "word_without_effect", "\"%s\" does nothing to the value of %s",
                           rp_yaml_text(word), is_lookup ? "a lookup, which PostgreSQL finds" : "uuid5");
    }
}

static gboolean names_source(RpYamlNode value) {
    static const char *const sources[] = {"from", "const", "template", "coalesce", "uuid5", "lookup"};
    for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
        if (rp_yaml_get(value, sources[i]).number != 0)
            return TRUE;
    return FALSE;
}

/* Words that need or exclude each other. */
static void check_words(RpLoader *loader, RpYamlNode value) {
    const RpMapColumn *column = loader->column;
    if (!names_source(value))
        rp_words_error(loader, value, "missing_word",
                       "column \"%s\" has no source: from, const, template, coalesce, uuid5 or lookup",
                       column->name);
    if (column->lowers && column->uppers)
        rp_words_error(loader, value, "words_conflict", "\"lower\" and \"upper\" exclude each other");
    if (column->map_default != NULL && column->map == NULL)
        rp_words_error(loader, value, "missing_word", "\"map_default\" needs \"map\"");
    if (column->on_invalid == RP_INVALID_IS_DEFAULT && column->fallback == NULL)
        rp_words_error(loader, value, "missing_word", "\"on_invalid: default\" needs \"default\"");
    if (column->on_invalid == RP_INVALID_IS_NULL && column->is_required)
        rp_words_error(loader, value, "words_conflict",
                       "\"on_invalid: null\" and \"required\" exclude each other");
    check_words_without_effect(loader, value);
}

void rp_column_load(RpLoader *loader, RpYamlNode name, RpYamlNode value) {
    RpMapColumn *column = g_new0(RpMapColumn, 1);
    column->name = g_strdup(rp_yaml_text(name));
    column->place = rp_yaml_place(name);
    column->rules = g_ptr_array_new_with_free_func((GDestroyNotify)rp_rule_free);
    loader->column = column;
    if (rp_yaml_kind(value) == RP_YAML_SCALAR)
        rp_source_take_from(loader, value);
    else if (rp_yaml_kind(value) == RP_YAML_MAP)
        rp_words_walk(loader, COLUMN_WORDS, value, "a column");
    else
        rp_words_error(loader, value, "wrong_yaml_type", "a column is a reference or a map of words, not %s",
                       rp_yaml_kind_name(rp_yaml_kind(value)));
    if (rp_yaml_kind(value) == RP_YAML_MAP)
        check_words(loader, value);
    /* What is digested is not meant to be read: it is not shown either. */
    column->is_sensitive = column->is_sensitive || column->is_hashed;
    g_ptr_array_add(loader->entity->columns, column);
    loader->column = NULL;
}
