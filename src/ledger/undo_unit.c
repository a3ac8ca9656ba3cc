/* The units of a rollback: which entries come next, and what the ledger keeps of them.
 *
 * 1. Rows, the rollback's own undo log, kept rows and the batch of a unit commit together.
 * 2. The batch's cursor says what is done: entries from it up, or of blocked rows those up to it. A unit that
 * is repeated finds its rows as the first time left them. */
#include "ledger/undo_unit.h"

#include "base/error.h"

#include <string.h>

#define NUMBER G_GUINT64_FORMAT

static const char *const OPERATIONS[] = {
    [RP_UNDO_INSERT] = "insert", [RP_UNDO_UPDATE] = "update", [RP_UNDO_DELETE] = "delete"};

static RpUndoOperation operation_at(const PGresult *result, int row) {
    const char *name = PQgetvalue(result, row, 1);
    RpUndoOperation operation = RP_UNDO_INSERT;
    while (strcmp(OPERATIONS[operation], name) != 0)
        operation++;
    return operation;
}

static guint64 number_at(const PGresult *result, int row, int field) {
    return g_ascii_strtoull(PQgetvalue(result, row, field), NULL, 10);
}

/* ---- which come next ---- */

/* Only of what is listed: to count keys is to read them. */
#define LENGTH_SQL ", CASE operation WHEN 'insert' THEN json_array_length(before) END"

static PGresult *list_entries(PGconn *connection, const RpRollback *rollback, const RpUndoWalk *walk,
                              guint limit, GError **error) {
    g_autofree char *sql =
        walk->is_again
            ? g_strdup_printf(
                  "SELECT k.kept, u.operation FROM redis2pg.kept k JOIN redis2pg.undo u ON u.undo ="
                  " k.undo WHERE k.run = %" NUMBER " AND k.entity = %u AND k.is_blocked AND k.kept > %" NUMBER
                  " AND k.kept <= %" NUMBER " AND u.operation IN (%s) ORDER BY k.kept LIMIT %u",
                  rollback->run, walk->table->entity, walk->cursor, walk->end, walk->operations, limit)
            : g_strdup_printf("SELECT undo, operation" LENGTH_SQL " FROM (SELECT undo, operation, before FROM"
                              " redis2pg.undo WHERE run = %" NUMBER " AND entity = %u AND undo < %" NUMBER
                              " AND operation IN (%s) ORDER BY undo DESC LIMIT %u) u ORDER BY undo DESC",
                              rollback->undoes, walk->table->entity, walk->cursor, walk->operations, limit);
    return rp_postgres_query(connection, sql, 0, NULL, error);
}

/* As many of the listed entries as are alike, and hold no more keys than a unit may, make the unit. */
static void take_entries(const PGresult *entries, RpUndoUnit *unit) {
    const guint64 start = number_at(entries, 0, 0);
    const gboolean has_keys = unit->operation == RP_UNDO_INSERT && !unit->is_again;
    guint64 end = start, n_keys = 0;
    for (int row = 0; row < PQntuples(entries) && operation_at(entries, row) == unit->operation; row++) {
        const guint64 n = has_keys ? number_at(entries, row, 2) : 0;
        n_keys += n;
        if (row > 0 && n_keys > RP_UNDO_UNIT_KEYS)
            break;
        end = number_at(entries, row, 0);
        unit->to_row = MAX(unit->to_row, n);
    }
    unit->first = MIN(start, end);
    unit->last = MAX(start, end);
}

/* Neighbours of an entry are looked at as far as they fit beside it if they are of its size. */
static guint limit_of(const PGresult *next, const RpUndoUnit *unit) {
    if (unit->operation != RP_UNDO_INSERT || unit->is_again)
        return RP_UNDO_UNIT_ROWS;
    return (guint)(RP_UNDO_UNIT_KEYS / CLAMP(number_at(next, 0, 2), 1, RP_UNDO_UNIT_KEYS));
}

