/* Rejects out of the ledger, in bounded memory. */
#include "ledger/rejects.h"

#include "base/span.h"
#include "ledger/summary.h"

#define PAGE_ROWS "500"

/* $1 id, $2 run, $3 entity, $4 code: empty for any. */
#define FILTER_SQL                                                                                           \
    "($1 = '' OR reject = nullif($1, '')::bigint) AND ($2 = '' OR run = nullif($2, '')::bigint) AND ($3 = "  \
    "'' OR entity = $3)"                                                                                     \
    " AND ($4 = '' OR code = $4)"

/* A ledger that no run of this version has brought up to date has no column element: then the name is that of
 * the table beside it. */
#define PAGE_SQL(more)                                                                                       \
    "SELECT page.* FROM (VALUES (NULL::text)) AS absent (element) CROSS JOIN LATERAL ("                      \
    "SELECT reject, run, entity, key, stage, column_name, code, constraint_name, message, value,"            \
    " to_char(rejected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), resolved_by, "           \
    "element" more " FROM redis2pg.rejects WHERE " FILTER_SQL                                                \
    " AND reject > $5::bigint ORDER BY reject LIMIT " PAGE_ROWS ") page ORDER BY page.reject"

typedef struct {
    char id[24];
    char run[24];
    const char *values[4];
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

static void read_reject(PGresult *result, int row, gboolean with_raw, RpStoredReject *reject) {
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
        .raw = with_raw ? bytes_at(result, row, 13) : NULL,
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

gboolean rp_ledger_visit_rejects(PGconn *connection, const RpRejectFilter *filter, gboolean with_raw,
                                 guint64 limit, RpRejectVisitor visit, gpointer data, GError **error) {
    FilterValues values;
    fill_filter(&values, filter);
    char after[24] = "0";
    guint64 n_visited = 0;
    for (;;) {
        const char *const parameters[] = {values.values[0], values.values[1], values.values[2],
                                          values.values[3], after};
        g_autoptr(PGresult) result =
            rp_postgres_query(connection, with_raw ? PAGE_SQL(", raw") : PAGE_SQL(""), 5, parameters, error);
        if (result == NULL)
            return FALSE;
        for (int row = 0; row < PQntuples(result); row++) {
            if (limit != 0 && n_visited++ == limit)
                return TRUE;
            RpStoredReject reject;
            read_reject(result, row, with_raw, &reject);
            visit(&reject, data);
            g_snprintf(after, sizeof after, "%" G_GUINT64_FORMAT, reject.id);
            clear_reject(&reject);
        }
        if (PQntuples(result) == 0)
            return TRUE;
    }
}

static void code_free(gpointer item) {
    RpCodeCount *code = item;
    g_free(code->code);
    g_free(code);
}

GPtrArray *rp_ledger_count_rejects(PGconn *connection, const RpRejectFilter *filter, GError **error) {
    FilterValues values;
    fill_filter(&values, filter);
    g_autoptr(PGresult) result = rp_postgres_query(
        connection,
        "SELECT code, count(*) FROM redis2pg.rejects WHERE " FILTER_SQL " GROUP BY code ORDER BY code", 4,
        values.values, error);
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
