/* Two entities that write different columns of one table. */
#include "shop.h"

#define N_KEYS 60

static const char MAPPING[] =
    "redis2pg: 1\nentities:\n"
    "  base:\n    keys: \"p:{id}\"\n    type: hash\n    table: people\n    key: [id]\n"
    "    columns: {id: $key.id, name: name}\n"
    "  extra:\n    keys: \"x:{id}\"\n    type: hash\n    table: people\n    key: [id]\n"
    "    columns: {id: $key.id, age: age}\n";

static RpCase *new_case(char **mapping) {
    RpCase *test_case = rp_case_new_empty();
    *mapping = rp_file_write(MAPPING);
    rp_case_sql(test_case, "CREATE TABLE people (id text PRIMARY KEY, name text, age int)");
    return test_case;
}

/* The second one updates a row that the first has just inserted, and inserts another. */
Test(shared_table, rows_of_one_batch_are_told_apart_by_who_inserted_them) {
    char *mapping;
    g_autoptr(RpCase) test_case = new_case(&mapping);
    rp_case_redis(test_case, "HSET p:1 name a");
    rp_case_redis(test_case, "HSET x:1 age 1");
    rp_case_redis(test_case, "HSET x:2 age 2");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--mapping", mapping, "--retry-seconds", "2", NULL);
    rp_assert_account(run, "base", "read 1, inserted 1");
    rp_assert_account(run, "extra", "read 2, inserted 1, updated 1");
    rp_case_assert_rows(test_case, "SELECT * FROM people ORDER BY id", "1|a|1\n2|null|2");
    rp_file_drop(mapping);
}

/* Their batches meet in different writers: what stood before the run is kept once for each row. */
Test(shared_table, a_rollback_restores_what_two_writers_changed) {
    for (guint round = 0; round < 6; round++) {
        char *mapping;
        g_auto(RpOutcome) out = {0};
        g_autoptr(RpCase) test_case = new_case(&mapping);
        rp_case_sql(test_case,
                    "INSERT INTO people SELECT 'i' || g, 'old' || g FROM generate_series(1, 60) g");
        for (guint i = 1; i <= N_KEYS; i++) {
            rp_case_redis(test_case, "HSET p:i%u name new%u", i, i);
            rp_case_redis(test_case, "HSET x:i%u age %u", i, i);
        }
        g_autoptr(json_t) run =
            rp_case_load(test_case, 0, "--mapping", mapping, "--batch-rows", "7", "--writers", "4", NULL);
        rp_assert_account(run, "base", "read 60, updated 60");
        rp_case_run(test_case, &out, "rollback", "1", NULL);
        rp_outcome_assert_status(&out, 0);
        rp_case_assert_rows(
            test_case, "SELECT count(*), count(age), bool_and(name = 'old' || substr(id, 2)) FROM people",
            "60|0|t");
        rp_file_drop(mapping);
    }
}