gboolean rp_undo_unit_next(PGconn *connection, const RpRollback *rollback, const RpUndoWalk *walk,
                           RpUndoUnit *unit, gboolean *is_found, GError **error) {
    g_autoptr(PGresult) next = list_entries(connection, rollback, walk, 1, error);
    *is_found = next != NULL && PQntuples(next) > 0;
    if (!*is_found)
        return next != NULL;
    *unit = (RpUndoUnit){
        .table = walk->table, .operation = operation_at(next, 0), .is_again = walk->is_again, .from_row = 1};
    g_autoptr(PGresult) entries = list_entries(connection, rollback, walk, limit_of(next, unit), error);
    if (entries == NULL)
        return FALSE;
    take_entries(entries, unit);
    return TRUE;
}

gboolean rp_undo_unit_split(const RpUndoUnit *unit, RpUndoUnit *one, RpUndoUnit *two) {
    *one = *two = *unit;
    if (unit->operation == RP_UNDO_INSERT && !unit->is_again && unit->first == unit->last) {
        one->to_row = unit->from_row + (unit->to_row - unit->from_row) / 2;
        two->from_row = one->to_row + 1;
        return unit->from_row < unit->to_row;
    }
    const guint64 middle = unit->first + (unit->last - unit->first) / 2;
    RpUndoUnit *low = unit->is_again ? one : two;
    RpUndoUnit *high = unit->is_again ? two : one;
    low->last = middle;
    high->first = middle + 1;
    return unit->first < unit->last;
}

/* ---- the batch ---- */

gboolean rp_undo_unit_account(PGconn *connection, const RpRollback *rollback, const RpUndoUnit *unit,
                              const RpUndone *undone, guint pass, guint64 batch, guint64 cursor,
                              GError **error) {
    g_autofree char *sql =
        g_strdup_printf("INSERT INTO redis2pg.batches (run, pass, number, cursor_after, is_pass_end, "
                        "keys_scanned, keys_mapped,"
                        " keys_ignored, keys_unmapped, attempt, is_page_end) SELECT run, %u, %" NUMBER
                        ", %" NUMBER ", false, 0, 0,"
                        " 0, 0, attempt, true FROM redis2pg.runs WHERE run = %" NUMBER
                        " AND status = 'open' AND attempt = %u",
                        pass, batch, cursor, rollback->run, rollback->attempt);
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    if (rp_postgres_affected(result) != 1) {
        g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                    "run %" NUMBER " was closed by another one", rollback->run);
        return FALSE;
    }
    /* In a dry run rows get the savepoint's id, and so did the batch's own row. */
    if (rollback->is_dry_run &&
        !rp_postgres_runf(connection, error,
                          "UPDATE redis2pg.batches SET xid = xmin::text::xid8 WHERE run = %" NUMBER
                          " AND pass = %u AND number = %" NUMBER,
                          rollback->run, pass, batch))
        return FALSE;
    /* Read is what the account's equation asks for. */
    return rp_postgres_runf(
        connection, error,
        "INSERT INTO redis2pg.batch_counts (run, pass, batch, entity, read, inserted, updated,"
        " unchanged, deleted, rejected, filtered, vanished, parked) VALUES (%" NUMBER ", %u, %" NUMBER
        ", %u, %" NUMBER ", %" NUMBER ", %" NUMBER ", 0, %" NUMBER ", 0, 0, 0, 0)",
        rollback->run, pass, batch, unit->table->entity, undone->n_reinserted + undone->n_restored,
        undone->n_reinserted, undone->n_restored, undone->n_deleted);
}

gboolean rp_undo_unit_is_done(PGconn *connection, const RpRollback *rollback, guint pass, guint64 batch,
                              gboolean *is_done, GError **error) {
    g_autofree char *sql = g_strdup_printf("SELECT EXISTS (SELECT FROM redis2pg.batches WHERE run = %" NUMBER
                                           " AND pass = %u AND number = %" NUMBER ")",
                                           rollback->run, pass, batch);
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    *is_done = rp_postgres_is_true(result, 0, 0);
    return TRUE;
}

gboolean rp_undo_count_blocked(PGconn *connection, const RpRollback *rollback, guint64 *newest,
                               guint64 *n_blocked, GError **error) {
    g_autofree char *sql = g_strdup_printf("SELECT coalesce(max(kept), 0), count(*) FROM redis2pg.kept"
                                           " WHERE run = %" NUMBER " AND is_blocked",
                                           rollback->run);
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    *newest = number_at(result, 0, 0);
    *n_blocked = number_at(result, 0, 1);
    return TRUE;
}
