/* Replays in a case, and what the ledger says of rejects after them. */
#pragma once

#include "shop.h"

/* mappings/shop.yaml with one text in the place of another; rp_file_drop removes it. */
static inline char *mended_shop(const char *from, const char *to) {
    g_autofree char *path = rp_source_path("mappings/shop.yaml");
    g_autofree char *text = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, NULL));
    GString *mended = g_string_new(text);
    cr_assert(eq(int, (int)g_string_replace(mended, from, to, 0), 1));
    char *file = rp_file_write(mended->str);
    g_string_free(mended, TRUE);
    return file;
}

/* `rejects replay --json` with a mapping and up to three more words. */
static inline json_t *replay(RpCase *test_case, int status, const char *mapping, const char *more,
                             const char *value, const char *last) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "replay", "--json", "--mapping", mapping, more, value, last,
                NULL);
    rp_outcome_assert_status(&out, status);
    json_t *run = rp_outcome_json(&out);
    cr_assert(eq(str, (char *)rp_json_text(run, "kind"), "replay"));
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(run, "balanced")));
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), rp_json_number(run, "keys.mapped")));
    return run;
}

/* Key, run, code, and what became of it. */
#define REJECTS_SQL                                                                                          \
    "SELECT convert_from(key, 'UTF8'), run, code, resolved_by, replaced_by FROM redis2pg.rejects ORDER BY "  \
    "reject"
