/* `redis2pg rejects`: what is shown of a record that was refused, and what is never shown. */
#include "shop.h"

#include <string.h>

/* Three rejects: an order over the limit, one that its customer left behind, and a secret profile. */
static void make_rejects(RpCase *test_case) {
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "over", "c1");
    rp_case_redis(test_case, "HSET order:over quantity 1001");
    rp_case_add_order(test_case, "orphan", "nobody");
    rp_case_add_payment(test_case, "p1", "over");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), 3));
}

static json_t *list_json(RpCase *test_case, const char *option, const char *value) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "list", "--json", option, value, NULL);
    rp_outcome_assert_status(&out, 0);
    return rp_outcome_json(&out);
}

Test(rejects, list_gives_the_fields_of_the_contract) {
    g_autoptr(RpCase) test_case = rp_case_new();
    make_rejects(test_case);
    g_autoptr(json_t) all = list_json(test_case, NULL, NULL);
    cr_assert(eq(i64, rp_json_number(all, "total"), 3));
    cr_assert(eq(i64, rp_json_number(all, "by_code.out_of_range"), 1));
    cr_assert(eq(i64, rp_json_number(all, "by_code.missing_reference"), 2));
    cr_assert(eq(sz, json_array_size(rp_json_at(all, "rejects")), 3));
    g_autoptr(json_t) one = list_json(test_case, "--code", "out_of_range");
    json_t *reject = rp_json_at(one, "rejects.0");
    cr_assert(rp_json_number(reject, "id") > 0);
    cr_assert(eq(i64, rp_json_number(reject, "run"), 1));
    cr_assert(eq(str, (char *)rp_json_text(reject, "entity"), "orders"));
    cr_assert(eq(str, (char *)rp_json_text(reject, "key"), "order:over"));
    cr_assert(eq(str, (char *)rp_json_text(reject, "stage"), "map"));
    cr_assert(eq(str, (char *)rp_json_text(reject, "column"), "quantity"));
    cr_assert(eq(str, (char *)rp_json_text(reject, "code"), "out_of_range"));
    cr_assert(eq(str, (char *)rp_json_text(reject, "message"), "quantity is more than the maximum 1000"));
    cr_assert(eq(str, (char *)rp_json_text(reject, "value"), "1001"));
    cr_assert(JSON_NULL == json_typeof(rp_json_at(reject, "constraint")));
    cr_assert(JSON_NULL == json_typeof(rp_json_at(reject, "resolved_by")));
    cr_assert(json_object_get(reject, "key_hex") == NULL);
}

Test(rejects, list_can_be_narrowed) {
    static const struct {
        const char *option, *value;
        gint64 total;
    } narrowed[] = {{"--run", "1", 3},         {"--run", "2", 0},
                    {"--entity", "orders", 2}, {"--entity", "customers", 0},
                    {"--code", "not_null", 0}, {"--code", "missing_reference", 2}};
    g_autoptr(RpCase) test_case = rp_case_new();
    make_rejects(test_case);
    for (guint i = 0; i < G_N_ELEMENTS(narrowed); i++) {
        g_autoptr(json_t) list = list_json(test_case, narrowed[i].option, narrowed[i].value);
        cr_assert(eq(i64, rp_json_number(list, "total"), narrowed[i].total), "%s %s", narrowed[i].option,
                  narrowed[i].value);
        cr_assert(eq(i64, (gint64)json_array_size(rp_json_at(list, "rejects")), narrowed[i].total));
    }
    g_autoptr(json_t) limited = list_json(test_case, "--limit", "1");
    cr_assert(eq(sz, json_array_size(rp_json_at(limited, "rejects")), 1));
    cr_assert(eq(i64, rp_json_number(limited, "total"), 3)); /* the counts are of all */
}

Test(rejects, before_any_run_there_are_none) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(json_t) list = list_json(test_case, NULL, NULL);
    cr_assert(eq(i64, rp_json_number(list, "total"), 0));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM pg_namespace WHERE nspname = 'redis2pg'", "0");
}

