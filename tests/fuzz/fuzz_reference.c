/* References: a digit for the kind of entity, whether it has `each` (`y`) with its path on that line, and
 * then a reference a line. */
#include "mapping/reference.h"

#include "input.h"

static const struct {
    RpRecordType type;
    gboolean is_json;
} KINDS[] = {{RP_RECORD_HASH, FALSE},  {RP_RECORD_STRING, FALSE}, {RP_RECORD_STRING, TRUE},
             {RP_RECORD_LIST, FALSE},  {RP_RECORD_SET, FALSE},    {RP_RECORD_ZSET, FALSE},
             {RP_RECORD_STREAM, FALSE}};

/* What a reference names must be in its scope. */
static void check_reference(const RpReferenceScope *scope, const RpReference *reference) {
    if (reference->kind == RP_REFERENCE_FIELD)
        g_assert(reference->index < scope->fields->len);
    if (reference->kind == RP_REFERENCE_CAPTURE)
        g_assert(reference->index < rp_pattern_n_captures(scope->keys));
    if (reference->kind != RP_REFERENCE_JSON)
        return;
    g_assert(reference->index < scope->documents->len);
    const RpDocument *document = g_ptr_array_index(scope->documents, reference->index);
    g_assert(reference->slot < rp_json_paths_size(document->paths));
    g_assert(document->kind != RP_DOCUMENT_FIELD || document->field < scope->fields->len);
}

static void take_each(RpReferenceScope *scope, const char *line) {
    g_autofree char *problem = NULL;
    if (line[0] == 'y' && rp_reference_parse_each(scope, line + 1, &problem))
        check_reference(scope, &scope->each);
    g_assert(line[0] != 'y' || scope->has_each == (problem == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    g_autofree char *problem = NULL;
    g_autoptr(RpPattern) keys = rp_pattern_new("t:{a}:{b+}", &problem);
    RpReferenceScope scope;
    rp_reference_scope_init(&scope);
    const guint kind = input_choose(&input, G_N_ELEMENTS(KINDS));
    scope.keys = keys;
    scope.type = KINDS[kind].type;
    scope.is_json = KINDS[kind].is_json;
    g_autofree char *each = input_text(&input);
    take_each(&scope, each);
    while (input.at < input.end) {
        g_autofree char *text = input_text(&input);
        g_autofree char *refused = NULL;
        RpReference reference = {0};
        const gboolean is_read = rp_reference_parse(&scope, text, &reference, &refused);
        g_assert(is_read == (refused == NULL));
        if (is_read)
            check_reference(&scope, &reference);
    }
    rp_reference_scope_clear(&scope);
    return 0;
}
