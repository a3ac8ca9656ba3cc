/* References: what a column can take from a record. */
#pragma once

#include "mapping/json_paths.h"
#include "mapping/pattern.h"
#include "model/record.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_REFERENCE_FIELD,      /* name: a field of a hash or of a stream's entry */
    RP_REFERENCE_JSON,       /* name.path, $value.path, $element.path: inside a JSON text */
    RP_REFERENCE_KEY,        /* $key: the whole key */
    RP_REFERENCE_CAPTURE,    /* $key.name: a capture of it */
    RP_REFERENCE_VALUE,      /* $value: a string's value, an element, a member */
    RP_REFERENCE_SCORE,      /* $score: of a sorted set's member */
    RP_REFERENCE_ID,         /* $id: of a stream's entry */
    RP_REFERENCE_INDEX,      /* $index: of a list's element, or of an element of `each`; from 0 */
    RP_REFERENCE_TTL_MS,     /* $ttl_ms: the key's remaining time; null where it has none */
    RP_REFERENCE_EXPIRES_AT, /* $expires_at: the same as ISO 8601 text in UTC */
    RP_REFERENCE_DB,         /* $db: number of the database */
    RP_REFERENCE_NOW,        /* $now: start of the run, as ISO 8601 text in UTC */
} RpReferenceKind;

typedef struct {
    RpReferenceKind kind;
    guint index; /* of the field, of the capture in the pattern, or of the document */
    guint slot;  /* of the path in the document */
} RpReference;

/* Whether two references of one entity name the same. */
static inline gboolean rp_reference_equal(const RpReference *a, const RpReference *b) {
    return a->kind == b->kind && a->index == b->index && a->slot == b->slot;
}

/* Where a JSON text that paths lead into comes from. */
typedef enum {
    RP_DOCUMENT_FIELD,
    RP_DOCUMENT_VALUE,
    RP_DOCUMENT_ELEMENT, /* the element that `each` stands on */
} RpDocumentKind;

typedef struct {
    RpDocumentKind kind;
    guint field; /* of RP_DOCUMENT_FIELD */
    RpJsonPaths *paths;
} RpDocument;

/* What the references of an entity can name, and what they have named so far. */
typedef struct {
    const RpPattern *keys; /* borrowed */
    RpRecordType type;
    gboolean is_json;     /* strings that hold JSON: names are members of it */
    gboolean has_each;    /* rows are elements of a JSON array */
    RpReference each;     /* that array */
    GPtrArray *fields;    /* of char * */
    GPtrArray *documents; /* of RpDocument */
    guint n_references;   /* that were read */
    gboolean has_ttl;     /* some reference needs the time to live, */
    gboolean has_expiry;  /* or the time of expiry */
} RpReferenceScope;

void rp_reference_scope_init(RpReferenceScope *scope);
void rp_reference_scope_clear(RpReferenceScope *scope);

/* An entity has at most so many: each is compared with those before it. */
#define RP_MAX_REFERENCES 10000

/* Reads a reference as a mapping writes it; a dot that belongs to a name is written `\.`. What it names is
 * added to the scope. FALSE with a message (the caller frees it) in *problem. */
gboolean rp_reference_parse(RpReferenceScope *scope, const char *text, RpReference *reference,
                            char **problem);

/* Reads the path of `each`, and sets scope->has_each. */
gboolean rp_reference_parse_each(RpReferenceScope *scope, const char *text, char **problem);

G_END_DECLS
