/* Rolling back runs: what comes back, what stays and why, and what is refused. */
#include "undo.h"

#include <string.h>

#define assert_same(a, b) cr_assert(strcmp((a), (b)) == 0, "%.2000s\ninstead of\n%.2000s", (a), (b))

/* Two customers, two orders each, a payment an order. */
static void add_shop(RpCase *test_case) {
    rp_case_add_customer(test_case, "c1");
    rp_case_add_customer(test_case, "c2");
    static const char *const ORDERS[][2] = {{"o1", "c1"}, {"o2", "c1"}, {"o3", "c2"}, {"o4", "c2"}};
    for (guint i = 0; i < G_N_ELEMENTS(ORDERS); i++) {
        rp_case_add_order(test_case, ORDERS[i][0], ORDERS[i][1]);
        g_autofree char *payment = g_strdup_printf("p%u", i + 1);
        rp_case_add_payment(test_case, payment, ORDERS[i][0]);
    }
}

static void run_shop(RpCase *test_case) {
    add_shop(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
}

/* The kept rows as lines: table, key, reason, changed. */
static void assert_kept(json_t *rollback, const char *expected) {
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i, n;
    json_t *kept, *name;
    json_array_foreach(rp_json_at(rollback, "kept"), i, kept) {
        char *key = json_dumps(json_object_get(kept, "key"), JSON_COMPACT);
        g_string_append_printf(text, "%s%s %s %s", text->len > 0 ? "\n" : "", rp_json_text(kept, "table"),
                               key, rp_json_text(kept, "reason"));
        free(key);
        json_array_foreach(json_object_get(kept, "changed"), n, name) {
            g_string_append_printf(text, "%s%s", n > 0 ? ", " : ": ", json_string_value(name));
        }
    }
    /* Numbers of transactions differ from time to time. */
    g_autoptr(GRegex) number = g_regex_new("transaction \\d+", 0, 0, NULL);
    g_autofree char *shown = g_regex_replace_literal(number, text->str, -1, 0, "transaction N", 0, NULL);
    assert_same(shown, expected);
}

/* ---- what comes back ---- */

Test(rollback, takes_back_a_load) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 100, "0");
    g_autofree char *before = rp_case_shop_rows(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--batch-rows", "70", NULL);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    cr_assert(eq(str, (char *)rp_json_text(undone, "status"), "completed"));
    cr_assert(eq(i64, rp_json_number(undone, "run"), 2));
    cr_assert(eq(i64, rp_json_number(undone, "of"), 1));
    cr_assert(eq(str, (char *)rp_json_text(undone, "kind"), "rollback"));
    cr_assert(eq(i64, rp_json_number(undone, "kept_total"), 0));
    rp_assert_undone(undone, "public.users", "deleted 100");
    rp_assert_undone(undone, "public.orders", "deleted 400");
    rp_assert_undone(undone, "public.payments", "deleted 300");
    g_autofree char *after = rp_case_shop_rows(test_case);
    assert_same(after, before);
    rp_case_assert_rows(test_case,
                        "SELECT run, kind, status, undoes, undone_by FROM redis2pg.runs ORDER BY run",
                        "1|run|rolled_back|null|2\n2|rollback|completed|1|null");
    g_autoptr(json_t) again = rp_case_load(test_case, 0, NULL);
    rp_assert_account(again, "orders", "read 400, inserted 400");
}

