/* The kinds of failure that any layer may raise: a wrong request, a guard that refused, a stop, a defect.
 * Every layer that talks to something outside has a domain of its own beside them
 * (RP_SOURCE_ERROR, RP_SINK_ERROR, …); cli/exit_status.c turns domains into exit statuses. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The caller asked for something that cannot be: an unknown option, a mapping with a mistake, a table
 * that is not there. Nothing was touched. Exit status 2. */
#define RP_USAGE_ERROR (rp_usage_error_quark())
GQuark rp_usage_error_quark(void);

typedef enum {
    RP_USAGE_ERROR_INVALID,
} RpUsageError;

/* A guard refused to go on: another run holds the lock, too many rejects. Exit status 6. */
#define RP_GUARD_ERROR (rp_guard_error_quark())
GQuark rp_guard_error_quark(void);

typedef enum {
    RP_GUARD_ERROR_REFUSED,
} RpGuardError;

/* The run was stopped: by a signal, or because a server went away. Exit status 5. */
#define RP_STOP_ERROR (rp_stop_error_quark())
GQuark rp_stop_error_quark(void);

typedef enum {
    RP_STOP_ERROR_INTERRUPTED,
    RP_STOP_ERROR_LOST,      /* a server was lost; the same may work later */
    RP_STOP_ERROR_RESTARTED, /* another Redis process took the place of the one that was read */
} RpStopError;

/* redis2pg itself is wrong. Exit status 70. */
#define RP_DEFECT_ERROR (rp_defect_error_quark())
GQuark rp_defect_error_quark(void);

typedef enum {
    RP_DEFECT_ERROR_UNBALANCED,
} RpDefectError;

G_END_DECLS
