/* Exit statuses (CLI.md). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_EXIT_OK = 0,
    RP_EXIT_FINDINGS = 1,
    RP_EXIT_USAGE = 2,
    RP_EXIT_REDIS = 3,
    RP_EXIT_POSTGRES = 4,
    RP_EXIT_INTERRUPTED = 5,
    RP_EXIT_REFUSED = 6,
    RP_EXIT_DEFECT = 70,
} RpExit;

/* The status that an error ends the program with, by its domain. */
RpExit rp_exit_status(const GError *error);

G_END_DECLS
