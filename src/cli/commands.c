/* The table of commands. */
#include "cli/commands.h"

const RpCommand *const RP_COMMANDS[] = {
    &RP_COMMAND_CHECK,
    &RP_COMMAND_SCHEMA,
    &RP_COMMAND_RUN,
    &RP_COMMAND_SYNC,
    &RP_COMMAND_STATUS,
    &RP_COMMAND_RECONCILE,
    &RP_COMMAND_CUTOVER,
    &RP_COMMAND_ROLLBACK,
    &RP_COMMAND_RUNS,
    &RP_COMMAND_REJECTS,
    &RP_COMMAND_TEST,
    &RP_COMMAND_DEMO,
    NULL,
};
