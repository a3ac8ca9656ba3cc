/* Rows that only PostgreSQL can judge: a trigger, a policy, an index over an expression. They are found one
 * by one, their neighbours are written. */
#include "shop.h"

static void add_orders(RpCase *test_case, guint n) {
    rp_case_add_customer(test_case, "c1");
    for (guint i = 0; i < n; i++) {
        g_autofree char *id = g_strdup_printf("o%u", i);
        g_autofree char *quantity = g_strdup_printf("%u", i + 1);
        rp_case_add_order(test_case, id, "c1");
        rp_case_redis(test_case, "HSET order:%s quantity %s", id, quantity);
    }
}

static void raise_for(RpCase *test_case, const char *table, const char *condition) {
    g_autofree char *sql = g_strdup_printf(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF %s THEN RAISE EXCEPTION ''refused: %%'', NEW; END IF; RETURN NEW; END';"
        "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION refuse()",
        condition, table);
    rp_case_sql(test_case, sql);
}

Test(isolation, rejects_exactly_the_rows_that_a_trigger_refuses) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_orders(test_case, 50);
    raise_for(test_case, "orders", "NEW.quantity % 10 = 7");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 50, inserted 45, rejected 5");
    rp_case_assert_rows(
        test_case,
        "SELECT convert_from(key, 'UTF8'), stage, code FROM redis2pg.rejects ORDER BY length(key), key",
        "order:o6|write|database_error\norder:o16|write|database_error\n"
        "order:o26|write|database_error\norder:o36|write|database_error\n"
        "order:o46|write|database_error");
    rp_case_assert_rows(test_case,
                        "SELECT count(*) FROM redis2pg.rejects WHERE message LIKE '%SQLSTATE P0001%'", "5");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders WHERE quantity % 10 = 7", "0");
}

Test(isolation, ends_when_every_row_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_orders(test_case, 20);
    raise_for(test_case, "orders", "true");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 20, rejected 20");
}

/* The limit ends the search: without that all twenty would be found first. */
Test(isolation, ends_with_the_first_reject_too_many) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    add_orders(test_case, 20);
    raise_for(test_case, "orders", "true");
    rp_case_run(test_case, &out, "run", "--mapping", mapping, "--max-rejects", "5", NULL);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, "6 rejects are more than --max-rejects 5: the run was stopped");
    rp_case_assert_rows(test_case,
                        "SELECT (SELECT count(*) FROM users) > 0, (SELECT count(*) FROM orders), (SELECT "
                        "count(*) FROM redis2pg.rejects), (SELECT status FROM redis2pg.runs)",
                        "t|0|0|interrupted");
}

/* What rolled-back trials leave in the staging table is swept: this takes seconds, not minutes. */
Test(isolation, of_many_rows_that_are_all_refused_ends_soon) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_fill(test_case, 2000, "0");
    raise_for(test_case, "users", "true");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--entity", "customers", NULL);
    rp_assert_account(run, "customers", "read 2000, rejected 2000");
}

Test(isolation, what_a_trigger_says_is_masked_where_columns_are_sensitive) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_redis(test_case, "HSET customer:c1 email secret@example.com");
    raise_for(test_case, "users", "true");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "customers", "read 1, rejected 1");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects WHERE message LIKE '%secret%'",
                        "0");
}

/* A condition that is not of data and meets every row is taken for a fault of the statement. */
Test(isolation, what_ends_a_run_is_masked_where_columns_are_sensitive) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_redis(test_case, "HSET customer:c1 email secret@example.com");
    rp_case_sql(test_case, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                           "'BEGIN RAISE ''refused: %'', NEW.email USING ERRCODE = ''42704''; END';"
                           "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse()");
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) outcome = {0};
    rp_case_run(test_case, &outcome, "run", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&outcome, 4);
    rp_assert_keeps_quiet(outcome.errors, "secret");
    rp_assert_says(outcome.errors, "***, kept back because entity \"customers\" has sensitive columns");
    rp_assert_says(outcome.errors, "SQLSTATE 42704");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs WHERE error LIKE '%secret%'", "0");
}

Test(isolation, a_changed_row_that_a_trigger_refuses_stays_as_it_was) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_orders(test_case, 3);
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    raise_for(test_case, "orders", "NEW.quantity = 1000");
    rp_case_redis(test_case, "HSET order:o0 quantity 1000");
    rp_case_redis(test_case, "HSET order:o1 quantity 999");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 3, updated 1, unchanged 1, rejected 1");
    rp_case_assert_rows(test_case, "SELECT quantity FROM orders ORDER BY quantity", "1\n3\n999");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.undo WHERE operation = 'update'", "1");
}

