/* From references to text: fields are found by where they stood last time, JSON texts are read when the
 * first column asks for something inside, and once a record. */
#include "mapping/reading.h"

#include "mapping/number_text.h"

/* A JSON text of the record under way. */
typedef struct {
    gboolean is_read;
    gboolean is_bad;
    RpProblem problem; /* when it is bad */
    RpSpan *values;    /* by slot: the JSON that stands there */
    RpSpan *texts;     /* by slot: what a reference gives */
    RpBuffer scratch;  /* strings that had to be unescaped */
} Document;

/* A field that an entity reads. */
typedef struct {
    RpSpan name;
    guint32 hint; /* where it stood last time */
} Field;

/* What is kept for an entity between its records. */
typedef struct {
    Field *fields;
    Document *documents;
} Memory;

struct RpReading {
    const RpMapping *mapping;
    Memory *memories; /* by entity */
    Memory *memory;   /* of the record's entity */
    const RpEntity *entity;
    const RpRecord *record;
    RpSpan key;
    RpSpan captures[RP_PATTERN_MAX_CAPTURES];
    RpSpan *values; /* of the record */
    guint32 values_capacity;
    RpSpan *fields; /* by the entity's field number; NULL data: absent */
    RpJsonElements elements;
    RpSpan element;
    guint32 n_elements; /* passed so far */
    gint64 index;       /* of the record in its list, or of the element in its array */
    /* Texts made of numbers: one for each reference that has one. */
    RpNumberText database;
    RpNumberText now;
    RpNumberText index_text;
    RpNumberText ttl_ms;
    RpNumberText expires_at;
    RpNumberText score;
};

/* ---- life ---- */

static void memory_init(Memory *memory, const RpReferenceScope *scope) {
    memory->fields = g_new0(Field, scope->fields->len);
    for (guint i = 0; i < scope->fields->len; i++)
        memory->fields[i].name = rp_span(g_ptr_array_index(scope->fields, i));
    memory->documents = g_new0(Document, scope->documents->len);
    for (guint i = 0; i < scope->documents->len; i++) {
        const guint n_slots = rp_json_paths_size(((RpDocument *)scope->documents->pdata[i])->paths);
        memory->documents[i].values = g_new0(RpSpan, n_slots);
        memory->documents[i].texts = g_new0(RpSpan, n_slots);
    }
}

static void memory_clear(Memory *memory, const RpReferenceScope *scope) {
    g_free(memory->fields);
    for (guint i = 0; i < scope->documents->len; i++) {
        g_free(memory->documents[i].values);
        g_free(memory->documents[i].texts);
        rp_buffer_clear(&memory->documents[i].scratch);
    }
    g_free(memory->documents);
}

static const RpEntity *entity_at(const RpReading *reading, guint number) {
    return g_ptr_array_index(reading->mapping->entities, number);
}

RpReading *rp_reading_new(const RpMapping *mapping, const RpOccasion *occasion) {
    RpReading *reading = g_new0(RpReading, 1);
    reading->mapping = mapping;
    reading->memories = g_new0(Memory, mapping->entities->len);
    guint most_fields = 0;
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpReferenceScope *scope = &entity_at(reading, i)->scope;
        memory_init(&reading->memories[i], scope);
        most_fields = MAX(most_fields, scope->fields->len);
    }
    reading->fields = g_new0(RpSpan, most_fields);
    rp_number_text_integer(&reading->database, occasion->database);
    rp_number_text_time(&reading->now, occasion->now_us, G_USEC_PER_SEC);
    return reading;
}

void rp_reading_free(RpReading *reading) {
    if (reading == NULL)
        return;
    for (guint i = 0; i < reading->mapping->entities->len; i++)
        memory_clear(&reading->memories[i], &entity_at(reading, i)->scope);
    g_free(reading->memories);
    g_free(reading->fields);
    g_free(reading->values);
    g_free(reading);
}

/* ---- a record ---- */

/* Finds each field that the entity reads. The hashes of an application are mostly written with the same
 * fields in the same order: where the field stood last time is looked at first. Names begin at `first`. */
static void find_fields(RpReading *reading, guint32 first, guint32 n_values) {
    const guint n_fields = reading->entity->scope.fields->len;
    for (guint i = 0; i < n_fields; i++) {
        Field *field = &reading->memory->fields[i];
        guint32 position = MAX(field->hint, first);
        reading->fields[i] = (RpSpan){0};
        if (position + 1 >= n_values || !rp_span_equal(reading->values[position], field->name))
            for (position = first; position + 1 < n_values; position += 2)
                if (rp_span_equal(reading->values[position], field->name))
                    break;
        if (position + 1 < n_values) {
            field->hint = position;
            reading->fields[i] = reading->values[position + 1];
        }
    }
}

static void forget_documents(RpReading *reading, gboolean only_element) {
    for (guint i = 0; i < reading->entity->scope.documents->len; i++) {
        const RpDocument *document = g_ptr_array_index(reading->entity->scope.documents, i);
        if (!only_element || document->kind == RP_DOCUMENT_ELEMENT)
            reading->memory->documents[i].is_read = FALSE;
    }
}

