/* The order of a rollback.
 *
 * 1. First inserts and updates are undone, children before parents and the newest first; then deletes,
 * parents before children; then what something stood in the way of is tried again, until that settles nothing
 * more. Of a rollback that deleted rows updates come with the deletes: the order in which it worked,
 * reversed.
 * 2. Each of these walks over a table is a pass of the rollback; its last batch says how far it is. A
 * rollback that is continued takes each up where it stands. */
#include "pipeline/undoing.h"

/* Reading where things stand may meet a passing trouble as well. */
typedef gboolean (*Question)(RpUndoing *undoing, gpointer answer, GError **error);

static gboolean ask(RpUndoing *undoing, Question question, gpointer answer, GError **error) {
    for (;;) {
        GError *trouble = NULL;
        if (question(undoing, answer, &trouble))
            return TRUE;
        if (!rp_undoing_recover(undoing, &trouble)) {
            g_propagate_error(error, trouble);
            return FALSE;
        }
    }
}

static gboolean ask_position(RpUndoing *undoing, gpointer answer, GError **error) {
    RpUndoWalk *walk = answer;
    return rp_rollback_position(undoing->connection, &undoing->rollback, undoing->pass, &walk->cursor,
                                &undoing->batch, error);
}

typedef struct {
    const RpUndoWalk *walk;
    RpUndoUnit unit;
    gboolean is_found;
} Next;

static gboolean ask_next(RpUndoing *undoing, gpointer answer, GError **error) {
    Next *next = answer;
    return rp_undo_unit_next(undoing->connection, &undoing->rollback, next->walk, &next->unit,
                             &next->is_found, error);
}

typedef struct {
    guint64 newest;
    guint64 number;
} Blocked;

static gboolean ask_blocked(RpUndoing *undoing, gpointer answer, GError **error) {
    Blocked *blocked = answer;
    return rp_undo_count_blocked(undoing->connection, &undoing->rollback, &blocked->newest, &blocked->number,
                                 error);
}

static gboolean walk_table(RpUndoing *undoing, RpUndoWalk *walk, GError **error) {
    Next next = {.walk = walk};
    undoing->batch = 0;
    if (!ask(undoing, ask_position, walk, error))
        return FALSE;
    for (;;) {
        if (rp_undoing_is_stopped(undoing, error) || !ask(undoing, ask_next, &next, error))
            return FALSE;
        if (!next.is_found)
            return TRUE;
        walk->cursor = walk->is_again ? next.unit.last : next.unit.first;
        if (!rp_undoing_do_unit(undoing, &next.unit, walk->cursor, error))
            return FALSE;
    }
}

/* Passes are numbered by round, kind of walk and entity. */
static guint stride_of(const RpUndoing *undoing) {
    guint stride = 1;
    for (guint i = 0; i < undoing->tables->len; i++)
        stride = MAX(stride, ((const RpUndoTable *)g_ptr_array_index(undoing->tables, i))->entity + 1);
    return stride;
}

/* What a round undoes first, children before parents, and what then, parents before children. A rollback put
 * rows to other parents before it deleted theirs: these have to be there again first. */
static const char *operations_of(const RpUndoing *undoing, guint kind) {
    if (undoing->rollback.is_of_deletes)
        return kind == 0 ? "'insert'" : "'update', 'delete'";
    return kind == 0 ? "'insert', 'update'" : "'delete'";
}

/* end: the newest blocked row, for all rounds but the first. */
static gboolean do_round(RpUndoing *undoing, guint round, guint64 end, GError **error) {
    const guint n_tables = undoing->tables->len;
    for (guint kind = 0; kind < 2; kind++)
        for (guint i = 0; i < n_tables; i++) {
            RpUndoTable *table = g_ptr_array_index(undoing->tables, kind == 0 ? n_tables - 1 - i : i);
            RpUndoWalk walk = {.table = table,
                               .operations = operations_of(undoing, kind),
                               .is_again = round > 0,
                               .cursor = round > 0 ? 0 : G_MAXINT64,
                               .end = end};
            undoing->pass = (2 * round + kind) * stride_of(undoing) + table->entity;
            if (!walk_table(undoing, &walk, error))
                return FALSE;
        }
    return TRUE;
}

gboolean rp_undo_walks_do(RpUndoing *undoing, GError **error) {
    const guint first =
        undoing->rollback.has_position ? undoing->rollback.pass / (2 * stride_of(undoing)) : 0;
    for (guint round = first;; round++) {
        Blocked before, after;
        if (!ask(undoing, ask_blocked, &before, error))
            return FALSE;
        if (round > 0 && before.number == 0)
            return TRUE;
        if (!do_round(undoing, round, before.newest, error) || !ask(undoing, ask_blocked, &after, error))
            return FALSE;
        /* Of a round that an earlier attempt began it is not known what it settled. */
        if (round > 0 && after.number >= before.number && (round != first || !undoing->rollback.is_continued))
            return TRUE;
    }
}
