/* Bulk loads: they do what a merge does, over the same data, and leave the tables as they were. */
#include "bulking.h"
#include "rehearsal.h"

#define N_CUSTOMERS 120

static void set_mapping(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
}

static RpCase *new_case(const char *fault_percent) {
    RpCase *test_case = rp_case_new();
    set_mapping();
    rp_outcome_fill(test_case, N_CUSTOMERS, fault_percent);
    return test_case;
}

static void assert_strategy(json_t *run, const char *expected) {
    cr_assert(eq(str, (char *)rp_json_text(run, "strategy"), (char *)expected));
}

/* ---- the same as a merge ---- */

/* Two keys, or two rows, that claim one value; what refers to nothing, over two levels; what a check refuses.
 */
static void add_faults(RpCase *test_case) {
    for (guint i = 0; i < 8; i++) {
        g_autofree char *id = g_strdup_printf("f%u", i);
        g_autofree char *other = g_strdup_printf("g%u", i);
        rp_case_add_customer(test_case, id);
        rp_case_add_order(test_case, id, i % 4 == 0 ? "nobody" : id);
        rp_case_add_payment(test_case, id, id);
        rp_case_add_payment(test_case, other, i % 3 == 0 ? "no-order" : id);
    }
    rp_case_redis(test_case, "HSET payment:g1 transaction_id tx-f1");
    rp_case_redis(test_case, "HSET payment:g2 transaction_id tx-f1");
    rp_case_redis(test_case, "HSET payment:g4 payment_id f5"); /* another key's identity */
    rp_case_redis(test_case,
                  "HSET payment:g5 payment_id f5 amount 1.00");       /* and a third one's, who differs */
    rp_case_redis(test_case, "HSET payment:g0 transaction_id tx-f2"); /* an orphan keeps nobody out */
    rp_case_redis(test_case, "HSET order:f2 expires_at 2020-01-01T00:00:00");
    rp_case_redis(test_case, "HSET order:f3 notification_webhook ftp://example.com");
    rp_case_redis(test_case, "HSET payment:g7 amount -1.00");
}

/* All that can be compared of rejects; what was stored of the record but for its time to live, which passes.
 */
#define REJECTS_SQL                                                                                          \
    "SELECT entity, encode(key, 'escape'), stage, code, column_name, constraint_name, message, value, "      \
    "element,"                                                                                               \
    " length(raw) > 0 FROM redis2pg.rejects ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9"

/* Batches of one key: which of two rows stays is then told by the order of reading alone. */
static char *load_by(RpCase *test_case, const char *strategy) {
    g_autoptr(json_t) run =
        rp_case_load(test_case, 1, "--strategy", strategy, "--writers", "1", "--batch-rows", "1", NULL);
    assert_strategy(run, strategy);
    g_autofree char *outcome = rp_case_outcome(test_case, rp_case_last_run(test_case));
    g_autofree char *rejects = rp_case_sql_rows(test_case, REJECTS_SQL);
    g_autofree char *rows = rp_case_sql_rows(
        test_case,
        "SELECT 'payment', payment_id, transaction_id, amount::text FROM payments UNION ALL SELECT "
        "'order', order_id, customer_id::text, status::text FROM orders ORDER BY 1, 2");
    rp_case_empty_target(test_case);
    return g_strconcat(outcome, rejects, "\n", rows, NULL);
}

Test(bulk, does_with_faulty_data_what_a_merge_does) {
    g_autoptr(RpCase) test_case = new_case("10");
    add_faults(test_case);
    g_autofree char *definitions = rp_case_definitions(test_case);
    rp_case_settle_keys(test_case);
    g_autofree char *merged = load_by(test_case, "merge");
    g_autofree char *loaded = load_by(test_case, "bulk");
    rp_case_assert_definitions(test_case, definitions, "after the load");
    rp_assert_says(merged, "duplicate_key");
    rp_assert_says(merged, "missing_reference");
    rp_assert_says(merged, "rule_failed");
    rp_assert_says(merged, "check_failed");
    cr_assert(strcmp(merged, loaded) == 0, "merged:\n%s\nloaded:\n%s", merged, loaded);
}

Test(bulk, in_large_batches_differs_in_nothing_but_who_comes_first) {
    g_autoptr(RpCase) test_case = new_case("20");
    g_autoptr(json_t) merged = rp_case_load(test_case, 1, "--strategy", "merge", NULL);
    g_autofree char *outcome = rp_case_outcome(test_case, 1);
    rp_case_empty_target(test_case);
    g_autoptr(json_t) loaded =
        rp_case_load(test_case, 1, "--strategy", "bulk", "--writers", "3", "--mappers", "2", NULL);
    g_autofree char *told = rp_case_outcome(test_case, 1);
    cr_assert(eq(str, told, outcome));
    rp_case_assert_nothing_set_aside(test_case);
}

