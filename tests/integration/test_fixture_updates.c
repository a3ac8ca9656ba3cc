/* `redis2pg test --update`: expectations are written anew, and nothing else. */
#include "fixturing.h"

#include <sys/stat.h>

static const char WRONG[] =
    "# head\n"
    "test: wrong\n" HEAD "  - SET cart:1 a\n"
    "  - HSET order:o2 order_id o2 customer_id c1 job_type none quantity 1 total_amount "
    "1 status paid created_at 2025-01-02T10:00:00\n"
    "expect:   # what is to come\n"
    "  rows:\n"
    "    # of customers\n"
    "    users: [{customer_id: c1, email: a@b.c}]   # behind\n"
    "    orders:\n"
    "      - {order_id: o1, quantity: 11, total_amount: 12.5}\n"
    "      - {order_id: o9, quantity: 1, total_amount: 1}   # the last\n"
    "    payments: [{payment_id: p1}]\n"
    "  # of rejects\n"
    "  rejects: [{key: \"order:o2\", code: too_long}]\n"
    "  unmapped: []\n"
    "  counts: {orders: {inserted: 2}}   # two\n"
    "# the end\n";

Test(fixture_updates, are_updated_in_place_and_pass_then) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = write_file(&folder, "a.yaml", WRONG);
    g_chmod(path, 0640);
    g_auto(RpOutcome) out;
    run_test(&out, path, "--update", NULL);
    rp_outcome_assert_status(&out, 1);
    rp_assert_says(out.errors, "-      - {order_id: o1, quantity: 11, total_amount: 12.5}\n");
    rp_assert_says(out.errors, "+      - {order_id: o1, quantity: 10, total_amount: 12.5}   # the last\n");
    g_autofree char *text = read_file(path);
    const char *expect = strstr(text, "expect:");
    cr_assert(strcmp(expect, "expect:   # what is to come\n"
                             "  rows:\n"
                             "    # of customers\n"
                             "    users:\n"
                             "      - {customer_id: c1, email: null}   # behind\n"
                             "    orders:\n"
                             "      - {order_id: o1, quantity: 10, total_amount: 12.5}   # the last\n"
                             "    payments: []\n"
                             "  # of rejects\n"
                             "  rejects:\n"
                             "    - {key: \"order:o2\", code: invalid_value}\n"
                             "  unmapped:\n"
                             "    - \"cart:*\"\n"
                             "  counts: {orders: {inserted: 1}}   # two\n"
                             "# the end\n") == 0,
              "%s", text);
    cr_assert(g_str_has_prefix(text, "# head\ntest: wrong\n"));
    GStatBuf status;
    g_stat(path, &status);
    cr_assert(eq(int, (int)(status.st_mode & 0777), 0640));
    rp_outcome_clear(&out);
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 0);
}

Test(fixture_updates, get_what_they_did_not_expect_at_all) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path =
        write_file(&folder, "a.yaml",
                   "test: a\nmapping: $MAPPING\nschema: $SCHEMA\n"
                   "redis: [SET customer:c1 a, 'HSET \"customer:a b\" created_at 2025-01-01T00:00:00']\n"
                   "expect:\n  rows:\n    users: []   # none\n---\ntest: b\n" HEAD "expect: {rejects: []}\n");
    g_auto(RpOutcome) out;
    run_test(&out, path, "--update", NULL);
    rp_outcome_assert_status(&out, 1);
    g_autofree char *text = read_file(path);
    rp_assert_says(text, "    users:\n      - {id: ");
    rp_assert_says(text, "customer_id: \"a b\", email: null, profile_data: \"{}\"");
    rp_assert_says(text, "}   # none\n  rejects:\n"
                         "    - {key: \"customer:c1\", entity: customers, code: wrong_type}\n---\n");
    rp_outcome_clear(&out);
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 0);
}

