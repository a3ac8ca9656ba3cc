/* Counting what a trial sees. Everything that data could make many of is bounded. */
#include "pipeline/tally.h"

#define MAX_SHAPES  100 /* further ones are counted under "*" */
#define MAX_FIELDS  100 /* names that are told apart for an entity */
#define SHOWN_NAMES 20

/* Things of one sort, and the first of them. */
typedef struct {
    guint64 n;
    char *example;
    char *message; /* of rejects */
} Sort;

struct RpTally {
    const RpMapping *mapping;
    guint64 n_keys;
    guint64 n_read;
    guint64 n_rejected;
    GHashTable *shapes;  /* of unmapped keys: text -> Sort */
    GPtrArray *unread;   /* by entity: field name -> Sort */
    GHashTable *rejects; /* "entity\tcode\tcolumn" -> Sort */
};

static void sort_free(gpointer data) {
    Sort *sort = data;
    g_free(sort->example);
    g_free(sort->message);
    g_free(sort);
}

static GHashTable *sorts_new(void) {
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, sort_free);
}

/* The sort of that name; a new one when there is room for it, else the one called "*". */
static Sort *sort_get(GHashTable *sorts, const char *name, guint most) {
    Sort *sort = g_hash_table_lookup(sorts, name);
    if (sort == NULL && g_hash_table_size(sorts) >= most) {
        name = "*";
        sort = g_hash_table_lookup(sorts, name);
    }
    if (sort == NULL) {
        sort = g_new0(Sort, 1);
        g_hash_table_insert(sorts, g_strdup(name), sort);
    }
    sort->n++;
    return sort;
}

RpTally *rp_tally_new(const RpMapping *mapping) {
    RpTally *tally = g_new0(RpTally, 1);
    tally->mapping = mapping;
    tally->shapes = sorts_new();
    tally->rejects = sorts_new();
    tally->unread = g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_unref);
    for (guint i = 0; i < mapping->entities->len; i++)
        g_ptr_array_add(tally->unread, sorts_new());
    return tally;
}

void rp_tally_free(RpTally *tally) {
    if (tally == NULL)
        return;
    g_hash_table_unref(tally->shapes);
    g_hash_table_unref(tally->rejects);
    g_ptr_array_unref(tally->unread);
    g_free(tally);
}

void rp_tally_add_key(RpTally *tally, RpSpan key) {
    tally->n_keys++;
    if (rp_mapping_cover(tally->mapping, key) != RP_COVER_NONE)
        return;
    g_autofree char *shape = rp_pattern_shape(key);
    Sort *sort = sort_get(tally->shapes, shape, MAX_SHAPES);
    if (sort->example == NULL)
        sort->example = rp_span_show(key, RP_SHOWN_KEY_BYTES);
}

guint64 rp_tally_get_keys(const RpTally *tally) {
    return tally->n_keys;
}

/* ---- fields ---- */

static const RpEntity *entity_at(const RpTally *tally, guint number) {
    return g_ptr_array_index(tally->mapping->entities, number);
}

static gboolean is_ignored(const RpEntity *entity, RpSpan name) {
    for (char **ignored = entity->ignored_fields; ignored != NULL && *ignored != NULL; ignored++)
        if (rp_span_equal(rp_span(*ignored), name))
            return TRUE;
    return FALSE;
}

static gboolean names_field(const RpEntity *entity, RpSpan name) {
    for (guint i = 0; i < entity->scope.fields->len; i++)
        if (rp_span_equal(rp_span(g_ptr_array_index(entity->scope.fields, i)), name))
            return TRUE;
    return FALSE;
}

/* Whether some reference takes the whole value, and so every member of it. */
static gboolean takes_value(const RpEntity *entity) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        for (guint part = 0; part < column->n_parts; part++)
            if (column->parts[part].literal == NULL &&
                column->parts[part].reference.kind == RP_REFERENCE_VALUE)
                return TRUE;
    }
    return FALSE;
}

