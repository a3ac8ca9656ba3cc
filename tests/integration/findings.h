/* Running `check` and looking for its findings. */
#pragma once

#include "shop.h"

#include <string.h>

/* Runs `check --json`; redis_url and conninfo may be NULL for the case's own. */
static inline json_t *look(RpCase *test_case, const char *mapping, const char *redis_url,
                           const char *conninfo, int *status) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "check", "--json", "--mapping", mapping, "--redis",
                redis_url != NULL ? redis_url : test_case->redis_url, "--postgres",
                conninfo != NULL ? conninfo : test_case->conninfo, NULL);
    if (status != NULL)
        *status = out.status;
    cr_assert(out.status <= 2, "%s%s", out.output, out.errors);
    return rp_outcome_json(&out);
}

/* The first finding of that code and severity whose text or remedy has that part; NULL when there is none. */
static inline json_t *seek(json_t *document, const char *severity, const char *code, const char *part) {
    size_t i;
    json_t *finding;
    json_array_foreach(rp_json_at(document, "findings"), i, finding) {
        const char *remedy = json_string_value(json_object_get(finding, "remedy"));
        if (strcmp(rp_json_text(finding, "code"), code) == 0 &&
            strcmp(rp_json_text(finding, "severity"), severity) == 0 &&
            (strstr(rp_json_text(finding, "text"), part) != NULL ||
             (remedy != NULL && strstr(remedy, part) != NULL)))
            return finding;
    }
    return NULL;
}

static inline void assert_found(json_t *document, const char *severity, const char *code, const char *part) {
    if (seek(document, severity, code, part) != NULL)
        return;
    char *shown = json_dumps(document, JSON_INDENT(2));
    cr_fail("no %s %s that says %s in\n%s", severity, code, part, shown);
}

static inline void assert_absent(json_t *document, const char *severity, const char *code) {
    if (seek(document, severity, code, "") == NULL)
        return;
    char *shown = json_dumps(document, JSON_INDENT(2));
    cr_fail("there is a %s %s in\n%s", severity, code, shown);
}

/* A mapping of thing:{id} with a name; rp_file_drop removes it. */
static inline char *write_things(const char *table) {
    g_autofree char *text = g_strdup_printf("redis2pg: 1\nentities:\n  things:\n    keys: 'thing:{id}'\n"
                                            "    type: hash\n    table: %s\n    key: [id]\n"
                                            "    columns: {id: $key.id, name: name}\n",
                                            table);
    return rp_file_write(text);
}
