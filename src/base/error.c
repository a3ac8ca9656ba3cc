/* Quarks of the failures that are common to all layers. */
#include "base/error.h"

G_DEFINE_QUARK(rp_usage_error, rp_usage_error)
G_DEFINE_QUARK(rp_guard_error, rp_guard_error)
G_DEFINE_QUARK(rp_stop_error, rp_stop_error)
G_DEFINE_QUARK(rp_defect_error, rp_defect_error)
