/* A full load: exact values, a second run that writes nothing, and changes that are kept and undoable. */
#include "shop.h"

#include <string.h>

/* Two customers, two orders, two payments: one of each with every field, one with as few as may be. */
static void write_small_shop(RpCase *test_case) {
    const char *profile = "{\"plan\": \"pro\", \"seats\": 3, \"tags\": [\"a\", \"\xc3\xa4\"]}";
    const char *parameters = "{\"b\": 1.50, \"a\": {\"deep\": [null, true]}}";
    rp_case_redis(test_case, "HSET customer:anna customer_id anna email %s profile_data %s created_at %s",
                  "  Anna.Berg@Example.COM ", profile, "2025-01-02T03:04:05.678901");
    rp_case_redis(test_case, "HSET customer:ben customer_id ben created_at 2024-12-31T23:59:59");
    rp_case_redis(test_case,
                  "HSET order:o-1 order_id o-1 customer_id anna job_type security quantity 1000 priority "
                  "urgent parameters %s notification_webhook https://hooks.example.com/a?b=c total_amount "
                  "1234567.8 currency EUR status canceled created_at 2025-02-03T04:05:06.000007 expires_at "
                  "2025-02-04T04:05:06.000007 metadata {\"source\":\"web\"} invoice_url "
                  "https://shop.example.com/invoices/1.pdf",
                  parameters);
    rp_case_redis(test_case,
                  "HSET order:o-2 order_id o-2 customer_id ben job_type ui quantity 1 notification_webhook "
                  "%s total_amount 0 status pending created_at 2025-02-03T04:05:06",
                  "");
    rp_case_redis(
        test_case,
        "HSET payment:p-1 payment_id p-1 order_id o-1 transaction_id tx-1 status completed amount "
        "1234567.80 currency EUR processed_at 2025-02-03T05:00:00.5 created_at 2025-02-03T04:30:00");
    rp_case_redis(test_case,
                  "HSET payment:p-2 payment_id p-2 order_id o-2 transaction_id %s status pending amount 7 "
                  "currency USD processed_at %s created_at 2025-02-03T04:30:00",
                  "", "");
}

/* The ids are uuid5(414fb853-7c64-57c2-a4ea-b077bb756884, "customer:anna") and so on, as Python computes
 * them. */
Test(run, every_column_holds_the_exact_value) {
    g_autoptr(RpCase) test_case = rp_case_new();
    write_small_shop(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, "SET TimeZone = 'UTC'");
    rp_case_assert_rows(
        test_case,
        "SELECT id, customer_id, email, profile_data, created_at, updated_at >= (SELECT started_at FROM "
        "redis2pg.runs) FROM users ORDER BY customer_id",
        "1d625777-9338-5b1e-b2f3-e7b261d8d48e|anna|anna.berg@example.com|{\"plan\": \"pro\", \"tags\": "
        "[\"a\", \"\xc3\xa4\"], \"seats\": 3}|2025-01-02 03:04:05.678901+00|t\n"
        "716b5c78-cb83-5619-8811-321f6a7b5569|ben|null|{}|2024-12-31 23:59:59+00|t");
    rp_case_assert_rows(
        test_case,
        "SELECT id, order_id, customer_id, job_type, quantity, priority, parameters, notification_webhook, "
        "total_amount, currency, status, created_at, expires_at, metadata, invoice_url, updated_at >= "
        "(SELECT started_at FROM redis2pg.runs) FROM orders ORDER BY order_id",
        "6f503a44-6b5a-5932-932f-da572ea2d82d|o-1|1d625777-9338-5b1e-b2f3-e7b261d8d48e|security|1000|urgent|"
        "{\"a\": {\"deep\": [null, true]}, \"b\": 1.50}|https://hooks.example.com/a?b=c|1234567.80|EUR|"
        "cancelled|2025-02-03 04:05:06.000007+00|2025-02-04 04:05:06.000007+00|{\"source\": \"web\"}|"
        "https://shop.example.com/invoices/1.pdf|t\n"
        "292dfdef-ce16-5694-b411-322eb36d8faf|o-2|716b5c78-cb83-5619-8811-321f6a7b5569|ui|1|normal|{}|null|"
        "0.00|USD|pending|2025-02-03 04:05:06+00|null|{}|null|t");
    rp_case_assert_rows(
        test_case,
        "SELECT id, payment_id, order_id, transaction_id, status, amount, currency, processed_at, "
        "created_at, "
        "updated_at >= (SELECT started_at FROM redis2pg.runs) FROM payments ORDER BY payment_id",
        "98fd10f8-d826-5b70-9d97-c7d22364f60b|p-1|6f503a44-6b5a-5932-932f-da572ea2d82d|tx-1|completed|"
        "1234567.80|EUR|2025-02-03 05:00:00.5+00|2025-02-03 04:30:00+00|t\n"
        "220c97a3-8440-5184-b5cd-c6b4a6ffc454|p-2|292dfdef-ce16-5694-b411-322eb36d8faf|null|pending|7.00|USD|"
        "null|2025-02-03 04:30:00+00|t");
}

