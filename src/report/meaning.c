/* Reject codes in words. */
#include "report/meaning.h"

static const struct {
    const char *code, *meaning;
} MEANINGS[] = {
    {"wrong_type", "The key holds another Redis type than its entity says."},
    {"missing_field", "A required column has no value."},
    {"invalid_integer", "The text for a whole-number column is no whole number."},
    {"invalid_decimal", "The text for a number column is no number."},
    {"invalid_boolean", "The text is none of the words for true and false."},
    {"invalid_timestamp",
     "The text is no time in the form that is asked for, or names a day that does not exist."},
    {"invalid_uuid", "The text is no UUID."},
    {"invalid_json", "The text is no JSON that PostgreSQL takes."},
    {"invalid_encoding", "The bytes are not UTF-8, or hold a NUL."},
    {"invalid_value", "The text is none of the values that the column takes."},
    {"out_of_range", "The number or time lies outside of what the mapping or the column allows."},
    {"too_long", "The text is longer than the column or the mapping allows."},
    {"too_short", "The text is shorter than the mapping allows."},
    {"scale_exceeded", "The number has more decimal places than the column holds."},
    {"pattern_mismatch", "The text does not fit the pattern that the mapping asks for."},
    {"format_mismatch", "The text is no email, URL or whatever the mapping asks for."},
    {"rule_failed", "A rule of the mapping does not hold."},
    {"missing_reference", "The row refers to one that is not there."},
    {"duplicate_key", "Another row has the same key, or the same value where each must have its own."},
    {"not_null", "A column that needs a value has none."},
    {"check_failed", "A CHECK constraint of the table does not hold."},
    {"delete_blocked", "Other rows still refer to the row that should go."},
    {"too_large", "The value is larger than --max-value-bytes allows."},
    {"database_error", "PostgreSQL refused the row: a trigger, a policy or an exclusion constraint."},
};

const char *rp_meaning_of_code(const char *code) {
    for (guint i = 0; i < G_N_ELEMENTS(MEANINGS); i++)
        if (g_str_equal(MEANINGS[i].code, code))
            return MEANINGS[i].meaning;
    return "";
}
