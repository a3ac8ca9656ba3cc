/* Replaying rejects as they were kept: what passes is written and settled, what fails keeps its history. */
#include "replaying.h"

#include <signal.h>

#define OVER_LIMIT "max: 1000}", "max: 5000}"

/* The limit goes from the table and from the mapping. */
#define NO_LIMIT "ALTER TABLE orders DROP CONSTRAINT orders_quantity_in_range"

/* An order over the limit, its payment, and an order that no customer has. */
static void make_rejects(RpCase *test_case) {
    rp_case_sql(test_case, NO_LIMIT);
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "over", "c1");
    rp_case_redis(test_case, "HSET order:over quantity 1001");
    rp_case_add_order(test_case, "orphan", "nobody");
    rp_case_add_payment(test_case, "p1", "over");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), 3));
}

/* Children pass in the same replay, after their parents. */
Test(replay, what_passes_is_written_and_settled) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *mended = mended_shop(OVER_LIMIT);
    make_rejects(test_case);
    rp_case_redis(test_case, "FLUSHDB"); /* Redis has no part in it */
    g_autoptr(json_t) run = replay(test_case, 1, mended, NULL, NULL, NULL);
    cr_assert(eq(i64, rp_json_number(run, "run"), 2));
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), 3));
    cr_assert(eq(str, (char *)rp_json_text(run, "status"), "completed_with_rejects"));
    rp_assert_account(run, "customers", "");
    rp_assert_account(run, "orders", "read 2, inserted 1, rejected 1");
    rp_assert_account(run, "payments", "read 1, inserted 1");
    rp_case_assert_rows(test_case,
                        "SELECT o.order_id, quantity, payment_id FROM orders o JOIN payments p ON "
                        "p.order_id = o.id",
                        "over|1001|p1");
    rp_case_assert_rows(test_case, REJECTS_SQL " OFFSET 0",
                        "order:over|1|out_of_range|2|null\norder:orphan|1|missing_reference|null|2\n"
                        "payment:p1|1|missing_reference|2|null\norder:orphan|2|missing_reference|null|null");
    rp_case_assert_rows(test_case,
                        "SELECT kind, status, a.source = b.source, a.source_run_id FROM redis2pg.runs a,"
                        " (SELECT source FROM redis2pg.runs WHERE run = 1) b WHERE run = 2",
                        "replay|completed_with_rejects|t|");
    rp_file_drop(mended);
}

Test(replay, what_failed_again_passes_once_its_reason_is_gone) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *mended = mended_shop(OVER_LIMIT);
    make_rejects(test_case);
    g_autoptr(json_t) first = replay(test_case, 1, mended, NULL, NULL, NULL);
    rp_case_add_customer(test_case, "nobody");
    g_autoptr(json_t) customers = rp_case_load(test_case, 0, "--entity", "customers", NULL);
    g_autoptr(json_t) second = replay(test_case, 0, mended, NULL, NULL, NULL);
    rp_assert_account(second, "orders", "read 1, inserted 1");
    cr_assert(eq(str, (char *)rp_json_text(second, "status"), "completed"));
    rp_case_assert_rows(
        test_case, "SELECT reject, resolved_by, replaced_by FROM redis2pg.rejects WHERE run = 2", "4|4|null");
    g_auto(RpOutcome) none = {0};
    rp_case_run(test_case, &none, "rejects", "replay", "--mapping", mended, NULL);
    rp_outcome_assert_status(&none, 0);
    rp_assert_says(none.output, "nothing to replay");
    g_autoptr(json_t) nothing = replay(test_case, 0, mended, NULL, NULL, NULL);
    cr_assert(JSON_NULL == json_typeof(rp_json_at(nothing, "run")));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs", "4");
    rp_file_drop(mended);
}

Test(replay, takes_what_the_filters_say) {
    static const struct {
        const char *option, *value, *settled;
        int status;
    } narrowed[] = {{"--code", "out_of_range", "1", 0},
                    {"--entity", "payments", "3", 1}, /* its order is not there */
                    {"--run", "1", "1\n2\n3", 1}};
    for (guint i = 0; i < G_N_ELEMENTS(narrowed); i++) {
        g_autoptr(RpCase) test_case = rp_case_new();
        char *mended = mended_shop(OVER_LIMIT);
        make_rejects(test_case);
        g_autoptr(json_t) run =
            replay(test_case, narrowed[i].status, mended, narrowed[i].option, narrowed[i].value, NULL);
        rp_case_assert_rows(test_case,
                            "SELECT reject FROM redis2pg.rejects WHERE coalesce(resolved_by, replaced_by) = 2"
                            " ORDER BY reject",
                            narrowed[i].settled);
        rp_file_drop(mended);
    }
}

