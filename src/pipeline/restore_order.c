/* The order in which things are put back.
 *
 * 1. Rows are taken out of a table while nothing else is done to it, and no index of it is built in between:
 * twins are looked for in all of its rows at once.
 * 2. A table's indexes count as back only together, when its checks were looked at: a crash leaves no check
 * out.
 * 3. Foreign keys are validated all at once as long as no row is to be taken out. From then on those of the
 * parent come before those of its children, and orphans are looked for where the parent has lost rows.
 * 4. What refers to a table of which orphans are taken out is taken off by the same transaction, and is added
 * again: no row goes, or changes, by a foreign key's action. */
#include "pipeline/restore_plan.h"

/* ---- what may be done ---- */

static gboolean is_open(const RpRestoreUnit *unit) {
    return unit->state == RP_RESTORE_WAITING || unit->state == RP_RESTORE_RUNNING;
}

static gboolean is_of(const RpRestoreUnit *unit, const RpRestoreTable *table) {
    return unit->table == table ||
           (unit->work == RP_RESTORE_ADD && unit->entry->parent == table && table != NULL);
}

/* Building and looking go side by side. To take orphans out is to take foreign keys off other tables. */
static gboolean disturb(const RpRestoreUnit *one, const RpRestoreUnit *other) {
    const gboolean are_side_by_side = (one->work == RP_RESTORE_BUILD || one->work == RP_RESTORE_LOOK) &&
                                      (other->work == RP_RESTORE_BUILD || other->work == RP_RESTORE_LOOK);
    if (one->work == RP_RESTORE_ORPHANS || other->work == RP_RESTORE_ORPHANS)
        return TRUE;
    return !are_side_by_side && (is_of(one, other->table) || is_of(other, one->table) ||
                                 (one->work == RP_RESTORE_ADD && is_of(other, one->entry->parent)));
}