Test(fixture_updates, that_cannot_be_updated_are_left_alone) {
    g_auto(Folder) folder = folder_new();
    static const char *const bodies[] = {
        "expect: {rows: {users: [{customer_id: c1}]}}\n",
        "expect: {rows: {users: &a [{customer_id: c9}], orders: *a}}\n",
        "expect:\n  rows:\n    users:\n      - &a {customer_id: c9}\n      - *a\n",
        "expect:\n  keys: {mapped: &a 9}\n  rows:\n    users:\n      - customer_id: c8\n      - customer_id: "
        "*a\n",
        "postgres: [&a SELECT 1]\nexpect:\n  unmapped:\n    - b\n    - *a\n",
    };
    static const char *const rows[] = {
        "redis: [SET customer:c2 a, HSET customer:c1 created_at 2025-01-01T00:00:00]\n",
        "redis: [HSET customer:c1 created_at 2025-01-01T00:00:00]\n"};
    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *text =
            g_strconcat("test: a\nmapping: $MAPPING\nschema: $SCHEMA\n", rows[MIN(i, 1)], bodies[i], NULL);
        g_autofree char *path = write_file(&folder, "a.yaml", text);
        g_autofree char *before = read_file(path);
        g_auto(RpOutcome) out;
        run_test(&out, path, "--update", NULL);
        rp_outcome_assert_status(&out, 2);
        g_autofree char *after = read_file(path);
        cr_assert(strcmp(before, after) == 0, "%s", after);
    }
}

Test(fixture_updates, keep_the_form_of_what_stands_there) {
    g_auto(Folder) folder = folder_new();
    static const char KEYS[] =
        "mapping: $MAPPING\nschema: $SCHEMA\n"
        "redis: [HSET customer:c1 created_at 2025-01-01T00:00:00, SET customer:c3 1]\n";
    g_autofree char *text = g_strconcat("test: a\n", KEYS,
                                        "expect: {rows: {users: [{customer_id: c9}]}, keys: {mapped: 3}, "
                                        "rejects: [{code: wrong_type}]}\n---\ntest: b\n",
                                        KEYS,
                                        "expect:\n"
                                        "  rows:\n"
                                        "    users:\n"
                                        "    - customer_id: c9   # without a step\n"
                                        "      email: \xc3\xa4\n"
                                        "\n"
                                        "    # behind\n"
                                        "  unmapped:\n"
                                        "    [a]   # odd\n"
                                        "  rejects: [{code: wrong_type}]\n",
                                        NULL);
    g_autofree char *path = write_file(&folder, "a.yaml", text);
    g_auto(RpOutcome) out;
    run_test(&out, path, "--update", NULL);
    rp_outcome_assert_status(&out, 1);
    g_autofree char *after = read_file(path);
    rp_assert_says(after, "expect: {rows: {users: [{customer_id: c1}]}, keys: {mapped: 2}, rejects: [{code: "
                          "wrong_type}]}\n---\n");
    rp_assert_says(
        after, "    users:\n    - {customer_id: c1, email: null}\n\n    # behind\n  unmapped:\n    []   # "
               "odd\n  rejects: [{code: wrong_type}]\n");
    rp_outcome_clear(&out);
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 0);
}

/* An edit that is made while the tests run is somebody's work. The statement writes it: it runs as part of
 * the test. */
Test(fixture_updates, of_a_file_that_was_changed_meanwhile_are_refused) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *path = g_build_filename(folder.path, "a.yaml", NULL);
    g_autofree char *text =
        g_strdup_printf("test: a\n" HEAD "postgres: [\"COPY (SELECT 'edited') TO PROGRAM 'cat > %s'\"]\n"
                        "expect: {rows: {users: []}}\n",
                        path);
    g_free(write_file(&folder, "a.yaml", text));
    g_chmod(folder.path, 0777);
    g_chmod(path, 0666);
    g_auto(RpOutcome) out;
    run_test(&out, path, "--update", NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "was changed while its tests ran");
    g_autofree char *after = read_file(path);
    cr_assert(strcmp(after, "edited\n") == 0, "%s", after);
}
