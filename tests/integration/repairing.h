/* Repairs in a case, and what comes of them. */
#pragma once

#include "undo.h"

/* `reconcile --repair --json` with the mapping and up to two more words; fails the test unless the exit
 * status is the expected one. errors, unless NULL, gets what was said. */
static inline json_t *repair_with(RpCase *test_case, int status, const char *mapping, char **errors,
                                  const char *more, const char *last) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--repair", "--json", "--progress", "none", "--mapping",
                mapping, more, last, NULL);
    rp_outcome_assert_status(&out, status);
    if (errors != NULL)
        *errors = g_strdup(out.errors);
    return rp_outcome_json(&out);
}

static inline json_t *repair(RpCase *test_case, int status, char **errors, const char *more,
                             const char *last) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    return repair_with(test_case, status, mapping, errors, more, last);
}

/* "run 2, written 3, deleted 4, left 0", or "none". */
static inline void assert_repaired(json_t *result, const char *expected) {
    json_t *done = rp_json_at(result, "repair");
    g_autofree char *text =
        json_is_null(done) ? g_strdup("none")
                           : g_strdup_printf("run %" G_GINT64_FORMAT ", written %" G_GINT64_FORMAT
                                             ", deleted %" G_GINT64_FORMAT ", left %" G_GINT64_FORMAT,
                                             rp_json_number(done, "run"), rp_json_number(done, "written"),
                                             rp_json_number(done, "deleted"), rp_json_number(done, "left"));
    cr_assert(strcmp(text, expected) == 0, "\"%s\" instead of \"%s\"", text, expected);
}

/* Fails the test when something is left: "missing 1, extra 0, different 0". */
static inline void assert_differs(json_t *result, const char *entity, const char *expected) {
    g_autoptr(GString) text = g_string_new(NULL);
    static const char *const names[] = {"missing", "extra", "different", "extra_refused"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf("entities.%s.%s", entity, names[i]);
        const gint64 n = rp_json_number(result, path);
        if (n != 0)
            g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT, text->len > 0 ? ", " : "", names[i], n);
    }
    cr_assert(strcmp(text->str, expected) == 0, "%s: \"%s\" instead of \"%s\"", entity, text->str, expected);
}

/* One row of each table that no key gives: a customer, his order, its payment, all of that name. */
static inline void add_ghosts(RpCase *test_case, const char *name) {
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO users (id, customer_id, email) VALUES (gen_random_uuid(), '%s', 'g@h.io');"
        "INSERT INTO orders (id, order_id, customer_id, job_type, quantity, total_amount) SELECT"
        " gen_random_uuid(), '%s', (SELECT id FROM users WHERE customer_id = '%s'), job_type, 1, 1 FROM "
        "orders"
        " LIMIT 1;"
        "INSERT INTO payments (id, payment_id, order_id, amount) SELECT gen_random_uuid(), '%s',"
        " (SELECT id FROM orders WHERE order_id = '%s'), 1",
        name, name, name, name, name);
    rp_case_sql(test_case, sql);
}