Test(rejects, show_tells_one) {
    g_autoptr(RpCase) test_case = rp_case_new();
    make_rejects(test_case);
    g_autofree char *id =
        rp_case_sql_text(test_case, "SELECT reject FROM redis2pg.rejects WHERE key = 'order:orphan'");
    g_auto(RpOutcome) text = {0};
    rp_case_run(test_case, &text, "rejects", "show", id, NULL);
    rp_outcome_assert_status(&text, 0);
    rp_assert_says(text.output, "of run 1");
    rp_assert_says(text.output, "order:orphan");
    rp_assert_says(text.output, "missing_reference");
    rp_assert_says(text.output, "orders_customer_id_fkey");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "show", id, "--json", NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) reject = rp_outcome_json(&out);
    cr_assert(eq(str, (char *)rp_json_text(reject, "constraint"), "orders_customer_id_fkey"));
    cr_assert(eq(str, (char *)rp_json_text(reject, "stage"), "stage"));
    cr_assert(rp_json_number(reject, "raw_bytes") > 100);
    g_auto(RpOutcome) none = {0};
    rp_case_run(test_case, &none, "rejects", "show", "999", NULL);
    rp_outcome_assert_status(&none, 2);
}

Test(rejects, a_key_that_is_not_utf8_is_shown_in_hex_too) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_redis(test_case, "HSET customer:%b created_at 2025-01-01T00:00:00", "a\xff", (size_t)2);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    g_autoptr(json_t) list = list_json(test_case, NULL, NULL);
    cr_assert(eq(str, (char *)rp_json_text(list, "rejects.0.key"), "customer:a\\xff"));
    cr_assert(eq(str, (char *)rp_json_text(list, "rejects.0.key_hex"), "637573746f6d65723a61ff"));
    cr_assert(eq(str, (char *)rp_json_text(list, "rejects.0.code"), "invalid_encoding"));
    rp_case_assert_rows(test_case, "SELECT encode(key, 'hex') FROM redis2pg.rejects",
                        "637573746f6d65723a61ff");
}

static void assert_nowhere(RpCase *test_case, const char *secret) {
    static const char *const commands[][4] = {{"rejects", "list"},        {"rejects", "list", "--json"},
                                              {"rejects", "show", "1"},   {"rejects", "show", "1", "--json"},
                                              {"runs", "list", "--json"}, {"runs", "show", "1"}};
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_auto(RpOutcome) out = {0};
        const char *const *words = commands[i];
        rp_case_run(test_case, &out, words[0], words[1], words[2], words[3], NULL);
        rp_outcome_assert_status(&out, 0);
        rp_assert_keeps_quiet(out.output, secret);
        rp_assert_keeps_quiet(out.errors, secret);
    }
}

Test(rejects, a_sensitive_value_is_masked_wherever_it_could_show) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    rp_case_add_customer(test_case, "c1");
    rp_case_redis(test_case, "HSET customer:c1 email secret.address");
    rp_case_add_customer(test_case, "c2");
    rp_case_redis(test_case, "HSET customer:c2 profile_data {\"secret.address\"");
    rp_case_run(test_case, &out, "run", "--mapping", mapping, "--log-level", "debug", "--progress", "log",
                NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_keeps_quiet(out.output, "secret.address");
    rp_assert_keeps_quiet(out.errors, "secret.address");
    rp_case_assert_rows(test_case, "SELECT DISTINCT value, message ~ 'secret' FROM redis2pg.rejects",
                        "***|f");
    assert_nowhere(test_case, "secret.address");
}

/* An option that would do nothing is a mistake; in a file or the environment it may be meant for another
 * word. */
Test(rejects, options_go_with_the_words_that_they_change) {
    static const struct {
        const char *word, *reject, *option, *value;
    } wrong[] = {{"list", NULL, "--batch-rows", "5"},
                 {"list", NULL, "--from-source", NULL},
                 {"list", NULL, "--allow-rejects", NULL},
                 {"export", NULL, "--timeout-seconds", "60"},
                 {"show", "1", "--open", NULL},
                 {"show", "1", "--limit", "100"},
                 {"show", "1", "--run", "1"},
                 {"replay", NULL, "--limit", "1"},
                 {"replay", NULL, "--open", NULL}};
    g_autoptr(RpCase) test_case = rp_case_new();
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_auto(RpOutcome) out = {0};
        const char *words[] = {"rejects", wrong[i].word, NULL, NULL, NULL, NULL};
        guint n = 2;
        if (wrong[i].reject != NULL)
            words[n++] = wrong[i].reject;
        words[n++] = wrong[i].option;
        words[n] = wrong[i].value;
        rp_case_run_words(test_case, &out, words);
        rp_outcome_assert_status(&out, 2);
        g_autofree char *says =
            g_strdup_printf("%s does not go with rejects %s", wrong[i].option, wrong[i].word);
        rp_assert_says(out.errors, says);
    }
}