static gboolean names_member(const RpEntity *entity, RpSpan name) {
    for (guint i = 0; i < entity->scope.documents->len; i++) {
        const RpDocument *document = g_ptr_array_index(entity->scope.documents, i);
        if (document->kind == RP_DOCUMENT_VALUE && rp_json_paths_leads_to(document->paths, name))
            return TRUE;
    }
    return takes_value(entity);
}

/* Several entities may share a key: what one of them reads is read. */
static gboolean is_read(const RpTally *tally, RpSpan key, RpSpan name) {
    for (guint i = 0; i < tally->mapping->entities->len; i++) {
        const RpEntity *entity = entity_at(tally, i);
        const gboolean is_named =
            is_ignored(entity, name) ||
            (entity->scope.is_json ? names_member(entity, name) : names_field(entity, name));
        if (is_named && rp_pattern_match(entity->keys, key, NULL))
            return TRUE;
    }
    return FALSE;
}

static void add_unread(RpTally *tally, guint32 entity, RpSpan key, RpSpan name) {
    g_autofree char *shown = rp_span_show(name, RP_SHOWN_KEY_BYTES);
    Sort *sort = sort_get(g_ptr_array_index(tally->unread, entity), shown, MAX_FIELDS);
    if (sort->example == NULL)
        sort->example = rp_span_show(key, RP_SHOWN_KEY_BYTES);
}

/* What is no object has no members; what is no JSON is a reject. */
static void add_members(RpTally *tally, guint32 entity, RpSpan key, RpSpan json) {
    if (!rp_span_is_text(json) || rp_json_check(json, RP_JSON_OBJECT) != NULL)
        return;
    RpJsonElements members;
    RpSpan name;
    rp_json_elements_init(&members, json);
    while (rp_json_elements_next_name(&members, &name))
        if (!is_read(tally, key, name))
            add_unread(tally, entity, key, name);
}

void rp_tally_add_fields(RpTally *tally, const RpRecords *records, guint record) {
    const RpRecord *head = rp_records_get(records, record);
    if (head->outcome != RP_READ_OK)
        return;
    const RpSpan key = rp_records_key(records, record);
    g_autofree RpSpan *values = g_new(RpSpan, head->n_values);
    rp_records_values(records, record, values, head->n_values);
    if (entity_at(tally, head->entity)->scope.is_json)
        add_members(tally, head->entity, key, values[0]);
    else if (head->type == RP_RECORD_HASH || head->type == RP_RECORD_STREAM)
        for (guint32 i = head->type == RP_RECORD_STREAM ? 1 : 0; i + 1 < head->n_values; i += 2)
            if (!is_read(tally, key, values[i]))
                add_unread(tally, head->entity, key, values[i]);
}

/* ---- rows ---- */

static void add_reject(RpTally *tally, const RpBatch *batch, const RpReject *reject) {
    const RpEntity *entity = entity_at(tally, reject->entity);
    g_autofree char *name = g_strdup_printf("%s\t%s\t%s", entity->name, rp_reject_code_name(reject->code),
                                            reject->column != NULL ? reject->column : "");
    Sort *sort = sort_get(tally->rejects, name, G_MAXUINT);
    if (sort->example != NULL)
        return;
    sort->example = rp_span_show(rp_records_key(&batch->records, reject->record), RP_SHOWN_KEY_BYTES);
    sort->message = reject->value != NULL ? g_strdup_printf("%s: %s", reject->message, reject->value)
                                          : g_strdup(reject->message);
}

void rp_tally_add_batch(RpTally *tally, const RpBatch *batch) {
    for (guint i = 0; i < batch->n_entities; i++) {
        tally->n_read += batch->counts[i].read;
        tally->n_rejected += batch->counts[i].rejected;
    }
    for (guint i = 0; i < batch->rejects->len; i++)
        add_reject(tally, batch, &g_array_index(batch->rejects, RpReject, i));
}

/* ---- findings ---- */

