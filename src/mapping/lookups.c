/* Binding of look-ups: what their matches convert to, and whether what they go by may be shown. */
#include "mapping/mapping.h"

/* A column that is not there was found when the table was read. */
void rp_lookup_bind(RpMapColumn *column, RpFindings *findings) {
    const RpLookup *lookup = column->lookup;
    for (guint i = 0; i < lookup->matches->len; i++) {
        RpLookupMatch *match = g_ptr_array_index(lookup->matches, i);
        const RpColumn *compared = lookup->table != NULL && match->name != NULL
                                       ? rp_table_find_column(lookup->table, match->name)
                                       : NULL;
        match->conversion.column = compared;
        match->convert = compared != NULL ? rp_converter_for(compared->kind) : NULL;
    }
    if (column->fallback != NULL && column->on_invalid == RP_INVALID_IS_NULL)
        rp_findings_add(
            findings, RP_SEVERITY_ERROR, "words_conflict", column->place, "keep one of them",
            "column \"%s\" is looked up and has a default, which stands wherever nothing is found: "
            "\"on_invalid: null\" says otherwise",
            column->name);
}

static gboolean has_part(const RpMapColumn *column, const RpReference *reference) {
    for (guint i = 0; i < column->n_parts; i++)
        if (column->parts[i].literal == NULL && rp_reference_equal(&column->parts[i].reference, reference))
            return TRUE;
    return FALSE;
}

static gboolean is_held_to(const RpMapColumn *column, const RpReference *reference) {
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        if (rule->has_reference && rp_reference_equal(&rule->reference, reference))
            return TRUE;
    }
    return FALSE;
}

static gboolean goes_by(const RpMapColumn *column, const RpReference *reference) {
    for (guint i = 0; column->lookup != NULL && i < column->lookup->matches->len; i++) {
        const RpLookupMatch *match = g_ptr_array_index(column->lookup->matches, i);
        if (rp_reference_equal(&match->reference, reference))
            return TRUE;
    }
    return FALSE;
}

/* Whether a sensitive column of the entity reads what the reference names. */
static gboolean is_secret(const RpEntity *entity, const RpReference *reference) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (column->is_sensitive &&
            (has_part(column, reference) || is_held_to(column, reference) || goes_by(column, reference)))
            return TRUE;
    }
    return FALSE;
}

void rp_lookups_bind_privacy(const RpEntity *entity) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (column->lookup == NULL)
            continue;
        column->lookup->is_sensitive = column->is_sensitive;
        for (guint k = 0; !column->lookup->is_sensitive && k < column->lookup->matches->len; k++) {
            const RpLookupMatch *match = g_ptr_array_index(column->lookup->matches, k);
            column->lookup->is_sensitive = is_secret(entity, &match->reference);
        }
    }
}
