/* The walk over a YAML map by a table of words, and readers of scalars. */
#include "mapping/words.h"

#include "base/suggest.h"

#include <stdarg.h>
#include <string.h>

void rp_words_error(RpLoader *loader, RpYamlNode node, const char *code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *place = rp_yaml_place(node);
    if (!loader->is_over && rp_words_spend(loader, node, RP_WORDS_COST_NEW + strlen(text)))
        rp_findings_add(loader->findings, RP_SEVERITY_ERROR, code, place, NULL, "%s", text);
}

/* ---- what it costs ---- */

/* Ends the loading. */
static gboolean refuse_more(RpLoader *loader, RpYamlNode node, const char *what) {
    g_autofree char *place = rp_yaml_place(node);
    if (!loader->is_over)
        rp_findings_add(loader->findings, RP_SEVERITY_ERROR, "too_much", place, NULL, "%s", what);
    loader->is_over = TRUE;
    return FALSE;
}

gboolean rp_words_spend(RpLoader *loader, RpYamlNode node, gsize cost) {
    loader->cost += cost;
    return !loader->is_over &&
           (loader->cost <= RP_WORDS_MAX_COST || refuse_more(loader, node,
                                                             "up to here the file says too much already: "
                                                             "aliases may repeat a large part too often"));
}

gboolean rp_words_add(RpLoader *loader, RpYamlNode node, guint n, guint limit, const char *what) {
    if (n < limit)
        return rp_words_spend(loader, node, RP_WORDS_COST_NEW);
    g_autofree char *text = g_strdup_printf("more than %u %s", limit, what);
    return refuse_more(loader, node, text);
}

static gsize text_size(RpYamlNode node) {
    const char *text = rp_yaml_text(node);
    return text != NULL ? strlen(text) : 0;
}

gboolean rp_words_pair(RpLoader *loader, RpYamlNode map, guint position, RpYamlNode *key, RpYamlNode *value) {
    if (loader->is_over || position >= rp_yaml_length(map))
        return FALSE;
    rp_yaml_pair(map, position, key, value);
    return rp_words_spend(loader, *key, RP_WORDS_COST + text_size(*key) + text_size(*value));
}

gboolean rp_words_item(RpLoader *loader, RpYamlNode list, guint position, RpYamlNode *item) {
    if (loader->is_over || position >= rp_yaml_length(list))
        return FALSE;
    *item = rp_yaml_item(list, position);
    return rp_words_spend(loader, *item, RP_WORDS_COST + text_size(*item));
}

/* ---- the walk ---- */

static void refuse_unknown(RpLoader *loader, const RpWord *words, RpYamlNode key, const char *what) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const RpWord *word = words; word->word != NULL; word++)
        g_ptr_array_add(names, (gpointer)word->word);
    g_ptr_array_add(names, NULL);
    g_autofree char *hint = rp_suggest_hint(rp_yaml_text(key), (const char *const *)names->pdata);
    rp_words_error(loader, key, "unknown_word", "\"%s\" is no word of %s%s", rp_yaml_text(key), what, hint);
}

#define MAX_WORDS 64 /* of a table: each has a bit */

/* Sets the word's bit in *taken. */
static void take_pair(RpLoader *loader, const RpWord *words, RpYamlNode key, RpYamlNode value,
                      const char *what, guint64 *taken) {
    const char *name = rp_yaml_text(key);
    for (const RpWord *word = words; word->word != NULL; word++) {
        g_assert(word - words < MAX_WORDS);
        const guint64 bit = G_GUINT64_CONSTANT(1) << (word - words);
        if (strcmp(word->word, name) != 0)
            continue;
        if (*taken & bit)
            rp_words_error(loader, key, "duplicate_word", "\"%s\" stands twice in %s", name, what);
        else if (word->kind != RP_YAML_NONE && rp_yaml_kind(value) != word->kind)
            rp_words_error(loader, value, "wrong_yaml_type", "\"%s\" takes %s, not %s", name,
                           rp_yaml_kind_name(word->kind), rp_yaml_kind_name(rp_yaml_kind(value)));
        else
            word->take(loader, value);
        *taken |= bit;
        return;
    }
    refuse_unknown(loader, words, key, what);
}