/* What small batches wrote is undone together, and taken apart by batches and by rows. */
Test(rollback, takes_small_batches_together) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 100, "0");
    g_autofree char *before = rp_case_shop_rows(test_case);
    static const char *const ROWS[] = {"1", "7"};
    static const char *const RUNS[] = {"1", "3"};
    for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
        g_autoptr(json_t) run = rp_case_load(test_case, 0, "--batch-rows", ROWS[i], NULL);
        rp_case_sql(
            test_case,
            "CREATE TABLE one AS SELECT id FROM payments ORDER BY payment_id LIMIT 1;"
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF OLD.id = (SELECT id"
            " FROM one) THEN RAISE EXCEPTION 'no'; END IF; RETURN OLD; END$$;"
            "CREATE TRIGGER refuse AFTER DELETE ON payments FOR EACH ROW EXECUTE FUNCTION refuse()");
        g_autoptr(json_t) trial = rp_case_roll_back(test_case, 6, RUNS[i], "--dry-run", NULL);
        rp_assert_undone(trial, "public.payments", "deleted 299, kept 1");
        rp_assert_undone(trial, "public.orders", "deleted 399, kept 1");
        rp_case_sql(test_case, "DROP FUNCTION refuse CASCADE; DROP TABLE one");
        /* The dry run has used up a number. */
        rp_case_sql(test_case,
                    "SELECT setval('redis2pg.runs_run_seq', (SELECT max(run) FROM redis2pg.runs))");
        g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, RUNS[i], NULL);
        g_autofree char *after = rp_case_shop_rows(test_case);
        assert_same(after, before);
        g_autofree char *sql =
            g_strdup_printf("SELECT count(*) FROM redis2pg.batches WHERE run = %s + 1", RUNS[i]);
        rp_case_assert_rows(test_case, sql, "3");
    }
}

/* Among rows that were there before: those that are equal are no business of a rollback. */
Test(rollback, restores_what_an_update_changed_exactly) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_sql(test_case, "UPDATE orders SET metadata = 'null'::jsonb || '{}' WHERE false");
    g_autofree char *before = rp_case_shop_rows(test_case);
    rp_case_redis(test_case, "HSET order:o1 status paid total_amount 60.00");
    rp_case_redis(test_case, "HSET customer:c1 email other@example.com");
    rp_case_redis(test_case, "DEL payment:p4");
    rp_case_add_payment(test_case, "p5", "o4");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_assert_account(run, "orders", "read 4, updated 1, unchanged 3");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_assert_undone(undone, "public.orders", "restored 1");
    rp_assert_undone(undone, "public.users", "restored 1");
    rp_assert_undone(undone, "public.payments", "deleted 1");
    g_autofree char *after = rp_case_shop_rows(test_case);
    assert_same(after, before);
    rp_case_assert_rows(test_case,
                        "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal AND tgenabled "
                        "<> 'O' AND tgrelid::regclass::text IN ('users', 'orders', 'payments')",
                        "");
}

Test(rollback, of_a_rollback_restores_and_so_on) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    g_autofree char *first = rp_case_shop_rows(test_case);
    rp_case_redis(test_case, "HSET order:o1 status paid");
    rp_case_add_order(test_case, "o5", "c1");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    g_autofree char *second = rp_case_shop_rows(test_case);
    static const char *const RUNS[] = {"2", "3", "4", "5"};
    for (guint i = 0; i < G_N_ELEMENTS(RUNS); i++) {
        g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, RUNS[i], NULL);
        rp_assert_undone(undone, "public.orders",
                         i % 2 == 0 ? "deleted 1, restored 1" : "restored 1, reinserted 1");
        g_autofree char *after = rp_case_shop_rows(test_case);
        assert_same(after, i % 2 == 0 ? first : second);
        g_autofree char *status =
            rp_case_sql_text(test_case, "SELECT status FROM redis2pg.runs WHERE run = 2");
        cr_assert(eq(str, status, i % 2 == 0 ? "rolled_back" : "completed"));
    }
    rp_case_refuses_rollback(
        test_case, 6, "2",
        "run 2 was rolled back by run 3, run 3 was rolled back by run 4, run 4 was rolled back by "
        "run 5, run 5 was rolled back by run 6: what can be rolled back now is run 6");
}

/* Rows that refer to what the rollback had deleted: none is met before that is there again. */
Test(rollback, of_a_rollback_puts_parents_back_first) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_add_customer(test_case, "c9");
    for (guint i = 1; i <= 4; i++) {
        g_autofree char *order = g_strdup_printf("o%u", i);
        rp_case_add_order(test_case, order, "c9");
    }
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_assert_account(run, "orders", "read 4, updated 4");
    g_autofree char *second = rp_case_shop_rows(test_case);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "2", NULL);
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "3", NULL);
    g_autofree char *after = rp_case_shop_rows(test_case);
    assert_same(after, second);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.batches WHERE run = 4", "2");
}

