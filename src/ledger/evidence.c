/* Examples, throughput, settings and versions of a run, out of the ledger. */
#include "ledger/evidence.h"

#include "base/span.h"

#include <string.h>

/* As long as a line of a report may get; a key may have hundreds of MiB. */
#define SHOWN_LETTERS 300u
#define CUT_KEY_BYTES 204u /* of which the last four tell that there are more */

static void example_free(gpointer data) {
    RpRejectExample *example = data;
    g_free(example->entity);
    g_free(example->code);
    g_free(example->key);
    g_free(example->key_hex);
    g_free(example->column);
    g_free(example->constraint);
    g_free(example->message);
    g_free(example->value);
    g_free(example);
}

void rp_evidence_free(RpEvidence *evidence) {
    if (evidence == NULL)
        return;
    g_ptr_array_unref(evidence->examples);
    g_array_unref(evidence->throughput);
    g_free(evidence->settings);
    g_free(evidence->tool_version);
    g_free(evidence->redis_version);
    g_free(evidence->postgres_version);
    g_free(evidence->mapping_digest);
    g_free(evidence->host);
    g_free(evidence);
}

static char *text_at(const PGresult *result, int row, int field) {
    return PQgetisnull(result, row, field) ? NULL : g_strdup(PQgetvalue(result, row, field));
}

/* Whether it is text, as far as it was read: the last letter may be torn. */
static gboolean is_text(RpSpan key) {
    for (gsize torn = 0; torn < 4 && torn <= key.size; torn++) {
        if (rp_span_is_text((RpSpan){key.data, key.size - torn}))
            return TRUE;
        if (key.size < CUT_KEY_BYTES)
            return FALSE;
    }
    return FALSE;
}

/* The key's bytes, in hexadecimal with "\x" before. */
static void show_key(RpRejectExample *example, const char *escaped) {
    size_t size;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)escaped, &size);
    const RpSpan key = {(const char *)bytes, size};
    example->key = rp_span_show(key, CUT_KEY_BYTES - 4);
    example->key_hex = is_text(key) ? NULL : g_strdup(escaped + strlen("\\x"));
    PQfreemem(bytes);
}

/* $1 run, $2 examples of each code, $3 bytes of a key, $4 letters of a text. A few of each code are found
 * without a sort of them all: there may be millions. */
static const char EXAMPLES_SQL[] =
    "SELECT k.entity, k.code, substr(x.key, 1, $3::integer), x.column_name, x.constraint_name,"
    " left(x.message, $4::integer), left(x.value, $4::integer)"
    " FROM (SELECT entity, code, min(reject) AS first, count(*) AS n FROM redis2pg.rejects"
    "  WHERE run = $1::bigint GROUP BY entity, code) k"
    " CROSS JOIN LATERAL (SELECT * FROM redis2pg.rejects r WHERE r.run = $1::bigint AND r.entity = k.entity"
    "  AND r.code = k.code AND r.reject >= k.first ORDER BY r.reject LIMIT least($2::bigint, k.n)) x"
    " LEFT JOIN redis2pg.run_entities e ON e.run = $1::bigint AND e.entity = k.entity"
    " ORDER BY e.number, k.entity, k.code, x.reject";

static gboolean read_examples(PGconn *connection, const char *run, GPtrArray *examples, GError **error) {
    char n_examples[16], key_bytes[16], letters[16];
    g_snprintf(n_examples, sizeof n_examples, "%u", RP_EVIDENCE_EXAMPLES);
    g_snprintf(key_bytes, sizeof key_bytes, "%u", CUT_KEY_BYTES);
    g_snprintf(letters, sizeof letters, "%u", SHOWN_LETTERS);
    const char *const parameters[] = {run, n_examples, key_bytes, letters};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, EXAMPLES_SQL, G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        RpRejectExample *example = g_new0(RpRejectExample, 1);
        example->entity = text_at(result, row, 0);
        example->code = text_at(result, row, 1);
        show_key(example, PQgetvalue(result, row, 2));
        example->column = text_at(result, row, 3);
        example->constraint = text_at(result, row, 4);
        example->message = text_at(result, row, 5);
        example->value = text_at(result, row, 6);
        g_ptr_array_add(examples, example);
    }
    return TRUE;
}

