/* From sensitive columns back to the fields that they read.
 *
 * 1. In doubt a value is not shown. */
#include "mapping/privacy.h"

/* What the columns of an entity say of its keys. */
typedef struct {
    const RpEntity *entity;
    gboolean has_sensitive;
    gboolean hides_value; /* a sensitive column reads something else than a field */
    GHashTable *hidden;   /* set of names of fields that sensitive columns read */
    GHashTable *shown;    /* set of those that others read */
} Rule;

struct RpPrivacy {
    GPtrArray *rules; /* of Rule, by entity */
    /* Of the record under way: */
    GPtrArray *matching; /* of Rule; borrowed */
    gboolean shows_nothing;
    gboolean has_sensitive;
};

static void rule_free(gpointer data) {
    Rule *rule = data;
    g_hash_table_unref(rule->hidden);
    g_hash_table_unref(rule->shown);
    g_free(rule);
}

static void note_field(Rule *rule, guint field, gboolean is_sensitive) {
    g_hash_table_add(is_sensitive ? rule->hidden : rule->shown,
                     g_ptr_array_index(rule->entity->scope.fields, field));
}

static void note_reference(Rule *rule, const RpReference *reference, gboolean is_sensitive) {
    const RpReferenceScope *scope = &rule->entity->scope;
    const RpDocument *document;
    switch (reference->kind) {
    case RP_REFERENCE_FIELD:
        note_field(rule, reference->index, is_sensitive);
        return;
    case RP_REFERENCE_JSON:
        document = g_ptr_array_index(scope->documents, reference->index);
        if (document->kind == RP_DOCUMENT_FIELD)
            note_field(rule, document->field, is_sensitive);
        else if (document->kind == RP_DOCUMENT_ELEMENT)
            note_reference(rule, &scope->each, is_sensitive);
        else
            rule->hides_value = rule->hides_value || is_sensitive;
        return;
    case RP_REFERENCE_VALUE:
    case RP_REFERENCE_SCORE:
    case RP_REFERENCE_ID:
        rule->hides_value = rule->hides_value || is_sensitive;
        return;
    case RP_REFERENCE_KEY: /* the key is shown, and what follows from it */
    case RP_REFERENCE_CAPTURE:
    case RP_REFERENCE_INDEX:
    case RP_REFERENCE_TTL_MS:
    case RP_REFERENCE_EXPIRES_AT:
    case RP_REFERENCE_DB:
    case RP_REFERENCE_NOW:
        return;
    }
    g_assert_not_reached();
}

/* A rule of a sensitive column may compare it with another field: that holds the same. */
static void note_column(Rule *rule, const RpMapColumn *column) {
    const gboolean is_sensitive = rp_column_is_masked(column);
    rule->has_sensitive = rule->has_sensitive || is_sensitive;
    for (guint i = 0; i < column->n_parts; i++)
        if (column->parts[i].literal == NULL)
            note_reference(rule, &column->parts[i].reference, is_sensitive);
    for (guint i = 0; column->lookup != NULL && i < column->lookup->matches->len; i++) {
        const RpLookupMatch *match = g_ptr_array_index(column->lookup->matches, i);
        note_reference(rule, &match->reference, is_sensitive);
    }
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *compared = g_ptr_array_index(column->rules, i);
        if (compared->has_reference)
            note_reference(rule, &compared->reference, is_sensitive);
    }
}

RpPrivacy *rp_privacy_new(const RpMapping *mapping) {
    RpPrivacy *privacy = g_new0(RpPrivacy, 1);
    privacy->rules = g_ptr_array_new_with_free_func(rule_free);
    privacy->matching = g_ptr_array_new();
    privacy->shows_nothing = TRUE;
    for (guint i = 0; mapping != NULL && i < mapping->entities->len; i++) {
        Rule *rule = g_new0(Rule, 1);
        rule->entity = g_ptr_array_index(mapping->entities, i);
        rule->hidden = g_hash_table_new(g_str_hash, g_str_equal);
        rule->shown = g_hash_table_new(g_str_hash, g_str_equal);
        for (guint j = 0; j < rule->entity->columns->len; j++)
            note_column(rule, g_ptr_array_index(rule->entity->columns, j));
        g_ptr_array_add(privacy->rules, rule);
    }
    return privacy;
}

void rp_privacy_free(RpPrivacy *privacy) {
    if (privacy == NULL)
        return;
    g_ptr_array_unref(privacy->rules);
    g_ptr_array_unref(privacy->matching);
    g_free(privacy);
}

gboolean rp_privacy_begin(RpPrivacy *privacy, const char *entity, RpSpan key, RpRecordType type) {
    gboolean is_known = FALSE;
    g_ptr_array_set_size(privacy->matching, 0);
    privacy->shows_nothing = privacy->has_sensitive = FALSE;
    for (guint i = 0; i < privacy->rules->len; i++) {
        Rule *rule = g_ptr_array_index(privacy->rules, i);
        const gboolean is_own = g_str_equal(rule->entity->name, entity);
        is_known = is_known || is_own;
        if (!is_own && !rp_pattern_match(rule->entity->keys, key, NULL))
            continue;
        g_ptr_array_add(privacy->matching, rule);
        privacy->has_sensitive = privacy->has_sensitive || rule->has_sensitive;
        /* Nobody knows where in a key of another type the value stands. */
        if (rule->has_sensitive && type != rule->entity->scope.type)
            privacy->shows_nothing = TRUE;
    }
    privacy->shows_nothing = privacy->shows_nothing || !is_known;
    return is_known;
}

gboolean rp_privacy_shows_value(const RpPrivacy *privacy) {
    if (privacy->shows_nothing)
        return FALSE;
    for (guint i = 0; i < privacy->matching->len; i++)
        if (((const Rule *)g_ptr_array_index(privacy->matching, i))->hides_value)
            return FALSE;
    return TRUE;
}

gboolean rp_privacy_shows_field(const RpPrivacy *privacy, RpSpan name) {
    if (!rp_privacy_shows_value(privacy))
        return FALSE;
    if (!privacy->has_sensitive)
        return TRUE;
    g_autofree char *text = g_strndup(name.data, name.size);
    if (strlen(text) != name.size)
        return FALSE;
    gboolean is_read = FALSE;
    for (guint i = 0; i < privacy->matching->len; i++) {
        const Rule *rule = g_ptr_array_index(privacy->matching, i);
        if (g_hash_table_contains(rule->hidden, text))
            return FALSE;
        is_read = is_read || g_hash_table_contains(rule->shown, text);
    }
    return is_read;
}
