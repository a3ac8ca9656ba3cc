/* Results as JUnit XML: suites of cases, as CI systems read them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_JUNIT_PASSED,
    RP_JUNIT_FAILED, /* what was looked at is not as it should be */
    RP_JUNIT_ERROR,  /* it could not be looked at */
    RP_JUNIT_SKIPPED,
} RpJunitOutcome;

/* One case; all texts are copied, and may hold anything. */
typedef struct {
    const char *name;
    const char
        *class_name;  /* what groups cases, in most viewers as a path with dots; NULL: the suite's name */
    const char *file; /* or NULL */
    guint line;       /* 0: none */
    double seconds;
    RpJunitOutcome outcome;
    const char *message; /* one line; NULL when it passed */
    const char *text;    /* the rest, of several lines; or NULL */
} RpJunitCase;

typedef struct RpJunit RpJunit;

/* A document without suites; name is the whole's. */
RpJunit *rp_junit_new(const char *name);
void rp_junit_free(RpJunit *junit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpJunit, rp_junit_free)

/* Begins a suite, to which the cases that follow belong. */
void rp_junit_begin_suite(RpJunit *junit, const char *name);
/* Adds a case to the suite that was begun last; there must be one. */
void rp_junit_add(RpJunit *junit, const RpJunitCase *outcome);

/* The document, UTF-8. The caller frees it. */
char *rp_junit_text(const RpJunit *junit);

/* Whether a document could be written to path, asked before the work begins: the folder is there and takes
 * files, and what stands at path, if anything, is a regular file that is empty or begins as XML does: others
 * are somebody's work. Error: RP_USAGE_ERROR. */
gboolean rp_junit_check_path(const char *path, GError **error);
/* Removes what stands at path, which has been checked, that nobody takes old results for those of a command
 * that failed. Nothing there is fine. Error: RP_USAGE_ERROR. */
gboolean rp_junit_remove(const char *path, GError **error);
/* Writes the document: all of it or, with RP_USAGE_ERROR, nothing. */
gboolean rp_junit_write(const RpJunit *junit, const char *path, GError **error);

G_END_DECLS
