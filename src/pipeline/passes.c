/* Levels of the graph of foreign keys and look-ups. */
#include "pipeline/passes.h"

#include "base/error.h"

/* What is looked up must be there before. */
static gboolean looks_into(const RpEntity *child, const RpTable *table) {
    for (guint i = 0; i < child->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(child->columns, i);
        if (column->source == RP_FROM_LOOKUP && column->lookup->table->oid == table->oid)
            return TRUE;
    }
    return FALSE;
}

/* A foreign key over columns that are not written asks for nothing. */
static gboolean is_written(const RpEntity *entity, const RpConstraint *constraint) {
    for (char **name = constraint->columns; *name != NULL; name++)
        if (rp_entity_find_column(entity, *name) != NULL)
            return TRUE;
    return FALSE;
}

static gboolean refers_to(const RpEntity *child, const RpEntity *parent) {
    for (guint i = 0; i < child->table->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(child->table->constraints, i);
        if (constraint->kind == RP_CONSTRAINT_FOREIGN && constraint->referenced_oid == parent->table->oid &&
            is_written(child, constraint))
            return TRUE;
    }
    return looks_into(child, parent->table);
}

static gboolean refuse_circle(const RpEntity *entity, GError **error) {
    g_set_error(
        error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
        "%s: the foreign keys and look-ups of %s lead back to itself: entity \"%s\" has no place in the load "
        "order. Drop one foreign key of the circle, load, and add it again, or do without the look-up",
        entity->place, entity->table->shown, entity->name);
    return FALSE;
}

/* Raises each child above its parents until nothing moves; more rounds than entities mean a circle. */
static gboolean raise_levels(const RpMapping *mapping, guint32 *levels, GError **error) {
    const guint n_entities = mapping->entities->len;
    for (guint round = 0; round <= n_entities; round++) {
        const RpEntity *moved = NULL;
        for (guint child = 0; child < n_entities; child++)
            for (guint parent = 0; parent < n_entities; parent++) {
                const RpEntity *below = g_ptr_array_index(mapping->entities, child);
                if (!refers_to(below, g_ptr_array_index(mapping->entities, parent)) ||
                    levels[child] > levels[parent])
                    continue;
                levels[child] = levels[parent] + 1;
                moved = below;
            }
        if (moved == NULL)
            return TRUE;
        if (round == n_entities)
            return refuse_circle(moved, error);
    }
    g_assert_not_reached();
}

GArray *rp_passes_plan(const RpMapping *mapping, guint *n_passes, GError **error) {
    g_autoptr(GArray) levels = g_array_new(FALSE, TRUE, sizeof(guint32));
    g_array_set_size(levels, mapping->entities->len);
    if (!raise_levels(mapping, (guint32 *)(void *)levels->data, error))
        return NULL;
    *n_passes = 0;
    for (guint i = 0; i < levels->len; i++)
        *n_passes = MAX(*n_passes, g_array_index(levels, guint32, i) + 1);
    return g_steal_pointer(&levels);
}
