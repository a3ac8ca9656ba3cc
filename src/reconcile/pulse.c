/* Counters of INFO as a sign of life. */
#include "reconcile/pulse.h"

#include "source/info.h"

#include <string.h>

void rp_pulse_clear(RpPulse *pulse) {
    g_clear_pointer(&pulse->run_id, g_free);
    g_clear_pointer(&pulse->version, g_free);
}

gboolean rp_pulse_take(const RpRedisAddress *address, guint timeout_seconds, guint retry_seconds,
                       RpPulse *pulse, GError **error) {
    g_autoptr(redisContext) redis = rp_redis_await(address, timeout_seconds, retry_seconds, error);
    g_autoptr(GHashTable) info = redis != NULL ? rp_redis_info_read(redis, error) : NULL;
    if (info == NULL)
        return FALSE;
    rp_pulse_clear(pulse);
    *pulse = (RpPulse){.run_id = g_strdup(rp_redis_info_text(info, "run_id")),
                       .version = g_strdup(rp_redis_info_text(info, "redis_version")),
                       .changes = rp_redis_info_number(info, "rdb_changes_since_last_save"),
                       .last_save = rp_redis_info_number(info, "rdb_last_save_time"),
                       .expired = rp_redis_info_number(info, "expired_keys"),
                       .evicted = rp_redis_info_number(info, "evicted_keys"),
                       .is_known = g_hash_table_contains(info, "rdb_changes_since_last_save") &&
                                   g_hash_table_contains(info, "expired_keys")};
    return TRUE;
}

gboolean rp_pulse_is_same(const RpPulse *before, const RpPulse *after) {
    return before->is_known && after->is_known && strcmp(before->run_id, after->run_id) == 0 &&
           before->changes == after->changes && before->last_save == after->last_save &&
           before->expired == after->expired && before->evicted == after->evicted;
}
