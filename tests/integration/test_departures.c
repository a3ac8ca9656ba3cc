/* Rows of keys that are gone, or give fewer: what a sync deletes, what it leaves, and what comes back. */
#include "flushing.h"

#include "ledger/parked.h"

#define ORDER(id, customer)                                                                                  \
    "HSET order:" id " order_id " id " customer_id " customer                                                \
    " job_type load quantity 1 total_amount 5.00 status paid created_at 2024-01-01T00:00:00Z"
#define PAYMENT(id, order, transaction)                                                                      \
    "HSET payment:" id " payment_id " id " order_id " order " transaction_id " transaction                   \
    " status completed amount 5.00 currency USD created_at 2024-01-01T00:00:00Z"

#define ORDERS   "SELECT order_id FROM orders ORDER BY 1"
#define PAYMENTS "SELECT payment_id || ' ' || coalesce(transaction_id, '-') FROM payments ORDER BY 1"
#define PARKED   "SELECT entity, convert_from(key, 'UTF8'), code, is_rejected FROM redis2pg.parked ORDER BY 2"
#define RUN      "2"

/* The shop's mapping with payments that go with their keys. */
static char *deleting_mapping(void) {
    g_autofree char *path = rp_source_path("mappings/shop.yaml");
    g_autofree char *text = NULL;
    g_assert(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(text, "payment_id:     {from: payment_id, required: true}", 2);
    g_autofree char *held =
        g_strjoinv("payment_id:     {from: payment_id, required: true, equals: $key.payment_id}", parts);
    g_auto(GStrv) kept = g_strsplit(held, "on_delete: keep", -1);
    g_autofree char *deleting = g_strjoinv("on_delete: delete", kept);
    return rp_file_write(deleting);
}

static RpCase *new_shop(const char *mapping) {
    RpCase *test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_customer(test_case, "c2");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c1");
    rp_case_add_payment(test_case, "p1", "o1");
    prepare_sync(test_case, mapping);
    return test_case;
}

/* ---- deleting ---- */

Test(departures, a_whole_family_goes_in_one_batch_and_comes_back) {
    char *mapping = deleting_mapping();
    g_autoptr(RpCase) test_case = new_shop(mapping);
    g_autofree char *before = rp_case_shop_rows(test_case);
    SYNC_WITH(test_case, mapping, 0,
              {"DEL customer:c1 order:o1 order:o2 payment:p1", NULL,
               "customers customer:c1\norders order:o1\norders order:o2\npayments payment:p1"});
    rp_case_assert_rows(test_case, "SELECT customer_id FROM users", "c2");
    rp_case_assert_rows(test_case, ORDERS, "");
    rp_case_assert_rows(test_case, PAYMENTS, "");
    rp_case_assert_rows(
        test_case, "SELECT sum(deleted), sum(vanished) FROM redis2pg.batch_counts WHERE run = " RUN, "4|4");
    rp_case_assert_rows(test_case, PARKED, "");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, RUN, NULL);
    g_autofree char *after = rp_case_shop_rows(test_case);
    cr_assert(eq(str, after, before));
    rp_file_drop(mapping);
}

Test(departures, a_row_that_something_refers_to_is_parked_until_it_is_free) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {"DEL order:o1", NULL, "orders order:o1"});
    rp_case_assert_rows(test_case, ORDERS, "o1\no2");
    rp_case_assert_rows(test_case, PARKED, "orders|order:o1|delete_blocked|f");
    rp_case_assert_rows(
        test_case, "SELECT vanished, deleted, parked FROM redis2pg.batch_counts WHERE run = " RUN, "1|0|0");
    SYNC(test_case, {NULL, "DELETE FROM payments", "orders order:o1"});
    rp_case_assert_rows(test_case, ORDERS, "o2");
    rp_case_assert_rows(test_case, PARKED, "");
}

Test(departures, children_that_are_pointed_elsewhere_in_the_batch_set_a_row_free) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case,
         {"DEL order:o1\nHSET payment:p1 order_id o2", NULL, "orders order:o1\npayments payment:p1"});
    rp_case_assert_rows(test_case, ORDERS, "o2");
    rp_case_assert_rows(test_case, PARKED, "");
}

