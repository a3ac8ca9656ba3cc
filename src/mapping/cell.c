/* The steps of a column before its conversion, in their order. */
#include "mapping/cell.h"

void rp_cell_maker_init(RpCellMaker *maker, const RpMapping *mapping, const RpOccasion *occasion) {
    *maker = (RpCellMaker){.mapping = mapping,
                           .reading = rp_reading_new(mapping, occasion),
                           .sha256 = g_checksum_new(G_CHECKSUM_SHA256)};
}

void rp_cell_maker_clear(RpCellMaker *maker) {
    rp_reading_free(maker->reading);
    g_checksum_free(maker->sha256);
    rp_buffer_clear(&maker->scratch[0]);
    rp_buffer_clear(&maker->scratch[1]);
}

/* The buffer that no text of the step before stands in. */
static RpBuffer *next_scratch(RpCellMaker *maker) {
    RpBuffer *scratch = &maker->scratch[maker->turn ^= 1];
    rp_buffer_reset(scratch, G_MAXSIZE);
    return scratch;
}

/* ---- source ---- */

static gboolean get_part(RpCellMaker *maker, const RpPart *part, RpSpan *text, RpProblem *problem) {
    if (part->literal == NULL)
        return rp_reading_get(maker->reading, &part->reference, text, problem);
    *text = rp_span(part->literal);
    return TRUE;
}

/* All parts, for sources that are null when one of them is. */
static gboolean get_parts(RpCellMaker *maker, const RpMapColumn *column, RpSpan *parts, gboolean *is_null,
                          RpProblem *problem) {
    *is_null = FALSE;
    for (guint i = 0; i < column->n_parts; i++) {
        if (!get_part(maker, &column->parts[i], &parts[i], problem))
            return FALSE;
        *is_null = *is_null || parts[i].data == NULL;
    }
    return TRUE;
}

static gboolean make_uuid5(RpCellMaker *maker, const RpMapColumn *column, RpCell *cell, RpProblem *problem) {
    RpSpan parts[RP_MAX_PARTS];
    gboolean is_null;
    if (!get_parts(maker, column, parts, &is_null, problem))
        return FALSE;
    if (is_null)
        return TRUE;
    RpUuid *uuid = (RpUuid *)rp_buffer_reserve(next_scratch(maker), sizeof(RpUuid));
    rp_uuid_v5(&maker->mapping->uuid_namespace, parts, column->n_parts, uuid);
    *cell = (RpCell){{(const char *)uuid->bytes, sizeof uuid->bytes}, TRUE};
    return TRUE;
}

static gboolean make_template(RpCellMaker *maker, const RpMapColumn *column, RpCell *cell,
                              RpProblem *problem) {
    RpSpan parts[RP_MAX_PARTS];
    gboolean is_null;
    if (!get_parts(maker, column, parts, &is_null, problem))
        return FALSE;
    if (is_null)
        return TRUE;
    gsize size = 0;
    for (guint i = 0; i < column->n_parts; i++)
        size += parts[i].size;
    if (size > RP_MAX_MADE_BYTES)
        return rp_problem_set(problem, RP_REJECT_TOO_LONG, "would be longer than %d bytes",
                              RP_MAX_MADE_BYTES);
    RpBuffer *scratch = next_scratch(maker);
    rp_buffer_reserve(scratch, size + 1); /* empty text is not null */
    for (guint i = 0; i < column->n_parts; i++)
        rp_buffer_append(scratch, parts[i].data, parts[i].size);
    cell->text = (RpSpan){scratch->data, scratch->size};
    return TRUE;
}

static gboolean make_coalesce(RpCellMaker *maker, const RpMapColumn *column, RpCell *cell,
                              RpProblem *problem) {
    for (guint i = 0; i < column->n_parts; i++) {
        RpSpan text;
        if (!get_part(maker, &column->parts[i], &text, problem))
            return FALSE;
        if (text.data != NULL && text.size > 0) {
            cell->text = text;
            return TRUE;
        }
    }
    return TRUE;
}

static gboolean make_source(RpCellMaker *maker, const RpMapColumn *column, RpCell *cell, RpProblem *problem) {
    switch (column->source) {
    case RP_FROM_REFERENCE:
    case RP_FROM_CONST:
        return get_part(maker, &column->parts[0], &cell->text, problem);
    case RP_FROM_TEMPLATE:
        return make_template(maker, column, cell, problem);
    case RP_FROM_COALESCE:
        return make_coalesce(maker, column, cell, problem);
    case RP_FROM_UUID5:
        return make_uuid5(maker, column, cell, problem);
    case RP_FROM_LOOKUP:
        break; /* is no text of ours */
    }
    g_assert_not_reached();
}

/* ---- clean ---- */

