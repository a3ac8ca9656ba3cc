/* Mappings: the text of a file. What has no mistake is bound to a table with a column of every kind. */
#include "mapping/mapping.h"

#include "input.h"
#include "target_table.h"

#define FILE_NAME "m.yaml"

static void check_findings(const RpFindings *findings) {
    for (guint i = 0; i < findings->items->len; i++) {
        const RpFinding *finding = g_ptr_array_index(findings->items, i);
        g_assert(g_utf8_validate(finding->text, -1, NULL) && finding->text[0] != '\0');
        g_assert(g_str_has_prefix(finding->place, FILE_NAME));
    }
}

/* All lookups look into the table itself. */
static void bind(const RpMapping *mapping, const RpTable *table, RpFindings *findings) {
    for (guint i = 0; i < mapping->entities->len; i++) {
        RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        for (guint j = 0; j < entity->columns->len; j++) {
            RpMapColumn *column = g_ptr_array_index(entity->columns, j);
            if (column->lookup != NULL)
                column->lookup->table = table;
        }
        rp_entity_bind(entity, table, findings);
    }
    rp_mapping_check_tables(mapping, findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(RpTable) table = target_table();
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping = rp_mapping_load_text(FILE_NAME, (const char *)data, size, findings);
    if (rp_findings_count(findings, RP_SEVERITY_ERROR) == 0) {
        bind(mapping, table, findings);
        rp_mapping_cover(mapping, RP_SPAN_OF("order:o1"));
    }
    check_findings(findings);
    return 0;
}