Test(departures, references_that_cascade_keep_a_row_too) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    rp_case_sql(test_case,
                "ALTER TABLE payments DROP CONSTRAINT payments_order_id_fkey, ADD FOREIGN KEY (order_id)"
                " REFERENCES orders (id) ON DELETE CASCADE");
    SYNC(test_case, {"DEL order:o1", NULL, "orders order:o1"});
    rp_case_assert_rows(test_case, PAYMENTS, "p1 tx-p1");
    rp_case_assert_rows(test_case, PARKED, "orders|order:o1|delete_blocked|f");
}

Test(departures, a_trigger_that_refuses_keeps_its_row_and_no_other) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    rp_case_sql(test_case,
                "DELETE FROM payments; CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF OLD.order_id = 'o1' THEN RAISE 'it stays'; END IF; RETURN OLD; END $$;"
                "CREATE TRIGGER stay BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION stay()");
    SYNC(test_case, {"DEL order:o1 order:o2", NULL, "orders order:o1\norders order:o2"});
    rp_case_assert_rows(test_case, ORDERS, "o1");
    rp_case_assert_rows(test_case, PARKED, "orders|order:o1|delete_blocked|f");
}

Test(departures, a_unique_value_moves_from_a_key_that_goes_to_one_that_comes) {
    char *mapping = deleting_mapping();
    g_autoptr(RpCase) test_case = new_shop(mapping);
    SYNC_WITH(
        test_case, mapping, 0,
        {"DEL payment:p1\n" PAYMENT("p2", "o1", "tx-p1"), NULL, "payments payment:p2\npayments payment:p1"});
    rp_case_assert_rows(test_case, PAYMENTS, "p2 tx-p1");
    rp_case_assert_rows(test_case, PARKED, "");
    rp_file_drop(mapping);
}

Test(departures, unique_values_are_exchanged_over_batches) {
    char *mapping = deleting_mapping();
    g_autoptr(RpCase) test_case = new_shop(mapping);
    SYNC_WITH(test_case, mapping, 0, {PAYMENT("p2", "o1", "tx-p2"), NULL, "payments payment:p2"},
              {"HSET payment:p1 transaction_id tx-p2\nHSET payment:p2 transaction_id tx-x", NULL,
               "payments payment:p1"},
              {NULL, NULL, "payments payment:p2"},
              {"HSET payment:p2 transaction_id tx-p1", NULL, "payments payment:p1\npayments payment:p2"},
              {NULL, NULL, "payments payment:p1\npayments payment:p2"});
    rp_case_assert_rows(test_case, PAYMENTS, "p1 tx-p2\np2 tx-p1");
    rp_case_assert_rows(test_case, PARKED, "");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects", "0");
    rp_file_drop(mapping);
}

/* ---- the run's own rows, and rollback ---- */

Test(departures, whatever_a_run_does_to_a_row_its_rollback_knows_what_was_before) {
    char *mapping = deleting_mapping();
    g_autoptr(RpCase) test_case = new_shop(mapping);
    g_autofree char *before = rp_case_shop_rows(test_case);
    SYNC_WITH(
        test_case, mapping, 0,
        /* new, then gone; changed, then gone; gone, then new; gone, new, gone */
        {PAYMENT("n", "o1", "n") "\nHSET payment:p1 amount 7", NULL,
         "payments payment:n\npayments payment:p1"},
        {"DEL payment:n payment:p1 order:o2", NULL,
         "payments payment:n\npayments payment:p1\norders order:o2"},
        {PAYMENT("p1", "o1", "again") "\n" ORDER("o2", "c2"), NULL, "payments payment:p1\norders order:o2"},
        {"HSET payment:p1 amount 9\nHSET order:o2 quantity 3", NULL, "payments payment:p1\norders order:o2"},
        {"DEL payment:p1", NULL, "payments payment:p1"});
    rp_case_assert_rows(test_case, PAYMENTS, "");
    g_autoptr(json_t) undone = rp_case_roll_back(test_case, 0, RUN, NULL);
    g_autofree char *after = rp_case_shop_rows(test_case);
    cr_assert(eq(str, after, before));
    rp_file_drop(mapping);
}

/* ---- policies ---- */

Test(departures, the_policy_of_an_expired_key_is_another_one) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {"DEL order:o2", NULL, "orders order:o2 @0"});
    rp_case_assert_rows(test_case, ORDERS, "o1\no2");
    rp_case_assert_rows(test_case, "SELECT entity, departed_at IS NOT NULL FROM redis2pg.lifetimes",
                        "orders|t");
    SYNC(test_case, {NULL, NULL, "orders order:o2"});
    rp_case_assert_rows(test_case, ORDERS, "o1\no2"); /* it is known of it */
    SYNC(test_case, {ORDER("o2", "c1"), NULL, "orders order:o2"});
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.lifetimes", "0");
    SYNC(test_case, {"DEL order:o2", NULL, "orders order:o2"});
    rp_case_assert_rows(test_case, ORDERS, "o1");
}

