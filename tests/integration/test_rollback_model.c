/* Random changes before, in and after a run, and a rollback: compared with what a model says of each row.
 *
 * The model knows what stood before the run, after it and before the rollback, and which rows SQL has touched
 * since. */
#include "undo.h"

#include <string.h>

#define N_PARENTS  12
#define N_CHILDREN 30

static const char MAPPING[] =
    "redis2pg: 1\nentities:\n  parents:\n    keys: \"parent:{id}\"\n    type: hash\n    table: parents\n    "
    "key: [id]\n"
    "    columns:\n      id: $key.id\n      v: v\n  children:\n    keys: \"child:{id}\"\n    type: hash\n    "
    "table: "
    "children\n    key: [id]\n    columns:\n      id: $key.id\n      parent: parent\n      v: v\n";

static const char TABLES[] =
    "CREATE TABLE parents (id int PRIMARY KEY, v int, stamp int NOT NULL DEFAULT 0);"
    "CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents, v int, stamp int NOT NULL "
    "DEFAULT 0);"
    "CREATE TABLE notes (child int REFERENCES children ON DELETE CASCADE);"
    "CREATE TABLE touched (t text, id int);"
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.stamp := NEW.stamp + 1; RETURN "
    "NEW; END$$;"
    "CREATE TRIGGER touch BEFORE UPDATE ON parents FOR EACH ROW EXECUTE FUNCTION touch();"
    "CREATE TRIGGER touch BEFORE UPDATE ON children FOR EACH ROW EXECUTE FUNCTION touch();";

/* Of each row: before the run (b), after it (a), before the rollback (n). A row that the run did not change,
 * or that somebody touched since, stays as it is. One that it inserted goes, unless something that stays
 * refers to it; one that it updated gets back what it was, unless the parent that it had is gone. */
static const char MODEL[] = "CREATE TEMP TABLE children_model AS SELECT r.* FROM (SELECT id FROM children_b "
                            "UNION SELECT id FROM children_a UNION "
                            "SELECT id FROM children_n) i LEFT JOIN children_b b USING (id) LEFT JOIN "
                            "children_a a USING (id) LEFT JOIN children_n n "
                            "USING (id) CROSS JOIN LATERAL (SELECT n.* WHERE n.id IS NOT NULL AND (a IS NOT "
                            "DISTINCT FROM b OR EXISTS (SELECT FROM "
                            "touched WHERE t = 'children' AND id = i.id) OR (b.id IS NULL AND EXISTS (SELECT "
                            "FROM notes WHERE child = i.id)) OR "
                            "(b.id IS NOT NULL AND b.parent IS NOT NULL AND NOT EXISTS (SELECT FROM "
                            "parents_n p WHERE p.id = b.parent)))"
                            " UNION ALL SELECT b.* WHERE n.id IS NOT NULL AND b.id IS NOT NULL AND a IS "
                            "DISTINCT FROM b AND NOT EXISTS (SELECT FROM "
                            "touched WHERE t = 'children' AND id = i.id) AND (b.parent IS NULL OR EXISTS "
                            "(SELECT FROM parents_n p WHERE p.id = "
                            "b.parent))) r;"
                            "CREATE TEMP TABLE parents_model AS SELECT r.* FROM (SELECT id FROM parents_b "
                            "UNION SELECT id FROM parents_a UNION "
                            "SELECT id FROM parents_n) i LEFT JOIN parents_b b USING (id) LEFT JOIN "
                            "parents_a a USING (id) LEFT JOIN parents_n n "
                            "USING (id) CROSS JOIN LATERAL (SELECT n.* WHERE n.id IS NOT NULL AND (a IS NOT "
                            "DISTINCT FROM b OR EXISTS (SELECT FROM "
                            "touched WHERE t = 'parents' AND id = i.id) OR (b.id IS NULL AND EXISTS (SELECT "
                            "FROM children_model c WHERE c.parent = "
                            "i.id))) UNION ALL SELECT b.* WHERE n.id IS NOT NULL AND b.id IS NOT NULL AND a "
                            "IS DISTINCT FROM b AND NOT EXISTS "
                            "(SELECT FROM touched WHERE t = 'parents' AND id = i.id)) r;";

