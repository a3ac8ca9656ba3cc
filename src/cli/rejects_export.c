/* `redis2pg rejects export`: rejects with their records, as JSON Lines. */
#include "base/log.h"
#include "cli/prepare.h"
#include "cli/rejects.h"
#include "ledger/summary.h"
#include "mapping/privacy.h"
#include "model/raw.h"
#include "model/reject.h"
#include "report/record_json.h"

#include <stdio.h>

typedef struct {
    const RpMapping *mapping; /* NULL: none */
    RpPrivacy *privacy;       /* NULL: all is shown */
    guint64 n_unknown;        /* of entities that the mapping does not have */
} Export;

/* What was shown when the reject was stored: the column may have become sensitive since. */
static gboolean is_value_hidden(const Export *export, const RpStoredReject *reject) {
    if (export->privacy == NULL || export->mapping == NULL || reject->column == NULL)
        return FALSE;
    const RpEntity *entity = rp_mapping_find_entity(export->mapping, reject->entity);
    const RpMapColumn *column = entity != NULL ? rp_entity_find_column(entity, reject->column) : NULL;
    return column != NULL && rp_column_is_masked(column);
}

static json_t *record_json(Export *export, const RpStoredReject *reject) {
    gsize size;
    const char *data = g_bytes_get_data(reject->raw, &size);
    RpRaw raw;
    if (size == 0) /* an earlier reject of its key has it */
        return json_null();
    if (!rp_raw_open(&raw, (RpSpan){data, size}))
        return json_pack("{sb}", "is_damaged", 1);
    if (export->privacy != NULL && !rp_privacy_begin(export->privacy, reject->entity, raw.key, raw.type))
        export->n_unknown++;
    return rp_record_json(&raw, export->privacy);
}

static void export_one(const RpStoredReject *reject, gpointer data) {
    Export *export = data;
    json_t *object = rp_rejects_json(reject);
    if (reject->value != NULL && is_value_hidden(export, reject))
        json_object_set_new(object, "value", json_string(RP_MASK));
    json_object_set_new(object, "record", record_json(export, reject));
    json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(object);
}

static gboolean visit(const RpGlobals *globals, const RpRejectsSettings *settings, Export *export,
                      GError **error) {
    const RpRejectFilter filter = rp_rejects_filter(settings);
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, error);
    gboolean exists;
    if (connection == NULL || !rp_ledger_exists(connection, &exists, error))
        return FALSE;
    return !exists || rp_ledger_visit_rejects(connection, &filter, TRUE, (guint64)MAX(settings->limit, 0),
                                              export_one, export, error);
}

static void say_why_masked(const Export *export) {
    if (export->n_unknown > 0 && export->mapping == NULL)
        rp_log(RP_LOG_WARNING, "without --mapping nobody can say which values are sensitive: all are masked "
                               "(--reveal shows them)");
    else if (export->n_unknown > 0)
        rp_log(RP_LOG_WARNING,
               "the values of %" G_GUINT64_FORMAT
               " rejects are masked: the mapping does not have their entities (--reveal shows them)",
               export->n_unknown);
}

gboolean rp_rejects_export(const RpGlobals *globals, const RpRejectsSettings *settings, GError **error) {
    g_auto(RpPrepared) prepared = {0};
    g_autoptr(RpFindings) findings = rp_findings_new();
    if (globals->mapping_path != NULL &&
        (!rp_prepare(globals, 0, &prepared, findings, error) || !rp_findings_check(findings, error)))
        return FALSE;
    g_autoptr(RpPrivacy) privacy = settings->reveals ? NULL : rp_privacy_new(prepared.mapping);
    Export export = {.mapping = prepared.mapping, .privacy = privacy};
    if (!visit(globals, settings, &export, error))
        return FALSE;
    say_why_masked(&export);
    return TRUE;
}
