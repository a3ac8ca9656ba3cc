/* Comparing what the data will need with what is free. */
#include "sink/audit.h"

#include <sys/statvfs.h>

#define PLACE "PostgreSQL"

/* Of what the keys take in Redis: rows and indexes of the shop took 0.6, the WAL of loading them 1. */
#define ROOM_FACTOR 2

/* Free bytes of the file system of the data directory. FALSE where that is not told (to whom is no superuser,
 * nor in pg_read_all_settings), or is on another machine. */
static gboolean see_free_room(PGconn *connection, guint64 *free_bytes, GError **error) {
    const char *host = PQhost(connection);
    struct statvfs room;
    g_autoptr(PGresult) result = rp_postgres_query(
        connection, "SELECT setting FROM pg_settings WHERE name = 'data_directory'", 0, NULL, error);
    if (result == NULL || host == NULL || host[0] != '/' || PQntuples(result) == 0 ||
        PQgetisnull(result, 0, 0) || statvfs(PQgetvalue(result, 0, 0), &room) != 0)
        return FALSE;
    *free_bytes = (guint64)room.f_bavail * room.f_frsize;
    return TRUE;
}

gboolean rp_postgres_audit_room(PGconn *connection, guint64 data_bytes, RpFindings *findings,
                                GError **error) {
    g_autoptr(GError) why = NULL;
    guint64 free_bytes = 0;
    const gboolean is_seen = see_free_room(connection, &free_bytes, &why);
    if (why != NULL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (data_bytes == 0 || data_bytes > G_MAXUINT64 / ROOM_FACTOR)
        return TRUE;
    g_autofree char *needed = g_format_size_full(data_bytes * ROOM_FACTOR, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *seen = g_format_size_full(free_bytes, G_FORMAT_SIZE_IEC_UNITS);
    if (is_seen && free_bytes < data_bytes * ROOM_FACTOR)
        rp_findings_add(
            findings, RP_SEVERITY_WARNING, "room_short", PLACE, "make room before the run",
            "all keys of this Redis may need about %s as rows, indexes and WAL, and %s are free in the "
            "file system of the data directory",
            needed, seen);
    else if (is_seen)
        rp_findings_add(findings, RP_SEVERITY_NOTE, "room_needed", PLACE, NULL,
                        "all keys of this Redis may need about %s as rows, indexes and WAL; %s are free",
                        needed, seen);
    else
        rp_findings_add(
            findings, RP_SEVERITY_NOTE, "room_needed", PLACE, NULL,
            "all keys of this Redis may need about %s as rows, indexes and WAL; how much is free cannot "
            "be seen from here",
            needed);
    return TRUE;
}
