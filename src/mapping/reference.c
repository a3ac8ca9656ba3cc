/* Parsing of references. */
#include "mapping/reference.h"

#define MAX_SEGMENTS 16

static void document_clear(gpointer data) {
    RpDocument *document = data;
    rp_json_paths_free(document->paths);
    g_free(document);
}

void rp_reference_scope_init(RpReferenceScope *scope) {
    *scope = (RpReferenceScope){.fields = g_ptr_array_new_with_free_func(g_free),
                                .documents = g_ptr_array_new_with_free_func(document_clear)};
}

void rp_reference_scope_clear(RpReferenceScope *scope) {
    g_ptr_array_unref(scope->fields);
    g_ptr_array_unref(scope->documents);
}

/* ---- what begins with $ ---- */

static gboolean is_element(const RpReferenceScope *scope) {
    return scope->type == RP_RECORD_LIST || scope->type == RP_RECORD_SET || scope->type == RP_RECORD_ZSET;
}

static gboolean always(const RpReferenceScope *scope) {
    (void)scope;
    return TRUE;
}

static gboolean has_value(const RpReferenceScope *scope) {
    return is_element(scope) || scope->type == RP_RECORD_STRING;
}

static gboolean has_score(const RpReferenceScope *scope) {
    return scope->type == RP_RECORD_ZSET;
}

static gboolean has_id(const RpReferenceScope *scope) {
    return scope->type == RP_RECORD_STREAM;
}

static gboolean has_index(const RpReferenceScope *scope) {
    return scope->has_each || scope->type == RP_RECORD_LIST;
}

static gboolean has_element(const RpReferenceScope *scope) {
    return scope->has_each;
}

/* The references that begin with a dollar, but for $key.NAME. */
static const struct {
    const char *word;
    RpReferenceKind kind;
    gboolean is_document; /* a path may follow */
    RpDocumentKind document;
    gboolean (*is_there)(const RpReferenceScope *scope);
    const char *where; /* says where it is there */
} DOLLARS[] = {
    {"$key", RP_REFERENCE_KEY, FALSE, 0, always, ""},
    {"$value", RP_REFERENCE_VALUE, TRUE, RP_DOCUMENT_VALUE, has_value, "a string, json, list, set or zset"},
    {"$element", RP_REFERENCE_JSON, TRUE, RP_DOCUMENT_ELEMENT, has_element, "an entity with `each`"},
    {"$score", RP_REFERENCE_SCORE, FALSE, 0, has_score, "a zset"},
    {"$index", RP_REFERENCE_INDEX, FALSE, 0, has_index, "a list, or an entity with `each`"},
    {"$id", RP_REFERENCE_ID, FALSE, 0, has_id, "a stream"},
    {"$ttl_ms", RP_REFERENCE_TTL_MS, FALSE, 0, always, ""},
    {"$expires_at", RP_REFERENCE_EXPIRES_AT, FALSE, 0, always, ""},
    {"$db", RP_REFERENCE_DB, FALSE, 0, always, ""},
    {"$now", RP_REFERENCE_NOW, FALSE, 0, always, ""},
};

/* ---- documents ---- */

static void set_json(RpReferenceScope *scope, RpDocumentKind kind, guint field, char **segments,
                     RpReference *reference) {
    guint number = 0;
    for (; number < scope->documents->len; number++) {
        const RpDocument *known = g_ptr_array_index(scope->documents, number);
        if (known->kind == kind && known->field == field)
            break;
    }
    if (number == scope->documents->len) {
        RpDocument *document = g_new0(RpDocument, 1);
        *document = (RpDocument){kind, field, rp_json_paths_new()};
        g_ptr_array_add(scope->documents, document);
    }
    const RpDocument *document = g_ptr_array_index(scope->documents, number);
    *reference = (RpReference){RP_REFERENCE_JSON, number,
                               rp_json_paths_add(document->paths, (const char *const *)segments)};
}

static guint field_number(RpReferenceScope *scope, const char *name) {
    guint number;
    if (!g_ptr_array_find_with_equal_func(scope->fields, name, g_str_equal, &number)) {
        number = scope->fields->len;
        g_ptr_array_add(scope->fields, g_strdup(name));
    }
    return number;
}

/* ---- parsing ---- */

/* Splits at dots that no backslash stands before; NULL with *problem when a name is empty or there are too
 * many. */
static char **split(const char *text, char **problem) {
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GString) name = g_string_new(NULL);
    guint n_segments = 0;
    for (const char *at = text;; at++) {
        if (*at == '\\' && at[1] != '\0') {
            g_string_append_c(name, *++at);
            continue;
        }
        if (*at != '.' && *at != '\0') {
            g_string_append_c(name, *at);
            continue;
        }
        if (name->len == 0 || ++n_segments > MAX_SEGMENTS) {
            *problem =
                g_strdup_printf("\"%s\" is no reference: %s", text,
                                name->len == 0 ? "a name in it is empty" : "a path has at most 16 names");
            return NULL;
        }
        g_strv_builder_add(builder, name->str);
        g_string_truncate(name, 0);
        if (*at == '\0')
            return g_strv_builder_end(builder);
    }
}