Test(rollback, twice_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_case_refuses_rollback(test_case, 6, "1", "run 1 was rolled back by run 2");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs", "2");
}

Test(rollback, dry_run_leaves_nothing_and_tells_the_same) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_redis(test_case, "HSET order:o1 status paid");
    rp_case_redis(test_case, "HSET order:o2 status paid");
    rp_case_add_order(test_case, "o5", "c1");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, "UPDATE orders SET quantity = 11 WHERE order_id = 'o2'");
    g_autofree char *before = rp_case_shop_rows(test_case);
    g_autofree char *ledger = rp_case_sql_rows(
        test_case,
        "SELECT r::text FROM redis2pg.runs r UNION ALL SELECT u::text FROM redis2pg.undo u UNION ALL "
        "SELECT b::text FROM redis2pg.batches b UNION ALL SELECT k::text FROM redis2pg.kept k ORDER BY 1");
    g_autoptr(json_t) trial = rp_case_roll_back(test_case, 6, "2", "--dry-run", NULL);
    cr_assert(JSON_NULL == json_typeof(rp_json_at(trial, "run")));
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(trial, "dry_run")));
    rp_assert_undone(trial, "public.orders", "deleted 1, restored 1, kept 1");
    g_autofree char *after = rp_case_shop_rows(test_case);
    assert_same(after, before);
    g_autofree char *ledger_after = rp_case_sql_rows(
        test_case,
        "SELECT r::text FROM redis2pg.runs r UNION ALL SELECT u::text FROM redis2pg.undo u UNION ALL "
        "SELECT b::text FROM redis2pg.batches b UNION ALL SELECT k::text FROM redis2pg.kept k ORDER BY 1");
    assert_same(ledger_after, ledger);
    rp_case_assert_rows(test_case,
                        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'", "");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "2", NULL);
    rp_assert_undone(undone, "public.orders", "deleted 1, restored 1, kept 1");
    cr_assert(json_equal(rp_json_at(undone, "kept"), rp_json_at(trial, "kept")));
}

/* Of a constraint that waits for COMMIT elsewhere, and of rows that the rollback itself has written. */
Test(rollback, dry_run_checks_as_a_real_one_does) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_sql(test_case,
                "CREATE TABLE notes (id int, o text REFERENCES payments (payment_id) DEFERRABLE INITIALLY"
                " DEFERRED); INSERT INTO notes VALUES (1, 'p1'), (2, 'p3')");
    g_autoptr(json_t) trial = rp_case_roll_back(test_case, 6, "1", "--dry-run", NULL);
    rp_assert_undone(trial, "public.payments", "deleted 2, kept 2");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "1", NULL);
    cr_assert(json_equal(rp_json_at(undone, "tables"), rp_json_at(trial, "tables")));
    cr_assert(json_equal(rp_json_at(undone, "kept"), rp_json_at(trial, "kept")));
}

/* The run changed a row twice, somebody else in between: what the rollback itself wrote is not another's. */
Test(rollback, dry_run_knows_its_own_rows) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_redis(test_case, "HSET order:o1 status paid");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, "INSERT INTO redis2pg.undo (run, pass, batch, entity, target, operation, before)"
                           " SELECT run, pass, batch, entity, target, 'insert', json_build_array("
                           "json_build_object('order_id', 'o1')) FROM redis2pg.undo WHERE run = 2;"
                           "UPDATE redis2pg.undo SET undo = DEFAULT WHERE run = 2 AND operation = 'update'");
    g_autoptr(json_t) trial = rp_case_roll_back(test_case, 6, "2", "--dry-run", NULL);
    rp_assert_says(rp_json_text(trial, "kept.0.reason"), "by another writer while run 2 worked");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "2", NULL);
    rp_assert_says(rp_json_text(undone, "kept.0.reason"), "by another writer while run 2 worked");
}

