/* Rejects out of the ledger, in bounded memory. */
#include "ledger/rejects.h"

#include "base/span.h"
#include "ledger/summary.h"
#include "sink/wait.h"

#define PAGE_ROWS "500"
#define RAW_BYTES (4 * 1024 * 1024) /* of records that are fetched at once, unless one alone is larger */
#define N_FILTERS 5

/* A ledger that no run of this version has brought up to date lacks columns: then their names are those of
 * the table beside it. */
#define ABSENT                                                                                               \
    "(VALUES (NULL::text, NULL::bigint, NULL::bigint)) AS absent (element, replaced_by, undone_by)"          \
    " CROSS JOIN LATERAL "

/* $1 id, $2 run, $3 entity, $4 code, $5 open: empty for any. */
#define FILTER_SQL                                                                                           \
    "($1 = '' OR reject = nullif($1, '')::bigint) AND ($2 = '' OR run = nullif($2, '')::bigint) AND ($3 = "  \
    "'' OR entity = $3) AND ($4 = '' OR code = $4) AND ($5 = '' OR (resolved_by IS NULL AND replaced_by IS"  \
    " NULL AND NOT EXISTS (SELECT FROM redis2pg.runs u WHERE u.run = r.run AND undone_by IS NOT NULL)))"

static const char PAGE_SQL[] =
    "SELECT page.* FROM " ABSENT
    "(SELECT reject, run, entity, key, stage, column_name, code, constraint_name, message, value,"
    " to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), resolved_by,"
    " element, replaced_by, octet_length(raw) FROM redis2pg.rejects r WHERE " FILTER_SQL
    " AND reject > $6::bigint ORDER BY reject LIMIT " PAGE_ROWS ") page ORDER BY page.reject";

static const char COUNT_SQL[] =
    "SELECT page.code, count(*) FROM " ABSENT "(SELECT code FROM redis2pg.rejects r WHERE " FILTER_SQL
    ") page GROUP BY page.code ORDER BY page.code";

typedef struct {
    char id[24];
    char run[24];
    const char *values[N_FILTERS];
} FilterValues;

static void fill_filter(FilterValues *values, const RpRejectFilter *filter) {
    values->id[0] = values->run[0] = '\0';
    if (filter->id != 0)
        g_snprintf(values->id, sizeof values->id, "%" G_GUINT64_FORMAT, filter->id);
    if (filter->run != 0)
        g_snprintf(values->run, sizeof values->run, "%" G_GUINT64_FORMAT, filter->run);
    values->values[0] = values->id;
    values->values[1] = values->run;
    values->values[2] = filter->entity != NULL ? filter->entity : "";
    values->values[3] = filter->code != NULL ? filter->code : "";
    values->values[4] = filter->is_open ? "t" : "";
}

static char *text_at(PGresult *result, int row, int field) {
    return PQgetisnull(result, row, field) ? NULL : g_strdup(PQgetvalue(result, row, field));
}

static GBytes *bytes_at(PGresult *result, int row, int field) {
    size_t size;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)PQgetvalue(result, row, field), &size);
    GBytes *copy = g_bytes_new(bytes, size);
    PQfreemem(bytes);
    return copy;
}

static void read_reject(PGresult *result, int row, RpStoredReject *reject) {
    g_autoptr(GBytes) key = bytes_at(result, row, 3);
    gsize size;
    const char *data = g_bytes_get_data(key, &size);
    const RpSpan span = {data != NULL ? data : "", size};
    *reject = (RpStoredReject){
        .id = g_ascii_strtoull(PQgetvalue(result, row, 0), NULL, 10),
        .run = g_ascii_strtoull(PQgetvalue(result, row, 1), NULL, 10),
        .entity = text_at(result, row, 2),
        .key = rp_span_show(span, G_MAXSIZE),
        .key_hex = rp_span_is_text(span) ? NULL : g_strdup(PQgetvalue(result, row, 3) + strlen("\\x")),
        .stage = text_at(result, row, 4),
        .column = text_at(result, row, 5),
        .code = text_at(result, row, 6),
        .constraint = text_at(result, row, 7),
        .message = text_at(result, row, 8),
        .value = text_at(result, row, 9),
        .rejected_at = text_at(result, row, 10),
        .resolved_by = g_ascii_strtoull(PQgetvalue(result, row, 11), NULL, 10),
        .element = text_at(result, row, 12),
        .replaced_by = g_ascii_strtoull(PQgetvalue(result, row, 13), NULL, 10),
    };
}

static void clear_reject(RpStoredReject *reject) {
    g_free(reject->entity);
    g_free(reject->key);
    g_free(reject->key_hex);
    g_free(reject->element);
    g_free(reject->stage);
    g_free(reject->column);
    g_free(reject->code);
    g_free(reject->constraint);
    g_free(reject->message);
    g_free(reject->value);
    g_free(reject->rejected_at);
    g_clear_pointer(&reject->raw, g_bytes_unref);
}