Test(departures, a_time_of_expiry_that_was_met_tells_later_what_the_stream_does_not) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {"PEXPIREAT order:o2 4102444800000", NULL, "orders order:o2"});
    rp_case_assert_rows(test_case,
                        "SELECT entity, extract(epoch FROM expires_at)::bigint FROM redis2pg.lifetimes",
                        "orders|4102444800");
    SYNC(test_case, {"DEL order:o2", "UPDATE redis2pg.lifetimes SET expires_at = now()", "orders order:o2"});
    rp_case_assert_rows(test_case, ORDERS, "o1\no2");
    SYNC(test_case, {ORDER("o2", "c1") "\nPEXPIREAT order:o2 4102444800000", NULL, "orders order:o2"},
         {"DEL order:o2", NULL, "orders order:o2"});
    rp_case_assert_rows(test_case, ORDERS, "o1");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.lifetimes", "0");
}

Test(departures, keys_without_rows_do_not_depart) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {"DEL customer:c2", NULL, "customers customer:c2\ncustomers customer:never"});
    rp_case_assert_rows(test_case, "SELECT customer_id FROM users ORDER BY 1", "c1\nc2");
    rp_case_assert_rows(test_case,
                        "SELECT entity, key_digest = md5('customer:c2')::uuid FROM redis2pg.lifetimes",
                        "customers|t");
}

Test(departures, rows_that_only_their_holder_tells_depart_too) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {NULL, NULL, "payments payment:p1"},
         {"DEL payment:p1", NULL, "payments payment:never\npayments payment:p1"});
    rp_case_assert_rows(test_case, PAYMENTS, "p1 tx-p1");
    rp_case_assert_rows(test_case,
                        "SELECT entity, key_digest = md5('payment:p1')::uuid FROM redis2pg.lifetimes",
                        "payments|t");
}

/* ---- collections ---- */

#define COLLECTIONS                                                                                          \
    "redis2pg: 1\nentities:\n"                                                                               \
    "  tags: {keys: \"tags:{id}\", type: set, table: tags, key: [id, tag], on_delete: delete, columns: "     \
    "{id: "                                                                                                  \
    "{from: $key.id}, tag: {from: $value}}}\n"                                                               \
    "  scores: {keys: \"scores:{id}\", type: zset, table: scores, key: [id, tag], on_delete: delete, "       \
    "columns: {id: "                                                                                         \
    "{from: $key.id}, tag: {from: $value}, score: {from: $score}}}\n"                                        \
    "  lines: {keys: \"lines:{id}\", type: list, table: lines, key: [id, n], on_delete: delete, columns: "   \
    "{id: "                                                                                                  \
    "{from: $key.id}, n: {from: $index}, line: {from: $value}}}\n"                                           \
    "  entries: {keys: \"entries:{id}\", type: stream, table: entries, key: [id, entry], on_delete: "        \
    "delete, columns: "                                                                                      \
    "{id: {from: $key.id}, entry: {from: $id}, v: {from: v}}}\n"                                             \
    "  parts: {keys: \"parts:{id}\", type: json, each: parts, table: parts, key: [id, n], on_delete: "       \
    "delete, columns: "                                                                                      \
    "{id: {from: $key.id}, n: {from: $index}, v: {from: $element.v}}}\n"                                     \
    "  kinds: {keys: \"kind:{id}\", type: hash, table: kinds, key: [id, kind], on_delete: delete, where: "   \
    "\"kind <> "                                                                                             \
    "'none'\", columns: {id: {from: $key.id}, kind: {from: kind}}}\n"

