/* `sync` and `status` as a user meets them: what is followed, from where it goes on, and what is refused. */
#include "syncing.h"

#include <string.h>

static void use_shop(void) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_setenv("REDIS2PG_MAPPING", mapping, TRUE);
}

TestSuite(sync, .init = use_shop);

/* ---- following ---- */

Test(sync, writes_what_changes_and_deletes_what_is_deleted) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    RpProcess *sync = start_sync(test_case);
    rp_case_assert_rows(test_case, "SELECT order_id, status FROM orders", "o1|pending");
    rp_case_redis(test_case, "HSET order:o1 status paid");
    await_rows(test_case, "SELECT order_id, status FROM orders", "o1|paid");
    rp_case_add_order(test_case, "o2", "c1");
    await_rows(test_case, "SELECT order_id FROM orders ORDER BY 1", "o1\no2");
    rp_case_redis(test_case, "DEL order:o1");
    await_rows(test_case, "SELECT order_id FROM orders", "o2");
    stop_sync(sync);
}

/* The mapping keeps orders whose time ran out, and customers in any case. */
Test(sync, keeps_rows_of_keys_that_expire_where_the_mapping_says_so) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c1");
    RpProcess *sync = start_sync(test_case);
    rp_case_redis(test_case, "PEXPIRE order:o1 1");
    rp_case_redis(test_case, "DEL order:o2");
    rp_case_redis(test_case, "DEL customer:c1");
    await_rows(test_case, "SELECT order_id FROM orders", "o1");
    rp_case_add_order(test_case, "o3", "c1");
    await_rows(test_case, "SELECT order_id FROM orders ORDER BY 1", "o1\no3");
    rp_case_assert_rows(test_case, "SELECT customer_id FROM users", "c1");
    stop_sync(sync);
}

/* Children first, over several flushes: nothing is lost, and nothing is rejected that has a parent. */
Test(sync, takes_children_that_come_before_their_parents) {
    g_autoptr(RpCase) test_case = rp_case_new();
    RpProcess *sync = start_sync(test_case);
    for (guint i = 0; i < 20; i++) {
        g_autofree char *order = g_strdup_printf("o%u", i), *customer = g_strdup_printf("c%u", i);
        g_autofree char *payment = g_strdup_printf("p%u", i);
        rp_case_add_payment(test_case, payment, order);
        if (i % 3 == 0)
            g_usleep(120 * 1000);
        rp_case_add_order(test_case, order, customer);
        rp_case_redis(test_case, "SADD customer:%s:orders %s", customer, order);
        rp_case_add_customer(test_case, customer);
    }
    await_rows(test_case,
               "SELECT count(*) FROM payments p JOIN orders o ON o.id = p.order_id JOIN users u ON u.id = "
               "o.customer_id",
               "20");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects", "0");
    await_rows(test_case, "SELECT count(*) FROM redis2pg.parked", "0");
    stop_sync(sync);
}

Test(sync, sees_only_its_own_database) {
    g_autoptr(RpCase) test_case = rp_case_new();
    RpProcess *sync = start_sync(test_case);
    rp_case_redis(test_case, "SELECT 0");
    rp_case_add_customer(test_case, "elsewhere");
    rp_case_redis(test_case, "DEL customer:elsewhere");
    g_autofree char *number = g_strdup_printf("%u", test_case->number);
    rp_case_redis(test_case, "SELECT %s", number);
    rp_case_add_customer(test_case, "here");
    await_rows(test_case, "SELECT customer_id FROM users", "here");
    stop_sync(sync);
}

/* ---- from where ---- */

Test(sync, goes_on_from_its_checkpoint) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    g_autoptr(json_t) first = catch_up(test_case, 0);
    cr_assert(eq(i64, rp_json_number(first, "load.run"), 1));
    cr_assert(eq(str, (char *)rp_json_text(first, "capture"), "replica"));
    rp_case_add_customer(test_case, "c2");
    rp_case_redis(test_case, "HSET customer:c1 email new@example.com");
    g_autoptr(json_t) second = catch_up(test_case, 0);
    cr_assert(JSON_NULL == json_typeof(rp_json_at(second, "load")));
    rp_assert_account(second, "customers", "read 2, inserted 1, updated 1");
    rp_case_assert_rows(test_case, "SELECT customer_id, email FROM users ORDER BY 1",
                        "c1|new@example.com\nc2|c2@example.com");
    rp_case_assert_rows(test_case, "SELECT kind FROM redis2pg.runs ORDER BY run", "run\nsync\nsync");
}

