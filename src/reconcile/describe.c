/* Describing differences: the records are read again, and PostgreSQL is asked to compare and to write values.
 */
#include "reconcile/describe.h"

#include "model/reject.h"
#include "reconcile/shape.h"
#include "sink/wait.h"

#include <string.h>

#define SHOWN_BYTES 400u
#define SHOWN_SQL   "401" /* characters that are fetched of a value: more than are shown */
#define N_FIELDS    4     /* of a column that is compared */

void rp_listed_free(gpointer data) {
    RpListed *listed = data;
    rp_difference_free(listed->difference);
    g_clear_pointer(&listed->alike, g_array_unref);
    g_free(listed->name);
    g_free(listed);
}

/* ---- SQL ---- */

static char *parameter(const RpUnitColumn *column, guint number) {
    return g_strdup_printf("$%u%s::%s", number + 1, column->is_text ? "::text" : "",
                           column->column->cast_name);
}

/* What joins both rows: types that have no equality are never keys. */
static void add_join(GString *sql, const RpUnit *unit, PGconn *connection) {
    for (guint i = 0; i < unit->n_keys; i++) {
        g_autofree char *quoted = rp_postgres_identifier(connection, rp_unit_column(unit, i)->name);
        g_string_append_printf(sql, "%st.%s = s.c%u", i > 0 ? " AND " : "", quoted, i);
    }
}

/* For each column: the beginning of the source's text, and of the target's, whether they are equal, and
 * whether their texts are the same; last whether the target has the row at all. */
static char *compare_sql(const RpUnit *unit, PGconn *connection) {
    g_autoptr(GString) fields = g_string_new(NULL);
    g_autoptr(GString) values = g_string_new(NULL);
    for (guint i = 0; i < unit->columns->len; i++) {
        const RpUnitColumn *column = rp_unit_column(unit, i);
        const char *as_text = column->column->is_comparable ? "" : "::text";
        g_autofree char *value = parameter(column, i);
        g_autofree char *quoted = rp_postgres_identifier(connection, column->name);
        g_string_append_printf(values, "%s%s AS c%u", i > 0 ? ", " : "", value, i);
        g_string_append_printf(fields,
                               "left(s.c%u::text, " SHOWN_SQL "), left(t.%s::text, " SHOWN_SQL
                               "), s.c%u%s IS "
                               "NOT DISTINCT FROM t.%s%s, s.c%u::text COLLATE \"C\" IS NOT DISTINCT FROM "
                               "t.%s::text COLLATE \"C\", ",
                               i, quoted, i, as_text, quoted, as_text, i, quoted);
    }
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_append_printf(sql, "SELECT %st.ctid IS NOT NULL FROM (SELECT %s) s LEFT JOIN %s t ON ",
                           fields->str, values->str, unit->entity->table->quoted);
    add_join(sql, unit, connection);
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

static char *key_sql(const RpUnit *unit) {
    g_autoptr(GString) sql = g_string_new("SELECT ");
    for (guint i = 0; i < unit->n_keys; i++) {
        g_autofree char *value = parameter(rp_unit_column(unit, i), i);
        g_string_append_printf(sql, "%sleft((%s)::text, " SHOWN_SQL ")", i > 0 ? ", " : "", value);
    }
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

/* ---- texts ---- */

static char *shorten(const char *text) {
    const gsize size = strlen(text);
    if (size <= SHOWN_BYTES)
        return g_strdup(text);
    const char *cut = g_utf8_find_prev_char(text, text + SHOWN_BYTES);
    g_autofree char *beginning = g_strndup(text, (gsize)((cut != NULL ? cut : text) - text));
    return g_strconcat(beginning, "…", NULL);
}

static char *text_of(const RpUnitColumn *column, PGresult *result, int field) {
    if (PQgetisnull(result, 0, field))
        return NULL;
    return column->is_masked ? g_strdup(RP_MASK) : shorten(PQgetvalue(result, 0, field));
}

/* step: fields that each column has in the result. */
static void take_key(RpListed *listed, PGresult *result, int step) {
    for (guint i = 0; i < listed->unit->n_keys; i++) {
        const RpUnitColumn *column = rp_unit_column(listed->unit, i);
        rp_column_pair_add(listed->difference->key, column->name, text_of(column, result, (int)i * step),
                           NULL);
    }
}

/* What the hashes of a column that only PostgreSQL can compare have told apart. */
static gboolean is_alike(const RpUnitColumn *column, PGresult *result, int field) {
    return column->is_loose && !rp_postgres_is_true(result, 0, field + 3);
}

static void take_columns(RpListed *listed, PGresult *result) {
    const RpUnit *unit = listed->unit;
    const gboolean is_there = rp_postgres_is_true(result, 0, (int)unit->columns->len * N_FIELDS);
    gboolean is_equal = is_there;
    listed->alike = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < unit->columns->len; i++) {
        const RpUnitColumn *column = rp_unit_column(unit, i);
        const int field = (int)i * N_FIELDS;
        if (is_there && rp_postgres_is_true(result, 0, field + 2)) {
            if (is_alike(column, result, field))
                g_array_append_val(listed->alike, i);
            continue;
        }
        if (!is_there)
            continue;
        is_equal = FALSE;
        if (listed->difference->kind == RP_DIFFERENCE_DIFFERENT)
            rp_column_pair_add(listed->difference->columns, column->name, text_of(column, result, field),
                               text_of(column, result, field + 1));
    }
    listed->is_equal = is_equal && listed->difference->kind == RP_DIFFERENCE_DIFFERENT;
}

/* ---- rows ---- */

typedef struct {
    const RpLookPlace *place;
    PGconn *connection;
    GPtrArray *listed;
    GPtrArray *wishes;   /* of RpListed: those with a Redis key, by key; borrowed */
    GHashTable *waiting; /* of RpListed with a Redis key, by identity */
    RpDigester *digester;
    RpSourceRows rows;
    guint next;
} Describing;

/* Asks for one row; NULL with error when there is none. */
static PGresult *ask(const Describing *describing, const char *sql, guint n_values, const RpSpan *values,
                     GError **error) {
    g_autoptr(PGresult) result =
        rp_wait_execute_values(describing->connection, sql, (int)n_values, values, error);
    if (result == NULL)
        return NULL;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0)
        return g_steal_pointer(&result);
    rp_postgres_set_error(error, describing->connection, result);
    return NULL;
}