/* ---- records ---- */

static guint64 raw_bytes_at(PGresult *page, int row) {
    return g_ascii_strtoull(PQgetvalue(page, row, 14), NULL, 10);
}

/* Fetches the records of as many rejects from the row on as fit; *end gets the row after them. In binary: as
 * text they would take three times their size. */
static PGresult *fetch_records(PGconn *connection, PGresult *page, int first, int *end, GError **error) {
    guint64 n_bytes = raw_bytes_at(page, first);
    *end = first + 1;
    while (*end < PQntuples(page) && n_bytes + raw_bytes_at(page, *end) <= RAW_BYTES)
        n_bytes += raw_bytes_at(page, (*end)++);
    g_autoptr(GString) ids = g_string_new("{");
    for (int row = first; row < *end; row++)
        g_string_append_printf(ids, "%s%s", row > first ? "," : "", PQgetvalue(page, row, 0));
    g_string_append_c(ids, '}');
    const char *const parameters[] = {ids->str};
    g_autoptr(PGresult) records = rp_wait_execute_binary(
        connection, "SELECT raw FROM redis2pg.rejects WHERE reject = ANY ($1::bigint[]) ORDER BY reject", 1,
        parameters, error);
    if (PQresultStatus(records) == PGRES_TUPLES_OK && PQntuples(records) == *end - first)
        return g_steal_pointer(&records);
    if (PQresultStatus(records) == PGRES_TUPLES_OK)
        g_set_error(error, RP_SINK_ERROR, RP_SINK_ERROR_RETRY, "rejects were deleted meanwhile");
    else if (records != NULL)
        rp_postgres_set_error(error, connection, records);
    return NULL;
}

/* ---- visiting ---- */

typedef struct {
    RpRejectVisitor visit;
    gpointer data;
    gboolean with_raw;
    guint64 n_left; /* to be visited */
} Visit;

static gboolean visit_page(PGconn *connection, PGresult *page, Visit *visit, GError **error) {
    g_autoptr(PGresult) records = NULL;
    int first = 0, end = 0;
    for (int row = 0; row < PQntuples(page) && visit->n_left > 0; row++, visit->n_left--) {
        if (visit->with_raw && row == end) {
            first = row;
            g_clear_pointer(&records, PQclear);
            records = fetch_records(connection, page, first, &end, error);
            if (records == NULL)
                return FALSE;
        }
        RpStoredReject reject;
        read_reject(page, row, &reject);
        if (visit->with_raw)
            reject.raw = g_bytes_new_static(PQgetvalue(records, row - first, 0),
                                            (gsize)PQgetlength(records, row - first, 0));
        visit->visit(&reject, visit->data);
        clear_reject(&reject);
    }
    return TRUE;
}

gboolean rp_ledger_visit_rejects(PGconn *connection, const RpRejectFilter *filter, gboolean with_raw,
                                 guint64 limit, RpRejectVisitor visitor, gpointer data, GError **error) {
    FilterValues values;
    fill_filter(&values, filter);
    Visit visit = {visitor, data, with_raw, limit != 0 ? limit : G_MAXUINT64};
    g_autofree char *after = g_strdup("0");
    while (visit.n_left > 0) {
        const char *const parameters[] = {values.values[0], values.values[1], values.values[2],
                                          values.values[3], values.values[4], after};
        g_autoptr(PGresult) page =
            rp_postgres_query(connection, PAGE_SQL, G_N_ELEMENTS(parameters), parameters, error);
        if (page == NULL || !visit_page(connection, page, &visit, error))
            return FALSE;
        if (PQntuples(page) == 0)
            return TRUE;
        g_free(after);
        after = g_strdup(PQgetvalue(page, PQntuples(page) - 1, 0));
    }
    return TRUE;
}

static void code_free(gpointer item) {
    RpCodeCount *code = item;
    g_free(code->code);
    g_free(code);
}

GPtrArray *rp_ledger_count_rejects(PGconn *connection, const RpRejectFilter *filter, GError **error) {
    FilterValues values;
    fill_filter(&values, filter);
    g_autoptr(PGresult) result = rp_postgres_query(connection, COUNT_SQL, N_FILTERS, values.values, error);
    if (result == NULL)
        return NULL;
    GPtrArray *codes = g_ptr_array_new_with_free_func(code_free);
    for (int row = 0; row < PQntuples(result); row++) {
        RpCodeCount *code = g_new0(RpCodeCount, 1);
        code->code = g_strdup(PQgetvalue(result, row, 0));
        code->count = g_ascii_strtoull(PQgetvalue(result, row, 1), NULL, 10);
        g_ptr_array_add(codes, code);
    }
    return codes;
}
