/* From what was found to the result. */
#include "base/log.h"
#include "model/reject.h"
#include "reconcile/orphans.h"
#include "reconcile/reconciliation.h"

#include <string.h>

static void take_not_compared(const RpUnit *unit, RpEntityResult *entity) {
    for (guint i = 0; i < unit->not_compared->len; i += 2) {
        RpNotCompared *column = g_new(RpNotCompared, 1);
        *column = (RpNotCompared){g_strdup(unit->not_compared->pdata[i]),
                                  g_strdup(unit->not_compared->pdata[i + 1])};
        g_ptr_array_add(entity->not_compared, column);
    }
    if (unit->is_told_extra)
        return;
    RpNotCompared *rows = g_new(RpNotCompared, 1);
    *rows =
        (RpNotCompared){g_strdup("(extra rows)"),
                        g_strdup("another entity fills the table with other columns: whose they are is not "
                                 "known")};
    g_ptr_array_add(entity->not_compared, rows);
}

/* At level counts nobody knows which row of a table is whose: those that its entities give are theirs in
 * turn, and the first one has what is left. */
static void share_rows(const RpReconciliation *own, const RpUnit *unit, RpEntityResult *entity) {
    guint64 left = own->target.n_rows[unit->leader];
    entity->source_rows = own->source.side.n_rows[unit->number];
    for (guint i = unit->leader; i < own->units->units->len; i++) {
        if (rp_units_get(own->units, i)->leader != unit->leader)
            continue;
        const guint64 taken = MIN(left, own->source.side.n_rows[i]);
        left -= taken;
        if (i == unit->number)
            entity->equal = taken;
    }
    entity->missing = entity->source_rows - entity->equal;
    entity->extra = unit->leader == unit->number && unit->is_told_extra ? left : 0;
    entity->target_rows = entity->equal + entity->extra;
    entity->kept = own->target.n_kept[(gsize)unit->number * own->place.n_buckets];
}

static void count_rows(const RpReconciliation *own, const RpUnit *unit, RpEntityResult *entity) {
    const RpDifferences *differences = &own->differences;
    if (own->options->level == RP_LEVEL_COUNTS) {
        share_rows(own, unit, entity);
        return;
    }
    entity->source_rows = own->n_source[unit->number];
    entity->equal = own->n_equal[unit->number];
    entity->missing = rp_differences_count(differences, unit->number, RP_DIFFERENCE_MISSING);
    entity->extra = rp_differences_count(differences, unit->number, RP_DIFFERENCE_EXTRA);
    entity->different = rp_differences_count(differences, unit->number, RP_DIFFERENCE_DIFFERENT);
    entity->explained = differences->n_explained[unit->number];
    entity->extra_refused = differences->n_refused[unit->number];
    entity->target_rows = entity->equal + entity->different + entity->extra;
    entity->kept = own->n_kept[unit->number];
}

static void take_columns(const RpReconciliation *own, const RpUnit *unit, RpEntityResult *entity) {
    for (guint i = 0; own->options->level == RP_LEVEL_FIELDS && i < unit->columns->len; i++) {
        if (own->n_different[unit->number][i] == 0)
            continue;
        RpColumnCount *count = g_new(RpColumnCount, 1);
        *count = (RpColumnCount){g_strdup(rp_unit_column(unit, i)->name), own->n_different[unit->number][i]};
        g_ptr_array_add(entity->columns, count);
    }
}

static RpEntityResult *take_entity(RpReconciliation *own, const RpUnit *unit, const guint64 *unrecorded) {
    RpEntityResult *entity = rp_entity_result_new(unit->entity->name, unit->entity->table->shown);
    count_rows(own, unit, entity);
    entity->rejected = own->source.n_refused[unit->number];
    entity->unrecorded = unrecorded[unit->number];
    entity->filtered = own->source.rows.filtered[unit->number];
    /* Where rows are not told as extra, values of others' rows stand in its columns. */
    if (unit->leader == unit->number && unit->is_told_extra)
        rp_totals_compare(own->source_totals, own->target_totals, unit, entity->aggregates);
    take_not_compared(unit, entity);
    g_ptr_array_add(own->result->entities, entity);
    return entity;
}

