/* Quarks of the failures that are common to all layers. */
#include "base/error.h"

G_DEFINE_QUARK(rp - usage - error, rp_usage_error)
G_DEFINE_QUARK(rp - guard - error, rp_guard_error)
G_DEFINE_QUARK(rp - stop - error, rp_stop_error)
