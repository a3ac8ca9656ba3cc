/* Reading the list of what a replay tries again, page by page, and settling what spans batches. */
#include "ledger/replay.h"

#include "base/event.h"
#include "mapping/timestamp.h"
#include "sink/wait.h"

#define PAGE_ROWS  "500"
#define PAGE_BYTES "4194304"

enum { POSITION, KEY, REJECT, ELEMENT, READ_AT, IS_FIRST, BYTES_BEFORE, RAW };

/* $1 entity, $2 position, $3 bytes of records before it: one record may go beyond the limit. */
#define PAGE_SQL(raw)                                                                                        \
    "SELECT p.position, p.key, p.reject, p.element, p.read_at, p.is_first, p.bytes_before,"                  \
    " CASE WHEN p.is_first THEN " raw " END FROM (SELECT * FROM redis2pg_replay WHERE entity = $1"           \
    "  AND reason IS NULL AND position > $2::bigint AND bytes_before <= $3::bigint + " PAGE_BYTES            \
    "  ORDER BY position LIMIT " PAGE_ROWS ") p JOIN redis2pg.rejects r USING (reject) ORDER BY p.position"

static gint64 number_at(const PGresult *result, int row, int field) {
    gint64 number;
    memcpy(&number, PQgetvalue(result, row, field), sizeof number);
    return GINT64_FROM_BE(number);
}

static RpSpan bytes_at(const PGresult *result, int row, int field) {
    return (RpSpan){PQgetvalue(result, row, field), (gsize)PQgetlength(result, row, field)};
}

gboolean rp_replay_read(PGconn *connection, const char *entity, gboolean with_raw, RpReplayPage *page,
                        GError **error) {
    char after[24], before[24];
    g_snprintf(after, sizeof after, "%" G_GUINT64_FORMAT, page->after);
    g_snprintf(before, sizeof before, "%" G_GUINT64_FORMAT, page->bytes_before);
    const char *const parameters[] = {entity, after, before};
    g_clear_pointer(&page->result, PQclear);
    /* In binary: a record as hex text would take three times its size. */
    page->result = rp_wait_execute_binary(connection, with_raw ? PAGE_SQL("r.raw") : PAGE_SQL("NULL::bytea"),
                                          3, parameters, error);
    if (PQresultStatus(page->result) != PGRES_TUPLES_OK) {
        if (page->result != NULL)
            rp_postgres_set_error(error, connection, page->result);
        g_prefix_error(error, "reading rejects to replay: ");
        return FALSE;
    }
    const int n_rows = PQntuples(page->result);
    if (n_rows > 0) {
        page->after = (guint64)number_at(page->result, n_rows - 1, POSITION);
        page->bytes_before = (guint64)number_at(page->result, n_rows - 1, BYTES_BEFORE) +
                             (guint64)PQgetlength(page->result, n_rows - 1, RAW);
    }
    return TRUE;
}

guint rp_replay_page_size(const RpReplayPage *page) {
    return (guint)PQntuples(page->result);
}

/* An index is kept as decimal text; a stream's id, which is one too, holds a dash. */
static gint64 element_at(const PGresult *result, int row) {
    g_autofree char *text =
        g_strndup(PQgetvalue(result, row, ELEMENT), (gsize)PQgetlength(result, row, ELEMENT));
    gint64 element;
    return g_ascii_string_to_signed(text, 10, 0, G_MAXUINT32, &element, NULL) ? element : -1;
}

void rp_replay_page_get(const RpReplayPage *page, guint position, RpReplayEntry *entry) {
    const PGresult *result = page->result;
    const int row = (int)position;
    *entry = (RpReplayEntry){.position = (guint64)number_at(result, row, POSITION),
                             .key = bytes_at(result, row, KEY),
                             .reject = (guint64)number_at(result, row, REJECT),
                             .element = element_at(result, row),
                             .read_at_us = number_at(result, row, READ_AT) + RP_POSTGRES_EPOCH_US,
                             .is_first = PQgetvalue(result, row, IS_FIRST)[0] != 0,
                             .raw = bytes_at(result, row, RAW)};
}

void rp_replay_page_clear(RpReplayPage *page) {
    g_clear_pointer(&page->result, PQclear);
}

gboolean rp_replay_mark_late(PGconn *connection, guint64 position, GError **error) {
    return rp_postgres_runf(connection, error,
                            "UPDATE redis2pg_replay SET is_late = true WHERE position = %" G_GUINT64_FORMAT,
                            position);
}

/* A key's entries come one after the other, behind the one that was marked. */
static const char SETTLE_LATE_SQL[] =
    "WITH marked AS (SELECT position FROM redis2pg_replay WHERE is_late), "
    "numbered AS (SELECT *, max(position) FILTER (WHERE is_first) OVER (ORDER BY position) AS first"
    " FROM redis2pg_replay WHERE reason IS NULL), "
    "late AS (SELECT p.reject, EXISTS (SELECT FROM redis2pg.rejects n WHERE n.entity = p.entity"
    "  AND md5(n.key) = md5(p.key) AND n.key = p.key AND n.run = $1::bigint AND n.resolved_by IS NULL"
    "  AND n.replaced_by IS NULL) AS has_failed"
    " FROM numbered p WHERE p.first IN (SELECT position FROM marked)), "
    "settled AS (UPDATE redis2pg.rejects r SET resolved_by = CASE WHEN NOT has_failed THEN $1::bigint END,"
    " replaced_by = CASE WHEN has_failed THEN $1::bigint END FROM late"
    " WHERE r.reject = late.reject AND coalesce(r.resolved_by, r.replaced_by) IS NULL) "
    "UPDATE redis2pg_replay SET is_late = false WHERE is_late";

gboolean rp_replay_settle_late(PGconn *connection, guint64 run, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    g_autoptr(PGresult) result = rp_postgres_query(connection, SETTLE_LATE_SQL, 1, parameters, error);
    return result != NULL && rp_event_pass(RP_EVENT_REJECTS_SETTLED, error);
}