static RpLinkResult *take_link(RpReconciliation *own, const RpUnit *unit) {
    const RpDifferences *differences = &own->differences;
    RpLinkResult *link = rp_link_result_new(unit->link->name);
    const guint64 n_refused = own->source.n_refused[unit->number];
    if (own->options->level == RP_LEVEL_COUNTS) {
        link->not_checked = g_strdup("level counts compares no rows");
    } else {
        link->checked = own->n_source[unit->number] + n_refused;
        link->dangling = rp_differences_count(differences, unit->number, RP_DIFFERENCE_MISSING) + n_refused;
        link->unlisted = rp_differences_count(differences, unit->number, RP_DIFFERENCE_EXTRA);
    }
    g_ptr_array_add(own->result->links, link);
    return link;
}

static void take_skipped_links(RpReconciliation *own) {
    for (guint i = 0; i < own->units->skipped->len; i += 2) {
        RpLinkResult *link = rp_link_result_new(own->units->skipped->pdata[i]);
        link->not_checked = g_strdup(own->units->skipped->pdata[i + 1]);
        g_ptr_array_add(own->result->links, link);
    }
}

/* Rows of one table are added up together, whichever entities they are of. */
static void merge_followers(const RpUnits *units, RpTotals *totals) {
    for (guint i = 0; i < units->units->len; i++) {
        const RpUnit *unit = rp_units_get(units, i);
        if (unit->leader != i && unit->is_wanted)
            rp_totals_merge(totals, rp_units_get(units, unit->leader), unit);
    }
}

/* Whether the looks have found other rows than the first reading: some that it read twice, or that `checks`
 * refuse, or that came since. Then, and where values may have changed since, what the sides have in common
 * and what was looked at is added up. */
static gboolean has_other_rows(const RpReconciliation *own) {
    for (guint i = 0; i < own->units->units->len; i++)
        if (rp_units_get(own->units, i)->is_wanted && own->n_source[i] != own->source.side.n_rows[i])
            return TRUE;
    return FALSE;
}

static void settle_totals(RpReconciliation *own) {
    merge_followers(own->units, &own->source.side.totals);
    own->source_totals = &own->source.side.totals;
    own->target_totals = &own->target.totals;
    if (!own->has_looked || (!own->result->is_live && !own->has_come_back && !has_other_rows(own)))
        return;
    merge_followers(own->units, &own->looked_source);
    rp_totals_add_all(&own->looked_source, &own->rest);
    rp_totals_add_all(&own->looked_target, &own->rest);
    own->source_totals = &own->looked_source;
    own->target_totals = &own->looked_target;
}

/* Gives the place of each unit's differences: an RpEntityResult, an RpLinkResult, or NULL where it takes no
 * part. The caller unrefs it. */
static GPtrArray *take_units(RpReconciliation *own, const guint64 *unrecorded) {
    GPtrArray *places = g_ptr_array_new();
    settle_totals(own);
    for (guint i = 0; i < own->units->units->len; i++) {
        const RpUnit *unit = rp_units_get(own->units, i);
        gpointer place = NULL;
        if (unit->is_wanted)
            place = unit->link != NULL ? (gpointer)take_link(own, unit) : take_entity(own, unit, unrecorded);
        g_ptr_array_add(places, place);
    }
    take_skipped_links(own);
    return places;
}

static void take_link_example(RpLinkResult *link, RpListed *listed) {
    const GPtrArray *key = listed->difference->key;
    if (key->len != 2)
        return;
    const RpColumnPair *owner = g_ptr_array_index(key, 0), *member = g_ptr_array_index(key, 1);
    RpLinkExample *example = g_new(RpLinkExample, 1);
    *example = (RpLinkExample){g_strdup(owner->source), g_strdup(member->source),
                               listed->difference->kind == RP_DIFFERENCE_MISSING};
    g_ptr_array_add(link->examples, example);
}

/* What was told apart by its bytes alone does not count. While the source changes, a column may have come to
 * be spelled otherwise only since: then nothing was counted. */
