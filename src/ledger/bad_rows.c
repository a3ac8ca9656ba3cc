/* The queries that find rows that cannot stay.
 *
 * An expression may fail over a row. Then the table is halved until such rows stand alone: they cannot stay
 * either. */
#include "ledger/bad_rows.h"

/* No entry of a B-tree is longer than a third of a page, less its overhead (nbtree.h, BTMaxItemSize); those
 * of other indexes may be. What is shorter uncompressed is never refused. */
#define SURELY_FITS 2000

/* A condition over a table's rows; which: the query's rows, of which the condition is one column. */
typedef struct {
    const RpTakingOut *out;
    const char *query; /* … FROM table t WHERE ours AND */
    const char *rest;  /* what closes it */
} Search;

/* ---- rows over which an expression may fail ---- */

/* In a savepoint, for it may fail. *is_told: whether it did not, for the rows of the place. */
static gboolean try_place(const Search *search, const char *place, gboolean *is_told, GError **error) {
    PGconn *connection = search->out->connection;
    g_autofree char *query = g_strconcat(search->query, place, search->rest, NULL);
    g_autoptr(GError) trouble = NULL;
    if (!rp_postgres_run(connection, "SAVEPOINT r2p_place", error))
        return FALSE;
    *is_told = rp_taking_out_add(search->out, query, &trouble);
    if (*is_told)
        return rp_postgres_run(connection, "RELEASE SAVEPOINT r2p_place", error);
    if (!g_error_matches(trouble, RP_SINK_ERROR, RP_SINK_ERROR_DATA)) {
        g_propagate_error(error, g_steal_pointer(&trouble));
        return FALSE;
    }
    return rp_postgres_run(connection, "ROLLBACK TO SAVEPOINT r2p_place", error);
}

static gboolean add_row(const Search *search, const char *place, GError **error) {
    const RpLoadedTable *table = search->out->table;
    g_autofree char *query = g_strdup_printf(
        "SELECT t.xmin, %s FROM %s t WHERE " RP_TAKING_OUT_OURS " AND %s", table->of_t, table->quoted, place);
    return rp_taking_out_add(search->out, query, error);
}

/* Each row of a block by itself. */
static gboolean search_block(const Search *search, guint64 block, GError **error) {
    g_autofree char *list = g_strdup_printf("SELECT t.ctid FROM %s t WHERE t.ctid >= '(%" G_GUINT64_FORMAT
                                            ",0)' AND t.ctid < '(%" G_GUINT64_FORMAT ",0)'",
                                            search->out->table->quoted, block, block + 1);
    g_autoptr(PGresult) rows = rp_postgres_query(search->out->connection, list, 0, NULL, error);
    if (rows == NULL)
        return FALSE;
    for (int row = 0; row < PQntuples(rows); row++) {
        g_autofree char *place = g_strdup_printf("t.ctid = '%s'", PQgetvalue(rows, row, 0));
        gboolean is_told;
        if (!try_place(search, place, &is_told, error) || (!is_told && !add_row(search, place, error)))
            return FALSE;
    }
    return TRUE;
}

static gboolean search_blocks(const Search *search, guint64 first, guint64 end, GError **error) {
    g_autofree char *place = g_strdup_printf(
        "t.ctid >= '(%" G_GUINT64_FORMAT ",0)' AND t.ctid < '(%" G_GUINT64_FORMAT ",0)'", first, end);
    gboolean is_told;
    if (!try_place(search, place, &is_told, error))
        return FALSE;
    if (is_told)
        return TRUE;
    if (end - first == 1)
        return search_block(search, first, error);
    const guint64 middle = first + (end - first) / 2;
    return search_blocks(search, first, middle, error) && search_blocks(search, middle, end, error);
}

/* The whole first: seldom does it fail. */
static gboolean search_table(const Search *search, GError **error) {
    gboolean is_told;
    if (!try_place(search, "true", &is_told, error))
        return FALSE;
    if (is_told)
        return TRUE;
    g_autofree char *table = rp_postgres_literal(search->out->connection, search->out->table->quoted);
    g_autofree char *size = g_strdup_printf(
        "SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::bigint", table);
    g_autoptr(PGresult) blocks = rp_postgres_query(search->out->connection, size, 0, NULL, error);
    if (blocks == NULL)
        return FALSE;
    const guint64 n_blocks = g_ascii_strtoull(PQgetvalue(blocks, 0, 0), NULL, 10);
    return n_blocks == 0 || search_blocks(search, 0, n_blocks, error);
}

/* ---- checks of the mapping ---- */

/* A check sees the columns that are mapped, as it does when rows are merged. */
static char *mapped_columns(PGconn *connection, const RpEntity *entity) {
    GString *sql = g_string_new(NULL);
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        g_autofree char *name = rp_postgres_identifier(connection, column->name);
        g_string_append_printf(sql, ", t.%s", name);
    }
    return g_string_free(sql, FALSE);
}

static char *any_check_fails(const RpEntity *entity) {
    GString *sql = g_string_new(NULL);
    for (guint i = 0; i < entity->checks->len; i++) {
        const RpCheck *check = g_ptr_array_index(entity->checks, i);
        g_string_append_printf(sql, "%s(%s\n) IS FALSE", i > 0 ? " OR " : "", check->sql);
    }
    return g_string_free(sql, FALSE);
}