static gboolean set_capture(const RpReferenceScope *scope, const char *name, RpReference *reference,
                            char **problem) {
    const int capture = rp_pattern_find_capture(scope->keys, name);
    if (capture < 0) {
        *problem = g_strdup_printf("the key pattern \"%s\" captures no \"%s\"",
                                   rp_pattern_get_text(scope->keys), name);
        return FALSE;
    }
    *reference = (RpReference){.kind = RP_REFERENCE_CAPTURE, .index = (guint)capture};
    return TRUE;
}

static gboolean set_dollar(RpReferenceScope *scope, guint dollar, char **path, RpReference *reference,
                           char **problem) {
    const char *word = DOLLARS[dollar].word;
    if (!DOLLARS[dollar].is_there(scope)) {
        *problem = g_strdup_printf("%s is not here: it belongs to %s", word, DOLLARS[dollar].where);
        return FALSE;
    }
    if (*path != NULL && !DOLLARS[dollar].is_document) {
        *problem = g_strdup_printf("%s has no path below it: \"%s\"", word, *path);
        return FALSE;
    }
    if (*path != NULL || DOLLARS[dollar].kind == RP_REFERENCE_JSON)
        set_json(scope, DOLLARS[dollar].document, 0, path, reference);
    else
        *reference = (RpReference){.kind = DOLLARS[dollar].kind};
    scope->has_ttl = scope->has_ttl || reference->kind == RP_REFERENCE_TTL_MS;
    scope->has_expiry = scope->has_expiry || reference->kind == RP_REFERENCE_EXPIRES_AT;
    return TRUE;
}

static gboolean parse_dollar(RpReferenceScope *scope, char **segments, const char *text,
                             RpReference *reference, char **problem) {
    if (strcmp(segments[0], "$key") == 0 && segments[1] != NULL && segments[2] == NULL)
        return set_capture(scope, segments[1], reference, problem);
    for (guint i = 0; i < G_N_ELEMENTS(DOLLARS); i++)
        if (strcmp(segments[0], DOLLARS[i].word) == 0)
            return set_dollar(scope, i, segments + 1, reference, problem);
    *problem =
        g_strdup_printf("\"%s\" is no reference: $key, $key.NAME, $value, $element, $score, $index, $id, "
                        "$ttl_ms, $expires_at, $db and $now are",
                        text);
    return FALSE;
}

static gboolean parse_name(RpReferenceScope *scope, char **segments, const char *text, RpReference *reference,
                           char **problem) {
    if (scope->is_json) {
        set_json(scope, RP_DOCUMENT_VALUE, 0, segments, reference);
        return TRUE;
    }
    if (scope->type != RP_RECORD_HASH && scope->type != RP_RECORD_STREAM) {
        *problem = g_strdup_printf("a %s has no fields: \"%s\" names none; its content is $value",
                                   rp_record_type_name(scope->type), text);
        return FALSE;
    }
    const guint field = field_number(scope, segments[0]);
    if (segments[1] != NULL)
        set_json(scope, RP_DOCUMENT_FIELD, field, segments + 1, reference);
    else
        *reference = (RpReference){.kind = RP_REFERENCE_FIELD, .index = field};
    return TRUE;
}

gboolean rp_reference_parse(RpReferenceScope *scope, const char *text, RpReference *reference,
                            char **problem) {
    if (++scope->n_references > RP_MAX_REFERENCES) {
        *problem = g_strdup_printf("an entity has at most %d references", RP_MAX_REFERENCES);
        return FALSE;
    }
    g_auto(GStrv) segments = split(text, problem);
    if (segments == NULL)
        return FALSE;
    return text[0] == '$' ? parse_dollar(scope, segments, text, reference, problem)
                          : parse_name(scope, segments, text, reference, problem);
}

gboolean rp_reference_parse_each(RpReferenceScope *scope, const char *text, char **problem) {
    const gboolean is_whole = strcmp(text, "$value") == 0;
    g_auto(GStrv) segments = split(text, problem);
    if (segments == NULL)
        return FALSE;
    if (!scope->is_json && scope->type != RP_RECORD_HASH) {
        *problem = g_strdup("`each` walks over a JSON array: in a json key, or in a field of a hash");
        return FALSE;
    }
    if ((is_whole && !scope->is_json) || (!is_whole && text[0] == '$')) {
        *problem = g_strdup_printf("\"%s\" is no path to an array", text);
        return FALSE;
    }
    static char *none[] = {NULL};
    if (scope->is_json)
        set_json(scope, RP_DOCUMENT_VALUE, 0, is_whole ? none : segments, &scope->each);
    else
        set_json(scope, RP_DOCUMENT_FIELD, field_number(scope, segments[0]), segments + 1, &scope->each);
    scope->has_each = TRUE;
    return TRUE;
}
