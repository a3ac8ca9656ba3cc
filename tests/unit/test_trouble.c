/* Which troubles pass by themselves: a row for each kind of error. */
#include "base/error.h"
#include "base/event.h"
#include "sink/connection.h"
#include "sink/trouble.h"
#include "source/connection.h"

#include <criterion/criterion.h>

static void assert_passes(GQuark domain, int code, gboolean passes) {
    g_autoptr(GError) error = g_error_new(domain, code, "x");
    cr_assert(rp_trouble_passes(error) == passes, "%s %d", g_quark_to_string(domain), code);
}

Test(trouble, of_postgres) {
    assert_passes(RP_SINK_ERROR, RP_SINK_ERROR_CONNECT, TRUE);
    assert_passes(RP_SINK_ERROR, RP_SINK_ERROR_RETRY, TRUE);
    assert_passes(RP_SINK_ERROR, RP_SINK_ERROR_DATA, FALSE);
    assert_passes(RP_SINK_ERROR, RP_SINK_ERROR_FATAL, FALSE);
}

Test(trouble, of_redis) {
    assert_passes(RP_SOURCE_ERROR, RP_SOURCE_ERROR_CONNECT, TRUE);
    assert_passes(RP_SOURCE_ERROR, RP_SOURCE_ERROR_RETRY, TRUE);
    assert_passes(RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, TRUE);
    assert_passes(RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED, FALSE);
    assert_passes(RP_SOURCE_ERROR, RP_SOURCE_ERROR_WRONG_TYPE, FALSE);
    assert_passes(RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, FALSE);
    assert_passes(RP_SOURCE_ERROR, RP_SOURCE_ERROR_REPLY, FALSE);
    assert_passes(RP_SOURCE_ERROR, RP_SOURCE_ERROR_RESTARTED, FALSE);
}

Test(trouble, of_others) {
    assert_passes(RP_FAULT_ERROR, RP_FAULT_ERROR_INJECTED, TRUE);
    assert_passes(RP_STOP_ERROR, RP_STOP_ERROR_INTERRUPTED, FALSE);
    assert_passes(RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED, FALSE);
    assert_passes(RP_DEFECT_ERROR, RP_DEFECT_ERROR_UNBALANCED, FALSE);
}
