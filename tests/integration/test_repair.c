/* `reconcile --repair`: what differs is written, what is extra is deleted, and both can be undone. */
#include "repairing.h"

static RpCase *loaded_shop(void) {
    RpCase *test_case = rp_case_new();
    rp_case_fill(test_case, 50, "0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    return test_case;
}

static void damage(RpCase *test_case) {
    rp_case_sql(
        test_case,
        "UPDATE users SET email = 'x@y.io' WHERE id = (SELECT min(id::text)::uuid FROM users);"
        "UPDATE orders SET quantity = quantity % 1000 + 1 WHERE order_id IN"
        " (SELECT order_id FROM orders ORDER BY order_id LIMIT 3);"
        "UPDATE payments SET amount = amount + 1 WHERE payment_id = (SELECT max(payment_id) FROM payments);"
        "DELETE FROM payments WHERE payment_id IN (SELECT payment_id FROM payments ORDER BY 1 LIMIT 4);"
        "DELETE FROM orders WHERE id = (SELECT max(o.id::text)::uuid FROM orders o LEFT JOIN payments p ON"
        " p.order_id = o.id WHERE p.id IS NULL)");
    add_ghosts(test_case, "ghost");
}

Test(repair, writes_what_differs_and_deletes_what_is_extra) {
    g_autoptr(RpCase) test_case = loaded_shop();
    g_autofree char *good = rp_case_shop_rows(test_case);
    damage(test_case);
    g_autofree char *before = rp_case_shop_rows(test_case);
    g_autoptr(json_t) result = repair(test_case, 0, NULL, "--delete-extra", NULL);
    assert_repaired(result, "run 2, written 10, deleted 3, left 0");
    assert_differs(result, "customers", "");
    assert_differs(result, "orders", "");
    assert_differs(result, "payments", "");
    rp_case_assert_rows(test_case, "SELECT kind, status FROM redis2pg.runs WHERE run = 2",
                        "repair|completed");
    g_autoptr(json_t) rollback = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_assert_undone(rollback, "public.users", "restored 1, reinserted 1");
    g_autofree char *after = rp_case_shop_rows(test_case);
    cr_assert(eq(str, after, before));
    cr_assert(ne(str, after, good));
}

Test(repair, deletes_nothing_unless_it_is_told_to) {
    g_autoptr(RpCase) test_case = loaded_shop();
    add_ghosts(test_case, "ghost");
    g_autoptr(json_t) result = repair(test_case, 1, NULL, NULL, NULL);
    assert_repaired(result, "none");
    assert_differs(result, "orders", "extra 1");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs WHERE kind <> 'reconcile'", "1");
}

Test(repair, makes_no_run_when_there_is_nothing_to_do) {
    g_autoptr(RpCase) test_case = loaded_shop();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--repair", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.output, "Nothing to repair");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs WHERE kind <> 'reconcile'", "1");
}

Test(repair, of_one_entity_leaves_the_others) {
    g_autoptr(RpCase) test_case = loaded_shop();
    damage(test_case);
    g_autoptr(json_t) result = repair(test_case, 1, NULL, "--entity", "payments");
    assert_repaired(result, "run 2, written 5, deleted 0, left 0");
    assert_differs(result, "payments", "extra 1");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users WHERE email = 'x@y.io'", "1");
}

/* ---- what is left ---- */

/* payment:a and payment:b, both with payment_id a; one of them has the row. */
Test(repair, leaves_a_key_whose_row_is_another_keys) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_payment(test_case, "a", "o1");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_add_payment(test_case, "b", "o1");
    rp_case_redis(test_case, "HSET payment:b payment_id a amount 77");
    g_autofree char *before = rp_case_shop_rows(test_case);
    g_autoptr(json_t) result = repair(test_case, 1, NULL, NULL, NULL);
    assert_repaired(result, "none");
    assert_differs(result, "payments", "missing 1");
    g_autofree char *after = rp_case_shop_rows(test_case);
    cr_assert(eq(str, after, before));
    /* And where none of them is there, the run itself tells them apart. */
    rp_case_sql(test_case, "DELETE FROM payments");
    g_autoptr(json_t) again = repair(test_case, 1, NULL, NULL, NULL);
    assert_repaired(again, "run 3, written 1, deleted 0, left 0");
    rp_case_assert_rows(test_case, "SELECT code FROM redis2pg.rejects", "duplicate_key");
}

#define MEMBERS                                                                                              \
    "redis2pg: 1\nentities:\n  items:\n    keys: \"items:{id}\"\n    table: items\n    type: list\n"         \
    "    key: [v]\n    columns: {v: $value, owner: $key.id}\n"

