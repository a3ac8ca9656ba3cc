/* The options of commands that read all of Redis, and are to leave it time for others. */
#pragma once

#include "cli/options.h"
#include "pipeline/load.h"

#include <jansson.h>

G_BEGIN_DECLS

typedef struct {
    gint64 max_keys_per_second;
    gint64 redis_latency_ms;
} RpThrottleSettings;

/* Rows of a command's table of options; settings is an RpThrottleSettings that lives as long as the program,
 * words are those that they go with (NULL: any). */
#define RP_THROTTLE_OPTIONS(settings, words)                                                                 \
    {.name = "max-keys-per-second",                                                                          \
     .kind = RP_OPTION_NUMBER,                                                                               \
     .goes_with = (words),                                                                                   \
     .target = &(settings).max_keys_per_second,                                                              \
     .argument = "N",                                                                                        \
     .fallback = "0",                                                                                        \
     .minimum = 0,                                                                                           \
     .maximum = 1000000000,                                                                                  \
     .help = "ask Redis for no more keys a second; 0: as many as it gives"},                                 \
    {                                                                                                        \
        .name = "redis-latency-ms", .kind = RP_OPTION_NUMBER, .goes_with = (words),                          \
        .target = &(settings).redis_latency_ms, .argument = "N", .fallback = "0", .minimum = 0,              \
        .maximum = 60000,                                                                                    \
        .help = "ask Redis for fewer keys while a PING beside them takes longer; 0: whatever it takes"       \
    }

/* Adds the numbers to what the ledger keeps of the settings. */
void rp_throttle_options_add(const RpThrottleSettings *settings, json_t *object);

/* Sets what they decide of options. */
void rp_throttle_options_apply(const RpThrottleSettings *settings, RpLoadOptions *options);

G_END_DECLS
