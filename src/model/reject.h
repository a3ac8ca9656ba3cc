/* A reject: a record, or a row of it, that was refused, and why. Expected, counted, stored. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

/* The codes of CLI.md, in its order. */
typedef enum {
    RP_REJECT_WRONG_TYPE,
    RP_REJECT_MISSING_FIELD,
    RP_REJECT_INVALID_INTEGER,
    RP_REJECT_INVALID_DECIMAL,
    RP_REJECT_INVALID_BOOLEAN,
    RP_REJECT_INVALID_TIMESTAMP,
    RP_REJECT_INVALID_UUID,
    RP_REJECT_INVALID_JSON,
    RP_REJECT_INVALID_ENCODING,
    RP_REJECT_INVALID_VALUE,
    RP_REJECT_OUT_OF_RANGE,
    RP_REJECT_TOO_LONG,
    RP_REJECT_TOO_SHORT,
    RP_REJECT_SCALE_EXCEEDED,
    RP_REJECT_PATTERN_MISMATCH,
    RP_REJECT_FORMAT_MISMATCH,
    RP_REJECT_RULE_FAILED,
    RP_REJECT_MISSING_REFERENCE,
    RP_REJECT_DUPLICATE_KEY,
    RP_REJECT_NOT_NULL,
    RP_REJECT_CHECK_FAILED,
    RP_REJECT_DELETE_BLOCKED,
    RP_REJECT_TOO_LARGE,
    RP_REJECT_DATABASE_ERROR,
    RP_N_REJECT_CODES,
} RpRejectCode;

/* "wrong_type" … */
const char *rp_reject_code_name(RpRejectCode code);

/* All names, NULL-terminated. */
const char *const *rp_reject_code_names(void);

/* Where a reject arose. */
typedef enum {
    RP_STAGE_MAP,    /* the mapping refused the record */
    RP_STAGE_STAGE,  /* a set-based check refused the row */
    RP_STAGE_WRITE,  /* the merge refused the row */
    RP_STAGE_FINISH, /* at the end of a run */
} RpStage;

const char *rp_stage_name(RpStage stage);

/* Owns its strings. message and value are free of sensitive values when they are stored here. */
typedef struct {
    guint32 entity;
    guint32 record;  /* position in the batch's records */
    guint32 element; /* of the record's array, where the mapping says `each`; else 0 */
    RpStage stage;
    RpRejectCode code;
    char *column;          /* or NULL */
    char *constraint;      /* or NULL */
    char *message;         /* one line, without the value */
    char *value;           /* the offending value as shown text, masked when sensitive; or NULL */
    gboolean is_of_others; /* other rows are the cause: it may pass when they change */
    gboolean is_parked;    /* it is not on record as a reject yet: its key is tried again */
} RpReject;

void rp_reject_clear(RpReject *reject);

/* A GArray of RpReject that clears its elements. */
GArray *rp_rejects_new(void);

/* What is shown in place of a sensitive value. */
#define RP_MASK "***"

/* How much of an offending value a reject shows; the raw record holds it whole. */
#define RP_REJECT_VALUE_BYTES 200

G_END_DECLS
