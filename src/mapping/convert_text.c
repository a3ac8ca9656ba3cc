/* Booleans, text, UUIDs, JSON, and enums: what is written nearly as it is read. */
#include "mapping/converters.h"
#include "mapping/uuid.h"

/* Whether text is one of words, byte for byte. */
static gboolean is_word(char **words, RpSpan text) {
    for (; words != NULL && *words != NULL; words++)
        if (rp_span_equal(rp_span(*words), text))
            return TRUE;
    return FALSE;
}

static gboolean append_bool(RpBuffer *out, gboolean value, RpConverted *converted) {
    const guint8 byte = value ? 1 : 0;
    converted->integer = byte;
    rp_buffer_append_u32(out, 1);
    rp_buffer_append(out, &byte, 1);
    return TRUE;
}

gboolean rp_convert_bool(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                         RpProblem *problem) {
    static const char *const words[2][6] = {{"false", "f", "no", "n", "off", "0"},
                                            {"true", "t", "yes", "y", "on", "1"}};
    if (conversion->true_words != NULL || conversion->false_words != NULL) {
        const gboolean value = is_word(conversion->true_words, text);
        if (value || is_word(conversion->false_words, text))
            return append_bool(out, value, converted);
        return rp_problem_set(problem, RP_REJECT_INVALID_BOOLEAN, "is none of the mapping's boolean words");
    }
    for (guint value = 0; value < 2; value++)
        for (guint i = 0; i < G_N_ELEMENTS(words[0]); i++)
            if (strlen(words[value][i]) == text.size &&
                g_ascii_strncasecmp(words[value][i], text.data, text.size) == 0)
                return append_bool(out, value == 1, converted);
    return rp_problem_set(problem, RP_REJECT_INVALID_BOOLEAN,
                          "is no boolean: true, false, yes, no, 1 or 0 is");
}

gsize rp_text_characters(RpSpan text) {
    gsize n_characters = 0;
    for (gsize i = 0; i < text.size; i++)
        n_characters += ((guchar)text.data[i] & 0xC0) != 0x80;
    return n_characters;
}

gboolean rp_convert_check_text(RpSpan text, RpProblem *problem) {
    if (G_LIKELY(rp_span_is_text(text)))
        return TRUE;
    return rp_problem_set(problem, RP_REJECT_INVALID_ENCODING, "is not UTF-8 text without NUL");
}

gboolean rp_convert_text(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                         RpProblem *problem) {
    (void)converted;
    const RpColumn *column = conversion->column;
    if (!rp_convert_check_text(text, problem))
        return FALSE;
    gsize padding = 0;
    if (column->max_characters >= 0 && (column->is_padded || text.size > (gsize)column->max_characters)) {
        const gsize n_characters = rp_text_characters(text);
        if (n_characters > (gsize)column->max_characters)
            return rp_problem_set(problem, RP_REJECT_TOO_LONG,
                                  "has %" G_GSIZE_FORMAT " characters, %s holds %d", n_characters,
                                  column->type_name, column->max_characters);
        padding = column->is_padded ? (gsize)column->max_characters - n_characters : 0;
    }
    rp_buffer_append_u32(out, (guint32)(text.size + padding));
    rp_buffer_append(out, text.data, text.size);
    memset(rp_buffer_reserve(out, padding), ' ', padding);
    out->size += padding;
    return TRUE;
}

gboolean rp_convert_uuid(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                         RpProblem *problem) {
    (void)conversion;
    (void)converted;
    RpUuid uuid;
    if (!rp_uuid_parse(text, &uuid))
        return rp_problem_set(problem, RP_REJECT_INVALID_UUID, "is no UUID");
    rp_buffer_append_u32(out, sizeof uuid.bytes);
    rp_buffer_append(out, uuid.bytes, sizeof uuid.bytes);
    return TRUE;
}

static gboolean check_json(const RpConversion *conversion, RpSpan text, RpProblem *problem) {
    if (!rp_convert_check_text(text, problem))
        return FALSE;
    const char *trouble = rp_json_check(text, conversion->json_shape);
    return trouble == NULL
               ? TRUE
               : rp_problem_set(problem, RP_REJECT_INVALID_JSON, "is not the JSON expected: %s", trouble);
}

gboolean rp_convert_json(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                         RpProblem *problem) {
    (void)converted;
    if (!check_json(conversion, text, problem))
        return FALSE;
    rp_buffer_append_u32(out, (guint32)text.size);
    rp_buffer_append(out, text.data, text.size);
    return TRUE;
}

gboolean rp_convert_jsonb(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                          RpProblem *problem) {
    (void)converted;
    if (!check_json(conversion, text, problem))
        return FALSE;
    rp_buffer_append_u32(out, (guint32)text.size + 1);
    rp_buffer_append(out, "\1", 1); /* version of jsonb_recv */
    rp_buffer_append(out, text.data, text.size);
    return TRUE;
}

gboolean rp_convert_enum(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                         RpProblem *problem) {
    (void)converted;
    for (char **label = conversion->column->labels; *label != NULL; label++)
        if (strlen(*label) == text.size && memcmp(*label, text.data, text.size) == 0) {
            rp_buffer_append_u32(out, (guint32)text.size);
            rp_buffer_append(out, text.data, text.size);
            return TRUE;
        }
    if (!rp_convert_check_text(text, problem))
        return FALSE;
    return rp_problem_set(problem, RP_REJECT_INVALID_VALUE, "is no label of %s",
                          conversion->column->type_name);
}