static char *new_collections(RpCase **test_case) {
    char *mapping = rp_file_write(COLLECTIONS);
    *test_case = rp_case_new_empty();
    rp_case_sql(*test_case, "CREATE TABLE tags (id text, tag text, PRIMARY KEY (id, tag));"
                            "CREATE TABLE scores (id text, tag text, score float8, PRIMARY KEY (id, tag));"
                            "CREATE TABLE lines (id text, n integer, line text, PRIMARY KEY (id, n));"
                            "CREATE TABLE entries (id text, entry text, v text, PRIMARY KEY (id, entry));"
                            "CREATE TABLE parts (id text, n integer, v text, PRIMARY KEY (id, n));"
                            "CREATE TABLE kinds (id text, kind text, PRIMARY KEY (id, kind))");
    rp_case_redis(*test_case, "SADD tags:1 a b c");
    rp_case_redis(*test_case, "SADD tags:2 a b");
    rp_case_redis(*test_case, "ZADD scores:1 1 a 2 b");
    rp_case_redis(*test_case, "RPUSH lines:1 x y z");
    rp_case_redis(*test_case, "XADD entries:1 1-1 v one");
    rp_case_redis(*test_case, "XADD entries:1 2-1 v two");
    rp_case_redis(*test_case, "SET parts:1 %s", "{\"parts\": [{\"v\": \"a\"}, {\"v\": \"b\"}]}");
    rp_case_redis(*test_case, "HSET kind:1 kind old");
    rp_case_redis(*test_case, "HSET kind:2 kind old");
    prepare_sync(*test_case, mapping);
    return mapping;
}

#define ALL_TOUCHED                                                                                          \
    "tags tags:1\nscores scores:1\nlines lines:1\nentries entries:1\nparts parts:1\nkinds kind:1"

#define ALL_ROWS                                                                                             \
    "SELECT 'tags', id, string_agg(tag, ',' ORDER BY tag) FROM tags GROUP BY id UNION ALL SELECT 'scores', " \
    "id,"                                                                                                    \
    " string_agg(tag, ',' ORDER BY tag) FROM scores GROUP BY id UNION ALL SELECT 'lines', id, "              \
    "string_agg(line, ','"                                                                                   \
    " ORDER BY n) FROM lines GROUP BY id UNION ALL SELECT 'entries', id, string_agg(v, ',' ORDER BY entry) " \
    "FROM"                                                                                                   \
    " entries GROUP BY id UNION ALL SELECT 'parts', id, string_agg(v, ',' ORDER BY n) FROM parts GROUP BY "  \
    "id UNION"                                                                                               \
    " ALL SELECT 'kinds', id, string_agg(kind, ',' ORDER BY kind) FROM kinds GROUP BY id ORDER BY 1, 2"

Test(departures, rows_of_elements_that_went_are_deleted) {
    g_autoptr(RpCase) test_case = NULL;
    char *mapping = new_collections(&test_case);
    g_autofree char *before = rp_case_sql_rows(test_case, ALL_ROWS);
    SYNC_WITH(test_case, mapping, 0,
              {"SREM tags:1 b\nZREM scores:1 a\nLPOP lines:1\nXDEL entries:1 1-1\nSET parts:1 '{\"parts\": "
               "[{\"v\": "
               "\"c\"}]}'\nHSET kind:1 kind new",
               NULL, ALL_TOUCHED});
    rp_case_assert_rows(
        test_case, ALL_ROWS,
        "entries|1|two\nkinds|1|new\nkinds|2|old\nlines|1|y,z\nparts|1|c\nscores|1|b\ntags|1|a,c\n"
        "tags|2|a,b");
    SYNC_WITH(test_case, mapping, 0,
              {"DEL tags:1 scores:1 lines:1 entries:1 parts:1 kind:1", NULL, ALL_TOUCHED},
              {"HSET kind:2 kind none", NULL, "kinds kind:2"});
    rp_case_assert_rows(test_case, ALL_ROWS, "tags|2|a,b");
    g_autoptr(json_t) second = rp_case_roll_back(test_case, 0, "3", NULL);
    g_autoptr(json_t) first = rp_case_roll_back(test_case, 0, "2", NULL);
    rp_case_assert_rows(test_case, ALL_ROWS, before);
    rp_file_drop(mapping);
}

Test(departures, a_key_that_comes_in_several_batches_loses_only_what_none_has) {
    g_autoptr(RpCase) test_case = NULL;
    char *mapping = new_collections(&test_case);
    g_autoptr(GString) push = g_string_new("DEL lines:1 tags:1\nRPUSH lines:1");
    for (guint i = 0; i < 5000; i++)
        g_string_append_printf(push, " %u", i);
    SYNC_WITH(test_case, mapping, 50, {push->str, NULL, "lines lines:1"},
              {"LTRIM lines:1 0 3899", NULL, "tags tags:1\nlines lines:1\ntags tags:2"});
    rp_case_assert_rows(test_case, "SELECT count(*), max(n) FROM lines", "3900|3899");
    rp_case_assert_rows(test_case, "SELECT DISTINCT id FROM tags", "2");
    rp_case_assert_rows(test_case, "SELECT count(*) > 5 FROM redis2pg.batches WHERE run = 2", "t");
    rp_file_drop(mapping);
}

