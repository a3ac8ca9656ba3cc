/* The classes of errors of both servers, by what time does to them. */
#include "sink/trouble.h"

#include "base/event.h"
#include "sink/connection.h"
#include "source/connection.h"

static gboolean passes_in_sink(RpSinkError code) {
    switch (code) {
    case RP_SINK_ERROR_CONNECT:
    case RP_SINK_ERROR_RETRY:
        return TRUE;
    case RP_SINK_ERROR_DATA:
    case RP_SINK_ERROR_FATAL:
        return FALSE;
    }
    g_assert_not_reached();
}

gboolean rp_trouble_passes(const GError *error) {
    if (error->domain == RP_SINK_ERROR)
        return passes_in_sink((RpSinkError)error->code);
    if (error->domain == RP_SOURCE_ERROR)
        return rp_redis_error_passes(error);
    return error->domain == RP_FAULT_ERROR;
}