static void sqlf(RpCase *test_case, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void sqlf(RpCase *test_case, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    rp_case_sql(test_case, sql);
}

static void fill_tables(RpCase *test_case, GRand *random) {
    for (int id = 1; id <= N_PARENTS / 2; id++)
        sqlf(test_case, "INSERT INTO parents VALUES (%d, %d)", id, g_rand_int_range(random, 0, 3));
    for (int id = 1; id <= N_CHILDREN / 2; id++)
        sqlf(test_case, "INSERT INTO children VALUES (%d, %d, %d)", id,
             g_rand_int_range(random, 1, N_PARENTS / 2 + 1), g_rand_int_range(random, 0, 3));
}

static void fill_redis(RpCase *test_case, GRand *random) {
    for (int id = 1; id <= N_PARENTS; id++)
        rp_case_redis(test_case, "HSET parent:%d v %d", id, g_rand_int_range(random, 0, 3));
    for (int id = 1; id <= N_CHILDREN; id++)
        if (g_rand_int_range(random, 0, 4) > 0)
            rp_case_redis(test_case, "HSET child:%d parent %d v %d", id,
                          g_rand_int_range(random, 1, N_PARENTS + 1), g_rand_int_range(random, 0, 3));
}

static void keep_state(RpCase *test_case, const char *suffix) {
    sqlf(test_case,
         "CREATE TABLE parents_%s AS SELECT * FROM parents; CREATE TABLE children_%s AS SELECT * FROM "
         "children",
         suffix, suffix);
}

/* One change as somebody else might make it; those that a foreign key forbids do nothing. */
static void touch_something(RpCase *test_case, GRand *random) {
    const int child = g_rand_int_range(random, 1, N_CHILDREN + 4),
              parent = g_rand_int_range(random, 1, N_PARENTS + 4);
    switch (g_rand_int_range(random, 0, 8)) {
    case 0:
        sqlf(test_case,
             "WITH u AS (UPDATE children SET v = v + 10 WHERE id = %d RETURNING id) INSERT INTO touched "
             "SELECT "
             "'children', id FROM u",
             child);
        break;
    case 1:
        sqlf(test_case,
             "WITH u AS (UPDATE children SET parent = p.id FROM parents p WHERE children.id = %d AND p.id = "
             "%d "
             "RETURNING children.id) INSERT INTO touched SELECT 'children', id FROM u",
             child, parent);
        break;
    case 2:
        sqlf(
            test_case,
            "DELETE FROM notes WHERE child = %d; WITH d AS (DELETE FROM children WHERE id = %d RETURNING id) "
            "INSERT INTO touched SELECT 'children', id FROM d",
            child, child);
        break;
    case 3:
        sqlf(test_case,
             "WITH u AS (UPDATE parents SET v = v WHERE id = %d RETURNING id) INSERT INTO touched SELECT "
             "'parents', id FROM u",
             parent);
        break;
    case 4:
        sqlf(test_case,
             "WITH d AS (DELETE FROM parents p WHERE id = %d AND NOT EXISTS (SELECT FROM children c WHERE "
             "c.parent = p.id) RETURNING id) INSERT INTO touched SELECT 'parents', id FROM d",
             parent);
        break;
    case 5:
        sqlf(
            test_case,
            "WITH w AS (INSERT INTO parents VALUES (%d, 77) ON CONFLICT DO NOTHING RETURNING id) INSERT INTO "
            "touched SELECT 'parents', id FROM w",
            parent);
        break;
    case 6:
        sqlf(test_case,
             "WITH w AS (INSERT INTO children SELECT %d, p.id, 77 FROM parents p WHERE p.id = %d ON CONFLICT "
             "DO "
             "NOTHING RETURNING id) INSERT INTO touched SELECT 'children', id FROM w",
             child, parent);
        break;
    default:
        sqlf(test_case, "INSERT INTO notes SELECT id FROM children WHERE id = %d", child);
    }
}

/* A deleted row that somebody inserted again is touched: so is every row with an id that was ever touched. */
static void compare(RpCase *test_case, guint32 seed) {
    static const char *const TABLE_NAMES[] = {"parents", "children"};
    for (guint i = 0; i < G_N_ELEMENTS(TABLE_NAMES); i++) {
        g_autofree char *sql =
            g_strdup_printf("(SELECT 'too much', t.* FROM (SELECT * FROM %s EXCEPT SELECT * FROM %s_model) "
                            "t) UNION ALL (SELECT 'missing', "
                            "t.* FROM (SELECT * FROM %s_model EXCEPT SELECT * FROM %s) t)",
                            TABLE_NAMES[i], TABLE_NAMES[i], TABLE_NAMES[i], TABLE_NAMES[i]);
        g_autofree char *differences = rp_case_sql_rows(test_case, sql);
        cr_assert(differences[0] == '\0', "seed %u, %s: %s", seed, TABLE_NAMES[i], differences);
    }
}

static void try_seed(guint32 seed) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    char *mapping = rp_file_write(MAPPING);
    g_auto(RpOutcome) out = {0};
    rp_case_sql(test_case, TABLES);
    fill_tables(test_case, random);
    fill_redis(test_case, random);
    keep_state(test_case, "b");
    g_autoptr(json_t) run = rp_case_load(test_case, 0, "--mapping", mapping, "--batch-rows",
                                         seed % 2 == 0 ? "4" : "1000", "--writers", "1", NULL);
    rp_file_drop(mapping);
    keep_state(test_case, "a");
    for (int n = g_rand_int_range(random, 0, 25); n > 0; n--)
        touch_something(test_case, random);
    keep_state(test_case, "n");
    rp_case_sql(test_case, MODEL);
    g_autofree char *notes = rp_case_sql_rows(test_case, "SELECT child FROM notes ORDER BY 1");
    rp_case_run(test_case, &out, "rollback", "1", "--force", "--progress", "none", NULL);
    rp_outcome_assert_status(&out, 0);
    compare(test_case, seed);
    rp_case_assert_rows(test_case, "SELECT child FROM notes ORDER BY 1", notes);
    /* And back: what it took away is as it was before it. */
    g_auto(RpOutcome) back = {0};
    rp_case_run(test_case, &back, "rollback", "2", "--progress", "none", NULL);
    rp_outcome_assert_status(&back, 0);
    rp_case_sql(test_case,
                "DROP TABLE parents_model, children_model; CREATE TABLE parents_model AS SELECT * FROM "
                "parents_n; CREATE TABLE children_model AS SELECT * FROM children_n");
    compare(test_case, seed);
}

#define SEEDS 10

Test(rollback_model, agrees_with_whole_batches) {
    for (guint32 seed = 1; seed < 2 * SEEDS; seed += 2)
        try_seed(seed);
}

Test(rollback_model, agrees_with_small_batches) {
    for (guint32 seed = 2; seed <= 2 * SEEDS; seed += 2)
        try_seed(seed);
}
