/* The error domain of the migrations. */
#include "migrations/error.h"

G_DEFINE_QUARK(rp_migration_error, rp_migration_error)
