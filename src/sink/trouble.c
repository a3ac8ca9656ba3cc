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

/* Classes of SQLSTATEs that are no data errors, and that no row brings about. */
static const char *const NOT_OF_ROWS[] = {
    "08", /* connection */
    "0B", /* invalid transaction initiation */
    "25", /* invalid transaction state: a server that only reads */
    "26", /* a prepared statement that is not there */
    "28", /* invalid authorization */
    "2D", /* invalid transaction termination */
    "3D", /* invalid catalog name */
    "57", /* operator intervention */
    "58", /* system error */
    "F0", /* configuration file */
    "XX", /* internal error, corrupted data or index */
};

gboolean rp_trouble_may_be_of_rows(const GError *error) {
    if (error->domain != RP_SINK_ERROR || error->code == RP_SINK_ERROR_DATA)
        return error->domain == RP_SINK_ERROR;
    const char *sqlstate = rp_sink_error_get_sqlstate(error);
    if (error->code != RP_SINK_ERROR_FATAL || sqlstate == NULL)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(NOT_OF_ROWS); i++)
        if (g_str_has_prefix(sqlstate, NOT_OF_ROWS[i]))
            return FALSE;
    return TRUE;
}
