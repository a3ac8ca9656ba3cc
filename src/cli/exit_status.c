/* Error domains to exit statuses. */
#include "cli/exit_status.h"

#include "base/error.h"
#include "migrations/migrations.h"
#include "sandbox/sandbox.h"
#include "sink/connection.h"
#include "source/connection.h"

RpExit rp_exit_status(const GError *error) {
    const struct {
        GQuark domain;
        RpExit status;
    } table[] = {
        {RP_USAGE_ERROR, RP_EXIT_USAGE},        {RP_SANDBOX_ERROR, RP_EXIT_USAGE},
        {RP_SOURCE_ERROR, RP_EXIT_REDIS},       {RP_SINK_ERROR, RP_EXIT_POSTGRES},
        {RP_MIGRATION_ERROR, RP_EXIT_POSTGRES}, {RP_STOP_ERROR, RP_EXIT_INTERRUPTED},
        {RP_GUARD_ERROR, RP_EXIT_REFUSED},      {RP_DEFECT_ERROR, RP_EXIT_DEFECT},
    };
    for (guint i = 0; i < G_N_ELEMENTS(table); i++)
        if (error->domain == table[i].domain)
            return table[i].status;
    return RP_EXIT_DEFECT;
}