void rp_words_walk(RpLoader *loader, const RpWord *words, RpYamlNode map, const char *what) {
    guint64 taken = 0;
    RpYamlNode key, value;
    for (guint i = 0; rp_words_pair(loader, map, i, &key, &value); i++) {
        if (rp_yaml_text(key) == NULL)
            rp_words_error(loader, key, "wrong_yaml_type", "a word of %s is %s", what,
                           rp_yaml_kind_name(rp_yaml_kind(key)));
        else
            take_pair(loader, words, key, value, what, &taken);
    }
}

gboolean rp_words_bool(RpLoader *loader, RpYamlNode node, gboolean *value) {
    static const char *const words[] = {"true", "yes", "on", "false", "no", "off"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(rp_yaml_text(node), words[i]) == 0) {
            *value = i < 3;
            return TRUE;
        }
    rp_words_error(loader, node, "bad_value", "\"%s\" is neither true nor false", rp_yaml_text(node));
    return FALSE;
}

gboolean rp_words_count(RpLoader *loader, RpYamlNode node, gsize *value) {
    guint64 number;
    if (!g_ascii_string_to_unsigned(rp_yaml_text(node), 10, 0, G_MAXINT32, &number, NULL)) {
        rp_words_error(loader, node, "bad_value", "\"%s\" is no whole number of 0 or more",
                       rp_yaml_text(node));
        return FALSE;
    }
    *value = number;
    return TRUE;
}

gboolean rp_words_choice(RpLoader *loader, RpYamlNode node, const char *const *choices, guint *position) {
    for (guint i = 0; choices[i] != NULL; i++)
        if (strcmp(rp_yaml_text(node), choices[i]) == 0) {
            *position = i;
            return TRUE;
        }
    g_autofree char *all = g_strjoinv(", ", (char **)choices);
    g_autofree char *hint = rp_suggest_hint(rp_yaml_text(node), choices);
    rp_words_error(loader, node, "bad_value", "\"%s\" is none of %s%s", rp_yaml_text(node), all, hint);
    return FALSE;
}

char **rp_words_list(RpLoader *loader, RpYamlNode node) {
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    RpYamlNode item;
    for (guint i = 0; rp_words_item(loader, node, i, &item); i++) {
        if (rp_yaml_text(item) == NULL) {
            rp_words_error(loader, item, "wrong_yaml_type", "a scalar is expected, not %s",
                           rp_yaml_kind_name(rp_yaml_kind(item)));
            return NULL;
        }
        g_strv_builder_add(builder, rp_yaml_text(item));
    }
    return g_strv_builder_end(builder);
}

char *rp_words_name(RpLoader *loader, RpYamlNode node) {
    const char *text = rp_yaml_text(node);
    if (text == NULL)
        rp_words_error(loader, node, "wrong_yaml_type", "a name is expected, not %s",
                       rp_yaml_kind_name(rp_yaml_kind(node)));
    else if (text[0] == '\0')
        rp_words_error(loader, node, "bad_value", "a name is empty");
    return g_strdup(text);
}

RpPattern *rp_words_pattern(RpLoader *loader, RpYamlNode value) {
    g_autofree char *problem = NULL;
    if (!rp_words_spend(loader, value, RP_WORDS_COST_PATTERN * text_size(value)))
        return NULL;
    RpPattern *pattern = rp_pattern_new(rp_yaml_text(value), &problem);
    if (pattern == NULL)
        rp_words_error(loader, value, "bad_pattern", "key pattern \"%s\": %s", rp_yaml_text(value), problem);
    return pattern;
}

void rp_words_demand(RpLoader *loader, RpYamlNode map, const char *what, const char *const *words) {
    for (; *words != NULL; words++)
        if (rp_yaml_get(map, *words).number == 0)
            rp_words_error(loader, map, "missing_word", "%s lacks \"%s\"", what, *words);
}
