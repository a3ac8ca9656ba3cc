/* From options to the limits of a load. */
#include "cli/throttle_options.h"

void rp_throttle_options_add(const RpThrottleSettings *settings, json_t *object) {
    json_object_set_new(object, "max_keys_per_second", json_integer(settings->max_keys_per_second));
    json_object_set_new(object, "redis_latency_ms", json_integer(settings->redis_latency_ms));
}

void rp_throttle_options_apply(const RpThrottleSettings *settings, RpLoadOptions *options) {
    options->max_keys_per_second = (guint64)settings->max_keys_per_second;
    options->redis_latency_ms = (guint)settings->redis_latency_ms;
}
