/* From the list of differences to a run.
 *
 * 1. The reconciliation has met every key, so a row that differs may be overwritten; but a row that another
 * key has met is that key's: what has a twin is left.
 * 2. Nothing is deleted that a record stands behind, be it refused, nor where a refused record may stand
 * behind any row.
 * 3. Nothing is done at all when so much would be deleted that this is hardly the right Redis. */
#include "reconcile/repair.h"

#include "base/error.h"
#include "base/log.h"
#include "ledger/batches.h"
#include "pipeline/load_from.h"

#define MOST_ENTANGLED 1000000u /* keys that are remembered */
#define FREE_ROWS      100u     /* so few are deleted whatever share of the table they are */

#define NUMBER G_GUINT64_FORMAT

gboolean rp_repair_writes(RpRepair *repair, const RpSuspicion *suspicion) {
    const RpUnit *unit = rp_units_get(repair->own->units, suspicion->unit);
    return unit->link == NULL && suspicion->kind != RP_DIFFERENCE_EXTRA && !suspicion->is_twin &&
           !(rp_unit_has_many(unit) &&
             rp_key_set_contains(&repair->entangled, suspicion->unit, suspicion->name));
}

gboolean rp_repair_deletes(const RpRepair *repair, const RpSuspicion *suspicion) {
    return suspicion->kind == RP_DIFFERENCE_EXTRA && !suspicion->is_refused &&
           repair->deletes[suspicion->unit];
}

/* ---- what may be deleted ---- */

/* By leader: refused records that may stand behind any of its rows. */
static gboolean count_unknown(RpRepair *repair, guint64 *n_unknown, GError **error) {
    static const RpHash unknown = {0, 0};
    RpSpool *refused = repair->own->source.refused;
    RpSpoolEntry entry;
    gboolean is_end = FALSE;
    if (!rp_spool_rewind(refused, error))
        return FALSE;
    while (rp_spool_next(refused, &entry, &is_end, error)) {
        if (is_end)
            return TRUE;
        RpHash identity;
        memcpy(&identity, entry.data.data, sizeof identity);
        if (rp_hash_equal(&identity, &unknown))
            n_unknown[rp_units_get(repair->own->units, entry.unit)->leader]++;
    }
    return FALSE;
}

/* Rows whose identity only PostgreSQL can compare may have a record under another spelling. */
static const char *find_loose_key(const RpUnit *unit) {
    for (guint i = 0; i < unit->n_keys; i++)
        if (rp_unit_column(unit, i)->is_loose)
            return rp_unit_column(unit, i)->name;
    return NULL;
}

static gboolean may_delete(const RpUnit *unit, guint64 n_extra, guint64 n_unknown) {
    const char *loose = find_loose_key(unit);
    if (n_unknown > 0)
        rp_log(RP_LOG_WARNING,
               "extra rows of %s are left (%" NUMBER "): of %" NUMBER
               " refused records nobody can tell which rows they stand for; mend them in Redis, or have the "
               "mapping take them (redis2pg rejects replay), then repair again",
               unit->entity->name, n_extra, n_unknown);
    else if (loose != NULL)
        rp_log(RP_LOG_WARNING,
               "extra rows of %s are left (%" NUMBER
               "): only PostgreSQL can tell which values of %s are equal",
               unit->entity->name, n_extra, loose);
    return n_unknown == 0 && loose == NULL;
}

static guint64 count_source_rows(const RpReconciliation *own, guint leader) {
    guint64 n_rows = 0;
    for (guint i = 0; i < own->units->units->len; i++)
        if (rp_units_get(own->units, i)->leader == leader)
            n_rows += own->n_source[i];
    return n_rows;
}

/* The wrong database, or one that has lost its data, gives hardly a row that the table has. */
static gboolean check_guard(const RpRepair *repair, const RpUnit *unit, guint64 n_deleted, GError **error) {
    const RpReconciliation *own = repair->own;
    const guint64 n_rows = own->target.n_rows[unit->number];
    const guint most = repair->options->max_delete_percent;
    const gboolean is_empty = most < 100 && count_source_rows(own, unit->number) == 0;
    const gboolean is_too_much = n_deleted > FREE_ROWS && (double)n_deleted * 100 > (double)n_rows * most;
    if (!is_empty && !is_too_much)
        return TRUE;
    g_set_error(error, RP_GUARD_ERROR, RP_GUARD_ERROR_REFUSED,
                "%" NUMBER " of the %" NUMBER
                " rows of %s have no key any more and would be deleted%s. If this is the "
                "right Redis, and they are to go: --max-delete-percent (%u now)",
                n_deleted, n_rows, unit->entity->name, is_empty ? ", and Redis gives no row of it" : "",
                most);
    return FALSE;
}