/* The whole key would be read again, and its other row is that of another key. */
Test(repair, leaves_a_collection_that_shares_a_row_with_another) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(MEMBERS);
    rp_case_sql(test_case, "CREATE TABLE items (v text PRIMARY KEY, owner text)");
    rp_case_redis(test_case, "RPUSH items:b x");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--mapping", mapping, NULL);
    rp_case_redis(test_case, "RPUSH items:a x y");
    rp_case_redis(test_case, "RPUSH items:c 1 2 3");
    g_autoptr(json_t) result = repair_with(test_case, 1, mapping, NULL, NULL, NULL);
    assert_repaired(result, "run 2, written 3, deleted 0, left 2");
    rp_case_assert_rows(test_case, "SELECT v, owner FROM items ORDER BY v", "1|c\n2|c\n3|c\nx|b");
    rp_case_assert_rows(test_case, "SELECT sum(keys_scanned) FROM redis2pg.batches WHERE run = 2", "1");
    rp_file_drop(mapping);
}

Test(repair, keeps_rows_whose_record_is_refused) {
    g_autoptr(RpCase) test_case = loaded_shop();
    add_ghosts(test_case, "ghost");
    rp_case_redis(test_case, "HSET customer:ghost email nonsense created_at 2024-01-01T00:00:00Z");
    g_autofree char *errors = NULL;
    g_autoptr(json_t) result = repair(test_case, 1, &errors, "--delete-extra", NULL);
    assert_repaired(result, "run 2, written 0, deleted 2, left 1");
    assert_differs(result, "customers", "extra 1, extra_refused 1");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users WHERE customer_id = 'ghost'", "1");
    /* A key of another type is a record that is refused, too. */
    rp_case_redis(test_case, "DEL customer:ghost");
    rp_case_redis(test_case, "SET customer:ghost x");
    g_autoptr(json_t) again = repair(test_case, 1, NULL, "--delete-extra", NULL);
    assert_repaired(again, "none");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users WHERE customer_id = 'ghost'", "1");
    rp_case_redis(test_case, "DEL customer:ghost");
    g_autoptr(json_t) gone = repair(test_case, 0, NULL, "--delete-extra", NULL);
    assert_repaired(gone, "run 5, written 0, deleted 1, left 0");
}

/* Checks of the mapping refuse a row when PostgreSQL has it. */
Test(repair, keeps_rows_that_a_check_refuses) {
    g_autoptr(RpCase) test_case = loaded_shop();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_redis(test_case, "HSET order:o1 expires_at 2001-01-01T00:00:00Z");
    g_autoptr(json_t) result = repair(test_case, 1, NULL, "--delete-extra", NULL);
    assert_repaired(result, "none");
    assert_differs(result, "orders", "extra 1, extra_refused 1");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders WHERE order_id = 'o1'", "1");
}

Test(repair, deletes_no_row_of_an_entity_with_records_of_unknown_identity) {
    g_autoptr(RpCase) test_case = loaded_shop();
    add_ghosts(test_case, "ghost");
    rp_case_redis(test_case, "HSET order:odd order_id even");
    g_autofree char *errors = NULL;
    g_autoptr(json_t) result = repair(test_case, 1, &errors, "--delete-extra", NULL);
    rp_assert_says(errors, "extra rows of orders are left (1): of 1 refused records nobody can tell");
    assert_repaired(result, "run 2, written 0, deleted 1, left 2"); /* the order keeps its customer */
    rp_case_assert_rows(test_case, "SELECT count(*) FROM orders WHERE order_id = 'ghost'", "1");
}

Test(repair, deletes_no_row_that_something_holds) {
    g_autoptr(RpCase) test_case = loaded_shop();
    rp_case_sql(test_case, "INSERT INTO users (id, customer_id) SELECT gen_random_uuid(), 'g' || i FROM "
                           "generate_series(1, 5) i;"
                           "CREATE TABLE holds (u uuid REFERENCES users);"
                           "CREATE TABLE notes (u uuid REFERENCES users ON DELETE CASCADE);"
                           "CREATE TABLE marks (u uuid REFERENCES users ON DELETE SET NULL);"
                           "INSERT INTO holds SELECT id FROM users WHERE customer_id = 'g1';"
                           "INSERT INTO notes SELECT id FROM users WHERE customer_id = 'g2';"
                           "INSERT INTO marks SELECT id FROM users WHERE customer_id = 'g3'");
    g_autofree char *errors = NULL;
    g_autoptr(json_t) result = repair(test_case, 1, &errors, "--delete-extra", NULL);
    assert_repaired(result, "run 2, written 0, deleted 2, left 3");
    rp_assert_says(errors, "3 extra rows of customers are left, because something holds them: "
                           "{\"customer_id\":\"g1\"}: holds (constraint holds_u_fkey) still refers to it");
    rp_case_assert_rows(test_case, "SELECT customer_id FROM users WHERE customer_id LIKE 'g_' ORDER BY 1",
                        "g1\ng2\ng3");
    rp_case_assert_rows(test_case, "SELECT (SELECT count(u) FROM notes), (SELECT count(u) FROM marks)",
                        "1|1");
}

