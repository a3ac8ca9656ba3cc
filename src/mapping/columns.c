/* A column of an entity: the table of its words, its rules, and its loading. */
#include "mapping/words.h"

static void take_default(RpLoader *loader, RpYamlNode value) {
    loader->column->fallback = g_strdup(rp_yaml_text(value));
}

static void take_required(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->is_required);
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
    {"timestamp", RP_YAML_SCALAR, rp_conversion_take_timestamp},
    {"zone", RP_YAML_SCALAR, rp_conversion_take_zone},
    {"boolean", RP_YAML_MAP, rp_conversion_take_boolean},
    {"divide", RP_YAML_SCALAR, rp_conversion_take_divide},
    {"round", RP_YAML_SCALAR, rp_conversion_take_round},
    {"json", RP_YAML_SCALAR, rp_conversion_take_json},
    {"encoding", RP_YAML_SCALAR, rp_conversion_take_encoding},
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
    rp_conversion_clear(&column->conversion);
    g_ptr_array_unref(column->rules);
    g_free(column);
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
        rp_column_check_words(loader, value);
    /* What is digested is not meant to be read: it is not shown either. */
    column->is_sensitive = column->is_sensitive || column->is_hashed;
    g_ptr_array_add(loader->entity->columns, column);
    loader->column = NULL;
}
