/* The words that refine how a column's text is converted. */
#include "mapping/words.h"

#include <string.h>

void rp_conversion_take_timestamp(RpLoader *loader, RpYamlNode value) {
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

void rp_conversion_take_zone(RpLoader *loader, RpYamlNode value) {
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

void rp_conversion_take_json(RpLoader *loader, RpYamlNode value) {
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

void rp_conversion_take_boolean(RpLoader *loader, RpYamlNode value) {
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

void rp_conversion_take_divide(RpLoader *loader, RpYamlNode value) {
    guint64 divisor;
    if (g_ascii_string_to_unsigned(rp_yaml_text(value), 10, 1, RP_MAX_DIVISOR, &divisor, NULL))
        loader->column->conversion.divisor = (guint32)divisor;
    else
        rp_words_error(loader, value, "bad_value", "\"%s\" is no whole number from 1 to %d",
                       rp_yaml_text(value), RP_MAX_DIVISOR);
    loader->column->refinements |= RP_REFINES_DIVIDE;
}

void rp_conversion_take_round(RpLoader *loader, RpYamlNode value) {
    static const char *const roundings[] = {"half_even", "half_up", "down", NULL};
    guint position;
    if (rp_words_choice(loader, value, roundings, &position))
        loader->column->conversion.rounding = (RpRounding)(RP_ROUND_HALF_EVEN + position);
    loader->column->refinements |= RP_REFINES_ROUND;
}

void rp_conversion_take_encoding(RpLoader *loader, RpYamlNode value) {
    static const char *const encodings[] = {"hex", "base64", NULL};
    guint position;
    if (rp_words_choice(loader, value, encodings, &position))
        loader->column->conversion.encoding = (RpByteEncoding)(RP_ENCODING_HEX + position);
    loader->column->refinements |= RP_REFINES_ENCODING;
}

void rp_conversion_clear(RpConversion *conversion) {
    g_clear_pointer(&conversion->zone, g_time_zone_unref);
    g_clear_pointer(&conversion->time_pattern, rp_time_pattern_free);
    g_strfreev(conversion->true_words);
    g_strfreev(conversion->false_words);
    g_free(conversion->separator);
}
