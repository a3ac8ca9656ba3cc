/* Sensitive columns by the table that they are of. */
#include "reconcile/masks.h"

struct RpMasks {
    GHashTable *columns; /* set of "oid name" */
};

static char *name_column(guint32 table_oid, const char *column) {
    return g_strdup_printf("%u %s", table_oid, column);
}

RpMasks *rp_masks_new(const RpMapping *mapping) {
    RpMasks *masks = g_new0(RpMasks, 1);
    masks->columns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        for (guint j = 0; j < entity->columns->len; j++) {
            const RpMapColumn *column = g_ptr_array_index(entity->columns, j);
            if (rp_column_is_masked(column))
                g_hash_table_add(masks->columns, name_column(entity->table->oid, column->name));
        }
    }
    return masks;
}

void rp_masks_free(RpMasks *masks) {
    if (masks == NULL)
        return;
    g_hash_table_unref(masks->columns);
    g_free(masks);
}

gboolean rp_masks_has(const RpMasks *masks, guint32 table_oid, const char *column) {
    g_autofree char *name = name_column(table_oid, column);
    return g_hash_table_contains(masks->columns, name);
}

static gboolean is_of_key(const RpReference *reference) {
    return reference->kind == RP_REFERENCE_KEY || reference->kind == RP_REFERENCE_CAPTURE;
}

static gboolean shows_key(const RpMapColumn *column) {
    for (guint i = 0; i < column->n_parts; i++)
        if (column->parts[i].literal == NULL && is_of_key(&column->parts[i].reference))
            return TRUE;
    for (guint i = 0; column->lookup != NULL && i < column->lookup->matches->len; i++)
        if (is_of_key(&((const RpLookupMatch *)g_ptr_array_index(column->lookup->matches, i))->reference))
            return TRUE;
    return FALSE;
}

gboolean rp_masks_hide_key(const RpMasks *masks, const RpEntity *entity) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (shows_key(column) && rp_masks_has(masks, entity->table->oid, column->name))
            return TRUE;
    }
    return FALSE;
}