/* What the values of the key are as text: all that there is to say of a link's row, or of an extra one. */
static gboolean describe_key(const Describing *describing, RpListed *listed, const RpSpan *values,
                             GError **error) {
    g_autofree char *sql = key_sql(listed->unit);
    g_autoptr(PGresult) result = ask(describing, sql, listed->unit->n_keys, values, error);
    if (result == NULL)
        return FALSE;
    take_key(listed, result, 1);
    return TRUE;
}

static gboolean describe_row(const Describing *describing, RpListed *listed, const RpSpan *values,
                             GError **error) {
    const RpUnit *unit = listed->unit;
    if (unit->link != NULL)
        return describe_key(describing, listed, values, error);
    g_autofree char *sql = compare_sql(unit, describing->connection);
    g_autoptr(PGresult) result = ask(describing, sql, unit->columns->len, values, error);
    if (result == NULL)
        return FALSE;
    take_key(listed, result, N_FIELDS);
    take_columns(listed, result);
    return TRUE;
}

static gboolean take_source(const RpSourceRow *row, gpointer data, GError **error) {
    Describing *describing = data;
    RpDigest digest;
    rp_digester_digest(describing->digester, row->unit, row->values, row->is_stored, &digest);
    RpListed *listed = g_hash_table_lookup(describing->waiting, &digest.identity);
    while (listed != NULL && (listed->difference->key->len > 0 ||
                              !rp_span_equal(row->key, (RpSpan){listed->name, listed->name_size})))
        listed = listed->twin;
    return listed == NULL || describe_row(describing, listed, row->values, error);
}