Test(replay, refuses_what_is_not_there) {
    static const struct {
        const char *option, *value, *says;
    } wrong[] = {{"--run", "77", "has no run 77"},
                 {"--entity", "order", "no entity \"order\""},
                 {"--code", "out_of_rage", "out_of_range"},
                 {"--reveal", NULL, "does not go with rejects replay"},
                 {"--limit", "1", "--limit does not go with rejects replay (but with: list, export)"},
                 {"--open", NULL, "--open does not go with rejects replay"}};
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    make_rejects(test_case);
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_auto(RpOutcome) out = {0};
        rp_case_run(test_case, &out, "rejects", "replay", "--mapping", mapping, wrong[i].option,
                    wrong[i].value, NULL);
        rp_outcome_assert_status(&out, 2);
        rp_assert_says(out.errors, wrong[i].says);
    }
    rp_case_sql(test_case, "UPDATE redis2pg.runs SET undone_by = 1 WHERE run = 1");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "replay", "--mapping", mapping, "--run", "1", NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "was rolled back");
    g_autoptr(json_t) nothing = replay(test_case, 0, mapping, NULL, NULL, NULL);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs", "1");
}

Test(replay, works_without_redis_and_with_allowed_rejects) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    make_rejects(test_case);
    g_autoptr(json_t) run =
        replay(test_case, 0, mapping, "--allow-rejects", "--redis", "redis://127.0.0.1:1/0");
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), 3));
    rp_case_assert_rows(test_case,
                        "SELECT run, count(*), count(replaced_by) FROM redis2pg.rejects GROUP BY run "
                        "ORDER BY run",
                        "1|3|3\n2|3|0");
    g_auto(RpOutcome) many = {0};
    rp_case_run(test_case, &many, "rejects", "replay", "--mapping", mapping, "--max-rejects", "1", NULL);
    rp_outcome_assert_status(&many, 6);
}

/* Longer than an entry of an index may be, and not to be compressed. */
Test(replay, keys_may_be_long) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  e:\n    keys: \"e:{id}\"\n    table: t\n    type: "
                      "string\n    key: [id]\n    columns: {id: {from: $db}, v: $value}\n");
    g_autoptr(GString) key = g_string_new("e:");
    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(key, "%08x", g_random_int());
    rp_case_sql(test_case, "CREATE TABLE t (id int PRIMARY KEY, v int)");
    rp_case_redis(test_case, "SET %s x", key->str);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, NULL);
    rp_case_redis(test_case, "SET %s 1", key->str);
    g_autoptr(json_t) replayed = replay(test_case, 0, mapping, "--from-source", NULL, NULL);
    rp_assert_account(replayed, "e", "read 1, inserted 1");
    rp_file_drop(mapping);
}

/* ---- what a later run has seen ---- */

/* The key is mended in Redis and loaded: the older reading must not come back. */
Test(replay, never_brings_back_what_a_later_run_has_overtaken) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *mended = mended_shop(OVER_LIMIT);
    make_rejects(test_case);
    rp_case_redis(test_case, "HSET order:over quantity 5");
    rp_case_redis(test_case, "DEL payment:p1");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_case_assert_rows(test_case, REJECTS_SQL,
                        "order:over|1|out_of_range|2|null\norder:orphan|1|missing_reference|null|2\n"
                        "payment:p1|1|missing_reference|2|null\norder:orphan|2|missing_reference|null|null");
    g_autoptr(json_t) replayed = replay(test_case, 1, mended, NULL, NULL, NULL);
    cr_assert(eq(i64, rp_json_number(replayed, "keys.scanned"), 1));
    rp_case_assert_rows(test_case, "SELECT quantity FROM orders", "5");
    rp_file_drop(mended);
}

Test(replay, a_run_settles_only_what_it_has_loaded_of_the_same_source) {
    g_autoptr(RpCase) test_case = rp_case_new();
    make_rejects(test_case);
    g_autoptr(json_t) payments = rp_case_load(test_case, 1, "--entity", "payments", NULL);
    rp_case_assert_rows(test_case, "SELECT reject FROM redis2pg.rejects WHERE replaced_by = 2", "3");
    rp_case_sql(test_case, "UPDATE redis2pg.runs SET source = 'elsewhere:1 db 0' WHERE run = 1");
    g_autoptr(json_t) all = rp_case_load(test_case, 1, NULL);
    rp_case_assert_rows(test_case, "SELECT run, reject FROM redis2pg.rejects WHERE replaced_by = 3", "2|4");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects WHERE resolved_by IS NOT NULL",
                        "0");
}