void rp_reading_begin(RpReading *reading, const RpRecords *records, guint record) {
    const RpRecord *head = rp_records_get(records, record);
    reading->record = head;
    reading->entity = entity_at(reading, head->entity);
    reading->memory = &reading->memories[head->entity];
    reading->key = rp_records_key(records, record);
    if (!rp_pattern_match(reading->entity->keys, reading->key, reading->captures))
        g_assert_not_reached(); /* the reader chose the key by the same pattern */
    if (head->n_values > reading->values_capacity) {
        reading->values_capacity = head->n_values;
        reading->values = g_renew(RpSpan, reading->values, head->n_values);
    }
    rp_records_values(records, record, reading->values, head->n_values);
    if (reading->entity->scope.fields->len > 0)
        find_fields(reading, reading->entity->scope.type == RP_RECORD_STREAM ? 1 : 0, head->n_values);
    forget_documents(reading, FALSE);
    if (reading->entity->scope.has_ttl)
        rp_number_text_integer(&reading->ttl_ms, head->ttl_ms);
    if (reading->entity->scope.has_expiry)
        rp_number_text_time(&reading->expires_at, head->expires_at_ms, 1000);
    reading->index = head->index;
}

/* ---- JSON ---- */

static RpSpan text_of(const RpReading *reading, const RpDocument *document) {
    switch (document->kind) {
    case RP_DOCUMENT_FIELD:
        return reading->fields[document->field];
    case RP_DOCUMENT_VALUE:
        return reading->values[0];
    case RP_DOCUMENT_ELEMENT:
        return reading->element;
    }
    g_assert_not_reached();
}

static gboolean check_json(const RpDocument *document, RpSpan text, RpProblem *problem) {
    if (document->kind == RP_DOCUMENT_ELEMENT) /* its array was checked */
        return TRUE;
    if (!rp_span_is_text(text))
        return rp_problem_set(problem, RP_REJECT_INVALID_ENCODING, "is not UTF-8 text without NUL");
    const char *trouble = rp_json_check(text, RP_JSON_ANY);
    return trouble == NULL ||
           rp_problem_set(problem, RP_REJECT_INVALID_JSON, "is not the JSON expected: %s", trouble);
}

static void read_document(RpReading *reading, const RpDocument *document, Document *found) {
    const RpSpan text = text_of(reading, document);
    const guint n_slots = rp_json_paths_size(document->paths);
    memset(found->values, 0, n_slots * sizeof(RpSpan));
    memset(found->texts, 0, n_slots * sizeof(RpSpan));
    found->is_read = TRUE;
    found->is_bad = FALSE;
    if (text.data == NULL)
        return;
    if (!check_json(document, text, &found->problem)) {
        found->is_bad = TRUE;
        return;
    }
    rp_json_paths_find(document->paths, text, found->values);
    rp_buffer_reset(&found->scratch, G_MAXSIZE);
    rp_buffer_reserve(&found->scratch, text.size);
    for (guint slot = 0; slot < n_slots; slot++)
        found->texts[slot] = rp_json_value_text(found->values[slot], &found->scratch);
}

static const Document *get_document(RpReading *reading, guint number, RpProblem *problem) {
    Document *found = &reading->memory->documents[number];
    if (!found->is_read)
        read_document(reading, g_ptr_array_index(reading->entity->scope.documents, number), found);
    if (!found->is_bad)
        return found;
    *problem = found->problem;
    return NULL;
}

/* ---- references ---- */

static RpSpan get_plain(RpReading *reading, const RpReference *reference) {
    switch (reference->kind) {
    case RP_REFERENCE_FIELD:
        return reading->fields[reference->index];
    case RP_REFERENCE_KEY:
        return reading->key;
    case RP_REFERENCE_CAPTURE:
        return reading->captures[reference->index];
    case RP_REFERENCE_VALUE:
    case RP_REFERENCE_ID:
        return reading->values[0];
    case RP_REFERENCE_SCORE:
        return rp_number_text_score(&reading->score, reading->values[1]);
    case RP_REFERENCE_INDEX:
        rp_number_text_integer(&reading->index_text, reading->index);
        return rp_span(reading->index_text.bytes);
    case RP_REFERENCE_TTL_MS:
        return reading->record->ttl_ms < 0 ? (RpSpan){0} : rp_span(reading->ttl_ms.bytes);
    case RP_REFERENCE_EXPIRES_AT:
        return reading->record->expires_at_ms < 0 ? (RpSpan){0} : rp_span(reading->expires_at.bytes);
    case RP_REFERENCE_DB:
        return rp_span(reading->database.bytes);
    case RP_REFERENCE_NOW:
        return rp_span(reading->now.bytes);
    case RP_REFERENCE_JSON:
        break; /* rp_reading_get has it */
    }
    g_assert_not_reached();
}

gboolean rp_reading_get(RpReading *reading, const RpReference *reference, RpSpan *text, RpProblem *problem) {
    if (reference->kind != RP_REFERENCE_JSON) {
        *text = get_plain(reading, reference);
        return TRUE;
    }
    const Document *document = get_document(reading, reference->index, problem);
    if (document == NULL)
        return FALSE;
    *text = document->texts[reference->slot];
    return TRUE;
}

/* ---- elements ---- */

gboolean rp_reading_begin_elements(RpReading *reading, RpProblem *problem) {
    const RpReference *each = &reading->entity->scope.each;
    const Document *document = get_document(reading, each->index, problem);
    if (document == NULL)
        return FALSE;
    static const char nothing[] = "[]";
    RpSpan array = document->values[each->slot];
    if (document->texts[each->slot].data == NULL)
        array = rp_span(nothing);
    if (array.data[0] != '[')
        return rp_problem_set(problem, RP_REJECT_INVALID_JSON, "what `each` names is no array");
    rp_json_elements_init(&reading->elements, array);
    reading->n_elements = 0;
    return TRUE;
}

gboolean rp_reading_next_element(RpReading *reading) {
    if (!rp_json_elements_next(&reading->elements, &reading->element))
        return FALSE;
    forget_documents(reading, TRUE);
    reading->index = reading->n_elements++;
    return TRUE;
}

guint32 rp_reading_get_element(const RpReading *reading) {
    return reading->n_elements - 1;
}