static void take_refused(const RpUnit *unit, const RpBatch *batch, const RpReject *reject, gpointer data) {
    (void)unit;
    (void)batch;
    (void)reject;
    (void)data;
}

static gboolean take_batch(RpBatch *batch, gpointer data, GError **error) {
    Describing *describing = data;
    return rp_source_rows_walk(&describing->rows, batch, error);
}

static gint compare_keys(gconstpointer a, gconstpointer b) {
    const RpListed *left = *(const RpListed *const *)a, *right = *(const RpListed *const *)b;
    if (left->unit != right->unit)
        return left->unit->number < right->unit->number ? -1 : 1;
    const int order = memcmp(left->name, right->name, MIN(left->name_size, right->name_size));
    return order != 0 ? order : (left->name_size > right->name_size) - (left->name_size < right->name_size);
}

/* A key is read once, however many of its rows are listed. */
static gboolean next_key(guint *entity, RpSpan *key, gboolean *is_end, gpointer data, GError **error) {
    (void)error;
    Describing *describing = data;
    const GPtrArray *wishes = describing->wishes;
    while (describing->next > 0 && describing->next < wishes->len &&
           compare_keys(&wishes->pdata[describing->next - 1], &wishes->pdata[describing->next]) == 0)
        describing->next++;
    *is_end = describing->next >= wishes->len;
    if (*is_end)
        return TRUE;
    const RpListed *listed = g_ptr_array_index(wishes, describing->next++);
    *entity = listed->unit->number;
    *key = (RpSpan){listed->name, listed->name_size};
    return TRUE;
}

/* ---- all ---- */

static gboolean describe_extra(const Describing *describing, RpListed *listed, GError **error) {
    g_autofree RpSpan *values = g_new0(RpSpan, listed->unit->n_keys);
    rp_look_part_key(listed->unit, (RpSpan){listed->name, listed->name_size}, values);
    return describe_key(describing, listed, values, error);
}

static gboolean describe_all(Describing *describing, GError **error) {
    RpSurvey survey = *describing->place->survey;
    for (guint i = 0; i < describing->listed->len; i++) {
        RpListed *listed = g_ptr_array_index(describing->listed, i);
        if (listed->difference->kind == RP_DIFFERENCE_EXTRA) {
            if (!describe_extra(describing, listed, error))
                return FALSE;
            continue;
        }
        g_ptr_array_add(describing->wishes, listed);
        listed->twin = g_hash_table_lookup(describing->waiting, &listed->identity);
        g_hash_table_insert(describing->waiting, &listed->identity, listed);
    }
    if (describing->wishes->len == 0)
        return TRUE;
    g_ptr_array_sort(describing->wishes, compare_keys);
    survey.take = take_batch;
    survey.next = next_key;
    survey.data = describing;
    return rp_survey(&survey, error);
}

gboolean rp_describe(const RpLookPlace *place, PGconn *connection, GPtrArray *listed, GError **error) {
    Describing describing = {.place = place, .connection = connection, .listed = listed};
    describing.waiting = g_hash_table_new(rp_hash_of_hash, rp_hash_is_same);
    describing.wishes = g_ptr_array_new();
    describing.digester = rp_digester_new(place->seed);
    describing.rows = (RpSourceRows){.units = place->units,
                                     .postgres = place->postgres,
                                     .is_cancelled = place->is_cancelled,
                                     .timeout_seconds = place->timeout_seconds,
                                     .take = take_source,
                                     .refuse = take_refused,
                                     .data = &describing};
    rp_source_rows_init(&describing.rows);
    const gboolean is_fine =
        listed->len == 0 || (rp_shape_begin(connection, place->units, error) &&
                             describe_all(&describing, error) && rp_shape_end(connection, error));
    rp_source_rows_clear(&describing.rows);
    rp_digester_free(describing.digester);
    g_hash_table_unref(describing.waiting);
    g_ptr_array_unref(describing.wishes);
    return is_fine;
}
