/* From entities to reads. */
#include "pipeline/wanted.h"

RpRead rp_wanted_read(const RpMapping *mapping, guint entity) {
    const RpReferenceScope *scope = &((const RpEntity *)g_ptr_array_index(mapping->entities, entity))->scope;
    return (RpRead){entity, scope->type, scope->has_ttl, scope->has_expiry, scope->fields};
}

void rp_wish_ask_length(RpFetch *fetch, const RpRead *read, RpSpan key) {
    if (read->type == RP_RECORD_HASH)
        rp_fetch_send_length(fetch, key);
}

gboolean rp_wish_take_length(RpFetch *fetch, const RpRead *read, RpWish *wish, GError **error) {
    guint64 n_fields;
    if (read->type != RP_RECORD_HASH)
        return TRUE;
    if (!rp_fetch_receive_length(fetch, &n_fields, error))
        return FALSE;
    wish->window.is_partial = n_fields > RP_BIG_HASH_FIELDS;
    return TRUE;
}