static void discount_alike(const RpListed *listed, guint64 *n_different) {
    for (guint i = 0; listed->alike != NULL && i < listed->alike->len; i++) {
        guint64 *n = &n_different[g_array_index(listed->alike, guint, i)];
        *n -= MIN(*n, 1);
    }
}

static void take_listed(RpReconciliation *own, RpListed *listed, gpointer place) {
    RpEntityResult *entity = place;
    if (own->options->level == RP_LEVEL_FIELDS)
        discount_alike(listed, own->n_different[listed->unit->number]);
    if (listed->unit->link != NULL) {
        take_link_example(place, listed);
    } else if (listed->is_equal) {
        entity->different--;
        entity->equal++;
    } else if (entity->differences->len < own->options->limit) {
        g_ptr_array_add(entity->differences, g_steal_pointer(&listed->difference));
    }
}

static gboolean describe(RpReconciliation *own, GPtrArray *listed, GPtrArray *places, GError **error) {
    if (!rp_describe(&own->place, own->connection, listed, error))
        return FALSE;
    for (guint i = 0; i < listed->len; i++) {
        RpListed *one = g_ptr_array_index(listed, i);
        take_listed(own, one, g_ptr_array_index(places, one->unit->number));
    }
    for (guint i = 0; i < places->len; i++)
        if (g_ptr_array_index(places, i) != NULL && rp_units_get(own->units, i)->link == NULL)
            take_columns(own, rp_units_get(own->units, i), g_ptr_array_index(places, i));
    return TRUE;
}

/* A link's key or member that cannot be what its columns hold is dangling: of it only the key can be told. */
static gboolean take_refused_members(RpReconciliation *own, const GPtrArray *places, GError **error) {
    RpSpoolEntry entry;
    gboolean is_end = FALSE;
    if (rp_spool_is_lost(own->source.refused))
        return TRUE;
    if (!rp_spool_rewind(own->source.refused, error))
        return FALSE;
    while (rp_spool_next(own->source.refused, &entry, &is_end, error)) {
        if (is_end)
            return TRUE;
        const RpUnit *unit = rp_units_get(own->units, entry.unit);
        RpLinkResult *link = g_ptr_array_index(places, entry.unit);
        if (unit->link == NULL || link == NULL || link->examples->len >= own->options->limit)
            continue;
        const RpSpan key = {entry.data.data + sizeof(RpHash), entry.data.size - sizeof(RpHash)};
        RpLinkExample *example = g_new(RpLinkExample, 1);
        *example = (RpLinkExample){rp_unit_column(unit, 0)->is_masked ? g_strdup(RP_MASK)
                                                                      : rp_span_show(key, RP_SHOWN_KEY_BYTES),
                                   NULL, TRUE};
        g_ptr_array_add(link->examples, example);
    }
    return FALSE;
}

/* Counts stand; what is behind them nobody can tell. */
static void note_lost_list(RpReconciliation *own) {
    own->result->is_incomplete = rp_spool_is_lost(own->differences.list);
    if (own->result->is_incomplete)
        rp_log(
            RP_LOG_WARNING,
            "differences are counted, but not listed or explained: their list does not fit into %s (TMPDIR "
            "names another folder)",
            g_get_tmp_dir());
}

gboolean rp_conclude(RpReconciliation *own, GError **error) {
    g_autofree guint64 *unrecorded = g_new0(guint64, own->units->units->len);
    g_autoptr(GPtrArray) listed =
        rp_differences_explain(&own->differences, own->connection, own->options->limit, error);
    if (listed == NULL || !rp_differences_check_refused(&own->differences, own->source.refused,
                                                        own->connection, unrecorded, error))
        return FALSE;
    note_lost_list(own);                       /* reading it has shown whether all of it could be written */
    if (rp_spool_is_lost(own->source.refused)) /* nobody can say which are on record */
        memcpy(unrecorded, own->source.n_refused, own->units->units->len * sizeof *unrecorded);
    g_autoptr(GPtrArray) places = take_units(own, unrecorded);
    own->result->n_scanned = own->source.n_scanned;
    return describe(own, listed, places, error) && take_refused_members(own, places, error) &&
           rp_orphans_find(own->connection, own->units, own->options->limit, own->result->orphans, error);
}