static void assert_type(json_t *document, const char *path, json_type type) {
    cr_assert(type == json_typeof(rp_json_at(document, path)), "%s is of another type", path);
}

Test(run, json_has_the_keys_of_the_contract) {
    static const struct {
        const char *path;
        json_type type;
    } keys[] = {
        {"run", JSON_INTEGER},          {"kind", JSON_STRING},           {"status", JSON_STRING},
        {"dry_run", JSON_FALSE},        {"strategy", JSON_STRING},       {"seconds", JSON_REAL},
        {"balanced", JSON_TRUE},        {"keys.scanned", JSON_INTEGER},  {"keys.mapped", JSON_INTEGER},
        {"keys.ignored", JSON_INTEGER}, {"keys.unmapped", JSON_INTEGER}, {"unmapped_patterns", JSON_ARRAY},
        {"entities", JSON_ARRAY},       {"rejects.total", JSON_INTEGER}, {"rejects.by_code", JSON_OBJECT}};
    g_autoptr(RpCase) test_case = rp_case_new();
    write_small_shop(test_case);
    rp_case_redis(test_case, "HSET payment:p-1 amount much");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        assert_type(run, keys[i].path, keys[i].type);
    cr_assert(eq(str, (char *)rp_json_text(run, "kind"), "run"));
    cr_assert(eq(str, (char *)rp_json_text(run, "strategy"), "bulk"));
    cr_assert(eq(str, (char *)rp_json_text(run, "status"), "completed_with_rejects"));
    cr_assert(eq(str, (char *)rp_json_text(run, "entities.0.entity"), "customers"));
    cr_assert(eq(str, (char *)rp_json_text(run, "entities.0.table"), "public.users"));
    rp_assert_account(run, "customers", "read 2, inserted 2");
    rp_assert_account(run, "orders", "read 2, inserted 2");
    rp_assert_account(run, "payments", "read 2, inserted 1, rejected 1");
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), 6));
    cr_assert(eq(i64, rp_json_number(run, "keys.mapped"), 6));
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), 1));
    cr_assert(eq(i64, rp_json_number(run, "rejects.by_code.invalid_decimal"), 1));
}

Test(run, runs_show_gives_the_same_document) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    write_small_shop(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    rp_case_run(test_case, &out, "runs", "show", "1", "--json", NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) shown = rp_outcome_json(&out);
    const char *name;
    json_t *value;
    json_object_foreach(run, name, value) {
        cr_assert(json_equal(value, json_object_get(shown, name)) || strcmp(name, "seconds") == 0,
                  "%s differs", name);
    }
    cr_assert(g_str_has_suffix(rp_json_text(shown, "mapping"), "mappings/shop.yaml"));
    assert_type(shown, "source", JSON_STRING);
    assert_type(shown, "started_at", JSON_STRING);
    assert_type(shown, "ended_at", JSON_STRING);
}

Test(run, the_text_has_a_line_for_each_entity) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) out = {0};
    write_small_shop(test_case);
    rp_case_redis(test_case, "SET stray:1 x");
    rp_case_run(test_case, &out, "run", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.output, "every row accounted for");
    rp_assert_says(out.output,
                   "entity     table            read  inserted  updated  unchanged  rejected  filtered");
    rp_assert_says(out.output, "customers  public.users        2         2        0          0         0");
    rp_assert_says(out.output, "payments   public.payments     2         2        0          0         0");
    rp_assert_says(out.output, "keys: 7 scanned = 6 mapped + 0 ignored + 1 unmapped");
    rp_assert_says(out.output, "unmapped: stray:*, 1 key, for example stray:1");
}

/* Where each row version stands, who wrote it, and who locked or replaced it. */
static char *read_versions(RpCase *test_case) {
    return rp_case_sql_rows(test_case, "SELECT 'u', id, ctid, xmin, xmax FROM users UNION ALL "
                                       "SELECT 'o', id, ctid, xmin, xmax FROM orders UNION ALL "
                                       "SELECT 'p', id, ctid, xmin, xmax FROM payments ORDER BY 1, 2");
}

Test(run, a_second_run_writes_nothing) {
    g_autoptr(RpCase) test_case = rp_case_new();
    write_small_shop(test_case);
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    g_autofree char *before = read_versions(test_case);
    g_autoptr(json_t) second = rp_case_load(test_case, 0, NULL);
    g_autofree char *after = read_versions(test_case);
    rp_assert_account(second, "customers", "read 2, unchanged 2");
    rp_assert_account(second, "orders", "read 2, unchanged 2");
    rp_assert_account(second, "payments", "read 2, unchanged 2");
    cr_assert(eq(str, after, before));
    cr_assert(eq(i64, rp_json_number(second, "run"), rp_json_number(first, "run") + 1));
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM redis2pg.undo WHERE run = 2"), 0));
}