/* ---- what stays ---- */

Test(rollback, keeps_what_was_changed_since_and_says_what) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_redis(test_case, "HSET order:o1 status paid");
    rp_case_redis(test_case, "HSET order:o2 status paid");
    rp_case_redis(test_case, "HSET payment:p1 amount 1.00");
    rp_case_add_order(test_case, "o5", "c1");
    rp_case_add_order(test_case, "o6", "c1");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case,
                "UPDATE orders SET quantity = 11 WHERE order_id IN ('o1', 'o5');"
                "DELETE FROM payments WHERE payment_id = 'p1'; DELETE FROM orders WHERE order_id = 'o6'");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "2", NULL);
    rp_assert_undone(undone, "public.orders", "restored 1, kept 2");
    rp_assert_undone(undone, "public.payments", "kept 1");
    assert_kept(undone,
                "public.payments {\"payment_id\":\"p1\"} was deleted since\n"
                "public.orders {\"order_id\":\"o1\"} changed since by another writer (transaction N)\n"
                "public.orders {\"order_id\":\"o5\"} changed since by another writer (transaction N)");
    rp_case_assert_rows(test_case, "SELECT order_id, status, quantity FROM orders ORDER BY order_id",
                        "o1|paid|11\no2|pending|10\no3|pending|10\no4|pending|10\no5|pending|11");
    g_auto(RpOutcome) shown = {0};
    rp_case_run(test_case, &shown, "runs", "show", "3", "--json", NULL);
    g_autoptr(json_t) result = rp_outcome_json(&shown);
    cr_assert(json_equal(rp_json_at(undone, "kept"), rp_json_at(result, "kept")));
    cr_assert(json_equal(rp_json_at(undone, "tables"), rp_json_at(result, "tables")));
}

Test(rollback, with_force_keeps_the_same_with_status_0) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_sql(test_case, "UPDATE payments SET amount = 1 WHERE payment_id = 'p1'");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", "--force", NULL);
    cr_assert(eq(i64, rp_json_number(undone, "kept_total"), 3));
    rp_case_assert_rows(test_case, "SELECT order_id FROM orders", "o1");
}

/* What the later run kept of the row tells what it changed. */
Test(rollback, names_the_later_run) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_redis(test_case, "HSET payment:p1 amount 1.00 currency EUR");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "1", NULL);
    assert_kept(
        undone,
        "public.payments {\"payment_id\":\"p1\"} changed since by run 2 (run): amount, currency, "
        "updated_at\n"
        "public.orders {\"order_id\":\"o1\"} payments (constraint payments_order_id_fkey) still refers "
        "to it\n"
        "public.users {\"customer_id\":\"c1\"} orders (constraint orders_customer_id_fkey) still refers "
        "to it");
    rp_assert_undone(undone, "public.users", "deleted 1, kept 1");
    rp_assert_undone(undone, "public.orders", "deleted 3, kept 1");
    rp_assert_undone(undone, "public.payments", "deleted 3, kept 1");
}

/* A value of a key that the mapping calls sensitive is in no report. */
Test(rollback, masks_sensitive_keys) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_sql(test_case, "CREATE TABLE people (mail text, n int, name text, PRIMARY KEY (mail, n))");
    rp_case_redis(test_case, "HSET p:1 mail secret@example.org n 7 name x");
    char *mapping = rp_file_write("redis2pg: 1\nentities:\n  people:\n    keys: \"p:{k}\"\n    type: hash\n"
                                  "    table: people\n    key: [mail, n]\n    columns:\n"
                                  "      mail: {from: mail, required: true, sensitive: true}\n"
                                  "      n: {from: n, required: true}\n      name: {from: name}\n");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--mapping", mapping, NULL);
    rp_file_drop(mapping);
    rp_case_sql(test_case, "UPDATE people SET name = 'y'");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "1", NULL);
    assert_kept(undone,
                "public.people {\"mail\":\"***\",\"n\":7} changed since by another writer (transaction N)");
    g_auto(RpOutcome) shown = {0};
    rp_case_run(test_case, &shown, "runs", "show", "2", NULL);
    cr_assert(strstr(shown.output, "secret") == NULL);
    rp_assert_says(shown.output, "***");
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_case_assert_rows(test_case, "SELECT run, masked_columns FROM redis2pg.run_entities ORDER BY 1",
                        "1|{mail}\n2|{mail}\n3|{mail}");
}