/* Rows are to be taken out of the table before its indexes go on. */
static gboolean is_to_be_cleaned(const RpRestorePlan *plan, const RpRestoreTable *table) {
    if (is_open(&table->failing) || is_open(&table->twins))
        return TRUE;
    for (guint i = 0; i < plan->entries->len; i++) {
        const RpRestoreEntry *entry = g_ptr_array_index(plan->entries, i);
        if (entry->table == table && is_open(&entry->unfit))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_built(const RpRestorePlan *plan, const RpRestoreTable *table) {
    for (guint i = 0; i < plan->entries->len; i++) {
        const RpRestoreEntry *entry = g_ptr_array_index(plan->entries, i);
        if (entry->table == table && is_open(&entry->build))
            return FALSE;
    }
    return !is_open(&table->look) && !is_to_be_cleaned(plan, table);
}

static gboolean is_attached(const RpRestoreTable *table) {
    return table == NULL || !is_open(&table->attach);
}

/* Whether the parent loses no rows any more, but by a circle. */
static gboolean is_settled(const RpRestorePlan *plan, const RpRestoreEntry *entry) {
    if (!plan->is_dirty)
        return TRUE;
    for (guint i = 0; i < plan->entries->len; i++) {
        const RpRestoreEntry *other = g_ptr_array_index(plan->entries, i);
        if (other->what->number >= entry->what->number)
            break;
        if (other->what->create_index == NULL && other->table == entry->parent &&
            (is_open(&other->add) || is_open(&other->orphans) || is_open(&other->validate)))
            return FALSE;
    }
    return TRUE;
}

static gboolean is_ready(const RpRestorePlan *plan, const RpRestoreUnit *unit) {
    switch (unit->work) {
    case RP_RESTORE_ATTACH:
        return is_built(plan, unit->table);
    case RP_RESTORE_ADD:
        return is_attached(unit->table) && is_attached(unit->entry->parent) && is_settled(plan, unit->entry);
    case RP_RESTORE_ORPHANS:
        return is_settled(plan, unit->entry);
    case RP_RESTORE_VALIDATE:
        return is_settled(plan, unit->entry) && !is_open(&unit->entry->add) &&
               !is_open(&unit->entry->orphans);
    case RP_RESTORE_BUILD:
        return !is_to_be_cleaned(plan, unit->table);
    case RP_RESTORE_ANALYZE:
        return is_attached(unit->table);
    case RP_RESTORE_FAILING:
    case RP_RESTORE_TWINS:
    case RP_RESTORE_UNFIT:
    case RP_RESTORE_LOOK:
        return TRUE;
    case RP_N_RESTORE_WORKS:
        break;
    }
    g_assert_not_reached();
}

static gboolean is_undisturbed(const RpRestorePlan *plan, const RpRestoreUnit *unit) {
    for (guint i = 0; i < plan->running->len; i++)
        if (disturb(unit, g_ptr_array_index(plan->running, i)))
            return FALSE;
    return TRUE;
}

RpRestoreUnit *rp_restore_plan_next(RpRestorePlan *plan) {
    for (guint i = 0; i < plan->units->len; i++) {
        RpRestoreUnit *unit = g_ptr_array_index(plan->units, i);
        if (unit->state != RP_RESTORE_WAITING || !is_ready(plan, unit) || !is_undisturbed(plan, unit))
            continue;
        unit->state = RP_RESTORE_RUNNING;
        g_ptr_array_add(plan->running, unit);
        return unit;
    }
    return NULL;
}

gboolean rp_restore_plan_is_done(const RpRestorePlan *plan) {
    for (guint i = 0; i < plan->units->len; i++)
        if (is_open(g_ptr_array_index(plan->units, i)))
            return FALSE;
    return TRUE;
}

/* ---- what follows from what was done ---- */

static void soil(RpRestorePlan *plan, RpRestoreTable *table) {
    table->is_dirty = plan->is_dirty = TRUE;
}

/* They were taken off with the orphans. */
static void add_references_again(RpRestorePlan *plan, const RpRestoreTable *table) {
    for (guint i = 0; i < plan->entries->len; i++) {
        RpRestoreEntry *entry = g_ptr_array_index(plan->entries, i);
        if (entry->what->create_index != NULL || entry->parent != table)
            continue;
        entry->what->is_built = entry->what->is_restored = FALSE;
        entry->add.state = RP_RESTORE_WAITING;
        entry->orphans.state = entry->validate.state = RP_RESTORE_IDLE;
    }
}

static void note_refusal(RpRestoreUnit *unit, GError **held, GError *refusal, RpRestoreUnit *remedy) {
    g_clear_error(held);
    *held = refusal;
    remedy->state = RP_RESTORE_WAITING;
    unit->state = RP_RESTORE_WAITING;
}

/* The table is to lose rows: what refers to it can wait. */
static void note_orphans(RpRestorePlan *plan, RpRestoreUnit *unit, GError *refusal) {
    note_refusal(unit, &unit->entry->refusal, refusal, &unit->entry->orphans);
    plan->is_dirty = TRUE;
}

static void follow_add(RpRestoreEntry *entry) {
    entry->validate.state = RP_RESTORE_WAITING;
    if (rp_restore_entry_is_suspect(entry))
        entry->orphans.state = RP_RESTORE_WAITING;
}

/* Nothing to take out leaves the refusal as it is. */
static gboolean follow_cleaning(RpRestorePlan *plan, RpRestoreTable *table, guint64 n_taken_out,
                                GError **held, GError **error) {
    if (n_taken_out > 0) {
        soil(plan, table);
        g_clear_error(held);
    } else if (*held != NULL) {
        g_propagate_error(error, g_steal_pointer(held));
        return FALSE;
    }
    return TRUE;
}

static gboolean follow_orphans(RpRestorePlan *plan, RpRestoreEntry *entry, guint64 n_taken_out,
                               GError **error) {
    if (n_taken_out > 0)
        add_references_again(plan, entry->table);
    return follow_cleaning(plan, entry->table, n_taken_out, &entry->refusal, error);
}

gboolean rp_restore_plan_end(RpRestorePlan *plan, RpRestoreUnit *unit, RpRestoreOutcome outcome,
                             guint64 n_taken_out, GError *refusal, GError **error) {
    RpRestoreEntry *entry = unit->entry;
    RpRestoreTable *table = unit->table;
    g_ptr_array_remove_fast(plan->running, unit);
    unit->state = RP_RESTORE_DONE;
    switch (unit->work) {
    case RP_RESTORE_LOOK:
        table->failing.state = outcome == RP_RESTORE_FOUND ? RP_RESTORE_WAITING : table->failing.state;
        return TRUE;
    case RP_RESTORE_BUILD:
        if (outcome == RP_RESTORE_REFUSED)
            note_refusal(unit, &table->refusal, refusal, &table->twins);
        else if (outcome == RP_RESTORE_UNABLE)
            note_refusal(unit, &entry->refusal, refusal, &entry->unfit);
        return TRUE;
    case RP_RESTORE_VALIDATE:
        if (outcome == RP_RESTORE_REFUSED)
            note_orphans(plan, unit, refusal);
        return TRUE;
    case RP_RESTORE_ADD:
        follow_add(entry);
        return TRUE;
    case RP_RESTORE_TWINS:
        return follow_cleaning(plan, table, n_taken_out, &table->refusal, error);
    case RP_RESTORE_UNFIT:
        return follow_cleaning(plan, table, n_taken_out, &entry->refusal, error);
    case RP_RESTORE_ORPHANS:
        return follow_orphans(plan, entry, n_taken_out, error);
    case RP_RESTORE_FAILING:
        if (n_taken_out > 0)
            soil(plan, table);
        return TRUE;
    case RP_RESTORE_ATTACH:
    case RP_RESTORE_ANALYZE:
        return TRUE;
    case RP_N_RESTORE_WORKS:
        break;
    }
    g_assert_not_reached();
}

void rp_restore_plan_count(const RpRestorePlan *plan, guint *n_all, guint *n_done) {
    *n_all = plan->entries->len;
    *n_done = 0;
    for (guint i = 0; i < plan->entries->len; i++) {
        const RpRestoreEntry *entry = g_ptr_array_index(plan->entries, i);
        *n_done += !is_open(&entry->build) && !is_open(&entry->add) && !is_open(&entry->validate) &&
                   !is_open(&entry->orphans);
    }
}