/* More rows than a batch has: a parent may be met before its children. */
Test(repair, deletes_rows_of_a_table_that_refer_to_each_other) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  items:\n    keys: \"items:{id}\"\n    table: items\n"
                      "    type: hash\n    key: [id]\n    columns: {id: $key.id}\n");
    rp_case_sql(test_case, "CREATE TABLE items (id text PRIMARY KEY, parent text REFERENCES items); CREATE "
                           "INDEX ON items (parent);"
                           "INSERT INTO items SELECT i, nullif(i / 50, 0) FROM generate_series(1, 12000) i");
    g_autoptr(json_t) result =
        repair_with(test_case, 0, mapping, NULL, "--delete-extra", "--max-delete-percent=100");
    assert_repaired(result, "run 1, written 0, deleted 12000, left 0");
    g_autoptr(json_t) rollback = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_assert_undone(rollback, "public.items", "reinserted 12000");
    rp_case_assert_rows(test_case, "SELECT count(*), count(parent) FROM items", "12000|11951");
    rp_file_drop(mapping);
}

/* The mapping names children first; nothing is blocked all the same. */
Test(repair, deletes_children_before_their_parents) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(
        "redis2pg: 1\nentities:\n  b:\n    keys: \"b:{id}\"\n    table: b\n    type: hash\n    key: [id]\n"
        "    columns: {id: $key.id, a: a}\n  a:\n    keys: \"a:{id}\"\n    table: a\n    type: hash\n"
        "    key: [id]\n    columns: {id: $key.id}\n");
    rp_case_sql(test_case, "CREATE TABLE a (id text PRIMARY KEY);"
                           "CREATE TABLE b (id text PRIMARY KEY, a text REFERENCES a);"
                           "INSERT INTO a VALUES ('x'); INSERT INTO b VALUES ('y', 'x')");
    g_autoptr(json_t) result =
        repair_with(test_case, 0, mapping, NULL, "--delete-extra", "--max-delete-percent=100");
    assert_repaired(result, "run 1, written 0, deleted 2, left 0");
    g_autoptr(json_t) rollback = rp_case_roll_back(test_case, 0, "1", NULL);
    rp_case_assert_rows(test_case, "SELECT * FROM b", "y|x");
    rp_file_drop(mapping);
}

/* ---- rejects, and other runs ---- */

Test(repair, settles_the_rejects_of_what_it_writes) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c2");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_case_add_customer(test_case, "c1");
    g_autoptr(json_t) result = repair(test_case, 1, NULL, NULL, NULL);
    assert_repaired(result, "run 2, written 2, deleted 0, left 0");
    cr_assert(eq(i64, rp_json_number(result, "entities.orders.explained"), 1));
    rp_case_assert_rows(
        test_case,
        "SELECT run, convert_from(key, 'UTF8'), resolved_by, replaced_by FROM redis2pg.rejects"
        " ORDER BY run, key",
        "1|order:o1|2|null\n1|order:o2|null|2\n2|order:o2|null|null");
}

Test(repair, stops_at_too_many_rejects) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_order(test_case, "o1", "c1");
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--repair", "--max-rejects", "0", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 6);
    rp_case_assert_rows(test_case, "SELECT kind, status FROM redis2pg.runs", "repair|interrupted");
    g_auto(RpOutcome) resume = {0};
    rp_case_run(test_case, &resume, "run", "--resume", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&resume, 2);
    rp_assert_says(resume.errors, "no run of this mapping and source is interrupted");
}

Test(repair, waits_for_no_other_run) {
    g_autoptr(RpCase) test_case = loaded_shop();
    damage(test_case);
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    rp_case_sql(test_case, "SELECT pg_advisory_lock(8243105097038590055)");
    rp_case_run(test_case, &out, "reconcile", "--repair", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 6);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.runs WHERE kind <> 'reconcile'", "1");
}

static void refuses(RpCase *test_case, const char *part, const char *first, const char *second,
                    const char *third) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--mapping", mapping, first, second, third, NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, part);
}

Test(repair, takes_options_that_go_together) {
    g_autoptr(RpCase) test_case = rp_case_new();
    refuses(test_case, "--delete-extra goes with --repair", "--delete-extra", NULL, NULL);
    refuses(test_case, "--max-delete-percent goes with --delete-extra", "--repair", "--max-delete-percent",
            "5");
    refuses(test_case, "--max-rejects goes with --repair", "--max-rejects", "1", NULL);
    refuses(test_case, "--repair needs to know which rows differ", "--repair", "--level", "counts");
}
