/* Documents that were made by hand, and what texts that are made of them hold. */
#pragma once

#include "report/verdict.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

static inline json_t *load(const char *name) {
    const char *source = g_getenv("REDIS2PG_SOURCE");
    g_autofree char *path = g_build_filename(source != NULL ? source : ".", "tests/reports", name, NULL);
    json_error_t trouble;
    json_t *document = json_load_file(path, JSON_ALLOW_NUL, &trouble);
    cr_assert(document != NULL, "%s: %s", path, trouble.text);
    json_object_set_new(document, "verdict", rp_verdict_of(document));
    return document;
}

static inline void assert_has(const char *text, const char *part) {
    cr_assert(strstr(text, part) != NULL, "no \"%s\" in\n%s", part, text);
}

static inline void assert_lacks(const char *text, const char *part) {
    cr_assert(strstr(text, part) == NULL, "\"%s\" in\n%s", part, text);
}
