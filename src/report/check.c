/* Checks out of a report. */
#include "report/check.h"

#include "report/document.h"
#include "report/field.h"

#include "reconcile/result.h"

void rp_check_free(RpCheck *check) {
    g_free(check->group);
    g_free(check->name);
    g_free(check->message);
    g_free(check);
}

/* Every cause for which a command ends with exit status 1 must be a check here: CI systems look at these
 * alone. The message is taken; it stands only with a check that does not hold, or was skipped. */
static RpCheck *add(GPtrArray *checks, const char *group, const char *name, gboolean holds, char *message) {
    RpCheck *check = g_new0(RpCheck, 1);
    check->group = g_strdup(group);
    check->name = g_strdup(name);
    check->holds = holds;
    if (holds)
        g_free(message);
    else
        check->message = message;
    g_ptr_array_add(checks, check);
    return check;
}

static void add_zero(GPtrArray *checks, const char *group, const char *name, const json_t *object,
                     const char *member) {
    const guint64 n = rp_field_number(object, member);
    add(checks, group, name, n == 0, g_strdup_printf("%s: %" G_GUINT64_FORMAT, member, n));
}

static void add_ended(GPtrArray *checks, const json_t *result) {
    const char *status = rp_field_text(result, "status"), *why = rp_field_text(result, "error");
    const gboolean holds = g_str_has_prefix(status, "completed") || g_str_equal(status, "dry_run");
    add(checks, "end", "came to its end", holds,
        g_strdup_printf("status %s%s%s", status, why[0] != '\0' ? ": " : "", why));
}

static void add_run(GPtrArray *checks, const json_t *run) {
    const json_t *entities = rp_field_list(run, "entities");
    add_ended(checks, run);
    add(checks, "balance", "every row is accounted for", rp_field_is_true(run, "balanced"),
        g_strdup("the accounts do not add up"));
    add_zero(checks, "keys", "no unmapped keys", json_object_get(run, "keys"), "unmapped");
    for (size_t i = 0; i < json_array_size(entities); i++)
        add_zero(checks, rp_field_text(json_array_get(entities, i), "entity"), "no rejects",
                 json_array_get(entities, i), "rejected");
}

static void add_rollback(GPtrArray *checks, const json_t *rollback) {
    const json_t *tables = rp_field_list(rollback, "tables");
    add_ended(checks, rollback);
    for (size_t i = 0; i < json_array_size(tables); i++)
        add_zero(checks, rp_field_text(json_array_get(tables, i), "table"), "no row is kept",
                 json_array_get(tables, i), "kept");
}

/* ---- reconciliation ---- */

static gboolean is_counts(const json_t *reconcile) {
    return g_str_equal(rp_field_text(reconcile, "level"), "counts");
}

/* Where rows were only counted a number that is 0 proves nothing about rows: missing and extra ones cancel
 * out. */
static void skip_at_counts(GPtrArray *checks, gboolean only_counts) {
    RpCheck *check = g_ptr_array_index(checks, checks->len - 1);
    if (!only_counts || !check->holds)
        return;
    check->holds = FALSE;
    check->is_skipped = TRUE;
    check->message = g_strdup("rows were not compared at this level");
}

static void add_missing(GPtrArray *checks, const char *group, const json_t *entity) {
    const guint64 missing = rp_field_number(entity, "missing"),
                  explained = rp_field_number(entity, "explained");
    add(checks, group, "no missing rows", missing == 0,
        g_strdup_printf("missing: %" G_GUINT64_FORMAT
                        ", of which explained by an open reject: %" G_GUINT64_FORMAT,
                        missing, explained));
}

/* What was refused without a reject on record was lost in silence. */
static void add_unrecorded(GPtrArray *checks, const char *group, const json_t *entity) {
    const guint64 refused = rp_field_number(entity, "rejected"),
                  unrecorded = rp_field_number(entity, "unrecorded");
    add(checks, group, "every refused record is on record", unrecorded == 0,
        g_strdup_printf("refused: %" G_GUINT64_FORMAT ", of which without an open reject: %" G_GUINT64_FORMAT,
                        refused, unrecorded));
}

/* Of no rows there is no sum: null. */
static void add_aggregates(GPtrArray *checks, const char *group, const json_t *aggregates) {
    for (size_t i = 0; i < json_array_size(aggregates); i++) {
        const json_t *aggregate = json_array_get(aggregates, i);
        g_autofree char *source = rp_field_show(json_object_get(aggregate, "source"));
        g_autofree char *target = rp_field_show(json_object_get(aggregate, "target"));
        g_autofree char *name = g_strdup_printf("%s is equal", rp_field_text(aggregate, "name"));
        add(checks, group, name, rp_field_is_true(aggregate, "equal"),
            g_strdup_printf("%s in Redis, %s in PostgreSQL", source != NULL ? source : "NULL",
                            target != NULL ? target : "NULL"));
    }
}