/* What changed while nobody captured is found by reading all keys; rows of keys that are gone go too. */
Test(sync, reads_all_keys_where_redis_has_forgotten_the_place) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c1");
    g_autoptr(json_t) first = catch_up(test_case, 0);
    rp_case_sql(test_case, "UPDATE redis2pg.sync SET replication_id = repeat('0', 40)");
    rp_case_redis(test_case, "DEL order:o1");
    rp_case_add_order(test_case, "o3", "c1");
    g_autoptr(json_t) second = catch_up(test_case, 0);
    cr_assert(JSON_OBJECT == json_typeof(rp_json_at(second, "load")));
    rp_case_assert_rows(test_case, "SELECT order_id FROM orders ORDER BY 1", "o2\no3");
}

Test(sync, a_rollback_of_its_runs_leaves_what_was_there) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c1");
    g_autoptr(json_t) first = catch_up(test_case, 0);
    RpProcess *sync = start_sync(test_case);
    rp_case_redis(test_case, "HSET order:o1 status paid");
    await_rows(test_case, "SELECT status FROM orders WHERE order_id = 'o1'", "paid");
    rp_case_redis(test_case, "DEL order:o1 order:o2");
    rp_case_add_order(test_case, "o3", "c1");
    await_rows(test_case, "SELECT order_id FROM orders", "o3");
    rp_case_add_order(test_case, "o2", "c1");
    await_rows(test_case, "SELECT order_id FROM orders ORDER BY 1", "o2\no3");
    stop_sync(sync);
    g_auto(RpOutcome) out = {0};
    g_autofree char *newest = rp_case_sql_text(test_case, "SELECT max(run) FROM redis2pg.runs");
    rp_case_run(test_case, &out, "rollback", newest, NULL);
    rp_outcome_assert_status(&out, 0);
    rp_case_assert_rows(test_case, "SELECT order_id, status FROM orders ORDER BY 1",
                        "o1|pending\no2|pending");
}

/* The payment is put back first, and refers to the order that was deleted and came again: it can neither go
 * nor come, and becomes what it was where it stands. */
Test(sync, a_rollback_restores_a_row_that_came_again_and_is_referred_to) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "c1");
    rp_case_add_payment(test_case, "p1", "o1");
    g_autoptr(json_t) first = catch_up(test_case, 0);
    RpProcess *sync = start_sync(test_case);
    rp_case_redis(test_case, "HSET payment:p1 order_id o2");
    rp_case_redis(test_case, "DEL order:o1");
    await_rows(test_case, "SELECT order_id FROM orders", "o2");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_redis(test_case, "HSET order:o1 status paid");
    await_rows(test_case, "SELECT status FROM orders WHERE order_id = 'o1'", "paid");
    stop_sync(sync);
    const gint64 newest = rp_case_sql_number(test_case, "SELECT max(run) FROM redis2pg.runs");
    for (guint i = 0; i < 2; i++) { /* the second one undoes the first */
        g_auto(RpOutcome) out = {0};
        g_autofree char *run = g_strdup_printf("%" G_GINT64_FORMAT, newest + i);
        rp_case_run(test_case, &out, "rollback", run, NULL);
        rp_outcome_assert_status(&out, 0);
        rp_case_assert_rows(test_case,
                            "SELECT o.order_id, o.status, p.payment_id FROM orders o LEFT JOIN payments p ON "
                            "p.order_id = o.id ORDER BY 1",
                            i == 0 ? "o1|pending|p1\no2|pending|null" : "o1|paid|null\no2|pending|p1");
    }
}

/* What undoes batches of long ago is dropped, their account stays, and a rollback is refused instead of done
 * by halves. */