Test(isolation, of_two_rows_that_an_index_over_an_expression_keeps_apart_the_second_is_rejected) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_sql(test_case, "CREATE UNIQUE INDEX users_one_mail ON users (upper(email))");
    for (guint i = 0; i < 8; i++) {
        g_autofree char *id = g_strdup_printf("c%u", i);
        rp_case_add_customer(test_case, id);
        rp_case_redis(test_case, "HSET customer:%s email %s", id, i < 2 ? "same@example.com" : "");
    }
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "customers", "read 8, inserted 7, rejected 1");
    rp_case_assert_rows(test_case, "SELECT code, constraint_name FROM redis2pg.rejects",
                        "duplicate_key|users_one_mail");
}

Test(isolation, an_exclusion_constraint_rejects_by_its_name) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_orders(test_case, 4);
    rp_case_sql(test_case, "ALTER TABLE orders ADD CONSTRAINT orders_no_overlap EXCLUDE USING gist"
                           " (int4range(quantity, quantity + 2) WITH &&)");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 4, inserted 2, rejected 2");
    rp_case_assert_rows(test_case, "SELECT DISTINCT code, constraint_name FROM redis2pg.rejects",
                        "database_error|orders_no_overlap");
}

static const char PASS_OVER_SQL[] = "CREATE FUNCTION pass_over() RETURNS trigger LANGUAGE plpgsql AS "
                                    "'BEGIN IF NEW.quantity = 3 THEN RETURN NULL; END IF; RETURN NEW; END'";

/* What PostgreSQL drops in silence is no success. */
Test(isolation, a_row_that_a_trigger_drops_in_silence_is_rejected) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_orders(test_case, 5);
    rp_case_sql(test_case, PASS_OVER_SQL);
    rp_case_sql(test_case,
                "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION pass_over()");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 5, inserted 4, rejected 1");
    rp_case_assert_rows(test_case, "SELECT convert_from(key, 'UTF8'), stage, code FROM redis2pg.rejects",
                        "order:o2|write|database_error");
}

Test(isolation, an_update_that_a_trigger_drops_in_silence_is_rejected) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_orders(test_case, 5);
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, PASS_OVER_SQL);
    rp_case_sql(test_case,
                "CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION pass_over()");
    rp_case_redis(test_case, "HSET order:o0 quantity 3");
    rp_case_redis(test_case, "HSET order:o1 quantity 100");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 5, updated 1, unchanged 3, rejected 1");
}

/* A trigger that changes rows on their way in is no reason to write them twice. */
Test(isolation, rows_that_a_trigger_changes_are_inserted_once) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_sql(test_case, "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS "
                           "'BEGIN NEW.invoice_url := ''https://x.example/''; RETURN NEW; END';"
                           "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp()");
    add_orders(test_case, 1);
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    add_orders(test_case, 4);
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_assert_account(run, "orders", "read 4, inserted 3, updated 1");
}

Test(isolation, a_policy_rejects_the_rows_that_it_refuses) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_orders(test_case, 6);
    rp_case_sql(
        test_case,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN IF NEW.quantity = 2 THEN RAISE ''no'' USING ERRCODE = ''42501''; END IF; RETURN NEW; END';"
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 6, inserted 5, rejected 1");
}

/* Fails some of the statements on orders, between the first ones and those of a search that has begun. */
static void fail_between(RpCase *test_case, guint first, guint last, const char *sqlstate) {
    g_autofree char *sql = g_strdup_printf(
        "CREATE SEQUENCE hits; CREATE FUNCTION hit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('hits') BETWEEN %u AND %u THEN RAISE EXCEPTION 'not of a row' USING ERRCODE = '%s'; END "
        "IF; RETURN NULL; END $$; CREATE TRIGGER hit BEFORE INSERT ON orders FOR EACH STATEMENT EXECUTE "
        "FUNCTION hit()",
        first, last, sqlstate);
    rp_case_sql(test_case, sql);
}

/* As by pg_cancel_backend or a statement_timeout. */
Test(isolation, a_search_whose_statements_are_cancelled_rejects_nobody_for_that) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_orders(test_case, 50);
    raise_for(test_case, "orders", "NEW.quantity = 17");
    fail_between(test_case, 5, 12, "57014");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "orders", "read 50, inserted 49, rejected 1");
}

Test(isolation, an_internal_error_ends_the_search_and_rejects_nobody) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    add_orders(test_case, 50);
    raise_for(test_case, "orders", "NEW.quantity = 17");
    fail_between(test_case, 5, 12, "XX000");
    rp_case_run(test_case, &out, "run", "--mapping", mapping, "--progress", "none", NULL);
    cr_assert(out.status > 1, "%d: %s", out.status, out.errors);
    rp_assert_says(out.errors, "not of a row (SQLSTATE XX000)");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects", "0");
}
