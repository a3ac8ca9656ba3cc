/* Counting what a trial sees. Everything that data could make many of is bounded. */
#include "pipeline/tally.h"

#define MAX_SHAPES  100 /* further ones are counted under "*" */
#define MAX_FIELDS  100 /* names that are told apart for an entity */
#define SHOWN_NAMES 20

/* Things of one sort, and the first of them. */
typedef struct {
    char *name; /* as it is shown */
    guint64 n;
    char *example; /* the key */
    /* Of rejects: */
    const RpEntity *entity;
    RpRejectCode code;
    char *column; /* or NULL */
    char *message;
} Sort;

/* Sorts by their names, and how many things were met that there was no room to tell apart. */
typedef struct {
    GHashTable *by_name; /* char * -> Sort */
    guint most;
    guint64 n_others;
} Sorts;

struct RpTally {
    const RpMapping *mapping;
    guint64 n_keys;
    guint64 n_read;
    guint64 n_rejected;
    Sorts shapes;  /* of unmapped keys */
    Sorts *unread; /* by entity: names of fields */
    Sorts rejects; /* by entity, code and column */
};

static void sort_free(gpointer data) {
    Sort *sort = data;
    g_free(sort->name);
    g_free(sort->example);
    g_free(sort->column);
    g_free(sort->message);
    g_free(sort);
}

static void sorts_init(Sorts *sorts, guint most) {
    *sorts = (Sorts){g_hash_table_new_full(g_str_hash, g_str_equal, NULL, sort_free), most, 0};
}

/* Counts a thing of that name, met at that key. The sort, or NULL when it is one of the others. */
static Sort *sorts_add(Sorts *sorts, const char *name, RpSpan key) {
    Sort *sort = g_hash_table_lookup(sorts->by_name, name);
    if (sort == NULL && g_hash_table_size(sorts->by_name) >= sorts->most) {
        sorts->n_others++;
        return NULL;
    }
    if (sort == NULL) {
        sort = g_new0(Sort, 1);
        sort->name = g_strdup(name);
        sort->example = rp_span_show(key, RP_SHOWN_KEY_BYTES);
        g_hash_table_insert(sorts->by_name, sort->name, sort);
    }
    sort->n++;
    return sort;
}

static int compare_sorts(gconstpointer a, gconstpointer b) {
    const Sort *first = *(Sort *const *)a, *second = *(Sort *const *)b;
    return first->n != second->n ? (first->n < second->n ? 1 : -1) : strcmp(first->name, second->name);
}

/* Those of which there are most first. The caller unrefs the array; the sorts are borrowed. */
static GPtrArray *sorts_list(const Sorts *sorts) {
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer sort;
    g_hash_table_iter_init(&iterator, sorts->by_name);
    while (g_hash_table_iter_next(&iterator, NULL, &sort))
        g_ptr_array_add(list, sort);
    g_ptr_array_sort(list, compare_sorts);
    return list;
}

RpTally *rp_tally_new(const RpMapping *mapping) {
    RpTally *tally = g_new0(RpTally, 1);
    tally->mapping = mapping;
    sorts_init(&tally->shapes, MAX_SHAPES);
    sorts_init(&tally->rejects, G_MAXUINT);
    tally->unread = g_new(Sorts, mapping->entities->len);
    for (guint i = 0; i < mapping->entities->len; i++)
        sorts_init(&tally->unread[i], MAX_FIELDS);
    return tally;
}

void rp_tally_free(RpTally *tally) {
    if (tally == NULL)
        return;
    for (guint i = 0; i < tally->mapping->entities->len; i++)
        g_hash_table_unref(tally->unread[i].by_name);
    g_free(tally->unread);
    g_hash_table_unref(tally->shapes.by_name);
    g_hash_table_unref(tally->rejects.by_name);
    g_free(tally);
}