static RpSpan trim(RpSpan text) {
    while (text.size > 0 && g_ascii_isspace(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && g_ascii_isspace(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* ASCII letters are changed in the scratch buffer; others go through Unicode's rules. */
static RpSpan change_case(RpCellMaker *maker, RpSpan text, gboolean is_upper) {
    RpBuffer *scratch = next_scratch(maker);
    char *out = rp_buffer_reserve(scratch, text.size + 1);
    gboolean is_ascii = TRUE;
    for (gsize i = 0; i < text.size; i++) {
        is_ascii = is_ascii && (guchar)text.data[i] < 0x80;
        out[i] = is_upper ? g_ascii_toupper(text.data[i]) : g_ascii_tolower(text.data[i]);
    }
    if (is_ascii || !rp_span_is_text(text)) /* what is no text is refused later, as it is */
        return (RpSpan){out, text.size};
    g_autofree char *changed =
        is_upper ? g_utf8_strup(text.data, (gssize)text.size) : g_utf8_strdown(text.data, (gssize)text.size);
    scratch->size = 0;
    rp_buffer_append(scratch, changed, strlen(changed));
    return (RpSpan){scratch->data, scratch->size};
}

static gboolean replace(RpCellMaker *maker, const RpMapColumn *column, RpSpan *text, RpProblem *problem) {
    if (!rp_span_is_text(*text))
        return rp_problem_set(problem, RP_REJECT_INVALID_ENCODING, "is not UTF-8 text without NUL");
    RpBuffer *scratch = next_scratch(maker);
    switch (rp_regex_replace(column->replaced, *text, column->replacement, RP_MAX_MADE_BYTES, scratch)) {
    case RP_REGEX_NO:
        return TRUE;
    case RP_REGEX_YES:
        rp_buffer_reserve(scratch, 1); /* empty text is not null */
        *text = (RpSpan){scratch->data, scratch->size};
        return TRUE;
    case RP_REGEX_GAVE_UP:
        return rp_problem_set(problem, RP_REJECT_PATTERN_MISMATCH,
                              "costs more steps than the expression of `replace` may take");
    case RP_REGEX_TOO_LONG:
        if (text->size > RP_REGEX_MAX_TEXT)
            return rp_problem_set(problem, RP_REJECT_TOO_LONG,
                                  "is longer than the %d bytes that an expression is given",
                                  RP_REGEX_MAX_TEXT);
        return rp_problem_set(problem, RP_REJECT_TOO_LONG, "would be longer than %d bytes",
                              RP_MAX_MADE_BYTES);
    }
    g_assert_not_reached();
}

static RpSpan map_value(const RpMapColumn *column, RpSpan text) {
    const RpMapped wanted = {.from = text};
    const RpMapped *mapped = g_hash_table_lookup(column->map, &wanted);
    if (mapped != NULL)
        return mapped->to;
    return column->map_default != NULL ? rp_span(column->map_default) : text;
}

static gboolean clean(RpCellMaker *maker, const RpMapColumn *column, RpSpan *text, RpProblem *problem) {
    if (column->trims)
        *text = trim(*text);
    if (column->lowers || column->uppers)
        *text = change_case(maker, *text, column->uppers);
    if (column->replaced != NULL && !replace(maker, column, text, problem))
        return FALSE;
    if (column->nulls_empty && text->size == 0)
        text->data = NULL;
    if (column->map != NULL && text->data != NULL)
        *text = map_value(column, *text);
    return TRUE;
}

gboolean rp_cell_make(RpCellMaker *maker, const RpMapColumn *column, RpCell *cell, RpProblem *problem) {
    *cell = (RpCell){0};
    if (!make_source(maker, column, cell, problem) ||
        (cell->text.data != NULL && !cell->is_uuid && !clean(maker, column, &cell->text, problem)))
        return FALSE;
    if (cell->text.data == NULL && column->fallback != NULL)
        *cell = (RpCell){rp_span(column->fallback), FALSE};
    return TRUE;
}

static void digest(RpCellMaker *maker, RpSpan text) {
    g_checksum_reset(maker->sha256);
    if (text.size > 0)
        g_checksum_update(maker->sha256, (const guchar *)text.data, (gssize)text.size);
}

RpSpan rp_cell_digest_text(RpCellMaker *maker, RpSpan text) {
    digest(maker, text);
    return rp_span(g_checksum_get_string(maker->sha256));
}

RpSpan rp_cell_digest_bytes(RpCellMaker *maker, RpSpan text) {
    gsize size = RP_DIGEST_BYTES;
    char *bytes = rp_buffer_reserve(next_scratch(maker), size);
    digest(maker, text);
    g_checksum_get_digest(maker->sha256, (guint8 *)bytes, &size);
    return (RpSpan){bytes, size};
}
