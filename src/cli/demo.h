/* `redis2pg demo`: the whole story on private servers with generated data. */
#pragma once

#include "cli/options.h"

G_BEGIN_DECLS

extern const RpCommand RP_COMMAND_DEMO;

G_END_DECLS
