/* The commands; one file each. */
#pragma once

#include "cli/options.h"

G_BEGIN_DECLS

extern const RpCommand RP_COMMAND_CHECK;
extern const RpCommand RP_COMMAND_SCHEMA;
extern const RpCommand RP_COMMAND_RUN;
extern const RpCommand RP_COMMAND_SYNC;
extern const RpCommand RP_COMMAND_STATUS;
extern const RpCommand RP_COMMAND_RECONCILE;
extern const RpCommand RP_COMMAND_CUTOVER;
extern const RpCommand RP_COMMAND_ROLLBACK;
extern const RpCommand RP_COMMAND_RUNS;
extern const RpCommand RP_COMMAND_REJECTS;
extern const RpCommand RP_COMMAND_TEST;
extern const RpCommand RP_COMMAND_DEMO;

/* All of them, ending in NULL. */
extern const RpCommand *const RP_COMMANDS[];

G_END_DECLS