/* Whatever ON DELETE says: rows of somebody else are neither deleted nor changed. */
Test(rollback, leaves_rows_of_tables_that_it_does_not_know) {
    static const char *const ACTIONS[] = {"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"};
    for (guint i = 0; i < G_N_ELEMENTS(ACTIONS); i++) {
        g_autoptr(RpCase) test_case = rp_case_new();
        run_shop(test_case);
        g_autofree char *sql =
            g_strdup_printf("CREATE TABLE notes (id int, payment uuid REFERENCES payments ON DELETE %s); "
                            "INSERT INTO notes SELECT 1, "
                            "id FROM payments WHERE payment_id = 'p2'; INSERT INTO notes VALUES (2, NULL)",
                            ACTIONS[i]);
        rp_case_sql(test_case, sql);
        g_autofree char *notes = rp_case_sql_rows(test_case, "SELECT n::text FROM notes n ORDER BY id");
        g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "1", NULL);
        rp_assert_undone(undone, "public.payments", "deleted 3, kept 1");
        rp_assert_undone(undone, "public.orders", "deleted 3, kept 1");
        rp_assert_undone(undone, "public.users", "deleted 1, kept 1");
        rp_assert_says(rp_json_text(undone, "kept.0.reason"),
                       "notes (constraint notes_payment_fkey) still refers to it");
        g_autofree char *after = rp_case_sql_rows(test_case, "SELECT n::text FROM notes n ORDER BY id");
        assert_same(after, notes);
    }
}

/* A value that a constraint refuses now keeps its row alone, among many, and is not shown. */
Test(rollback, finds_the_row_that_postgresql_refuses) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 50, "0");
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, "UPDATE payments SET transaction_id = 'was ' || payment_id;"
                           "UPDATE payments SET amount = 3");
    g_autofree char *secret =
        rp_case_sql_text(test_case, "SELECT transaction_id FROM payments ORDER BY 1 LIMIT 1");
    g_autoptr(json_t) second = rp_case_load(test_case, 0, NULL);
    rp_assert_account(second, "payments", "read 150, updated 150");
    rp_case_sql(test_case,
                "CREATE TABLE other AS SELECT * FROM payments WHERE false;"
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.transaction_id "
                "= (SELECT min(v) FROM refused) THEN RAISE EXCEPTION 'no %', NEW.transaction_id; END IF; "
                "RETURN NEW; END$$; CREATE TABLE refused (v text)");
    g_autofree char *insert =
        g_strdup_printf("INSERT INTO refused VALUES ('%s'); CREATE TRIGGER refuse AFTER UPDATE ON "
                        "payments FOR EACH ROW EXECUTE FUNCTION refuse()",
                        secret);
    rp_case_sql(test_case, insert);
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "2", NULL);
    rp_assert_undone(undone, "public.payments", "restored 149, kept 1");
    rp_assert_says(rp_json_text(undone, "kept.0.reason"), "PostgreSQL refuses it: SQLSTATE P0001");
    char *shown = json_dumps(undone, 0);
    rp_assert_keeps_quiet(shown, secret);
    free(shown);
    rp_case_assert_rows(
        test_case, "SELECT count(*) FROM payments WHERE transaction_id LIKE 'was %' AND amount = 3", "149");
    rp_case_sql(test_case, "DROP TRIGGER refuse ON payments");
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "3", NULL);
    rp_assert_undone(back, "public.payments", "restored 149");
}