Test(departures, a_key_with_a_refused_record_keeps_its_rows) {
    g_autoptr(RpCase) test_case = NULL;
    char *mapping = new_collections(&test_case);
    SYNC_WITH(test_case, mapping, 0,
              {"DEL tags:1 scores:1\nSET tags:1 x\nSET parts:1 '{\"parts\": 5}'", NULL,
               "tags tags:1\nparts parts:1\nscores scores:1"});
    rp_case_assert_rows(test_case, "SELECT count(*) FROM tags WHERE id = '1'", "3");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM parts", "2");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM scores", "0");
    rp_file_drop(mapping);
}

/* ---- parking ---- */

Test(departures, an_orphan_waits_for_its_parent) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {PAYMENT("p9", "o9", "t9"), NULL, "payments payment:p9"});
    rp_case_assert_rows(test_case, PARKED, "payments|payment:p9|missing_reference|f");
    rp_case_assert_rows(test_case,
                        "SELECT read, parked, rejected FROM redis2pg.batch_counts WHERE run = " RUN, "1|1|0");
    rp_case_assert_rows(test_case, "SELECT stream_offset, stream_database FROM redis2pg.sync", "100|null");
    rp_case_sql(test_case, "UPDATE redis2pg.parked SET next_try_at = now()");
    g_autoptr(GPtrArray) due = rp_parked_take_due(test_case->postgres, 10, NULL);
    g_autoptr(GPtrArray) more = rp_parked_take_due(test_case->postgres, 10, NULL);
    cr_assert(due->len == 1 && more->len == 0);
    cr_assert(memcmp(g_bytes_get_data(due->pdata[0], NULL), "payment:p9", 10) == 0);
    SYNC(test_case, {ORDER("o9", "c1"), NULL, "payments payment:p9\norders order:o9"});
    rp_case_assert_rows(test_case, PARKED, "");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects", "0");
    rp_case_assert_rows(test_case, PAYMENTS, "p1 tx-p1\np9 t9");
}

Test(departures, one_that_waits_too_long_is_a_reject_once_and_is_settled_in_the_end) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    static const char LATE[] = "UPDATE redis2pg.parked SET parked_at = now() - interval '2 minutes'";
    SYNC(test_case,
         {PAYMENT("p9", "o9", "t9") "\nDEL order:o1", NULL, "payments payment:p9\norders order:o1"},
         {NULL, LATE, "payments payment:p9\norders order:o1"},
         {NULL, NULL, "payments payment:p9\norders order:o1"});
    rp_case_assert_rows(test_case, PARKED,
                        "orders|order:o1|delete_blocked|t\npayments|payment:p9|missing_reference|t");
    rp_case_assert_rows(test_case, "SELECT code FROM redis2pg.rejects ORDER BY 1",
                        "delete_blocked\nmissing_reference");
    SYNC(test_case, {ORDER("o9", "c1") "\nDEL payment:p1", "DELETE FROM payments",
                     "payments payment:p9\norders order:o9\norders order:o1"});
    rp_case_assert_rows(test_case, PARKED, "");
    rp_case_assert_rows(test_case, "SELECT DISTINCT resolved_by FROM redis2pg.rejects", "3");
    rp_case_assert_rows(test_case, ORDERS, "o2\no9");
}

Test(departures, a_new_reject_replaces_the_one_before) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {"HSET order:o2 quantity many", NULL, "orders order:o2"},
         {"HSET order:o2 quantity more", NULL, "orders order:o2"});
    rp_case_assert_rows(test_case, "SELECT value, replaced_by FROM redis2pg.rejects ORDER BY reject",
                        "many|2\nmore|null");
    SYNC(test_case, {"HSET order:o2 quantity 2", NULL, "orders order:o2"});
    rp_case_assert_rows(test_case, "SELECT value, resolved_by FROM redis2pg.rejects ORDER BY reject",
                        "many|null\nmore|3");
}

/* ---- whose row it is ---- */

