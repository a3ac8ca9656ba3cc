/* The words that say where a column's value comes from. */
#include "mapping/words.h"

#include <string.h>

gboolean rp_words_reference(RpLoader *loader, RpYamlNode node, RpReference *reference) {
    g_autofree char *problem = NULL;
    const char *text = rp_yaml_text(node);
    if (!rp_words_spend(loader, node, RP_WORDS_COST_NEW))
        return FALSE;
    if (text == NULL)
        problem = g_strdup("a reference is a scalar");
    else if (loader->entity->has_scope) /* else the mistake of `keys` or `type` was noted */
        rp_reference_parse(&loader->entity->scope, text, reference, &problem);
    if (problem != NULL)
        rp_words_error(loader, node, "bad_reference", "%s", problem);
    return problem == NULL;
}

static void set_source(RpLoader *loader, RpYamlNode node, RpColumnSource source) {
    RpMapColumn *column = loader->column;
    if (column->has_source)
        rp_words_error(loader, node, "two_sources", "column \"%s\" has two sources", column->name);
    column->has_source = TRUE;
    column->source = source;
}

/* Takes the literal. */
static gboolean add_part(RpLoader *loader, RpYamlNode node, char *literal, const RpReference *reference) {
    RpMapColumn *column = loader->column;
    if (column->n_parts == RP_MAX_PARTS) {
        rp_words_error(loader, node, "bad_value", "more than %d parts", RP_MAX_PARTS);
        g_free(literal);
        return FALSE;
    }
    column->parts[column->n_parts++] = (RpPart){literal, reference != NULL ? *reference : (RpReference){0}};
    return TRUE;
}

static void take_references(RpLoader *loader, RpYamlNode list, guint from) {
    RpYamlNode item;
    for (guint i = from; rp_words_item(loader, list, i, &item); i++) {
        RpReference reference = {0};
        if (rp_words_reference(loader, item, &reference) && !add_part(loader, item, NULL, &reference))
            return;
    }
}

void rp_source_take_from(RpLoader *loader, RpYamlNode value) {
    set_source(loader, value, RP_FROM_REFERENCE);
    RpReference reference = {0};
    if (rp_words_reference(loader, value, &reference))
        add_part(loader, value, NULL, &reference);
}

void rp_source_take_const(RpLoader *loader, RpYamlNode value) {
    set_source(loader, value, RP_FROM_CONST);
    add_part(loader, value, g_strdup(rp_yaml_text(value)), NULL);
}

void rp_source_take_coalesce(RpLoader *loader, RpYamlNode value) {
    set_source(loader, value, RP_FROM_COALESCE);
    if (rp_yaml_length(value) == 0)
        rp_words_error(loader, value, "bad_value", "coalesce takes one reference or more");
    take_references(loader, value, 0);
}

void rp_source_take_uuid5(RpLoader *loader, RpYamlNode value) {
    set_source(loader, value, RP_FROM_UUID5);
    if (rp_yaml_length(value) < 2 || rp_yaml_text(rp_yaml_item(value, 0)) == NULL) {
        rp_words_error(loader, value, "bad_value", "uuid5 takes a name and one reference or more");
        return;
    }
    add_part(loader, value, g_strdup(rp_yaml_text(rp_yaml_item(value, 0))), NULL);
    take_references(loader, value, 1);
}

/* ---- template ---- */

/* A reference in braces; FALSE when the template cannot go on. */
static gboolean take_hole(RpLoader *loader, RpYamlNode value, const char *name, gsize size) {
    g_autofree char *text = g_strndup(name, size);
    g_autofree char *problem = NULL;
    RpReference reference = {0};
    if (!loader->entity->has_scope)
        return FALSE;
    if (rp_reference_parse(&loader->entity->scope, text, &reference, &problem))
        return add_part(loader, value, NULL, &reference);
    rp_words_error(loader, value, "bad_reference", "%s", problem);
    return FALSE;
}

void rp_source_take_template(RpLoader *loader, RpYamlNode value) {
    set_source(loader, value, RP_FROM_TEMPLATE);
    g_autoptr(GString) literal = g_string_new(NULL);
    const char *at = rp_yaml_text(value);
    while (*at != '\0') {
        if ((at[0] == '{' || at[0] == '}') && at[1] == at[0]) {
            g_string_append_c(literal, at[0]);
            at += 2;
            continue;
        }
        if (*at != '{' && *at != '}') {
            g_string_append_c(literal, *at++);
            continue;
        }
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (end == NULL) {
            rp_words_error(loader, value, "bad_value",
                           "a brace stands alone: {name} is a reference, {{ and }} are braces");
            return;
        }
        if (literal->len > 0 && !add_part(loader, value, g_strdup(literal->str), NULL))
            return;
        g_string_truncate(literal, 0);
        if (!take_hole(loader, value, at + 1, (gsize)(end - at - 1)))
            return;
        at = end + 1;
    }
    if (literal->len > 0)
        add_part(loader, value, g_strdup(literal->str), NULL);
}

/* ---- lookup ---- */

static void match_free(gpointer data) {
    RpLookupMatch *match = data;
    g_free(match->name);
    g_free(match);
}

void rp_lookup_free(RpLookup *lookup) {
    if (lookup == NULL)
        return;
    g_free(lookup->table_name);
    g_free(lookup->take);
    g_free(lookup->place);
    g_ptr_array_unref(lookup->matches);
    g_free(lookup);
}

static void take_table(RpLoader *loader, RpYamlNode value) {
    loader->column->lookup->table_name = rp_words_name(loader, value);
}

static void take_matches(RpLoader *loader, RpYamlNode value) {
    if (rp_yaml_length(value) == 0 || rp_yaml_length(value) > RP_MAX_PARTS) {
        rp_words_error(loader, value, "bad_value", "match takes 1 to %d columns", RP_MAX_PARTS);
        return;
    }
    RpYamlNode name, from;
    for (guint i = 0; rp_words_pair(loader, value, i, &name, &from); i++) {
        RpLookupMatch *match = g_new0(RpLookupMatch, 1);
        match->name = rp_words_name(loader, name);
        rp_words_reference(loader, from, &match->reference);
        g_ptr_array_add(loader->column->lookup->matches, match);
    }
}

static void take_take(RpLoader *loader, RpYamlNode value) {
    loader->column->lookup->take = rp_words_name(loader, value);
}

static const RpWord LOOKUP_WORDS[] = {
    {"table", RP_YAML_SCALAR, take_table},
    {"match", RP_YAML_MAP, take_matches},
    {"take", RP_YAML_SCALAR, take_take},
    {NULL, RP_YAML_NONE, NULL},
};

void rp_source_take_lookup(RpLoader *loader, RpYamlNode value) {
    static const char *const needed[] = {"table", "match", "take", NULL};
    set_source(loader, value, RP_FROM_LOOKUP);
    if (loader->column->lookup != NULL)
        return;
    loader->column->lookup = g_new0(RpLookup, 1);
    loader->column->lookup->place = rp_yaml_place(value);
    loader->column->lookup->matches = g_ptr_array_new_with_free_func(match_free);
    rp_words_demand(loader, value, "a lookup", needed);
    rp_words_walk(loader, LOOKUP_WORDS, value, "a lookup");
}
