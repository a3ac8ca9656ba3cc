/* Words of a column that need or exclude each other. */
#include "mapping/words.h"

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

void rp_column_check_words(RpLoader *loader, RpYamlNode value) {
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
