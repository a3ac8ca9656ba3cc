/* What is to be done until all is back: a unit for each piece of work, of which some are needed only later.
 */
#include "pipeline/restore_plan.h"

static RpRestoreTable *find_table(const RpRestorePlan *plan, guint32 oid) {
    for (guint i = 0; i < plan->tables->len; i++) {
        RpRestoreTable *table = g_ptr_array_index(plan->tables, i);
        if (table->oid == oid)
            return table;
    }
    return NULL;
}

static const RpLoadedTable *find_loaded(const RpRestorePlan *plan, guint32 oid) {
    for (guint i = 0; i < plan->loaded->len; i++) {
        const RpLoadedTable *loaded = g_ptr_array_index(plan->loaded, i);
        if (loaded->oid == oid)
            return loaded;
    }
    return NULL;
}

static void add_unit(RpRestorePlan *plan, RpRestoreUnit *unit, RpRestoreWork work, RpRestoreTable *table,
                     RpRestoreEntry *entry, gboolean is_needed) {
    *unit = (RpRestoreUnit){work, is_needed ? RP_RESTORE_WAITING : RP_RESTORE_IDLE, table, entry};
    g_ptr_array_add(plan->units, unit);
}

static void set_entity(RpRestoreTable *table, const RpMapping *mapping) {
    if (mapping == NULL || table->loaded == NULL)
        return;
    const RpEntity *entity = rp_mapping_find_entity(mapping, table->loaded->entity_name);
    if (entity == NULL)
        return;
    table->entity = entity->checks->len > 0 ? entity : NULL;
    table->has_elements = entity->scope.has_each || rp_record_type_has_elements(entity->scope.type);
}

static RpRestoreTable *add_table(RpRestorePlan *plan, guint32 oid, const char *name,
                                 const RpMapping *mapping) {
    RpRestoreTable *table = find_table(plan, oid);
    if (table != NULL)
        return table;
    table = g_new0(RpRestoreTable, 1);
    table->oid = oid;
    table->name = name;
    table->loaded = find_loaded(plan, oid);
    set_entity(table, mapping);
    g_ptr_array_add(plan->tables, table);
    return table;
}

static void add_table_units(RpRestorePlan *plan, RpRestoreTable *table) {
    gboolean is_open = FALSE;
    for (guint i = 0; i < plan->what->len; i++) {
        const RpRestorable *what = g_ptr_array_index(plan->what, i);
        is_open = is_open || (what->target == table->oid && what->create_index != NULL && !what->is_restored);
    }
    add_unit(plan, &table->attach, RP_RESTORE_ATTACH, table, NULL, is_open);
    add_unit(plan, &table->look, RP_RESTORE_LOOK, table, NULL, is_open && table->entity != NULL);
    add_unit(plan, &table->failing, RP_RESTORE_FAILING, table, NULL, FALSE);
    add_unit(plan, &table->twins, RP_RESTORE_TWINS, table, NULL, FALSE);
    add_unit(plan, &table->analyze, RP_RESTORE_ANALYZE, table, NULL, table->loaded != NULL);
}

gboolean rp_restore_entry_is_suspect(const RpRestoreEntry *entry) {
    return entry->parent != NULL && entry->parent->is_dirty;
}

static void add_entry(RpRestorePlan *plan, RpRestorable *what) {
    RpRestoreEntry *entry = g_new0(RpRestoreEntry, 1);
    const gboolean is_index = what->create_index != NULL;
    const gboolean is_open = !what->is_restored;
    entry->what = what;
    entry->table = find_table(plan, what->target);
    entry->parent = is_index ? NULL : find_table(plan, what->referenced);
    const gboolean is_to_be_searched = is_open && what->is_built && rp_restore_entry_is_suspect(entry);
    g_ptr_array_add(plan->entries, entry);
    add_unit(plan, &entry->build, RP_RESTORE_BUILD, entry->table, entry,
             is_index && is_open && !what->is_built);
    add_unit(plan, &entry->unfit, RP_RESTORE_UNFIT, entry->table, entry, FALSE);
    add_unit(plan, &entry->add, RP_RESTORE_ADD, entry->table, entry, !is_index && is_open && !what->is_built);
    add_unit(plan, &entry->orphans, RP_RESTORE_ORPHANS, entry->table, entry, !is_index && is_to_be_searched);
    add_unit(plan, &entry->validate, RP_RESTORE_VALIDATE, entry->table, entry,
             !is_index && is_open && what->is_built);
}

/* Of indexes the largest tables' first: at the end nothing waits for one of them alone. */
static gint by_work(gconstpointer a, gconstpointer b) {
    const RpRestoreUnit *const first = *(const RpRestoreUnit *const *)a;
    const RpRestoreUnit *const second = *(const RpRestoreUnit *const *)b;
    if (first->work != second->work)
        return first->work < second->work ? -1 : 1;
    if (first->entry == NULL || second->entry == NULL)
        return 0;
    const guint64 sizes[] = {first->entry->what->size_bytes, second->entry->what->size_bytes};
    if (first->work == RP_RESTORE_BUILD && sizes[0] != sizes[1])
        return sizes[0] > sizes[1] ? -1 : 1;
    return first->entry->what->number < second->entry->what->number ? -1 : 1;
}

static void table_free(gpointer data) {
    RpRestoreTable *table = data;
    g_clear_error(&table->refusal);
    g_free(table);
}

static void entry_free(gpointer data) {
    RpRestoreEntry *entry = data;
    g_clear_error(&entry->refusal);
    g_free(entry);
}

static void set_dirty(RpRestorePlan *plan, const GArray *again) {
    for (guint i = 0; i < plan->tables->len; i++) {
        RpRestoreTable *table = g_ptr_array_index(plan->tables, i);
        for (guint a = 0; table->loaded != NULL && a < again->len; a++)
            table->is_dirty = table->is_dirty || g_array_index(again, guint, a) == table->loaded->entity;
    }
    plan->is_dirty = again->len > 0;
}

RpRestorePlan *rp_restore_plan_new(GPtrArray *what, GPtrArray *loaded, const RpMapping *mapping,
                                   const GArray *again) {
    RpRestorePlan *plan = g_new0(RpRestorePlan, 1);
    plan->what = what;
    plan->loaded = loaded;
    plan->entries = g_ptr_array_new_with_free_func(entry_free);
    plan->tables = g_ptr_array_new_with_free_func(table_free);
    plan->units = g_ptr_array_new();
    plan->running = g_ptr_array_new();
    for (guint i = 0; i < what->len; i++) {
        const RpRestorable *entry = g_ptr_array_index(what, i);
        add_table(plan, entry->target, entry->target_name, mapping);
    }
    set_dirty(plan, again);
    for (guint i = 0; i < plan->tables->len; i++)
        add_table_units(plan, g_ptr_array_index(plan->tables, i));
    for (guint i = 0; i < what->len; i++)
        add_entry(plan, g_ptr_array_index(what, i));
    g_ptr_array_sort(plan->units, by_work);
    return plan;
}

void rp_restore_plan_free(RpRestorePlan *plan) {
    g_ptr_array_unref(plan->units);
    g_ptr_array_unref(plan->running);
    g_ptr_array_unref(plan->entries);
    g_ptr_array_unref(plan->tables);
    g_ptr_array_unref(plan->what);
    g_ptr_array_unref(plan->loaded);
    g_free(plan);
}
