/* Two keys that claim one identity, or one value that must be unique: one wins, the other is a reject. */
#include "shop.h"

static void add_order(RpCase *test_case) {
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
}

/* payment:a and payment:b, both with payment_id a. */
static void add_payment_twins(RpCase *test_case) {
    add_order(test_case);
    rp_case_add_payment(test_case, "a", "o1");
    rp_case_add_payment(test_case, "b", "o1");
    rp_case_redis(test_case, "HSET payment:b payment_id a");
}

/* Two payments with one transaction. */
static void add_transaction_twins(RpCase *test_case) {
    add_order(test_case);
    rp_case_add_payment(test_case, "a", "o1");
    rp_case_add_payment(test_case, "b", "o1");
    rp_case_redis(test_case, "HSET payment:b transaction_id tx-a");
}

static const char REJECTS_SQL[] =
    "SELECT entity, stage, code, column_name, constraint_name FROM redis2pg.rejects ORDER BY reject";

Test(duplicates, two_keys_of_one_payment_in_one_batch) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_payment_twins(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "payments", "read 2, inserted 1, rejected 1");
    rp_case_assert_rows(test_case, REJECTS_SQL,
                        "payments|stage|duplicate_key|payment_id|payments_payment_id_key");
    rp_case_assert_rows(test_case, "SELECT payment_id FROM payments", "a");
}

Test(duplicates, two_keys_of_one_payment_in_two_batches) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_payment_twins(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--batch-rows", "1", "--writers", "1", NULL);
    rp_assert_account(run, "payments", "read 2, inserted 1, rejected 1");
    rp_case_assert_rows(test_case, REJECTS_SQL,
                        "payments|stage|duplicate_key|payment_id|payments_payment_id_key");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.undo WHERE operation <> 'insert'", "0");
}

Test(duplicates, many_twins_among_four_writers_all_find_one_winner) {
    enum { N_TWINS = 60 };
    g_autoptr(RpCase) test_case = rp_case_new();
    add_order(test_case);
    for (guint i = 0; i < N_TWINS; i++) {
        g_autofree char *first = g_strdup_printf("a%u", i);
        g_autofree char *second = g_strdup_printf("b%u", i);
        rp_case_add_payment(test_case, first, "o1");
        rp_case_add_payment(test_case, second, "o1");
        rp_case_redis(test_case,
                      i % 2 == 0 ? "HSET payment:%s payment_id %s" : "HSET payment:%s transaction_id tx-%s",
                      second, first);
    }
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--batch-rows", "5", "--writers", "4", NULL);
    rp_assert_account(run, "payments", "read 120, inserted 60, rejected 60");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM payments", "60");
    cr_assert(eq(i64, rp_json_number(run, "rejects.by_code.duplicate_key"), N_TWINS));
}

Test(duplicates, the_next_run_finds_the_winner_unchanged) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_payment_twins(test_case);
    for (gint64 number = 1; number <= 3; number++) {
        g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
        cr_assert(eq(i64, rp_json_number(run, "entities.payments.read"), 2));
        cr_assert(eq(i64, rp_json_number(run, "entities.payments.rejected"), 1));
        cr_assert(eq(i64, rp_json_number(run, "rejects.by_code.duplicate_key"), 1));
        if (number > 1)
            rp_assert_account(run, "payments", "read 2, unchanged 1, rejected 1");
    }
    rp_case_assert_rows(test_case, "SELECT count(*) FROM payments", "1");
}

static void assert_second_claimant_is_rejected(RpCase *test_case) {
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--batch-rows", "1", "--writers", "1", NULL);
    rp_assert_account(run, "payments", "read 2, unchanged 1, rejected 1");
    cr_assert(eq(i64, rp_json_number(run, "rejects.by_code.duplicate_key"), 1));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.undo WHERE operation <> 'insert'", "0");
}

/* The row stands already and is not written again: it has to be known all the same that a key claimed it. */
Test(duplicates, the_next_run_in_single_batches_rejects_the_same_key) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_payment_twins(test_case);
    g_autoptr(json_t) first = rp_case_load(test_case, 1, "--batch-rows", "1", "--writers", "1", NULL);
    assert_second_claimant_is_rejected(test_case);
    assert_second_claimant_is_rejected(test_case);
    rp_case_assert_rows(test_case, "SELECT count(DISTINCT key), count(*) FROM redis2pg.rejects", "1|3");
}