void rp_tally_add_key(RpTally *tally, RpSpan key) {
    tally->n_keys++;
    if (rp_mapping_cover(tally->mapping, key) != RP_COVER_NONE)
        return;
    g_autofree char *shape = rp_pattern_shape(key);
    sorts_add(&tally->shapes, shape, key);
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

static gboolean names_member(const RpEntity *entity, RpSpan name) {
    for (guint i = 0; i < entity->scope.documents->len; i++) {
        const RpDocument *document = g_ptr_array_index(entity->scope.documents, i);
        if (document->kind == RP_DOCUMENT_VALUE && rp_json_paths_leads_to(document->paths, name))
            return TRUE;
    }
    return entity->scope.has_value;
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
    sorts_add(&tally->unread[entity], shown, key);
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
    const char *column = reject->column != NULL ? reject->column : "";
    g_autofree char *name = g_strdup_printf("%u %d %s", reject->entity, (int)reject->code, column);
    Sort *sort = sorts_add(&tally->rejects, name, rp_records_key(&batch->records, reject->record));
    if (sort->message != NULL)
        return;
    sort->entity = entity;
    sort->code = reject->code;
    sort->column = g_strdup(reject->column);
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

/* A shape as an `ignore` that leaves nothing else behind; NULL where there is no such one: a shape without a
 * literal part, or one whose bytes would have to be written otherwise. */
static char *ignore_for(const char *shape) {
    const gboolean is_plain =
        shape[strspn(shape, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "_-.:*/@#+=")] == '\0';
    return is_plain && shape[strspn(shape, "*:")] != '\0' ? g_strdup_printf("ignore: [\"%s\"]", shape) : NULL;
}

static void report_shapes(const RpTally *tally, RpFindings *findings) {
    g_autoptr(GPtrArray) shapes = sorts_list(&tally->shapes);
    for (guint i = 0; i < shapes->len; i++) {
        const Sort *shape = g_ptr_array_index(shapes, i);
        g_autofree char *ignore = ignore_for(shape->name);
        g_autofree char *remedy = g_strdup_printf("map them with an entity%s%s",
                                                  ignore != NULL ? ", or leave them behind on purpose: " : "",
                                                  ignore != NULL ? ignore : "");
        rp_findings_add(findings, RP_SEVERITY_WARNING, "unmapped_keys", "Redis", remedy,
                        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                        " keys looked at are of the shape %s (for example %s), which nothing covers",
                        shape->n, tally->n_keys, shape->name, shape->example);
    }
    if (tally->shapes.n_others > 0)
        rp_findings_add(findings, RP_SEVERITY_WARNING, "unmapped_keys", "Redis",
                        "map or ignore the shapes above, then check again",
                        "%" G_GUINT64_FORMAT " more of %" G_GUINT64_FORMAT
                        " keys looked at are of further shapes, which nothing covers",
                        tally->shapes.n_others, tally->n_keys);
}

static void report_fields(const RpTally *tally, guint number, RpFindings *findings) {
    const RpEntity *entity = entity_at(tally, number);
    g_autoptr(GPtrArray) names = sorts_list(&tally->unread[number]);
    g_autoptr(GString) list = g_string_new(NULL);
    if (names->len == 0)
        return;
    for (guint i = 0; i < MIN(names->len, SHOWN_NAMES); i++) {
        const Sort *name = g_ptr_array_index(names, i);
        g_string_append_printf(list, "%s%s (%" G_GUINT64_FORMAT ")", i > 0 ? ", " : "", name->name, name->n);
    }
    if (names->len > SHOWN_NAMES || tally->unread[number].n_others > 0)
        g_string_append(list, ", and more");
    rp_findings_add(findings, RP_SEVERITY_NOTE, "unread_fields", entity->place,
                    "map them, or leave them behind on purpose: ignore_fields: [NAME, ...]",
                    "entity \"%s\": no column reads the fields %s; for example of key %s", entity->name,
                    list->str, ((const Sort *)g_ptr_array_index(names, 0))->example);
}

static void report_rejects(const RpTally *tally, RpFindings *findings) {
    g_autoptr(GPtrArray) rejects = sorts_list(&tally->rejects);
    for (guint i = 0; i < rejects->len; i++) {
        const Sort *sort = g_ptr_array_index(rejects, i);
        rp_findings_add(findings, RP_SEVERITY_WARNING, "would_reject", sort->entity->place,
                        "mend the data, or say in the mapping what is to become of it",
                        "entity \"%s\" would reject %" G_GUINT64_FORMAT
                        " of the rows tried as %s%s%s; for example key %s: %s",
                        sort->entity->name, sort->n, rp_reject_code_name(sort->code),
                        sort->column != NULL ? " of column " : "", sort->column != NULL ? sort->column : "",
                        sort->example, sort->message);
    }
}

void rp_tally_report(const RpTally *tally, gboolean has_rows, RpFindings *findings) {
    report_shapes(tally, findings);
    for (guint i = 0; i < tally->mapping->entities->len; i++)
        report_fields(tally, i, findings);
    report_rejects(tally, findings);
    if (has_rows)
        rp_findings_add(
            findings, RP_SEVERITY_NOTE, "trial", "Redis", NULL,
            "%" G_GUINT64_FORMAT " keys looked at gave %" G_GUINT64_FORMAT
            " rows, of which the mapping would reject %" G_GUINT64_FORMAT
            "; what PostgreSQL judges (foreign keys, unique values, checks, look-ups, casts) was not tried",
            tally->n_keys, tally->n_read, tally->n_rejected);
}
