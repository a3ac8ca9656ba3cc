/* The settings of commands that load: options, what the ledger keeps of them, and how they reach the
 * pipeline. */
#pragma once

#include "cli/options.h"
#include "cli/throttle_options.h"
#include "ledger/summary.h"
#include "pipeline/load.h"

#include <jansson.h>

G_BEGIN_DECLS

typedef struct {
    gint64 batch_rows;
    gint64 batch_bytes;
    gint64 mappers;
    gint64 writers;
    gint64 max_value_bytes;
    gint64 max_rejects; /* -1, which it must be at first: no limit */
    gint64 retry_seconds;
    gint64 timeout_seconds;
    RpThrottleSettings throttle;
    gboolean allows_rejects;
} RpLoadSettings;

/* Rows of a command's table of options; settings is an RpLoadSettings that lives as long as the program,
 * words are those that they go with (NULL: any), patience is the default of --retry-seconds. */
#define RP_LOAD_OPTIONS(settings, words, patience)                                                           \
    {.name = "batch-rows",                                                                                   \
     .kind = RP_OPTION_NUMBER,                                                                               \
     .goes_with = (words),                                                                                   \
     .target = &(settings).batch_rows,                                                                       \
     .argument = "N",                                                                                        \
     .fallback = "10000",                                                                                    \
     .minimum = 1,                                                                                           \
     .maximum = 10000000,                                                                                    \
     .help = "records in a batch, about"},                                                                   \
        {.name = "batch-bytes",                                                                              \
         .kind = RP_OPTION_NUMBER,                                                                           \
         .goes_with = (words),                                                                               \
         .target = &(settings).batch_bytes,                                                                  \
         .argument = "N",                                                                                    \
         .fallback = "4194304",                                                                              \
         .minimum = 65536,                                                                                   \
         .maximum = 1073741824,                                                                              \
         .help = "bytes of records in a batch, at most about"},                                              \
        {.name = "mappers",                                                                                  \
         .kind = RP_OPTION_NUMBER,                                                                           \
         .goes_with = (words),                                                                               \
         .target = &(settings).mappers,                                                                      \
         .argument = "N",                                                                                    \
         .fallback = "1",                                                                                    \
         .minimum = 1,                                                                                       \
         .maximum = 64,                                                                                      \
         .help = "threads that map records to rows"},                                                        \
        {.name = "writers",                                                                                  \
         .kind = RP_OPTION_NUMBER,                                                                           \
         .goes_with = (words),                                                                               \
         .target = &(settings).writers,                                                                      \
         .argument = "N",                                                                                    \
         .fallback = "2",                                                                                    \
         .minimum = 1,                                                                                       \
         .maximum = 64,                                                                                      \
         .help = "connections that write batches"},                                                          \
        {.name = "max-value-bytes",                                                                          \
         .kind = RP_OPTION_NUMBER,                                                                           \
         .goes_with = (words),                                                                               \
         .target = &(settings).max_value_bytes,                                                              \
         .argument = "N",                                                                                    \
         .fallback = "67108864",                                                                             \
         .minimum = 1024,                                                                                    \
         .maximum = 536870912,                                                                               \
         .help = "a key with more bytes is rejected as too_large"},                                          \
        {.name = "max-rejects",                                                                              \
         .kind = RP_OPTION_NUMBER,                                                                           \
         .goes_with = (words),                                                                               \
         .target = &(settings).max_rejects,                                                                  \
         .argument = "N",                                                                                    \
         .minimum = 0,                                                                                       \
         .maximum = G_MAXINT64,                                                                              \
         .help = "stop with exit status 6 when there are more rejects; without it there is no limit"},       \
        {.name = "retry-seconds",                                                                            \
         .kind = RP_OPTION_NUMBER,                                                                           \
         .goes_with = (words),                                                                               \
         .target = &(settings).retry_seconds,                                                                \
         .argument = "N",                                                                                    \
         .fallback = (patience),                                                                             \
         .minimum = 0,                                                                                       \
         .maximum = 86400,                                                                                   \
         .help = "how long a lost server, a deadlock and the like are tried again; 0: not at all"},          \
        {.name = "timeout-seconds",                                                                          \
         .kind = RP_OPTION_NUMBER,                                                                           \
         .goes_with = (words),                                                                               \
         .target = &(settings).timeout_seconds,                                                              \
         .argument = "N",                                                                                    \
         .fallback = "60",                                                                                   \
         .minimum = 1,                                                                                       \
         .maximum = 86400,                                                                                   \
         .help = "how long an answer of either server may take"},                                            \
        RP_THROTTLE_OPTIONS((settings).throttle, (words)), {                                                 \
        .name = "allow-rejects", .kind = RP_OPTION_FLAG, .goes_with = (words),                               \
        .target = &(settings).allows_rejects, .help = "exit status 0 although there are rejects"             \
    }

/* The numbers as an object for the ledger: none of them is a secret. */
json_t *rp_load_settings_json(const RpLoadSettings *settings);

/* Sets what they decide of options. */
void rp_load_settings_apply(const RpLoadSettings *settings, RpLoadOptions *options);

/* Prints the summary, unless NULL, and gives the exit status of a load that was_fine; FALSE when it was not,
 * with the error that it set, or when it does not balance. */
gboolean rp_load_settings_conclude(const RpLoadSettings *settings, const RpGlobals *globals,
                                   gboolean was_fine, const RpRunSummary *summary, int *status,
                                   GError **error);

G_END_DECLS
