/* Rollbacks and their comparisons. */
#include "undo.h"

#include <stdarg.h>
#include <string.h>

#define MAX_WORDS 12

json_t *rp_case_roll_back(RpCase *test_case, int status, const char *run, ...) {
    const char *words[MAX_WORDS + 1] = {"rollback", run, "--json", "--progress", "none"};
    guint n_words = 5;
    va_list arguments;
    va_start(arguments, run);
    for (const char *word = va_arg(arguments, const char *); word != NULL;
         word = va_arg(arguments, const char *)) {
        cr_assert(n_words < MAX_WORDS);
        words[n_words++] = word;
    }
    va_end(arguments);
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, words);
    rp_outcome_assert_status(&out, status);
    return rp_outcome_json(&out);
}

void rp_case_refuses_rollback(RpCase *test_case, int status, const char *run, const char *part) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rollback", run, NULL);
    rp_outcome_assert_status(&out, status);
    rp_assert_says(out.errors, part);
}

void rp_assert_undone(json_t *rollback, const char *table, const char *expected) {
    static const char *const names[] = {"deleted", "restored", "reinserted", "kept"};
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i;
    json_t *counts;
    json_array_foreach(rp_json_at(rollback, "tables"), i, counts) {
        if (strcmp(rp_json_text(counts, "table"), table) != 0)
            continue;
        for (guint n = 0; n < G_N_ELEMENTS(names); n++)
            if (rp_json_number(counts, names[n]) != 0)
                g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT, text->len > 0 ? ", " : "", names[n],
                                       rp_json_number(counts, names[n]));
    }
    cr_assert(strcmp(text->str, expected) == 0, "%s: \"%s\" instead of \"%s\"", table, text->str, expected);
}

char *rp_case_shop_rows(RpCase *test_case) {
    return rp_case_sql_rows(
        test_case, "SELECT 'user ' || t::text FROM users t UNION ALL SELECT 'order ' || t::text "
                   "FROM orders t UNION ALL SELECT 'payment ' || t::text FROM payments t ORDER BY 1");
}
