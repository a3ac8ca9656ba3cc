/* From entities to reads. */
#include "pipeline/wanted.h"

RpRead rp_wanted_read(const RpMapping *mapping, guint entity) {
    const RpReferenceScope *scope = &((const RpEntity *)g_ptr_array_index(mapping->entities, entity))->scope;
    return (RpRead){entity, scope->type, scope->has_ttl, scope->has_expiry, scope->fields};
}
