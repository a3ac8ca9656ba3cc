/* Whether the identity of a row follows from its Redis key and element: then two of them cannot meet in one
 * row, and the row of a key that is gone can be found. */
#include "mapping/mapping.h"

/* Whether different text is a different value of the column: not so for numbers (1 and 01), UUIDs (case),
 * char(n) (blanks at the end), collations that are not deterministic, and types that we know nothing of
 * (citext). */
static gboolean tells_text_apart(const RpMapColumn *column) {
    const RpColumn *target = column->conversion.column;
    return target != NULL &&
           ((target->kind == RP_TYPE_TEXT && !target->is_padded && !target->is_folding) ||
            target->kind == RP_TYPE_ENUM ||
            (target->kind == RP_TYPE_BYTEA && column->conversion.encoding == RP_ENCODING_RAW) ||
            (target->kind == RP_TYPE_UUID && column->source == RP_FROM_UUID5));
}

/* Numbers that redis2pg writes have one form each. */
static gboolean tells_numbers_apart(const RpMapColumn *column) {
    const RpColumn *target = column->conversion.column;
    return target != NULL && (target->kind == RP_TYPE_INT2 || target->kind == RP_TYPE_INT4 ||
                              target->kind == RP_TYPE_INT8 || target->kind == RP_TYPE_NUMERIC);
}

/* Whether the text that was cleaned is what is stored. */
static gboolean is_stored(const RpMapColumn *column) {
    return column->conversion.divisor <= 1 && column->conversion.rounding == RP_ROUND_NONE &&
           column->on_invalid == RP_INVALID_REJECTS;
}

static gboolean is_cleaned(const RpMapColumn *column) {
    return column->lowers || column->uppers || column->trims || column->map != NULL ||
           column->replaced != NULL || (column->nulls_empty && column->fallback != NULL);
}

/* Whether what the reference gives can hold the colon that joins the parts of a uuid5. */
static gboolean may_hold_colon(const RpEntity *entity, const RpPart *part) {
    switch (part->reference.kind) {
    case RP_REFERENCE_CAPTURE:
        return rp_pattern_takes_colon(entity->keys, part->reference.index);
    case RP_REFERENCE_INDEX:
    case RP_REFERENCE_DB:
    case RP_REFERENCE_ID:
        return FALSE;
    default:
        return TRUE;
    }
}

/* Parts joined with colons are told apart when at most one of them can hold a colon. */
static gboolean tells_parts(const RpEntity *entity, const RpMapColumn *column) {
    guint n_unsure = 0;
    for (guint i = 0; i < column->n_parts; i++)
        n_unsure += column->parts[i].literal == NULL && may_hold_colon(entity, &column->parts[i]);
    return n_unsure <= 1;
}

/* Whether the reference gives something of every record. */
static gboolean is_always_there(const RpReference *reference) {
    switch (reference->kind) {
    case RP_REFERENCE_KEY:
    case RP_REFERENCE_CAPTURE:
    case RP_REFERENCE_INDEX:
    case RP_REFERENCE_ID:
    case RP_REFERENCE_DB:
    case RP_REFERENCE_NOW:
        return TRUE;
    case RP_REFERENCE_FIELD:
    case RP_REFERENCE_JSON:
    case RP_REFERENCE_VALUE:
    case RP_REFERENCE_SCORE:
    case RP_REFERENCE_TTL_MS:
    case RP_REFERENCE_EXPIRES_AT:
        return FALSE;
    }
    g_assert_not_reached();
}

/* A uuid5 is null when one of its parts is: with a default, all such rows have the same one. */
static gboolean may_be_fallback(const RpMapColumn *column) {
    gboolean may_be_null = FALSE;
    for (guint i = 0; i < column->n_parts; i++)
        may_be_null = may_be_null ||
                      (column->parts[i].literal == NULL && !is_always_there(&column->parts[i].reference));
    return may_be_null && column->fallback != NULL;
}

static gboolean has_part(const RpMapColumn *column, const RpReference *wanted) {
    for (guint i = 0; i < column->n_parts; i++)
        if (column->parts[i].literal == NULL && rp_reference_equal(&column->parts[i].reference, wanted))
            return TRUE;
    return FALSE;
}

/* Whether the column is held to what the reference gives by `equals`. */
static gboolean is_held_to(const RpMapColumn *column, const RpReference *wanted) {
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        if (rule->has_reference && rp_reference_equal(&rule->reference, wanted))
            return TRUE;
    }
    return FALSE;
}