Test(bulk, of_good_data_takes_nothing_out) {
    g_autoptr(RpCase) test_case = new_case("0");
    g_autofree char *definitions = rp_case_definitions(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 0, NULL);
    assert_strategy(run, "bulk"); /* by itself */
    rp_assert_account(run, "orders", "read 480, inserted 480");
    rp_case_assert_definitions(test_case, definitions, "after the load");
    rp_case_assert_nothing_set_aside(test_case);
    rp_case_assert_rows(test_case,
                        "SELECT bool_and(reltuples > 0) FROM pg_class WHERE relname IN ('users', "
                        "'orders', 'payments')",
                        "t");
}

Test(bulk, then_a_merge_finds_everything_unchanged) {
    g_autoptr(RpCase) test_case = new_case("0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--strategy", "bulk", NULL);
    g_autoptr(json_t) again = rp_case_load(test_case, 0, NULL);
    assert_strategy(again, "merge"); /* by itself: the tables have rows */
    rp_assert_account(again, "payments", "read 360, unchanged 360");
}

/* ---- elements, filters ---- */

static const char ELEMENTS_MAPPING[] =
    "redis2pg: 1\n"
    "entities:\n"
    "  lines:\n    keys: 'basket:{id}'\n    type: list\n    table: lines\n    key: [id, place]\n"
    "    columns: {id: $key.id, place: $index, article: $value}\n"
    "  people:\n    keys: 'person:{name}'\n    type: hash\n    table: people\n    key: [number]\n"
    "    where: \"number > 10\"\n"
    "    columns: {number: number, name: {from: name, required: true}}\n";

static void fill_elements(RpCase *test_case) {
    rp_case_sql(test_case,
                "CREATE TABLE articles (article text PRIMARY KEY);"
                "INSERT INTO articles SELECT 'a' || n FROM generate_series(1, 50) n;"
                "CREATE TABLE lines (id text NOT NULL, place bigint NOT NULL, article text NOT NULL "
                "REFERENCES articles, PRIMARY KEY (id, place));"
                "CREATE TABLE people (number integer PRIMARY KEY, name text NOT NULL UNIQUE CHECK "
                "(name <> 'x'))");
    for (guint basket = 0; basket < 30; basket++)
        for (guint line = 0; line < 20; line++)
            rp_case_redis(test_case, "RPUSH basket:%d a%d", (int)basket, (int)((basket * line) % 52 + 1));
    for (guint person = 0; person < 60; person++)
        rp_case_redis(test_case, "HSET person:%d number %d name %s", (int)person, (int)(person % 45),
                      person % 20 == 7   ? "x"
                      : person % 10 == 3 ? "twin"
                                         : "p");
    for (guint person = 0; person < 60; person += 2)
        rp_case_redis(test_case, "HSET person:%d name p%d", (int)person, (int)person);
}

static char *load_elements_by(RpCase *test_case, const char *mapping, const char *strategy) {
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--strategy", strategy, "--mapping", mapping,
                                         "--writers", "1", "--batch-rows", "1", NULL);
    assert_strategy(run, strategy);
    char *entities = json_dumps(rp_json_at(run, "entities"), JSON_SORT_KEYS);
    g_autofree char *rejects = rp_case_sql_rows(test_case, REJECTS_SQL);
    g_autofree char *rows = rp_case_sql_rows(
        test_case,
        "SELECT id, place::text, article FROM lines UNION ALL SELECT name, number::text, '' FROM people "
        "ORDER BY 1, 2");
    char *told = g_strconcat(entities, "\n", rejects, "\n", rows, NULL);
    free(entities);
    rp_case_sql(test_case, "TRUNCATE lines, people; DROP SCHEMA redis2pg CASCADE");
    return told;
}

Test(bulk, of_elements_and_filtered_rows_does_what_a_merge_does) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(ELEMENTS_MAPPING);
    fill_elements(test_case);
    rp_case_settle_keys(test_case);
    g_autofree char *merged = load_elements_by(test_case, mapping, "merge");
    g_autofree char *loaded = load_elements_by(test_case, mapping, "bulk");
    rp_assert_says(merged, "missing_reference");
    rp_assert_says(merged, "duplicate_key");
    rp_assert_says(merged, "check_failed");
    cr_assert(strcmp(merged, loaded) == 0, "merged:\n%s\nloaded:\n%s", merged, loaded);
    rp_file_drop(mapping);
}