/* It may have written the key's newer row, and has settled nothing. */
Test(replay, leaves_what_an_unfinished_run_may_have_overtaken) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *mended = mended_shop(OVER_LIMIT);
    make_rejects(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_case_sql(test_case, "UPDATE redis2pg.runs SET status = 'interrupted' WHERE run = 2;"
                           "DELETE FROM redis2pg.rejects WHERE run = 2;"
                           "UPDATE redis2pg.rejects SET resolved_by = NULL, replaced_by = NULL");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "rejects", "replay", "--mapping", mended, NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.output, "nothing to replay");
    rp_assert_says(out.errors, "3 that a later run has overtaken, or may have");
    rp_assert_says(out.errors, "--from-source");
    rp_case_sql(test_case, "UPDATE redis2pg.runs SET undone_by = 1 WHERE run = 2");
    g_autoptr(json_t) replayed = replay(test_case, 1, mended, NULL, NULL, NULL);
    rp_assert_account(replayed, "orders", "read 2, inserted 1, rejected 1");
    rp_file_drop(mended);
}

/* Two keys claim one payment. Whose row it is that stands, a replay cannot know. */
Test(replay, does_not_overwrite_the_row_of_another_key) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_payment(test_case, "p1", "o1");
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_add_payment(test_case, "p2", "o1");
    rp_case_redis(test_case, "HSET payment:p2 payment_id p1 amount 777");
    g_autoptr(json_t) second = rp_case_load(test_case, 1, NULL);
    g_autofree char *before = rp_case_sql_rows(test_case, "SELECT xmin, * FROM payments");
    const gboolean won = strstr(before, "777") != NULL; /* whichever was met first */
    g_autoptr(json_t) replayed = replay(test_case, 1, mapping, NULL, NULL, NULL);
    rp_assert_account(replayed, "payments", "read 1, rejected 1");
    rp_case_assert_rows(test_case, "SELECT code FROM redis2pg.rejects WHERE run = 3", "duplicate_key");
    g_autofree char *after = rp_case_sql_rows(test_case, "SELECT xmin, * FROM payments");
    cr_assert(eq(str, before, after), "%d", won);
}

/* ---- interruptions ---- */

/* Orders 0 to 99, of which each is over the limit. */
static void make_many(RpCase *test_case) {
    rp_case_sql(test_case, NO_LIMIT);
    rp_case_add_customer(test_case, "c1");
    for (guint i = 0; i < 100; i++) {
        g_autofree char *id = g_strdup_printf("%02u", i);
        rp_case_add_order(test_case, id, "c1");
        rp_case_redis(test_case, "HSET order:%s quantity 1001", id);
    }
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 100, rejected 100");
}

static const char SETTLED_SQL[] =
    "SELECT count(resolved_by) = (SELECT count(*) FROM orders), count(replaced_by) FROM redis2pg.rejects";

static void break_off(const char *fault, int status) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    char *mended = mended_shop(OVER_LIMIT);
    make_many(test_case);
    g_setenv("REDIS2PG_FAULT", fault, TRUE);
    rp_case_run(test_case, &out, "rejects", "replay", "--mapping", mended, "--batch-rows", "10", "--writers",
                "1", NULL);
    g_unsetenv("REDIS2PG_FAULT");
    rp_outcome_assert_status(&out, status);
    rp_case_assert_rows(test_case, SETTLED_SQL, "t|0");
    const gint64 n_first = rp_case_sql_number(test_case, "SELECT count(*) FROM orders");
    cr_assert(status == 5 || n_first < 100); /* a signal may come late */
    if (n_first < 100) {
        g_autoptr(json_t) again = replay(test_case, 0, mended, NULL, NULL, NULL);
        cr_assert(eq(i64, rp_json_number(again, "entities.orders.inserted"), 100 - n_first));
    }
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders", "100");
    rp_case_assert_rows(test_case, "SELECT count(*), count(resolved_by) FROM redis2pg.rejects", "100|100");
    rp_file_drop(mended);
}

Test(replay, a_killed_one_is_run_again) {
    break_off("kill:before_commit:2", 128 + SIGKILL);
    break_off("kill:rejects_settled:3", 128 + SIGKILL);
    break_off("kill:after_commit:4", 128 + SIGKILL);
}

Test(replay, an_interrupted_one_commits_what_is_in_hand) {
    break_off("interrupt:after_commit:2", 5);
}
