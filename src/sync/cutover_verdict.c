/* Go, or not: what was found is held against what is tolerated. */
#include "sync/cutover_parts.h"

#define NUMBER G_GUINT64_FORMAT

typedef struct {
    guint64 n_missing; /* without an open reject: those are counted as rejects */
    guint64 n_different;
    guint64 n_extra;
    guint64 n_unrecorded;
    guint64 n_links;
    guint64 n_orphans;
    guint64 n_aggregates; /* that differ where every row is equal */
} Found;

static const RpEntity *entity_of(const RpCutover *cutover, const RpEntityResult *result) {
    return rp_mapping_find_entity(cutover->options->load->mapping, result->entity);
}

static void add_entity(RpCutover *cutover, const RpEntityResult *entity, Found *found) {
    const RpEntity *mapped = entity_of(cutover, entity);
    found->n_missing += entity->missing - MIN(entity->missing, entity->explained);
    found->n_different += entity->different;
    found->n_unrecorded += entity->unrecorded;
    if (entity->kept > 0)
        rp_cutover_note(cutover,
                        "%s: %" NUMBER " rows stand whose keys have left Redis, as the mapping wants",
                        entity->entity, entity->kept);
    if (entity->extra > 0 && mapped->on_delete == RP_WHEN_GONE_KEEP)
        rp_cutover_note(cutover,
                        "%s: %" NUMBER " rows of PostgreSQL have no key in Redis; the mapping keeps what is "
                        "deleted there (on_delete: keep)",
                        entity->entity, entity->extra);
    else
        found->n_extra += entity->extra;
    for (guint i = 0; entity->missing + entity->different + entity->extra == 0 && i < entity->aggregates->len;
         i++)
        found->n_aggregates += !((const RpAggregatePair *)g_ptr_array_index(entity->aggregates, i))->is_equal;
}

static Found add_up(RpCutover *cutover) {
    const RpReconcileResult *reconcile = cutover->result->reconcile;
    Found found = {0};
    for (guint i = 0; i < reconcile->entities->len; i++)
        add_entity(cutover, g_ptr_array_index(reconcile->entities, i), &found);
    for (guint i = 0; i < reconcile->links->len; i++) {
        const RpLinkResult *link = g_ptr_array_index(reconcile->links, i);
        found.n_links += link->dangling + link->unlisted;
        if (link->not_checked != NULL)
            rp_cutover_note(cutover, "the link %s was not checked: %s", link->link, link->not_checked);
    }
    for (guint i = 0; i < reconcile->orphans->len; i++)
        found.n_orphans += ((const RpOrphanResult *)g_ptr_array_index(reconcile->orphans, i))->n_rows;
    return found;
}

static void append(GString *text, guint64 n, const char *what) {
    if (n > 0)
        g_string_append_printf(text, "%s%" NUMBER " %s", text->len > 0 ? ", " : "", n, what);
}

static char *show(const RpCutoverResult *result, const Found *found) {
    GString *text = g_string_new(NULL);
    append(text, result->n_rejects, "rejects open");
    append(text, result->n_parked, "keys waiting for other rows");
    append(text, found->n_missing, "rows missing");
    append(text, found->n_different, "rows different");
    append(text, found->n_extra, "rows extra");
    append(text, found->n_unrecorded, "refused records without a reject on record");
    append(text, found->n_links, "members of links dangling or unlisted");
    append(text, found->n_orphans, "rows that refer to nothing");
    append(text, found->n_aggregates, "sums or bounds different");
    return g_string_free(text, FALSE);
}

void rp_cutover_judge(RpCutover *cutover) {
    const RpCutoverResult *result = cutover->result;
    const Found found = add_up(cutover);
    const guint64 n_found = result->n_rejects + result->n_parked + found.n_missing + found.n_different +
                            found.n_extra + found.n_unrecorded + found.n_links + found.n_orphans +
                            found.n_aggregates;
    g_autofree char *shown = show(result, &found);
    if (n_found > cutover->options->n_allowed)
        rp_cutover_refuse(cutover, "%s: more than the %" NUMBER " that are tolerated (--allow)", shown,
                          cutover->options->n_allowed);
    else if (n_found > 0)
        rp_cutover_note(cutover, "tolerated (--allow %" NUMBER "): %s", cutover->options->n_allowed, shown);
    if (result->reconcile->is_incomplete)
        rp_cutover_refuse(cutover, "the list of differences did not fit onto the disk: what differs is not "
                                   "known in full");
}