/* ---- where it cannot be done ---- */

static void assert_merges_because(RpCase *test_case, const char *reason) {
    g_auto(RpOutcome) told = {0};
    rp_case_run(test_case, &told, "run", "--strategy", "bulk", NULL);
    rp_outcome_assert_status(&told, 2);
    rp_assert_says(told.errors, reason);
    g_auto(RpOutcome) chosen = {0};
    rp_case_run(test_case, &chosen, "run", "--json", NULL);
    rp_outcome_assert_status(&chosen, 0);
    rp_assert_says(chosen.errors, "the run merges");
    rp_assert_says(chosen.errors, reason);
    g_autoptr(json_t) run = rp_outcome_json(&chosen);
    assert_strategy(run, "merge");
}

Test(bulk, is_refused_over_rows_and_auto_merges) {
    g_autoptr(RpCase) test_case = new_case("0");
    rp_case_sql(test_case, "INSERT INTO users (id, customer_id) VALUES (gen_random_uuid(), 'somebody')");
    assert_merges_because(test_case, "table public.users has rows");
}

Test(bulk, is_refused_where_rows_refer_to_an_empty_table_already_and_auto_merges) {
    g_autoptr(RpCase) test_case = new_case("0");
    rp_case_sql(test_case,
                "CREATE TABLE notes (order_id uuid REFERENCES orders); ALTER TABLE notes DISABLE TRIGGER "
                "ALL; INSERT INTO notes VALUES (gen_random_uuid()); ALTER TABLE notes ENABLE TRIGGER ALL");
    assert_merges_because(test_case, "table public.notes, which refers to one of them, has rows");
}

Test(bulk, is_refused_where_a_foreign_key_is_disabled_and_auto_merges) {
    g_autoptr(RpCase) test_case = new_case("0");
    rp_case_sql(test_case,
                "CREATE TABLE notes (order_id uuid REFERENCES orders); ALTER TABLE notes DISABLE TRIGGER "
                "ALL");
    assert_merges_because(test_case, "is disabled");
}

Test(bulk, is_refused_where_a_trigger_sees_inserts_and_auto_merges) {
    g_autoptr(RpCase) test_case = new_case("0");
    rp_case_sql(test_case,
                "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
                "CREATE TRIGGER audit BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION pass()");
    assert_merges_because(test_case, "has a trigger on INSERT");
}

Test(bulk, is_refused_where_a_view_needs_a_key_and_auto_merges) {
    g_autoptr(RpCase) test_case = new_case("0");
    g_autofree char *definitions = rp_case_definitions(test_case);
    rp_case_sql(test_case,
                "CREATE VIEW spending AS SELECT id, order_id, sum(total_amount) FROM orders GROUP BY id");
    assert_merges_because(test_case, "depend");
    rp_case_assert_definitions(test_case, definitions, "after the refusal");
}

Test(bulk, is_refused_without_the_right_and_auto_merges) {
    g_autoptr(RpCase) test_case = new_case("0");
    g_autofree char *database = rp_case_sql_text(test_case, "SELECT current_database()");
    g_autofree char *role = g_strdup_printf("loader_%s", database);
    g_autofree char *sql = g_strdup_printf("CREATE ROLE \"%s\" LOGIN; GRANT CREATE ON DATABASE \"%s\" TO "
                                           "\"%s\"; GRANT SELECT, INSERT, UPDATE, DELETE ON "
                                           "ALL TABLES IN SCHEMA public TO \"%s\"",
                                           role, database, role, role);
    rp_case_sql(test_case, sql);
    g_autofree char *conninfo = g_steal_pointer(&test_case->conninfo);
    test_case->conninfo = g_strdup_printf("%s user=%s", conninfo, role);
    assert_merges_because(test_case, "is not owned by this role");
    g_free(test_case->conninfo);
    test_case->conninfo = g_steal_pointer(&conninfo);
    g_autofree char *drop = g_strdup_printf("DROP OWNED BY \"%s\"; DROP ROLE \"%s\"", role, role);
    rp_case_sql(test_case, drop);
}

Test(bulk, does_not_go_with_a_dry_run) {
    g_autoptr(RpCase) test_case = new_case("0");
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "run", "--strategy", "bulk", "--dry-run", NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "--dry-run does not go with --strategy bulk");
}

/* ---- what else is on the tables ---- */

