/* Which sections a page has, in which order. */
#include "report/html_sections.h"

#include "report/document.h"
#include "report/field.h"

static gboolean is_run(const json_t *document) {
    return json_is_object(json_object_get(document, "run"));
}

static gboolean is_reconcile(const json_t *document) {
    return json_is_object(json_object_get(document, "reconcile"));
}

static gboolean is_cutover(const json_t *document) {
    return json_is_object(json_object_get(document, "cutover"));
}

static gboolean is_rollback(const json_t *document) {
    return json_is_object(json_object_get(document, "rollback"));
}

/* A replay of records that the ledger keeps scans no keys. */
static gboolean has_keys(const json_t *document) {
    return rp_field_number(json_object_get(rp_document_result(document), "keys"), "scanned") > 0;
}

static gboolean has_unmapped(const json_t *document) {
    return json_array_size(rp_field_list(rp_document_result(document), "unmapped_patterns")) > 0;
}

static gboolean has_aggregates(const json_t *document) {
    const json_t *entities = rp_field_list(json_object_get(document, "reconcile"), "entities");
    for (size_t i = 0; i < json_array_size(entities); i++)
        if (json_array_size(rp_field_list(json_array_get(entities, i), "aggregates")) > 0)
            return TRUE;
    return FALSE;
}

static gboolean has_links(const json_t *document) {
    return json_array_size(rp_field_list(json_object_get(document, "reconcile"), "links")) > 0;
}

static gboolean has_kept(const json_t *document) {
    return rp_field_number(json_object_get(document, "rollback"), "kept_total") > 0;
}

/* A rollback's undoing is no throughput of rows written. */
static gboolean has_throughput(const json_t *document) {
    return is_run(document) && json_array_size(rp_field_list(document, "throughput")) > 0;
}

static gboolean is_any(const json_t *document) {
    (void)document;
    return TRUE;
}

const RpHtmlSection RP_HTML_SECTIONS[] = {
    {"balance", "Balance by entity", is_run, rp_html_balance},
    {"cutover", "The gate", is_cutover, rp_html_cutover},
    {"rows", "Rows by entity", is_reconcile, rp_html_rows},
    {"undone", "What was undone", is_rollback, rp_html_undone},
    {"kept", "What was kept", has_kept, rp_html_kept},
    {"keys", "Keys", has_keys, rp_html_keys},
    {"unmapped", "Keys that nothing covers", has_unmapped, rp_html_unmapped},
    {"rejects", "Rejects", is_run, rp_html_rejects},
    {"differences", "Differences", is_reconcile, rp_html_differences},
    {"aggregates", "Aggregates", has_aggregates, rp_html_aggregates},
    {"links", "Links", has_links, rp_html_links},
    {"orphans", "Orphans", is_reconcile, rp_html_orphans},
    {"throughput", "Throughput", has_throughput, rp_html_speed},
    {"details", "Settings and versions", is_any, rp_html_details},
    {NULL, NULL, NULL, NULL},
};
