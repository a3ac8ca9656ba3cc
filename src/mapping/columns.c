/* The words of a column. */
#include "mapping/words.h"

#include <string.h>

static void set_source(RpLoader *loader, RpYamlNode node, RpColumnSource source) {
    RpMapColumn *column = loader->column;
    if (column->has_source)
        rp_words_error(loader, node, "two_sources", "column \"%s\" has two sources", column->name);
    column->has_source = TRUE;
    column->source = source;
}

static gboolean take_reference(RpLoader *loader, RpYamlNode node, RpReference *reference) {
    g_autofree char *problem = NULL;
    const char *text = rp_yaml_text(node);
    if (text == NULL)
        problem = g_strdup("a reference is a scalar");
    else if (loader->entity->keys != NULL) /* else the pattern's own mistake was noted */
        rp_reference_parse(text, loader->entity->keys, loader->entity->fields, reference, &problem);
    if (problem != NULL)
        rp_words_error(loader, node, "bad_reference", "%s", problem);
    return problem == NULL;
}

static void take_from(RpLoader *loader, RpYamlNode value) {
    set_source(loader, value, RP_FROM_REFERENCE);
    take_reference(loader, value, &loader->column->reference);
}

static void take_uuid5(RpLoader *loader, RpYamlNode value) {
    RpMapColumn *column = loader->column;
    set_source(loader, value, RP_FROM_UUID5);
    const guint n_parts = rp_yaml_length(value);
    if (n_parts < 2 || n_parts > RP_UUID5_MAX_PARTS) {
        rp_words_error(loader, value, "bad_value", "uuid5 takes a name and 1 to %d references",
                       RP_UUID5_MAX_PARTS - 1);
        return;
    }
    for (guint i = 0; i < n_parts; i++) {
        const RpYamlNode item = rp_yaml_item(value, i);
        RpUuidPart part = {0};
        if (i == 0 && rp_yaml_text(item) != NULL)
            part.literal = g_strdup(rp_yaml_text(item));
        else
            take_reference(loader, item, &part.reference);
        column->parts[column->n_parts++] = part;
    }
}

static void take_trim(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->trims);
}

static void take_lower(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->lowers);
}

static void take_upper(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->uppers);
}

static void take_empty_as_null(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->nulls_empty);
}

static void take_map(RpLoader *loader, RpYamlNode value) {
    loader->column->map = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < rp_yaml_length(value); i++) {
        RpYamlNode from, to;
        rp_yaml_pair(value, i, &from, &to);
        if (rp_yaml_text(from) == NULL || rp_yaml_text(to) == NULL)
            rp_words_error(loader, from, "wrong_yaml_type", "map takes scalars to scalars");
        else if (!g_hash_table_insert(loader->column->map, g_strdup(rp_yaml_text(from)),
                                      g_strdup(rp_yaml_text(to))))
            rp_words_error(loader, from, "duplicate_word", "\"%s\" stands twice in a map",
                           rp_yaml_text(from));
    }
}

static void take_default(RpLoader *loader, RpYamlNode value) {
    loader->column->fallback = g_strdup(rp_yaml_text(value));
}

static void take_required(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->is_required);
}

static void take_timestamp(RpLoader *loader, RpYamlNode value) {
    static const char *const formats[] = {"iso8601", "unix", "unix_ms", "unix_us", NULL};
    guint position;
    if (rp_words_choice(loader, value, formats, &position))
        loader->column->conversion.time_format = (RpTimeFormat)position;
    loader->column->has_timestamp = TRUE;
}

static void take_zone(RpLoader *loader, RpYamlNode value) {
    const char *name = rp_yaml_text(value);
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
    loader->column->has_json = TRUE;
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

static void take_equals(RpLoader *loader, RpYamlNode value) {
    RpReference reference = {0};
    if (take_reference(loader, value, &reference))
        g_ptr_array_add(loader->column->rules, rp_rule_new_equals(rp_yaml_text(value), reference));
}

static void take_sensitive(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->is_sensitive);
}

/* In the order in which they act. */
static const RpWord COLUMN_WORDS[] = {
    /* source */
    {"from", RP_YAML_SCALAR, take_from},
    {"uuid5", RP_YAML_LIST, take_uuid5},
    /* clean */
    {"trim", RP_YAML_SCALAR, take_trim},
    {"lower", RP_YAML_SCALAR, take_lower},
    {"upper", RP_YAML_SCALAR, take_upper},
    {"empty_as_null", RP_YAML_SCALAR, take_empty_as_null},
    {"map", RP_YAML_MAP, take_map},
    /* default */
    {"default", RP_YAML_SCALAR, take_default},
    {"required", RP_YAML_SCALAR, take_required},
    /* convert */
    {"timestamp", RP_YAML_SCALAR, take_timestamp},
    {"zone", RP_YAML_SCALAR, take_zone},
    {"json", RP_YAML_SCALAR, take_json},
    /* rules */
    {"min", RP_YAML_SCALAR, take_min},
    {"max", RP_YAML_SCALAR, take_max},
    {"min_length", RP_YAML_SCALAR, take_min_length},
    {"max_length", RP_YAML_SCALAR, take_max_length},
    {"format", RP_YAML_SCALAR, take_format},
    {"equals", RP_YAML_SCALAR, take_equals},
    /* privacy */
    {"sensitive", RP_YAML_SCALAR, take_sensitive},
    {NULL, RP_YAML_NONE, NULL},
};

void rp_column_free(RpMapColumn *column) {
    g_free(column->name);
    g_free(column->place);
    for (guint i = 0; i < column->n_parts; i++)
        g_free(column->parts[i].literal);
    g_clear_pointer(&column->map, g_hash_table_unref);
    g_free(column->fallback);
    g_clear_pointer(&column->conversion.zone, g_time_zone_unref);
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
        take_from(loader, value);
    else if (rp_yaml_kind(value) == RP_YAML_MAP)
        rp_words_walk(loader, COLUMN_WORDS, value, "a column");
    else
        rp_words_error(loader, value, "wrong_yaml_type", "a column is a reference or a map of words, not %s",
                       rp_yaml_kind_name(rp_yaml_kind(value)));
    if (rp_yaml_kind(value) == RP_YAML_MAP && rp_yaml_get(value, "from").number == 0 &&
        rp_yaml_get(value, "uuid5").number == 0)
        rp_words_error(loader, value, "missing_word", "column \"%s\" has no source: from or uuid5",
                       column->name);
    g_ptr_array_add(loader->entity->columns, column);
    loader->column = NULL;
}