Test(run, a_changed_hash_updates_its_row_and_keeps_what_stood_there) {
    g_autoptr(RpCase) test_case = rp_case_new();
    write_small_shop(test_case);
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_sql(test_case, "SET TimeZone = 'UTC'");
    g_autofree char *before =
        rp_case_sql_text(test_case, "SELECT o::text FROM orders o WHERE order_id = 'o-1'");
    rp_case_redis(test_case, "HSET order:o-1 status paid quantity 999");
    g_autoptr(json_t) second = rp_case_load(test_case, 0, NULL);
    rp_assert_account(second, "customers", "read 2, unchanged 2");
    rp_assert_account(second, "orders", "read 2, updated 1, unchanged 1");
    rp_assert_account(second, "payments", "read 2, unchanged 2");
    rp_case_assert_rows(test_case, "SELECT status, quantity, priority FROM orders ORDER BY order_id",
                        "paid|999|urgent\npending|1|normal");
    rp_case_assert_rows(
        test_case,
        "SELECT u.run, u.target, u.operation, o.updated_at > (u.before ->> 'updated_at')::timestamptz, "
        "o.created_at = (u.before ->> 'created_at')::timestamptz FROM redis2pg.undo u, orders o "
        "WHERE o.order_id = 'o-1' AND u.run = 2",
        "2|public.orders|update|t|t");
    rp_case_assert_rows(
        test_case,
        "SELECT jsonb_populate_record(NULL::orders, before::jsonb || jsonb_build_object('parameters', "
        "(before ->> 'parameters')::jsonb, 'metadata', (before ->> 'metadata')::jsonb))::text FROM "
        "redis2pg.undo WHERE run = 2",
        before);
}

Test(run, an_order_written_by_three_runs_is_one_row_with_two_images) {
    g_autoptr(RpCase) test_case = rp_case_new();
    write_small_shop(test_case);
    g_autoptr(json_t) first = rp_case_load(test_case, 0, NULL);
    rp_case_redis(test_case, "HSET order:o-2 status paid");
    g_autoptr(json_t) second = rp_case_load(test_case, 0, NULL);
    rp_case_redis(test_case, "HSET order:o-2 status completed");
    g_autoptr(json_t) third = rp_case_load(test_case, 0, NULL);
    rp_assert_account(third, "orders", "read 2, updated 1, unchanged 1");
    rp_case_assert_rows(test_case, "SELECT status FROM orders WHERE order_id = 'o-2'", "completed");
    rp_case_assert_rows(
        test_case,
        "SELECT run, before ->> 'status' FROM redis2pg.undo WHERE operation = 'update' ORDER BY undo",
        "2|pending\n3|paid");
}

Test(run, an_empty_redis_gives_no_rows) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    cr_assert(eq(str, (char *)rp_json_text(run, "status"), "completed"));
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), 0));
    rp_assert_account(run, "customers", "");
    rp_assert_account(run, "orders", "");
    rp_assert_account(run, "payments", "");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "0");
}

/* The statements of a merge have names of their own, which columns may have too. */
Test(run, columns_may_be_called_as_in_our_statements) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TYPE pair AS (x int);"
                "CREATE TABLE t (t text PRIMARY KEY, s text, u text, p pair DEFAULT ROW(5), c text)");
    char *mapping = rp_file_write("redis2pg: 1\n"
                                  "entities:\n"
                                  "  t: {keys: 't:{t}', type: hash, table: t, key: [t],\n"
                                  "    columns: {t: $key.t, s: s, u: u, c: c}, checks: {one: s <> 'no'},\n"
                                  "    where: u <> 'no'}\n");
    rp_case_redis(test_case, "HSET t:1 s a u b c d");
    json_decref(rp_case_load(test_case, 0, "--mapping", mapping, NULL));
    g_autoptr(json_t) again = rp_case_load(test_case, 0, "--mapping", mapping, NULL);
    rp_assert_account(again, "t", "read 1, unchanged 1");
    rp_case_redis(test_case, "HSET t:1 s changed");
    g_autoptr(json_t) changed = rp_case_load(test_case, 0, "--mapping", mapping, NULL);
    rp_assert_account(changed, "t", "read 1, updated 1");
    rp_case_assert_rows(test_case, "SELECT before::text FROM redis2pg.undo WHERE operation = 'update'",
                        "{\"t\":\"1\",\"s\":\"a\",\"u\":\"b\",\"p\":\"(5)\",\"c\":\"d\"}");
    rp_case_sql(test_case, "ALTER TABLE t RENAME COLUMN p TO q; ALTER TABLE t RENAME COLUMN t TO p;"
                           "ALTER TABLE t RENAME COLUMN q TO t");
    rp_file_drop(mapping);
    mapping =
        rp_file_write("redis2pg: 1\n"
                      "entities:\n"
                      "  t: {keys: 't:{p}', type: hash, table: t, key: [p], columns: {p: $key.p, s: s}}\n");
    rp_case_redis(test_case, "HSET t:1 s again");
    g_autoptr(json_t) beside = rp_case_load(test_case, 0, "--mapping", mapping, NULL);
    rp_assert_account(beside, "t", "read 1, updated 1");
    rp_case_assert_rows(test_case,
                        "SELECT before->>'s', before->>'t' FROM redis2pg.undo ORDER BY undo DESC LIMIT 1",
                        "changed|(5)");
    rp_file_drop(mapping);
}
