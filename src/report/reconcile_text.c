/* A reconciliation's result as text. */
#include "report/reconcile_report.h"

#include "report/table.h"

#define MOST_SHOWN 20u /* differences of an entity, and examples of a link */

static void add_number(GPtrArray *cells, guint64 number) {
    g_ptr_array_add(cells, rp_text_number(number));
}

static void add_verdict(GString *text, const RpReconcileResult *result) {
    g_string_append_printf(text, "%s, by %s, in %.2f s%s\n\n",
                           rp_reconcile_result_is_equal(result) ? "Equal"
                           : rp_reconcile_result_is_explained(result)
                               ? "Different, and explained by open rejects"
                               : "Different",
                           rp_level_name(result->level), result->seconds,
                           result->is_live ? " (the source changed meanwhile)" : "");
}

static void add_repair(GString *text, const RpReconcileResult *result) {
    const RpRepairResult *repair = &result->repair;
    if (!result->has_repair)
        return;
    if (repair->run == 0)
        g_string_append(text, "Nothing to repair");
    else
        g_string_append_printf(text,
                               "Repaired by run %" G_GUINT64_FORMAT ": %" G_GUINT64_FORMAT
                               " rows written, %" G_GUINT64_FORMAT
                               " deleted; what follows was found after it",
                               repair->run, repair->written, repair->deleted);
    if (repair->left > 0)
        g_string_append_printf(text, " (%" G_GUINT64_FORMAT " rows were left as they are)", repair->left);
    g_string_append(text, "\n\n");
}

static void add_entities(GString *text, const RpReconcileResult *result) {
    static const char *const headings[] = {"entity",     "table",     ">Redis",    ">PostgreSQL",
                                           ">equal",     ">missing",  ">extra",    ">different",
                                           ">explained", ">rejected", ">filtered", NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(headings);
    for (guint i = 0; i < result->entities->len; i++) {
        const RpEntityResult *entity = g_ptr_array_index(result->entities, i);
        g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(cells, g_strdup(entity->entity));
        g_ptr_array_add(cells, g_strdup(entity->table));
        const guint64 numbers[] = {entity->source_rows, entity->target_rows, entity->equal,
                                   entity->missing,     entity->extra,       entity->different,
                                   entity->explained,   entity->rejected,    entity->filtered};
        for (guint j = 0; j < G_N_ELEMENTS(numbers); j++)
            add_number(cells, numbers[j]);
        rp_text_table_add(table, (const char *const *)cells->pdata);
    }
    g_autofree char *shown = rp_text_table_show(table);
    g_string_append(text, shown);
}

static const char *shown_value(const char *value) {
    return value != NULL ? value : "null";
}

static void add_difference(GString *text, const RpEntityResult *entity, const RpDifference *difference) {
    g_string_append_printf(text, "  %s %s", rp_difference_kind_name(difference->kind), entity->entity);
    for (guint i = 0; i < difference->key->len; i++) {
        const RpColumnPair *part = g_ptr_array_index(difference->key, i);
        g_string_append_printf(text, "%s%s=%s", i > 0 ? ", " : " ", part->column, shown_value(part->source));
    }
    if (difference->source_key != NULL)
        g_string_append_printf(text, " (key %s)", difference->source_key);
    g_string_append(text, difference->is_explained ? ": an open reject is on record\n" : "\n");
    for (guint i = 0; i < difference->columns->len; i++) {
        const RpColumnPair *pair = g_ptr_array_index(difference->columns, i);
        g_string_append_printf(text, "    %s: Redis %s, PostgreSQL %s\n", pair->column,
                               shown_value(pair->source), shown_value(pair->target));
    }
}

static void add_notes(GString *text, const RpEntityResult *entity) {
    if (entity->unrecorded > 0)
        g_string_append_printf(text,
                               "  %s: %" G_GUINT64_FORMAT
                               " records are refused, and no open reject is on record "
                               "(redis2pg run records them)\n",
                               entity->entity, entity->unrecorded);
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpColumnCount *count = g_ptr_array_index(entity->columns, i);
        g_string_append_printf(text, "  %s.%s differs in %" G_GUINT64_FORMAT " rows\n", entity->entity,
                               count->column, count->n_different);
    }
    for (guint i = 0; i < entity->aggregates->len; i++) {
        const RpAggregatePair *pair = g_ptr_array_index(entity->aggregates, i);
        if (!pair->is_equal)
            g_string_append_printf(text, "  %s %s: Redis %s, PostgreSQL %s\n", entity->entity, pair->name,
                                   shown_value(pair->source), shown_value(pair->target));
    }
}

static void add_findings(GString *text, const RpReconcileResult *result) {
    g_autoptr(GString) findings = g_string_new(NULL);
    for (guint i = 0; i < result->entities->len; i++) {
        const RpEntityResult *entity = g_ptr_array_index(result->entities, i);
        const guint64 n_found = entity->missing + entity->extra + entity->different;
        const guint n_shown = MIN(entity->differences->len, MOST_SHOWN);
        for (guint j = 0; j < n_shown; j++)
            add_difference(findings, entity, g_ptr_array_index(entity->differences, j));
        if (result->level != RP_LEVEL_COUNTS && n_found > n_shown)
            g_string_append_printf(findings, "  … and %" G_GUINT64_FORMAT " more of %s (--json, --limit)\n",
                                   n_found - n_shown, entity->entity);
        add_notes(findings, entity);
    }
    if (findings->len > 0)
        g_string_append_printf(text, "\n%s", findings->str);
}

static void add_links(GString *text, const RpReconcileResult *result) {
    for (guint i = 0; i < result->links->len; i++) {
        const RpLinkResult *link = g_ptr_array_index(result->links, i);
        if (link->not_checked != NULL) {
            g_string_append_printf(text, "\nlink %s: not checked, %s\n", link->link, link->not_checked);
            continue;
        }
        g_string_append_printf(text,
                               "\nlink %s: %" G_GUINT64_FORMAT " members checked, %" G_GUINT64_FORMAT
                               " dangling, %" G_GUINT64_FORMAT " unlisted\n",
                               link->link, link->checked, link->dangling, link->unlisted);
        for (guint j = 0; j < MIN(link->examples->len, MOST_SHOWN); j++) {
            const RpLinkExample *example = g_ptr_array_index(link->examples, j);
            g_string_append_printf(text,
                                   example->is_dangling ? "  dangling: %s lists %s, which is not there\n"
                                                        : "  unlisted: %s does not list %s\n",
                                   shown_value(example->owner), shown_value(example->member));
        }
    }
}

static void add_orphans(GString *text, const RpReconcileResult *result) {
    for (guint i = 0; i < result->orphans->len; i++) {
        const RpOrphanResult *orphan = g_ptr_array_index(result->orphans, i);
        g_autofree char *columns = g_strjoinv(", ", orphan->columns);
        g_string_append_printf(text, "\norphans: %" G_GUINT64_FORMAT " rows of %s (%s) have no row in %s\n",
                               orphan->n_rows, orphan->table, columns, orphan->references);
    }
}

char *rp_report_reconcile_text(const RpReconcileResult *result) {
    GString *text = g_string_new(NULL);
    add_verdict(text, result);
    add_repair(text, result);
    add_entities(text, result);
    add_findings(text, result);
    add_links(text, result);
    add_orphans(text, result);
    return g_string_free(text, FALSE);
}