Test(sync, forgets_how_to_undo_what_is_older_than_it_is_kept) {
    static const char account[] =
        "SELECT sum(read), sum(inserted), sum(updated) FROM redis2pg.batch_counts JOIN redis2pg.runs r USING "
        "(run) WHERE r.kind = 'sync'";
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    RpProcess *sync = start_sync(test_case);
    for (guint i = 0; i < 3; i++) {
        g_autofree char *email = g_strdup_printf("e%u@example.com", i);
        rp_case_redis(test_case, "HSET customer:c1 email %s", email);
        await_rows(test_case, "SELECT email FROM users", email);
    }
    stop_sync(sync);
    g_autofree char *before = rp_case_sql_rows(test_case, account);
    rp_case_sql(test_case, "UPDATE redis2pg.batches SET committed_at = now() - interval '3 days'");
    sync = rp_case_spawn(test_case, "sync", "--undo-retention", "2", "--progress", "none", NULL);
    await_rows(
        test_case,
        "SELECT count(*) FROM redis2pg.batches JOIN redis2pg.runs r USING (run) WHERE r.kind = 'sync' AND "
        "committed_at < now() - interval '1 day'",
        "1");
    rp_case_assert_rows(test_case, account, before);
    stop_sync(sync);
    g_autofree char *run =
        rp_case_sql_text(test_case, "SELECT min(run) FROM redis2pg.runs WHERE kind = 'sync'");
    g_auto(RpOutcome) out = {0}, shown = {0};
    rp_case_run(test_case, &out, "rollback", run, NULL);
    rp_outcome_assert_status(&out, 6);
    rp_assert_says(out.errors, "--undo-retention");
    rp_case_run(test_case, &shown, "runs", "show", run, "--json", NULL);
    rp_outcome_assert_status(&shown, 0);
    g_autoptr(json_t) document = rp_outcome_json(&shown);
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(document, "balanced")));
}

/* ---- refusals ---- */

static void assert_refused(RpCase *test_case, int status, const char *words, ...) G_GNUC_NULL_TERMINATED;

static void assert_refused(RpCase *test_case, int status, const char *words, ...) {
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_auto(RpOutcome) out = {0};
    va_list more;
    g_ptr_array_add(argv, (gpointer) "sync");
    va_start(more, words);
    for (const char *word = va_arg(more, const char *); word != NULL; word = va_arg(more, const char *))
        g_ptr_array_add(argv, (gpointer)word);
    va_end(more);
    g_ptr_array_add(argv, NULL);
    rp_case_run_words(test_case, &out, (const char *const *)argv->pdata);
    rp_outcome_assert_status(&out, status);
    rp_assert_says(out.errors, words);
}

Test(sync, of_a_mapping_that_has_changed_is_refused_with_the_way_on) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    g_autoptr(json_t) first = catch_up(test_case, 0);
    g_autofree char *path = rp_source_path("mappings/shop.yaml");
    g_autofree char *text = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, NULL));
    g_autofree char *changed = g_strconcat(text, "\n# another\n", NULL);
    char *mapping = rp_file_write(changed);
    const gint64 n_runs = rp_case_sql_number(test_case, "SELECT count(*) FROM redis2pg.runs");
    assert_refused(test_case, 2, "sync --rescan", "--mapping", mapping, "--until-caught-up", NULL);
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT count(*) FROM redis2pg.runs"), n_runs));
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "sync", "--mapping", mapping, "--until-caught-up", "--rescan", NULL);
    rp_outcome_assert_status(&out, 0);
    rp_file_drop(mapping);
}

Test(sync, of_another_server_is_refused_with_the_way_on) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autoptr(json_t) first = catch_up(test_case, 0);
    rp_case_sql(test_case,
                "UPDATE redis2pg.sync SET source = 'elsewhere:6379 db 0', replication_id = repeat('0', 40)");
    assert_refused(test_case, 2, "does not know its history", "--until-caught-up", NULL);
    rp_case_sql(test_case, "UPDATE redis2pg.sync SET source = 'elsewhere:6379 db 0'");
}

Test(sync, without_the_right_to_replicate_says_which_to_grant) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_redis(test_case,
                  "ACL SETUSER reader-%s on >pw ~* +@read +@connection +info +scan -psync -replconf", "x");
    g_auto(GStrv) parts = g_strsplit(test_case->redis_url, "unix://", 2);
    g_autofree char *url = g_strconcat("unix://reader-x:pw@", parts[1], NULL);
    assert_refused(test_case, 3, "+psync", "--capture", "replica", "--until-caught-up", "--redis", url, NULL);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "0");
}

Test(sync, words_that_make_no_sense_are_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    assert_refused(test_case, 2, "--capture is replica, notify or auto", "--capture", "both", NULL);
    assert_refused(test_case, 2, "--pause does not go with --continue", "--pause", "--continue", NULL);
    assert_refused(test_case, 2, "no sync has ever been started", "--pause", NULL);
    assert_refused(test_case, 2, "--flush-ms", "--flush-ms", "0", NULL);
}

