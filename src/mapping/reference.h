/* References: what a column can take from a record. */
#pragma once

#include "mapping/pattern.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_REFERENCE_FIELD,   /* a hash field */
    RP_REFERENCE_KEY,     /* $key: the whole key */
    RP_REFERENCE_CAPTURE, /* $key.name: a capture of it */
} RpReferenceKind;

typedef struct {
    RpReferenceKind kind;
    guint index; /* of the field among the entity's fields, or of the capture in the pattern */
} RpReference;

/* Reads a reference as a mapping writes it. A field's name is added to fields (a GPtrArray of char *, owned
 * by it) unless it is there. FALSE with a message (the caller frees it) in *problem. */
gboolean rp_reference_parse(const char *text, const RpPattern *pattern, GPtrArray *fields,
                            RpReference *reference, char **problem);

G_END_DECLS
