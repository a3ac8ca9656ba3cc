/* A result as checks that hold or do not: what CI systems show. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

typedef struct {
    char *group; /* an entity, or what is looked at: "keys" */
    char *name;  /* "no rejects" */
    gboolean holds;
    gboolean is_skipped; /* it was not looked at; message says why */
    char *message;       /* or NULL */
} RpCheck;

void rp_check_free(RpCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpCheck, rp_check_free)

/* The checks of a document: an array of RpCheck that frees them, in an order that depends on the document
 * only. */
GPtrArray *rp_checks_of(const json_t *document);

G_END_DECLS