/* Columns that change with every reading. Those that the mapping does not write are none of its business. */
static void add_not_compared(GPtrArray *checks, const char *group, const json_t *columns) {
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        const char *why = rp_field_text(column, "why");
        g_autofree char *name = g_strdup_printf("%s is compared", rp_field_text(column, "column"));
        if (!g_str_equal(why, RP_WHY_UNWRITTEN))
            add(checks, group, name, FALSE, g_strdup(why))->is_skipped = TRUE;
    }
}

static void add_entity(GPtrArray *checks, const json_t *entity, gboolean only_counts) {
    const char *group = rp_field_text(entity, "entity");
    const guint64 source = rp_field_number(entity, "source_rows"),
                  target = rp_field_number(entity, "target_rows");
    add(checks, group, "as many rows on both sides", source == target,
        g_strdup_printf("%" G_GUINT64_FORMAT " in Redis, %" G_GUINT64_FORMAT " in PostgreSQL", source,
                        target));
    add_missing(checks, group, entity);
    skip_at_counts(checks, only_counts);
    add_zero(checks, group, "no extra rows", entity, "extra");
    skip_at_counts(checks, only_counts);
    add_zero(checks, group, "no different rows", entity, "different");
    skip_at_counts(checks, only_counts);
    add_unrecorded(checks, group, entity);
    add_not_compared(checks, group, rp_field_list(entity, "not_compared"));
    add_aggregates(checks, group, rp_field_list(entity, "aggregates"));
}

static void add_link(GPtrArray *checks, const json_t *link) {
    g_autofree char *group = g_strdup_printf("link %s", rp_field_text(link, "link"));
    const char *why = rp_field_text(link, "not_checked");
    if (why[0] != '\0') {
        add(checks, group, "is checked", FALSE, g_strdup(why))->is_skipped = TRUE;
        return;
    }
    add_zero(checks, group, "no dangling members", link, "dangling");
    add_zero(checks, group, "no unlisted rows", link, "unlisted");
}

static void add_orphans(GPtrArray *checks, const json_t *orphans) {
    if (json_array_size(orphans) == 0)
        add(checks, "orphans", "no row refers to one that is not there", TRUE, NULL);
    for (size_t i = 0; i < json_array_size(orphans); i++) {
        const json_t *orphan = json_array_get(orphans, i);
        g_autofree char *name =
            g_strdup_printf("rows of %s refer to rows of %s that are there", rp_field_text(orphan, "table"),
                            rp_field_text(orphan, "references"));
        if (rp_field_has_text(orphan, "not_checked"))
            add(checks, "orphans", name, FALSE, g_strdup(rp_field_text(orphan, "not_checked")))->is_skipped =
                TRUE;
        else
            add_zero(checks, "orphans", name, orphan, "rows");
    }
}

static void add_reconcile(GPtrArray *checks, const json_t *reconcile) {
    const json_t *entities = rp_field_list(reconcile, "entities"), *links = rp_field_list(reconcile, "links");
    for (size_t i = 0; i < json_array_size(entities); i++)
        add_entity(checks, json_array_get(entities, i), is_counts(reconcile));
    for (size_t i = 0; i < json_array_size(links); i++)
        add_link(checks, json_array_get(links, i));
    add_orphans(checks, rp_field_list(reconcile, "orphans"));
}

/* A check for each reason: what it is about stands in it. */
static void add_cutover(GPtrArray *checks, const json_t *cutover) {
    const json_t *reasons = rp_field_list(cutover, "reasons"),
                 *reconcile = json_object_get(cutover, "reconcile");
    add(checks, "gate", "the verdict is go", g_str_equal(rp_field_text(cutover, "verdict"), "go"),
        g_strdup_printf("refused, for %zu reasons", json_array_size(reasons)));
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        g_autofree char *name = g_strdup_printf("reason %zu", i + 1);
        add(checks, "gate", name, FALSE, g_strdup(json_string_value(json_array_get(reasons, i))));
    }
    if (json_is_object(reconcile) && !g_str_equal(rp_field_text(cutover, "verdict"), "go"))
        add_reconcile(checks, reconcile);
}

GPtrArray *rp_checks_of(const json_t *document) {
    GPtrArray *checks = g_ptr_array_new_with_free_func((GDestroyNotify)rp_check_free);
    const char *kind = rp_field_text(document, "kind");
    const json_t *result = rp_document_result(document);
    if (g_str_equal(kind, "reconcile"))
        add_reconcile(checks, result);
    else if (g_str_equal(kind, "cutover"))
        add_cutover(checks, result);
    else if (g_str_equal(kind, "rollback"))
        add_rollback(checks, result);
    else
        add_run(checks, result);
    return checks;
}