/* SCAN's order decides which of the two has the row afterwards; never do both, and never in silence. */
Test(duplicates, a_key_that_comes_later_and_claims_a_row_is_told) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_order(test_case);
    rp_case_add_payment(test_case, "a", "o1");
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_add_payment(test_case, "b", "o1");
    rp_case_redis(test_case, "HSET payment:b payment_id a");
    for (int i = 0; i < 2; i++) {
        g_autoptr(json_t) run = rp_case_load(test_case, 1, "--batch-rows", "1", NULL);
        cr_assert(eq(i64, rp_json_number(run, "entities.payments.read"), 2));
        cr_assert(eq(i64, rp_json_number(run, "entities.payments.rejected"), 1));
        cr_assert(eq(i64, rp_json_number(run, "rejects.by_code.duplicate_key"), 1));
    }
    rp_case_assert_rows(test_case, "SELECT count(*) FROM payments", "1");
}

Test(duplicates, two_payments_of_one_transaction_in_one_batch) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_transaction_twins(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    rp_assert_account(run, "payments", "read 2, inserted 1, rejected 1");
    rp_case_assert_rows(
        test_case, "SELECT code, column_name, constraint_name, value, message FROM redis2pg.rejects",
        "duplicate_key|transaction_id|payments_transaction_id_key|tx-a|another row of public.payments has "
        "the same \"transaction_id\"");
}

Test(duplicates, two_payments_of_one_transaction_in_two_batches_and_again) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_transaction_twins(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--batch-rows", "1", "--writers", "1", NULL);
    rp_assert_account(run, "payments", "read 2, inserted 1, rejected 1");
    g_autofree char *winner = rp_case_sql_text(test_case, "SELECT payment_id FROM payments");
    g_autoptr(json_t) again = rp_case_load(test_case, 1, NULL);
    rp_assert_account(again, "payments", "read 2, unchanged 1, rejected 1");
    rp_case_assert_rows(test_case, "SELECT payment_id FROM payments", winner);
    rp_case_assert_rows(test_case, "SELECT DISTINCT code, constraint_name FROM redis2pg.rejects",
                        "duplicate_key|payments_transaction_id_key");
}

Test(duplicates, a_row_that_takes_the_transaction_of_another_is_left_as_it_was) {
    g_autoptr(RpCase) test_case = rp_case_new();
    add_order(test_case);
    rp_case_add_payment(test_case, "a", "o1");
    rp_case_add_payment(test_case, "b", "o1");
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_redis(test_case, "HSET payment:b transaction_id tx-a amount 1.00");
    g_autoptr(json_t) second = rp_case_load(test_case, 1, NULL);
    rp_assert_account(second, "payments", "read 2, unchanged 1, rejected 1");
    rp_case_assert_rows(test_case, "SELECT payment_id, transaction_id, amount FROM payments ORDER BY 1",
                        "a|tx-a|49.90\nb|tx-b|49.90");
}

/* Equal values can be written in different ways. One writer: with more, timing decides which key has it. */
Test(duplicates, numbers_that_are_equal_are_one_identity_over_batches_and_runs) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE num (id numeric PRIMARY KEY, w int)");
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  num:\n    keys: \"b:{x}\"\n    type: hash\n    table: num\n"
                      "    key: [id]\n    columns:\n      id: {from: v, required: true}\n      w: w\n");
    rp_case_redis(test_case, "HSET b:x v 55.0 w 1");
    rp_case_redis(test_case, "HSET b:y v 55 w 2");
    rp_case_redis(test_case, "HSET b:z v 55.00 w 3");
    for (guint round = 0; round < 3; round++) {
        g_autoptr(json_t) run =
            rp_case_load(test_case, 1, "--mapping", mapping, "--batch-rows", "1", "--writers", "1", NULL);
        rp_assert_account(run, "num",
                          round == 0 ? "read 3, inserted 1, rejected 2" : "read 3, unchanged 1, rejected 2");
    }
    rp_file_drop(mapping);
}

/* A key may be read again in another batch: a row that says the same once more is unchanged, whoever gave it
 * before, in this run or in an earlier one. */