/* $1 run, $2 points: each is the last batch of an equal part of the time. */
static const char THROUGHPUT_SQL[] =
    "WITH batch AS (SELECT b.committed_at AS at, b.keys_scanned AS keys,"
    "  coalesce((SELECT sum(c.inserted + c.updated + c.unchanged) FROM redis2pg.batch_counts c WHERE c.run ="
    "  b.run AND c.pass = b.pass AND c.batch = b.number AND c.portion = b.portion), 0) AS rows"
    "  FROM redis2pg.batches b WHERE b.run = $1::bigint), "
    "span AS (SELECT r.started_at AS first, greatest(extract(epoch FROM max(b.at) - r.started_at), 0.000001)"
    "  AS seconds FROM redis2pg.runs r, batch b WHERE r.run = $1::bigint GROUP BY r.started_at), "
    "part AS (SELECT greatest(least(floor(extract(epoch FROM b.at - s.first) / s.seconds * $2::integer),"
    "  $2::integer - 1), 0) AS number, max(b.at) AS at, sum(b.keys) AS keys, sum(b.rows) AS rows"
    "  FROM batch b, span s GROUP BY 1) "
    "SELECT greatest(extract(epoch FROM p.at - s.first), 0), sum(p.keys) OVER w, sum(p.rows) OVER w"
    " FROM part p, span s WINDOW w AS (ORDER BY p.number) ORDER BY p.number";

static gboolean read_throughput(PGconn *connection, const char *run, GArray *throughput, GError **error) {
    char n_points[16];
    g_snprintf(n_points, sizeof n_points, "%u", RP_EVIDENCE_POINTS);
    const char *const parameters[] = {run, n_points};
    g_autoptr(PGresult) result =
        rp_postgres_query(connection, THROUGHPUT_SQL, G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(result); row++) {
        const RpThroughputPoint point = {
            .seconds = g_ascii_strtod(PQgetvalue(result, row, 0), NULL),
            .keys = g_ascii_strtoull(PQgetvalue(result, row, 1), NULL, 10),
            .rows = g_ascii_strtoull(PQgetvalue(result, row, 2), NULL, 10),
        };
        g_array_append_val(throughput, point);
    }
    return TRUE;
}

gboolean rp_ledger_read_evidence(PGconn *connection, guint64 run, RpEvidence **evidence, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, run);
    const char *const parameters[] = {number};
    *evidence = NULL;
    g_autoptr(PGresult) head =
        rp_postgres_query(connection,
                          "SELECT settings, tool_version, redis_version, postgres_version, mapping_digest,"
                          " nullif(host, '') FROM redis2pg.runs WHERE run = $1",
                          1, parameters, error);
    if (head == NULL)
        return FALSE;
    if (PQntuples(head) == 0)
        return TRUE;
    g_autoptr(RpEvidence) read = g_new0(RpEvidence, 1);
    *read = (RpEvidence){
        .examples = g_ptr_array_new_with_free_func(example_free),
        .throughput = g_array_new(FALSE, FALSE, sizeof(RpThroughputPoint)),
        .settings = text_at(head, 0, 0),
        .tool_version = text_at(head, 0, 1),
        .redis_version = text_at(head, 0, 2),
        .postgres_version = text_at(head, 0, 3),
        .mapping_digest = text_at(head, 0, 4),
        .host = text_at(head, 0, 5),
    };
    if (!read_examples(connection, number, read->examples, error) ||
        !read_throughput(connection, number, read->throughput, error))
        return FALSE;
    *evidence = g_steal_pointer(&read);
    return TRUE;
}
