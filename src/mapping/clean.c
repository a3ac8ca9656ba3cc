/* The words that clean a column's text before it is converted. */
#include "mapping/words.h"

#include <string.h>

void rp_clean_take_trim(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->trims);
}

void rp_clean_take_lower(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->lowers);
}

void rp_clean_take_upper(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->uppers);
}

void rp_clean_take_empty_as_null(RpLoader *loader, RpYamlNode value) {
    rp_words_bool(loader, value, &loader->column->nulls_empty);
}

RpRegex *rp_words_regex(RpLoader *loader, RpYamlNode node) {
    const char *text = rp_yaml_text(node);
    g_autofree char *problem = NULL;
    RpRegex *regex = rp_regex_new(text, &problem);
    if (regex != NULL)
        rp_words_spend(loader, node, rp_regex_get_bytes(regex));
    else
        rp_words_error(loader, node, "bad_regex", "\"%s\" is no regular expression: %s", text, problem);
    return regex;
}

static void take_regex(RpLoader *loader, RpYamlNode value) {
    loader->column->replaced = rp_words_regex(loader, value);
}

static void take_with(RpLoader *loader, RpYamlNode value) {
    loader->column->replacement = g_strdup(rp_yaml_text(value));
}

static const RpWord REPLACE_WORDS[] = {
    {"regex", RP_YAML_SCALAR, take_regex},
    {"with", RP_YAML_SCALAR, take_with},
    {NULL, RP_YAML_NONE, NULL},
};

void rp_clean_take_replace(RpLoader *loader, RpYamlNode value) {
    static const char *const needed[] = {"regex", "with", NULL};
    rp_words_demand(loader, value, "replace", needed);
    rp_words_walk(loader, REPLACE_WORDS, value, "replace");
    const RpMapColumn *column = loader->column;
    if (column->replaced == NULL || column->replacement == NULL)
        return;
    g_autofree char *problem = rp_regex_check_replacement(column->replaced, column->replacement);
    if (problem != NULL)
        rp_words_error(loader, value, "bad_regex", "\"%s\" replaces nothing: %s", column->replacement,
                       problem);
}

#define HASH_PRIME 0x7fffffff

/* The factor is another one in each process, or texts could be made up that all have one hash. */
static guint64 hash_factor(void) {
    static gsize factor = 0;
    if (g_once_init_enter(&factor))
        g_once_init_leave(&factor, (gsize)g_random_int_range(0x10000, HASH_PRIME));
    return factor;
}

guint rp_mapped_hash(gconstpointer mapped) {
    const RpSpan from = ((const RpMapped *)mapped)->from;
    const guint64 factor = hash_factor();
    guint64 hash = 1;
    for (gsize i = 0; i < from.size; i++)
        hash = (hash * factor + (guchar)from.data[i]) % HASH_PRIME;
    return (guint)hash;
}

gboolean rp_mapped_equal(gconstpointer a, gconstpointer b) {
    return rp_span_equal(((const RpMapped *)a)->from, ((const RpMapped *)b)->from);
}

/* What stands for a text in a map: both in one piece of memory. */
static gboolean add_mapped(RpMapColumn *column, const char *from, const char *to) {
    const gsize from_size = strlen(from), to_size = strlen(to);
    RpMapped *mapped = g_malloc(sizeof(RpMapped) + from_size + to_size);
    char *texts = (char *)(mapped + 1);
    memcpy(texts, from, from_size);
    memcpy(texts + from_size, to, to_size);
    *mapped = (RpMapped){{texts, from_size}, {texts + from_size, to_size}};
    return g_hash_table_add(column->map, mapped);
}

void rp_clean_take_map(RpLoader *loader, RpYamlNode value) {
    loader->column->map = g_hash_table_new_full(rp_mapped_hash, rp_mapped_equal, g_free, NULL);
    RpYamlNode from, to;
    for (guint i = 0; rp_words_pair(loader, value, i, &from, &to); i++) {
        if (rp_yaml_text(from) == NULL || rp_yaml_text(to) == NULL)
            rp_words_error(loader, from, "wrong_yaml_type", "map takes scalars to scalars");
        else if (!add_mapped(loader->column, rp_yaml_text(from), rp_yaml_text(to)))
            rp_words_error(loader, from, "duplicate_word", "\"%s\" stands twice in a map",
                           rp_yaml_text(from));
    }
}

void rp_clean_take_map_default(RpLoader *loader, RpYamlNode value) {
    loader->column->map_default = g_strdup(rp_yaml_text(value));
}

void rp_clean_take_split(RpLoader *loader, RpYamlNode value) {
    if (rp_yaml_text(value)[0] == '\0')
        rp_words_error(loader, value, "bad_value", "split takes the text between two elements");
    else
        loader->column->conversion.separator = g_strdup(rp_yaml_text(value));
    loader->column->refinements |= RP_REFINES_SPLIT;
}