Test(bulk, puts_back_all_kinds_of_indexes_and_keys) {
    g_autoptr(RpCase) test_case = new_case("5");
    rp_case_sql(
        test_case,
        "CREATE UNIQUE INDEX odd_one ON payments (lower(payment_id) text_pattern_ops) WHERE amount >= 0;"
        "DROP INDEX odd_one; CREATE UNIQUE INDEX odd_one ON payments (lower(payment_id)) WHERE amount >= 0;"
        "CREATE INDEX covering ON orders (status) INCLUDE (total_amount) WITH (fillfactor = 70);"
        "CREATE INDEX down ON orders (created_at DESC NULLS LAST) WHERE status <> 'expired';"
        "CREATE INDEX parameters ON orders USING gin (parameters);"
        "COMMENT ON INDEX covering IS 'it''s said'; COMMENT ON CONSTRAINT orders_pkey ON orders IS 'key';"
        "CREATE TABLE \"Other One\" (\"Order\" uuid REFERENCES orders ON DELETE CASCADE DEFERRABLE);"
        "ALTER TABLE orders ADD CONSTRAINT twice UNIQUE (order_id, id)");
    g_autofree char *definitions = rp_case_definitions(test_case);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--strategy", "bulk", NULL);
    rp_case_assert_definitions(test_case, definitions, "after the load");
    rp_case_assert_nothing_set_aside(test_case);
}

Test(bulk, of_one_entity_leaves_other_tables_alone) {
    g_autoptr(RpCase) test_case = new_case("0");
    g_autofree char *definitions = rp_case_definitions(test_case);
    g_autoptr(json_t) users = rp_case_load(test_case, 0, "--strategy", "bulk", "--entity", "customers", NULL);
    rp_case_assert_definitions(test_case, definitions, "after the first load");
    g_autoptr(json_t) orders = rp_case_load(test_case, 0, "--strategy", "bulk", "--entity", "orders", NULL);
    rp_case_assert_definitions(test_case, definitions, "after the second load");
    rp_assert_account(orders, "orders", "read 480, inserted 480");
}

/* ---- undoing it ---- */

Test(bulk, can_be_rolled_back_and_that_too) {
    g_autoptr(RpCase) test_case = new_case("10");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--strategy", "bulk", NULL);
    g_autofree char *loaded = rp_case_outcome(test_case, 1);
    g_auto(RpOutcome) undone = {0};
    rp_case_run(test_case, &undone, "rollback", "1", NULL);
    rp_outcome_assert_status(&undone, 0);
    rp_case_assert_rows(test_case,
                        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders), (SELECT "
                        "count(*) FROM payments)",
                        "0|0|0");
    g_auto(RpOutcome) redone = {0};
    rp_case_run(test_case, &redone, "rollback", "2", NULL);
    rp_outcome_assert_status(&redone, 0);
    rp_case_assert_outcome(test_case, 1, loaded, "after it was undone and restored");
}

Test(bulk, rolled_back_leaves_what_others_have_changed_and_added_since) {
    g_autoptr(RpCase) test_case = new_case("0");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--strategy", "bulk", NULL);
    rp_case_sql(test_case,
                "UPDATE payments SET amount = amount + 1 WHERE payment_id = (SELECT min(payment_id) "
                "FROM payments); INSERT INTO users (id, customer_id) VALUES (gen_random_uuid(), 'new')");
    g_auto(RpOutcome) undone = {0};
    rp_case_run(test_case, &undone, "rollback", "1", "--json", NULL);
    rp_outcome_assert_status(&undone, 6);
    rp_case_assert_rows(test_case,
                        "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders), (SELECT "
                        "count(*) FROM payments)",
                        "2|1|1");
}

/* A row that was taken out, and came with a replay, is not the load's to undo. */
Test(bulk, rolled_back_leaves_what_a_replay_wrote) {
    g_autoptr(RpCase) test_case = rp_case_new();
    set_mapping();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "late");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--strategy", "bulk", NULL);
    rp_case_add_customer(test_case, "late");
    g_autoptr(json_t) later = rp_case_load(test_case, 0, "--entity", "customers", NULL);
    g_auto(RpOutcome) replayed = {0};
    rp_case_run(test_case, &replayed, "rejects", "replay", NULL);
    rp_outcome_assert_status(&replayed, 0);
    g_auto(RpOutcome) undone = {0};
    rp_case_run(test_case, &undone, "rollback", "1", "--json", NULL);
    rp_outcome_assert_status(&undone, 0);
    rp_case_assert_rows(test_case, "SELECT string_agg(order_id, ',') FROM orders", "o2");
}
