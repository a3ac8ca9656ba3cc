/* `redis2pg schema`: versioned SQL, up and down. */
#pragma once

#include "cli/options.h"

G_BEGIN_DECLS

extern const RpCommand RP_COMMAND_SCHEMA;

G_END_DECLS
