/* Writing the place in the stream that the target has reached.
 *
 * 1. It commits with the rows that it vouches for. */
#include "ledger/checkpoints.h"

#include "base/error.h"

gboolean rp_checkpoint_write(PGconn *connection, const RpStreamPlace *place, GError **error) {
    if (!rp_stream_place_is_set(place))
        return TRUE;
    g_autofree char *offset = g_strdup_printf("%" G_GUINT64_FORMAT, place->offset);
    g_autofree char *database = place->database < 0 ? NULL : g_strdup_printf("%d", place->database);
    const char *const parameters[] = {place->replication_id, offset, database};
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "UPDATE redis2pg.sync SET replication_id = $1, stream_offset = $2::numeric, stream_database ="
        " $3::integer, checkpoint_at = clock_timestamp()",
        G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL) {
        g_prefix_error(error, "writing the checkpoint: ");
        return FALSE;
    }
    if (rp_postgres_affected(result) == 1)
        return TRUE;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "the ledger has lost the sync that this process follows for");
    return FALSE;
}