/* A BEFORE DELETE trigger may drop a row in silence. */
Test(rollback, keeps_what_a_trigger_holds) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_sql(test_case,
                "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF OLD.payment_id = 'p3' "
                "THEN RETURN NULL; END IF; RETURN OLD; END$$; CREATE TRIGGER hold BEFORE DELETE ON payments "
                "FOR EACH ROW EXECUTE FUNCTION hold()");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 6, "1", NULL);
    rp_assert_undone(undone, "public.payments", "deleted 3, kept 1");
    rp_assert_undone(undone, "public.orders", "deleted 3, kept 1");
    rp_assert_says(rp_json_text(undone, "kept.0.reason"), "a trigger, a rule or a policy keeps it as it is");
}

/* ---- what is refused ---- */

Test(rollback, of_an_unknown_run_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_refuses_rollback(test_case, 2, "1", "the ledger has no run 1");
    rp_case_assert_rows(test_case, "SELECT to_regnamespace('redis2pg')", "null");
    run_shop(test_case);
    rp_case_refuses_rollback(test_case, 2, "7", "the ledger has no run 7");
    rp_case_refuses_rollback(test_case, 2, "x", "\"x\" is no number of a run");
}

Test(rollback, is_refused_while_a_run_works) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    add_shop(test_case);
    PGconn *holder = rp_case_hold(test_case, "orders");
    RpProcess *process = rp_case_spawn(test_case, "run", "--mapping", mapping, "--progress", "none", NULL);
    rp_case_await_blocked(test_case, "orders", 1);
    rp_case_refuses_rollback(test_case, 6, "1", "another run works on this target: run 1 on host");
    rp_case_release(holder);
    rp_process_wait(process, &out);
    rp_outcome_assert_status(&out, 0);
    rp_case_assert_rows(test_case, "SELECT run, status FROM redis2pg.runs", "1|completed");
}

Test(rollback, of_a_run_of_an_earlier_version_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_sql(test_case, "UPDATE redis2pg.run_entities SET key_columns = NULL");
    rp_case_refuses_rollback(test_case, 6, "1", "its ledger does not hold what a rollback needs");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs", "1");
}

Test(rollback, of_tables_that_are_gone_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_sql(test_case, "ALTER TABLE payments RENAME COLUMN payment_id TO number");
    rp_case_refuses_rollback(test_case, 2, "1", "table public.payments has no column payment_id any more");
    rp_case_sql(test_case, "DROP TABLE payments");
    rp_case_refuses_rollback(test_case, 2, "1", "table public.payments is gone");
    rp_case_assert_rows(test_case, "SELECT count(*), (SELECT count(*) FROM orders) FROM redis2pg.runs",
                        "1|4");
}

/* Ids that this server has not come to: of a dump of another one. */
Test(rollback, with_transaction_ids_of_another_server_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_sql(test_case, "UPDATE redis2pg.batches SET xid = '4000000000'");
    rp_case_refuses_rollback(test_case, 6, "1", "transaction ids that this server has not given out yet");
}

/* ---- rejects ---- */

Test(rollback, opens_the_rejects_that_the_run_had_settled) {
    g_autoptr(RpCase) test_case = rp_case_new();
    run_shop(test_case);
    rp_case_sql(
        test_case,
        "INSERT INTO redis2pg.rejects (run, pass, batch, entity, key, stage, code, message, raw, resolved_by,"
        " replaced_by) VALUES (1, 0, 0, 'orders', 'a', 'map', 'x', 'm', '', 1, NULL), (1, 0, 0, 'orders', "
        "'b',"
        " 'map', 'x', 'm', '', NULL, 1)");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_case_assert_rows(test_case, "SELECT resolved_by, replaced_by FROM redis2pg.rejects",
                        "null|null\nnull|null");
    g_autoptr(json_t) back = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_case_assert_rows(test_case, "SELECT status, undone_by FROM redis2pg.runs WHERE run = 1",
                        "completed_with_rejects|null");
}
