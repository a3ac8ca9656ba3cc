/* Versions of SQL files, and the names that carry them. Both follow Flyway (Redgate Flyway documentation,
 * "Migrations", naming). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The one normal form of a version: "001" and "1.0" give "1", "1.02" gives "1.2". Numbers may be of any
 * length. NULL when text is no version; the caller frees the result. */
char *rp_version_parse(const char *text);

/* Negative, zero or positive, as a comes before, with or after b; both in normal form. */
int rp_version_compare(const char *a, const char *b);

typedef enum {
    RP_SCRIPT_NAME_OTHER,     /* none of ours */
    RP_SCRIPT_NAME_VERSIONED, /* V1.2__text.sql */
    RP_SCRIPT_NAME_UNDO,      /* U1.2__text.sql */
    RP_SCRIPT_NAME_BAD,       /* starts with V or U, and goes on wrong */
} RpScriptNameKind;

/* Reads a file's name (without its folder). For a versioned or an undo name *version gets the version in
 * normal form and *description the text with spaces for underscores; the caller frees both. Else both get
 * NULL. */
RpScriptNameKind rp_script_name_parse(const char *name, char **version, char **description);

G_END_DECLS
