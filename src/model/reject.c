/* Names and life of rejects. */
#include "model/reject.h"

static const char *const CODE_NAMES[RP_N_REJECT_CODES + 1] = {
    [RP_REJECT_WRONG_TYPE] = "wrong_type",
    [RP_REJECT_MISSING_FIELD] = "missing_field",
    [RP_REJECT_INVALID_INTEGER] = "invalid_integer",
    [RP_REJECT_INVALID_DECIMAL] = "invalid_decimal",
    [RP_REJECT_INVALID_BOOLEAN] = "invalid_boolean",
    [RP_REJECT_INVALID_TIMESTAMP] = "invalid_timestamp",
    [RP_REJECT_INVALID_UUID] = "invalid_uuid",
    [RP_REJECT_INVALID_JSON] = "invalid_json",
    [RP_REJECT_INVALID_ENCODING] = "invalid_encoding",
    [RP_REJECT_INVALID_VALUE] = "invalid_value",
    [RP_REJECT_OUT_OF_RANGE] = "out_of_range",
    [RP_REJECT_TOO_LONG] = "too_long",
    [RP_REJECT_TOO_SHORT] = "too_short",
    [RP_REJECT_SCALE_EXCEEDED] = "scale_exceeded",
    [RP_REJECT_PATTERN_MISMATCH] = "pattern_mismatch",
    [RP_REJECT_FORMAT_MISMATCH] = "format_mismatch",
    [RP_REJECT_RULE_FAILED] = "rule_failed",
    [RP_REJECT_MISSING_REFERENCE] = "missing_reference",
    [RP_REJECT_DUPLICATE_KEY] = "duplicate_key",
    [RP_REJECT_NOT_NULL] = "not_null",
    [RP_REJECT_CHECK_FAILED] = "check_failed",
    [RP_REJECT_DELETE_BLOCKED] = "delete_blocked",
    [RP_REJECT_TOO_LARGE] = "too_large",
    [RP_REJECT_DATABASE_ERROR] = "database_error",
};

const char *rp_reject_code_name(RpRejectCode code) {
    return CODE_NAMES[code];
}

const char *const *rp_reject_code_names(void) {
    return CODE_NAMES;
}

const char *rp_stage_name(RpStage stage) {
    static const char *const names[] = {"map", "stage", "write", "finish"};
    return names[stage];
}

void rp_reject_clear(RpReject *reject) {
    g_free(reject->column);
    g_free(reject->constraint);
    g_free(reject->message);
    g_free(reject->value);
}

static void clear_element(gpointer element) {
    rp_reject_clear(element);
}

GArray *rp_rejects_new(void) {
    GArray *rejects = g_array_new(FALSE, FALSE, sizeof(RpReject));
    g_array_set_clear_func(rejects, clear_element);
    return rejects;
}
