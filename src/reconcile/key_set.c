/* Keys that were met. */
#include "reconcile/key_set.h"

void rp_key_set_init(RpKeySet *set, guint64 seed) {
    *set = (RpKeySet){.hashes = g_hash_table_new_full(rp_hash_of_hash, rp_hash_is_same, g_free, NULL),
                      .digester = rp_digester_new(seed)};
}

void rp_key_set_clear(RpKeySet *set) {
    g_clear_pointer(&set->hashes, g_hash_table_unref);
    g_clear_pointer(&set->digester, rp_digester_free);
}

gboolean rp_key_set_contains(RpKeySet *set, guint unit, RpSpan key) {
    RpHash hash;
    rp_digester_hash_key(set->digester, unit, key, &hash);
    return g_hash_table_contains(set->hashes, &hash);
}

gboolean rp_key_set_add(RpKeySet *set, guint unit, RpSpan key) {
    RpHash hash;
    rp_digester_hash_key(set->digester, unit, key, &hash);
    return !g_hash_table_contains(set->hashes, &hash) &&
           g_hash_table_add(set->hashes, g_memdup2(&hash, sizeof hash));
}

guint rp_key_set_get_size(const RpKeySet *set) {
    return g_hash_table_size(set->hashes);
}

void rp_key_set_empty(RpKeySet *set) {
    g_hash_table_remove_all(set->hashes);
}