static gboolean choose_deletes(RpRepair *repair, GError **error) {
    const RpUnits *units = repair->own->units;
    const RpDifferences *differences = &repair->own->differences;
    g_autofree guint64 *n_unknown = g_new0(guint64, units->units->len);
    if (!repair->options->deletes_extra)
        return TRUE;
    if (rp_spool_is_lost(repair->own->source.refused)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--delete-extra: the list of refused records does not fit into %s", g_get_tmp_dir());
        return FALSE;
    }
    if (!count_unknown(repair, n_unknown, error))
        return FALSE;
    for (guint i = 0; i < units->units->len; i++) {
        const RpUnit *unit = rp_units_get(units, i);
        const guint64 n_extra = rp_differences_count(differences, i, RP_DIFFERENCE_EXTRA);
        repair->deletes[i] = unit->link == NULL && n_extra > differences->n_refused[i] &&
                             may_delete(unit, n_extra, n_unknown[i]);
        if (repair->deletes[i] && !check_guard(repair, unit, n_extra - differences->n_refused[i], error))
            return FALSE;
    }
    return TRUE;
}

/* ---- what is to be done ---- */

typedef gboolean (*Visit)(RpRepair *repair, const RpSuspicion *suspicion, GError **error);

static gboolean visit_all(RpRepair *repair, Visit visit, GError **error) {
    RpSpool *list = repair->own->differences.list;
    RpSpoolEntry entry;
    gboolean is_end = FALSE;
    if (!rp_spool_rewind(list, error))
        return FALSE;
    while (rp_spool_next(list, &entry, &is_end, error)) {
        if (is_end)
            return TRUE;
        const RpSuspicion suspicion = rp_differences_entry(&entry);
        if (!visit(repair, &suspicion, error))
            return FALSE;
    }
    return FALSE;
}

/* Of a key that gives many rows all are read again: one that is another key's would go with them. */
static gboolean note_entangled(RpRepair *repair, const RpSuspicion *suspicion, GError **error) {
    const RpUnit *unit = rp_units_get(repair->own->units, suspicion->unit);
    if (!suspicion->is_twin || unit->link != NULL || !rp_unit_has_many(unit))
        return TRUE;
    rp_key_set_add(&repair->entangled, suspicion->unit, suspicion->name);
    if (rp_key_set_get_size(&repair->entangled) <= MOST_ENTANGLED)
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "too many keys of %s give rows that other keys give too: redis2pg run settles them",
                unit->entity->name);
    return FALSE;
}

static gboolean count(RpRepair *repair, const RpSuspicion *suspicion, GError **error) {
    (void)error;
    if (rp_units_get(repair->own->units, suspicion->unit)->link != NULL)
        return TRUE;
    if (suspicion->kind == RP_DIFFERENCE_EXTRA) {
        const gboolean is_deleted = rp_repair_deletes(repair, suspicion);
        repair->n_to_delete += is_deleted ? 1 : 0;
        repair->n_left += repair->options->deletes_extra && !is_deleted ? 1 : 0;
    } else {
        const gboolean is_written = rp_repair_writes(repair, suspicion);
        repair->n_to_write += is_written ? 1 : 0;
        repair->n_left += is_written ? 0 : 1;
    }
    return TRUE;
}

static gboolean plan(RpRepair *repair, GError **error) {
    if (rp_spool_is_lost(repair->own->differences.list)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--repair: the list of differences does not fit into %s (TMPDIR names another folder); "
                    "redis2pg run writes whatever is missing",
                    g_get_tmp_dir());
        return FALSE;
    }
    return choose_deletes(repair, error) && visit_all(repair, note_entangled, error) &&
           visit_all(repair, count, error);
}

/* ---- the run ---- */

static gboolean take_summary(const RpRunSummary *summary, RpRepairResult *repaired, GError **error) {
    repaired->run = summary->run;
    for (guint i = 0; i < summary->entities->len; i++) {
        const RpEntitySummary *entity = g_ptr_array_index(summary->entities, i);
        repaired->written += entity->counts.inserted + entity->counts.updated;
        repaired->deleted += entity->counts.deleted;
    }
    if (summary->is_balanced)
        return TRUE;
    g_set_error(error, RP_DEFECT_ERROR, RP_DEFECT_ERROR_UNBALANCED,
                "run %" NUMBER " does not balance: rows are unaccounted for", summary->run);
    return FALSE;
}

static gboolean make_run(RpRepair *repair, RpRepairResult *repaired, GError **error) {
    const RpFeed feed = {.kind = "repair",
                         .way_on = "reconcile --repair goes on with the rest",
                         .read = rp_repair_thread,
                         .data = repair,
                         .ledger = &RP_LEDGER_FOR_MERGE};
    RpLoadOptions load = *repair->own->options->load;
    load.settings = repair->options->settings;
    load.n_writers = repair->options->n_writers;
    load.max_rejects = repair->options->max_rejects;
    load.is_resuming = FALSE;
    g_autoptr(RpRunSummary) summary = NULL;
    return rp_load_from(&load, &feed, &summary, error) && take_summary(summary, repaired, error);
}

gboolean rp_repair(RpReconciliation *own, const RpRepairOptions *options, RpRepairResult *repaired,
                   GError **error) {
    RpRepair repair = {.own = own, .options = options};
    repair.deletes = g_new0(gboolean, own->units->units->len);
    rp_key_set_init(&repair.entangled, own->place.seed);
    const gboolean is_fine = plan(&repair, error) && (repair.n_to_write + repair.n_to_delete == 0 ||
                                                      make_run(&repair, repaired, error));
    repaired->left = repair.n_left;
    g_free(repair.deletes);
    rp_key_set_clear(&repair.entangled);
    return is_fine;
}