/* Whether different texts of the reference are different values of the column. */
static gboolean column_tells(const RpEntity *entity, const RpMapColumn *column, const RpReference *wanted) {
    const gboolean tells_apart =
        tells_text_apart(column) || (wanted->kind == RP_REFERENCE_INDEX && tells_numbers_apart(column));
    if (!tells_apart || !is_stored(column))
        return FALSE;
    if (is_held_to(column, wanted))
        return TRUE;
    if (column->source == RP_FROM_UUID5)
        return has_part(column, wanted) && tells_parts(entity, column) && !may_be_fallback(column);
    return column->source == RP_FROM_REFERENCE && has_part(column, wanted) && !is_cleaned(column);
}

/* ---- what follows from the key alone ---- */

static gboolean is_of_key(const RpReference *reference) {
    return reference->kind == RP_REFERENCE_KEY || reference->kind == RP_REFERENCE_CAPTURE ||
           reference->kind == RP_REFERENCE_DB;
}

static const RpReference *find_held(const RpMapColumn *column) {
    for (guint i = 0; i < column->rules->len; i++) {
        const RpRule *rule = g_ptr_array_index(column->rules, i);
        if (rule->has_reference && is_of_key(&rule->reference))
            return &rule->reference;
    }
    return NULL;
}

gboolean rp_identity_is_of_key(const RpMapColumn *column, const RpReference **held) {
    *held = NULL;
    if (column->source == RP_FROM_LOOKUP || column->conversion.column->kind == RP_TYPE_OTHER ||
        column->on_invalid != RP_INVALID_REJECTS)
        return FALSE;
    for (guint i = 0; i < column->n_parts; i++)
        if (column->parts[i].literal == NULL && !is_of_key(&column->parts[i].reference)) {
            *held = find_held(column);
            return *held != NULL;
        }
    return TRUE;
}

/* ---- the whole identity ---- */

typedef enum {
    OF_RECORD,
    OF_KEY, /* only columns that follow from the key alone count */
} Columns;

static gboolean identity_tells(const RpEntity *entity, RpReferenceKind kind, guint index, Columns columns) {
    const RpReference wanted = {.kind = kind, .index = index};
    const RpReference *held;
    for (char **name = entity->key; *name != NULL; name++) {
        const RpMapColumn *column = rp_entity_find_column(entity, *name);
        if (column != NULL && column_tells(entity, column, &wanted) &&
            (columns == OF_RECORD || rp_identity_is_of_key(column, &held)))
            return TRUE;
    }
    return FALSE;
}

/* Different keys differ in a capture; when the identity tells every capture, they differ in identity. */
static gboolean tells_every_key(const RpEntity *entity, Columns columns) {
    if (identity_tells(entity, RP_REFERENCE_KEY, 0, columns))
        return TRUE;
    for (guint capture = 0; capture < rp_pattern_n_captures(entity->keys); capture++)
        if (!identity_tells(entity, RP_REFERENCE_CAPTURE, capture, columns))
            return FALSE;
    return TRUE;
}

static gboolean tells_every_element(const RpEntity *entity) {
    if (entity->scope.has_each)
        return identity_tells(entity, RP_REFERENCE_INDEX, 0, OF_RECORD);
    switch (entity->scope.type) {
    case RP_RECORD_LIST:
        return identity_tells(entity, RP_REFERENCE_INDEX, 0, OF_RECORD);
    case RP_RECORD_SET:
    case RP_RECORD_ZSET:
        return identity_tells(entity, RP_REFERENCE_VALUE, 0, OF_RECORD);
    case RP_RECORD_STREAM:
        return identity_tells(entity, RP_REFERENCE_ID, 0, OF_RECORD);
    case RP_RECORD_HASH:
    case RP_RECORD_STRING:
    case RP_RECORD_OTHER:
        return TRUE;
    }
    g_assert_not_reached();
}

void rp_identity_bind(RpEntity *entity, RpFindings *findings) {
    entity->has_key_identity = tells_every_key(entity, OF_RECORD) && tells_every_element(entity);
    entity->has_key_scope = tells_every_key(entity, OF_KEY);
    const gboolean deletes =
        entity->on_delete == RP_WHEN_GONE_DELETE || entity->on_expire == RP_WHEN_GONE_DELETE;
    if (deletes && !entity->has_key_scope)
        rp_findings_add(
            findings, RP_SEVERITY_ERROR, "delete_not_derivable", entity->place,
            "take a column of the identity from the key ($key.NAME), or hold it to the key with equals",
            "entity \"%s\" deletes rows of keys that are gone, but its identity does not follow from "
            "the key alone: nobody could tell which rows they were",
            entity->name);
}
