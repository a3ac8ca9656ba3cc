/* Look-ups in a loaded mapping. */
#include "mapping/mapping.h"

#include <string.h>

const RpEntity *rp_mapping_find_entity(const RpMapping *mapping, const char *name) {
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        if (strcmp(entity->name, name) == 0)
            return entity;
    }
    return NULL;
}

const RpMapColumn *rp_entity_find_column(const RpEntity *entity, const char *name) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (strcmp(column->name, name) == 0)
            return column;
    }
    return NULL;
}

guint rp_entity_find_field(const RpEntity *entity, const RpMapColumn *wanted) {
    guint field = 0;
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (column == wanted)
            return field;
        field += column->source == RP_FROM_LOOKUP ? column->lookup->matches->len : 1;
    }
    g_assert_not_reached();
}

gboolean rp_column_is_in_tuple(const RpMapColumn *column) {
    return column->source != RP_FROM_LOOKUP && column->conversion.column->kind != RP_TYPE_OTHER;
}

gboolean rp_column_is_masked(const RpMapColumn *column) {
    return column->is_sensitive || (column->lookup != NULL && column->lookup->is_sensitive);
}

gboolean rp_entity_has_sensitive(const RpEntity *entity) {
    for (guint i = 0; i < entity->columns->len; i++)
        if (((const RpMapColumn *)g_ptr_array_index(entity->columns, i))->is_sensitive)
            return TRUE;
    return FALSE;
}

RpCover rp_mapping_cover(const RpMapping *mapping, RpSpan key) {
    for (guint i = 0; i < mapping->entities->len; i++)
        if (rp_pattern_match(((const RpEntity *)g_ptr_array_index(mapping->entities, i))->keys, key, NULL))
            return RP_COVER_ENTITY;
    for (guint i = 0; i < mapping->links->len; i++)
        if (rp_pattern_match(((const RpLink *)g_ptr_array_index(mapping->links, i))->keys, key, NULL))
            return RP_COVER_LINK;
    for (guint i = 0; i < mapping->ignores->len; i++)
        if (rp_pattern_match(g_ptr_array_index(mapping->ignores, i), key, NULL))
            return RP_COVER_IGNORE;
    return RP_COVER_NONE;
}