gboolean rp_bad_rows_look(PGconn *connection, const char *table, const RpEntity *entity, gboolean *is_found,
                          GError **error) {
    g_autofree char *columns = mapped_columns(connection, entity);
    g_autofree char *fails = any_check_fails(entity);
    g_autofree char *sql =
        g_strdup_printf("SELECT EXISTS (SELECT FROM (SELECT t.xmin AS r2p_writer%s FROM %s t) s WHERE %s)",
                        columns, table, fails);
    GError *trouble = NULL;
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, &trouble);
    *is_found = result == NULL || rp_postgres_is_true(result, 0, 0);
    if (result != NULL)
        return TRUE;
    if (g_error_matches(trouble, RP_SINK_ERROR, RP_SINK_ERROR_DATA)) {
        g_error_free(trouble);
        return TRUE;
    }
    g_propagate_error(error, trouble);
    return FALSE;
}

gboolean rp_bad_rows_add_failing(const RpTakingOut *out, const RpEntity *entity, GError **error) {
    g_autofree char *columns = mapped_columns(out->connection, entity);
    g_autofree char *fails = any_check_fails(entity);
    g_autofree char *query = g_strdup_printf(
        "SELECT s.r2p_writer, %s FROM (SELECT t.xmin AS r2p_writer%s FROM %s t WHERE " RP_TAKING_OUT_OURS
        " AND ",
        out->table->names, columns, out->table->quoted);
    g_autofree char *rest = g_strdup_printf(") s WHERE %s", fails);
    const Search search = {out, query, rest};
    return search_table(&search, error);
}

/* ---- indexes ---- */

static char *join_numbered(guint n, const char *separator, const char *format) {
    GString *sql = g_string_new(NULL);
    for (guint i = 1; i <= n; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);
        g_auto(GStrv) parts = g_strsplit(format, "@", -1);
        g_autofree char *piece = g_strjoinv(number, parts);
        g_string_append_printf(sql, "%s%s", i > 1 ? separator : "", piece);
    }
    return g_string_free(sql, FALSE);
}

/* Groups are hashed; that two nulls are equal only sorting knows. */
static char *twins_of(const RpLoadedTable *table, const RpRestorable *entry) {
    const char *where = entry->predicate != NULL ? entry->predicate : "true";
    g_autofree char *positions = join_numbered(entry->n_keys, ", ", "@");
    g_autofree char *names = join_numbered(entry->n_keys, ", ", "r2p_k@");
    g_autofree char *equal = join_numbered(entry->n_keys, " AND ", "t.r2p_k@ = d.r2p_k@");
    g_autofree char *rows = g_strdup_printf("SELECT t.xmin, %s, %s FROM %s t WHERE (%s)", table->of_t,
                                            entry->keys, table->quoted, where);
    if (entry->nulls_are_equal)
        return g_strdup_printf(
            "SELECT t.xmin, %s FROM (SELECT t.*, count(*) OVER (PARTITION BY %s) AS r2p_n FROM (%s) t) t"
            " WHERE t.r2p_n > 1 AND " RP_TAKING_OUT_OURS,
            table->of_t, names, rows);
    return g_strdup_printf("SELECT t.xmin, %s FROM (%s) t JOIN (SELECT %s FROM %s t WHERE (%s) GROUP BY %s "
                           "HAVING count(*) > 1) d"
                           " ON %s WHERE " RP_TAKING_OUT_OURS,
                           table->of_t, rows, entry->keys, table->quoted, where, positions, equal);
}

/* Over a row of which an expression cannot be told nothing can be said yet: such rows are taken out for that,
 * when the index is built. */
static gboolean add_twins_of(const RpTakingOut *out, const RpRestorable *entry, GError **error) {
    g_autofree char *query = twins_of(out->table, entry);
    const Search search = {out, query, ""};
    gboolean is_told;
    return try_place(&search, "", &is_told, error);
}

gboolean rp_bad_rows_add_twins(const RpTakingOut *out, const GPtrArray *entries, GError **error) {
    for (guint i = 0; i < entries->len; i++) {
        const RpRestorable *entry = g_ptr_array_index(entries, i);
        if (entry->target != out->table->oid || !entry->is_unique || entry->is_built || entry->n_keys == 0)
            continue;
        if (!add_twins_of(out, entry, error))
            return FALSE;
    }
    return TRUE;
}

gboolean rp_bad_rows_add_unfit(const RpTakingOut *out, const RpRestorable *entry, GError **error) {
    if (entry->n_keys == 0)
        return TRUE;
    const RpLoadedTable *table = out->table;
    g_autofree char *values = join_numbered(entry->n_keys, ", ", "s.r2p_k@");
    g_autofree char *query = g_strdup_printf(
        "SELECT s.r2p_writer, %s FROM (SELECT t.xmin AS r2p_writer, %s, %s FROM %s t WHERE (%s)"
        " AND " RP_TAKING_OUT_OURS " AND ",
        table->names, table->of_t, entry->keys, table->quoted,
        entry->predicate != NULL ? entry->predicate : "true");
    g_autofree char *rest = g_strdup_printf(") s WHERE pg_column_size(ROW(%s)) > %d", values, SURELY_FITS);
    const Search search = {out, query, rest};
    return search_table(&search, error);
}

/* ---- foreign keys ---- */

gboolean rp_bad_rows_add_orphans(const RpTakingOut *out, const RpRestorable *entry, GError **error) {
    g_autofree char *query = g_strdup_printf("SELECT t.xmin, %s FROM %s t WHERE (%s) AND " RP_TAKING_OUT_OURS
                                             " AND NOT EXISTS (SELECT FROM %s p WHERE %s)",
                                             out->table->of_t, out->table->quoted, entry->filled,
                                             entry->referenced_name, entry->match);
    return rp_taking_out_add(out, query, error);
}