Test(duplicates, equal_rows_in_several_batches_are_unchanged) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE num (id numeric PRIMARY KEY, w int)");
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  num:\n    keys: \"b:{x}\"\n    type: hash\n    table: num\n"
                      "    key: [id]\n    columns:\n      id: {from: v, required: true}\n      w: w\n");
    for (guint i = 0; i < 5; i++)
        rp_case_redis(test_case, "HSET b:%u v 55 w 1", i);
    for (guint round = 0; round < 3; round++) {
        g_autoptr(json_t) run =
            rp_case_load(test_case, 0, "--mapping", mapping, "--batch-rows", "1", "--writers", "1", NULL);
        rp_assert_account(run, "num", round == 0 ? "read 5, inserted 1, unchanged 4" : "read 5, unchanged 5");
    }
    rp_file_drop(mapping);
}

/* A list may hold a value twice: two elements, of which one has the identity. A member that SSCAN gives twice
 * is one. */
Test(duplicates, elements_of_a_list_are_told_apart) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE tags (tag text PRIMARY KEY, position int)");
    char *mapping = rp_file_write("redis2pg: 1\nentities:\n  tags:\n    keys: \"tags:{x}\"\n    type: list\n"
                                  "    table: tags\n    key: [tag]\n    columns:\n      tag: $value\n"
                                  "      position: $index\n");
    rp_case_redis(test_case, "RPUSH tags:a one two one");
    for (guint round = 0; round < 2; round++) {
        g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, NULL);
        rp_assert_account(run, "tags",
                          round == 0 ? "read 3, inserted 2, rejected 1" : "read 3, unchanged 2, rejected 1");
    }
    rp_case_assert_rows(test_case, "SELECT * FROM tags ORDER BY 1", "one|0\ntwo|1");
    rp_case_assert_rows(test_case, "SELECT element, code, value FROM redis2pg.rejects WHERE run = 1",
                        "2|duplicate_key|tags:a");
    rp_file_drop(mapping);
}

/* In several batches the second element is another one, too: only where its row is equal in everything is
 * there nothing to tell. */
Test(duplicates, elements_in_several_batches_are_told_apart) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE tags (tag text PRIMARY KEY, position int)");
    char *mapping = rp_file_write("redis2pg: 1\nentities:\n  tags:\n    keys: \"tags:{x}\"\n    type: list\n"
                                  "    table: tags\n    key: [tag]\n    columns:\n      tag: $value\n"
                                  "      position: $index\n");
    for (guint i = 0; i < 400; i++)
        rp_case_redis(test_case, "RPUSH tags:a t%u", i % 200);
    g_autoptr(json_t) run =
        rp_case_load(test_case, 1, "--mapping", mapping, "--batch-rows", "50", "--writers", "1", NULL);
    rp_assert_account(run, "tags", "read 400, inserted 200, rejected 200");
    rp_case_assert_rows(test_case, "SELECT DISTINCT code FROM redis2pg.rejects", "duplicate_key");
    rp_file_drop(mapping);
}

/* user:Bob and user:bob are two keys, and one row: the collation of the column says so. */
Test(duplicates, keys_that_a_collation_takes_for_one_are_told) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    if (rp_case_sql_number(test_case, "SELECT count(*) FROM pg_collation WHERE collprovider = 'i'") == 0)
        cr_skip_test("PostgreSQL has no ICU");
    rp_case_sql(
        test_case,
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "CREATE DOMAIN ci_text AS text COLLATE ci; CREATE TABLE users (name ci_text PRIMARY KEY, v int)");
    char *mapping =
        rp_file_write("redis2pg: 1\nentities:\n  users:\n    keys: \"user:{name}\"\n    type: hash\n"
                      "    table: users\n    key: [name]\n    columns: {name: $key.name, v: v}\n");
    rp_case_redis(test_case, "HSET user:Bob v 1");
    rp_case_redis(test_case, "HSET user:bob v 2");
    for (guint round = 0; round < 2; round++) {
        g_autoptr(json_t) run =
            rp_case_load(test_case, 1, "--mapping", mapping, "--batch-rows", "1", "--writers", "1", NULL);
        rp_assert_account(run, "users",
                          round == 0 ? "read 2, inserted 1, rejected 1" : "read 2, unchanged 1, rejected 1");
    }
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "1");
    rp_case_assert_rows(test_case, "SELECT DISTINCT code, column_name FROM redis2pg.rejects",
                        "duplicate_key|name");
    rp_file_drop(mapping);
}