/* The names of a table of sorts, those of which there are most first. The caller frees the list. */
static GList *names_by_number(GHashTable *sorts) {
    GList *names = g_list_sort(g_hash_table_get_keys(sorts), (GCompareFunc)strcmp);
    for (GList *at = names; at != NULL;
         at = at->next) /* few: by insertion, which keeps equal ones in order */
        for (GList *back = at; back->prev != NULL; back = back->prev) {
            const Sort *later = g_hash_table_lookup(sorts, back->data);
            const Sort *earlier = g_hash_table_lookup(sorts, back->prev->data);
            if (later->n <= earlier->n)
                break;
            gpointer name = back->data;
            back->data = back->prev->data;
            back->prev->data = name;
        }
    return names;
}

static void report_shapes(const RpTally *tally, RpFindings *findings) {
    g_autoptr(GList) names = names_by_number(tally->shapes);
    for (GList *name = names; name != NULL; name = name->next) {
        const Sort *sort = g_hash_table_lookup(tally->shapes, name->data);
        g_autofree char *remedy =
            g_strdup_printf("map them with an entity, or leave them behind on purpose: ignore: [\"%s\"]",
                            (const char *)name->data);
        rp_findings_add(findings, RP_SEVERITY_WARNING, "unmapped_keys", "Redis", remedy,
                        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                        " keys looked at are of the shape %s (for example %s), which nothing covers",
                        sort->n, tally->n_keys, (const char *)name->data, sort->example);
    }
}

static void report_fields(const RpTally *tally, guint number, RpFindings *findings) {
    GHashTable *unread = g_ptr_array_index(tally->unread, number);
    const RpEntity *entity = entity_at(tally, number);
    if (g_hash_table_size(unread) == 0)
        return;
    g_autoptr(GList) names = names_by_number(unread);
    const Sort *first = g_hash_table_lookup(unread, names->data);
    g_autoptr(GString) list = g_string_new(NULL);
    guint n_shown = 0;
    for (GList *name = names; name != NULL && n_shown < SHOWN_NAMES; name = name->next, n_shown++)
        g_string_append_printf(list, "%s%s (%" G_GUINT64_FORMAT ")", n_shown > 0 ? ", " : "",
                               (const char *)name->data,
                               ((const Sort *)g_hash_table_lookup(unread, name->data))->n);
    if (g_hash_table_size(unread) > n_shown)
        g_string_append(list, ", and more");
    rp_findings_add(findings, RP_SEVERITY_NOTE, "unread_fields", entity->place,
                    "map them, or leave them behind on purpose: ignore_fields: [NAME, ...]",
                    "entity \"%s\": no column reads the fields %s; for example of key %s", entity->name,
                    list->str, first->example);
}

static void report_rejects(const RpTally *tally, RpFindings *findings) {
    g_autoptr(GList) names = names_by_number(tally->rejects);
    for (GList *name = names; name != NULL; name = name->next) {
        const Sort *sort = g_hash_table_lookup(tally->rejects, name->data);
        g_auto(GStrv) parts = g_strsplit(name->data, "\t", 3);
        const RpEntity *entity = rp_mapping_find_entity(tally->mapping, parts[0]);
        rp_findings_add(findings, RP_SEVERITY_WARNING, "would_reject", entity->place,
                        "mend the data, or say in the mapping what is to become of it",
                        "entity \"%s\" would reject %" G_GUINT64_FORMAT
                        " of the rows tried as %s%s%s; for example key %s: %s",
                        entity->name, sort->n, parts[1], parts[2][0] != '\0' ? " of column " : "", parts[2],
                        sort->example, sort->message);
    }
}

void rp_tally_report(const RpTally *tally, gboolean has_rows, RpFindings *findings) {
    report_shapes(tally, findings);
    for (guint i = 0; i < tally->mapping->entities->len; i++)
        report_fields(tally, i, findings);
    report_rejects(tally, findings);
    if (has_rows)
        rp_findings_add(findings, RP_SEVERITY_NOTE, "trial", "Redis", NULL,
                        "%" G_GUINT64_FORMAT " keys looked at gave %" G_GUINT64_FORMAT
                        " rows, of which the mapping would reject %" G_GUINT64_FORMAT,
                        tally->n_keys, tally->n_read, tally->n_rejected);
}