Test(sync, a_second_one_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new();
    RpProcess *sync = start_sync(test_case);
    assert_refused(test_case, 6, "another run works on this target", "--until-caught-up", NULL);
    stop_sync(sync);
}

Test(sync, rejects_are_a_finding_until_their_key_is_mended) {
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    g_autoptr(json_t) first = catch_up(test_case, 0);
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_redis(test_case, "HSET order:o1 quantity 1001");
    g_autoptr(json_t) second = catch_up(test_case, 1);
    cr_assert(eq(i64, rp_json_number(second, "rejects.by_code.out_of_range"), 1));
    rp_case_redis(test_case, "HSET order:o1 quantity 5");
    g_autoptr(json_t) third = catch_up(test_case, 0);
    rp_case_assert_rows(test_case, "SELECT resolved_by FROM redis2pg.rejects", "4");
    rp_case_assert_rows(test_case, "SELECT order_id, quantity FROM orders", "o1|5");
}

/* ---- pause and status ---- */

static json_t *status_of(RpCase *test_case) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "status", "--json", NULL);
    rp_outcome_assert_status(&out, 0);
    return rp_outcome_json(&out);
}

Test(sync, pauses_and_goes_on_over_a_restart) {
    g_autoptr(RpCase) test_case = rp_case_new();
    RpProcess *sync = start_sync(test_case);
    g_auto(RpOutcome) out = {0}, again = {0};
    rp_case_run(test_case, &out, "sync", "--pause", NULL);
    rp_outcome_assert_status(&out, 0);
    await_state(test_case, "paused");
    rp_case_add_customer(test_case, "c1");
    await_rows(test_case, "SELECT keys_waiting FROM redis2pg.sync", "1");
    g_autoptr(json_t) paused = status_of(test_case);
    cr_assert(eq(str, (char *)rp_json_text(paused, "state"), "paused"));
    stop_sync(sync);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "0");
    sync = rp_case_spawn(test_case, "sync", "--progress", "none", NULL);
    await_state(test_case, "paused");
    rp_case_run(test_case, &again, "sync", "--continue", NULL);
    rp_outcome_assert_status(&again, 0);
    await_rows(test_case, "SELECT customer_id FROM users", "c1");
    stop_sync(sync);
}

Test(status, has_the_keys_of_the_contract) {
    static const char *const KEYS[] = {"run",          "state",  "lag_bytes",          "lag_ms",
                                       "keys_waiting", "parked", "changes_per_second", "last_commit"};
    g_autoptr(RpCase) test_case = rp_case_new();
    use_shop();
    g_autoptr(json_t) before = status_of(test_case);
    cr_assert(eq(str, (char *)rp_json_text(before, "state"), "stopped"));
    RpProcess *sync = start_sync(test_case);
    rp_case_add_customer(test_case, "c1");
    await_rows(test_case, "SELECT count(*) FROM redis2pg.sync WHERE last_commit IS NOT NULL AND lag_ms = 0",
               "1");
    g_autoptr(json_t) live = status_of(test_case);
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        rp_json_at(before, KEYS[i]);
        rp_json_at(live, KEYS[i]);
    }
    cr_assert(eq(str, (char *)rp_json_text(live, "state"), "following"));
    cr_assert(eq(i64, rp_json_number(live, "run"), 2));
    cr_assert(eq(i64, rp_json_number(live, "parked"), 0));
    cr_assert(eq(i64, (gint64)strlen(rp_json_text(live, "last_commit")), 24));
    stop_sync(sync);
    g_autoptr(json_t) after = status_of(test_case);
    cr_assert(eq(str, (char *)rp_json_text(after, "state"), "stopped"));
}

/* A process that was killed says nothing more; ten seconds later it counts as ended. */
Test(status, of_a_process_that_is_gone_is_stopped) {
    g_autoptr(RpCase) test_case = rp_case_new();
    use_shop();
    g_autoptr(json_t) first = catch_up(test_case, 0);
    rp_case_sql(test_case, "UPDATE redis2pg.sync SET state = 'following', seen_at = now() - interval '11 s'");
    g_autoptr(json_t) state = status_of(test_case);
    cr_assert(eq(str, (char *)rp_json_text(state, "state"), "stopped"));
}