Test(departures, the_same_key_changes_its_row_again_and_another_one_does_not) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {PAYMENT("p2", "o1", "t2"), NULL, "payments payment:p2"},
         {"HSET payment:p2 amount 8", NULL, "payments payment:p2"},
         {"HSET payment:p2 amount 9", NULL, "payments payment:p2"});
    rp_case_assert_rows(test_case, "SELECT amount FROM payments WHERE payment_id = 'p2'", "9.00");
    rp_case_assert_rows(test_case, PARKED, "");
    SYNC(test_case,
         {"HSET payment:x payment_id p2 order_id o2 status failed amount 1 currency USD created_at "
          "2024-01-01T00:00:00Z",
          NULL, "payments payment:x"});
    rp_case_assert_rows(test_case, "SELECT amount FROM payments WHERE payment_id = 'p2'", "9.00");
    rp_case_assert_rows(test_case, PARKED, "payments|payment:x|duplicate_key|f");
    /* The first one is gone: the other may have the row. */
    SYNC(test_case, {"DEL payment:p2", NULL, "payments payment:p2\npayments payment:x"});
    rp_case_assert_rows(test_case, "SELECT amount FROM payments WHERE payment_id = 'p2'", "1.00");
    rp_case_assert_rows(test_case, PARKED, "");
}

Test(departures, two_keys_exchange_their_rows_in_one_batch) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    SYNC(test_case, {PAYMENT("p2", "o1", "t2"), NULL, "payments payment:p1\npayments payment:p2"},
         {"HSET payment:p1 payment_id p2 transaction_id t2 amount 6\nHSET payment:p2 payment_id p1 "
          "transaction_id "
          "tx-p1 amount 7",
          NULL, "payments payment:p1\npayments payment:p2"});
    rp_case_assert_rows(test_case, "SELECT payment_id, amount FROM payments ORDER BY 1", "p1|7.00\np2|6.00");
    rp_case_assert_rows(test_case, PARKED, "");
}

/* ---- the load before ---- */

Test(departures, the_load_parks_orphans_and_notes_what_following_needs) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    rp_case_redis(test_case, "PEXPIREAT order:o2 4102444800000");
    rp_case_redis(test_case, PAYMENT("p9", "o9", "t9"));
    rp_case_redis(test_case, PAYMENT("p2", "o1", "t2"));
    sync_load(test_case);
    rp_case_assert_rows(test_case, PARKED, "payments|payment:p9|missing_reference|f");
    rp_case_assert_rows(
        test_case, "SELECT sum(parked), sum(rejected) FROM redis2pg.batch_counts WHERE run = " RUN, "1|0");
    rp_case_assert_rows(test_case, "SELECT entity FROM redis2pg.lifetimes", "orders");
    rp_case_assert_rows(test_case, "SELECT entity, count(*) FROM redis2pg.holders GROUP BY 1", "payments|2");
    /* What the load has written the same key may change, and no other. */
    SYNC(test_case, {"HSET payment:p2 amount 7\nHSET payment:p9 payment_id p1 order_id o1", NULL,
                     "payments payment:p2\npayments payment:p9"});
    rp_case_assert_rows(test_case, "SELECT payment_id, amount FROM payments WHERE payment_id = 'p2'",
                        "p2|7.00");
    rp_case_assert_rows(test_case, PARKED, "payments|payment:p9|duplicate_key|f");
}

/* ---- the search for bad rows ---- */

Test(departures, a_refused_row_takes_no_parent_or_child_of_the_batch_along) {
    g_autoptr(RpCase) test_case = new_shop(NULL);
    rp_case_sql(test_case,
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.order_id ="
                " 'bad' THEN RAISE 'not this one'; END IF; RETURN NEW; END $$;"
                "CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()");
    rp_case_add_customer(test_case, "c9");
    SYNC(test_case,
         {ORDER("n1", "c9") "\n" ORDER("n2", "c9") "\n" ORDER("bad", "c9") "\n" PAYMENT(
              "n1", "n1", "n1") "\n" PAYMENT("bad", "bad", "b"),
          NULL,
          "payments payment:n1\npayments payment:bad\norders order:n1\norders order:bad\norders order:n2\n"
          "customers customer:c9"});
    rp_case_assert_rows(test_case, ORDERS, "n1\nn2\no1\no2");
    rp_case_assert_rows(test_case, PAYMENTS, "n1 n1\np1 tx-p1");
    rp_case_assert_rows(test_case, "SELECT entity, code FROM redis2pg.rejects", "orders|database_error");
    rp_case_assert_rows(test_case, PARKED, "payments|payment:bad|missing_reference|f");
}
