/* `reconcile` and rows that stand on purpose although Redis has their keys no more. */
#include "reconciling.h"

#define MAPPING                                                                                              \
    "redis2pg: 1\nentities:\n"                                                                               \
    "  people: {keys: 'p:{id}', type: hash, table: people, key: [id], columns: {id: $key.id, name: name, "   \
    "age: age}}\n"                                                                                           \
    "  cars: {keys: 'c:{id}', type: hash, table: cars, key: [id], columns: {id: {from: id, equals: "         \
    "$key.id}, "                                                                                             \
    "owner: owner}, on_expire: %s}\n"                                                                        \
    "links:\n  owned: {keys: 'p:{id}:cars', type: set, member: {entity: cars, column: id}, owner: {entity: " \
    "people, column: id}}\n"

typedef struct {
    RpCase *test_case;
    char *mapping;
} Kept;

static Kept new_kept(const char *policy) {
    RpCase *test_case = rp_case_new_empty();
    g_autofree char *text = g_strdup_printf(MAPPING, policy);
    const Kept kept = {test_case, rp_file_write(text)};
    rp_case_sql(test_case, "CREATE TABLE people (id text PRIMARY KEY, name text, age integer);"
                           "CREATE TABLE cars (id text PRIMARY KEY, owner text REFERENCES people)");
    for (int i = 0; i < 3; i++) {
        rp_case_redis(test_case, "HSET p:%d name n%d age %d", i, i, i);
        rp_case_redis(test_case, "HSET c:%d id %d owner %d", i, i, i);
        rp_case_redis(test_case, "SADD p:%d:cars %d", i, i);
    }
    load_equal(test_case, kept.mapping);
    return kept;
}

static void drop(Kept *kept) {
    rp_file_drop(kept->mapping);
    rp_case_free(kept->test_case);
}

/* As a sync does when it has seen the key go. */
static void depart(const Kept *kept, const char *entity, const char *key) {
    g_autofree char *sql = g_strdup_printf("INSERT INTO redis2pg.lifetimes (entity, key_digest, departed_at) "
                                           "VALUES ('%s', md5('%s')::uuid, now())",
                                           entity, key);
    rp_case_sql(kept->test_case, sql);
}

static void assert_kept(const Kept *kept, int status, const char *level, gint64 people, gint64 cars,
                        gint64 extra) {
    g_autoptr(json_t) document = reconcile(kept->test_case, kept->mapping, status, "--level", level, NULL);
    cr_assert(eq(i64, rp_json_number(document, "entities.people.kept"), people));
    cr_assert(eq(i64, rp_json_number(document, "entities.cars.kept"), cars));
    cr_assert(eq(i64, rp_json_number(document, "entities.people.extra"), extra));
}

static const char *const LEVELS[] = {"counts", "rows", "fields"};

Test(reconcile_kept, rows_are_not_extra) {
    Kept kept = new_kept("keep");
    rp_case_redis(kept.test_case, "DEL p:2 p:2:cars c:2 c:1 p:1:cars");
    for (guint i = 0; i < G_N_ELEMENTS(LEVELS); i++)
        assert_kept(&kept, 1, LEVELS[i], 0, 0, 1);
    depart(&kept, "people", "p:2");
    depart(&kept, "cars", "c:1");
    depart(&kept, "cars", "c:2");
    for (guint i = 0; i < G_N_ELEMENTS(LEVELS); i++)
        assert_kept(&kept, 0, LEVELS[i], 1, 2, 0);
    drop(&kept);
}

Test(reconcile_kept, rows_are_told_apart_from_extra_ones) {
    Kept kept = new_kept("keep");
    rp_case_redis(kept.test_case, "DEL p:2 p:2:cars c:2 p:1 p:1:cars c:1");
    depart(&kept, "people", "p:2");
    depart(&kept, "cars", "c:2");
    depart(&kept, "cars", "c:1");
    for (guint i = 0; i < G_N_ELEMENTS(LEVELS); i++)
        assert_kept(&kept, 1, LEVELS[i], 1, 2, 1);
    g_autoptr(json_t) document = reconcile(kept.test_case, kept.mapping, 1, NULL);
    assert_counts(document, "people", "source_rows 1, target_rows 2, equal 1, extra 1");
    assert_counts(document, "cars", "source_rows 1, target_rows 1, equal 1");
    drop(&kept);
}

/* The owner's set may go on listing what has expired; and a row that stands with its owner is not unlisted.
 */
Test(reconcile_kept, members_are_neither_dangling_nor_unlisted) {
    Kept kept = new_kept("keep");
    rp_case_redis(kept.test_case, "DEL c:1 c:2 p:2 p:2:cars");
    depart(&kept, "cars", "c:1");
    depart(&kept, "cars", "c:2");
    depart(&kept, "people", "p:2");
    g_autoptr(json_t) document = reconcile(kept.test_case, kept.mapping, 0, NULL);
    cr_assert(eq(i64, rp_json_number(document, "links.0.checked"), 2));
    rp_case_redis(kept.test_case, "SADD p:0:cars ghost");
    g_autoptr(json_t) again = reconcile(kept.test_case, kept.mapping, 1, NULL);
    cr_assert(eq(i64, rp_json_number(again, "links.0.dangling"), 1));
    cr_assert(eq(i64, rp_json_number(again, "links.0.unlisted"), 0));
    drop(&kept);
}

/* The key was written again while no sync followed. */
Test(reconcile_kept, rows_of_keys_that_came_back_are_compared) {
    Kept kept = new_kept("keep");
    depart(&kept, "people", "p:1");
    depart(&kept, "people", "p:2");
    assert_kept(&kept, 0, "rows", 0, 0, 0);
    assert_kept(&kept, 0, "fields", 0, 0, 0);
    rp_case_redis(kept.test_case, "HSET p:2 age 77");
    g_autoptr(json_t) document = reconcile(kept.test_case, kept.mapping, 1, NULL);
    assert_counts(document, "people", "source_rows 3, target_rows 3, equal 2, different 1");
    drop(&kept);
}

Test(reconcile_kept, rows_are_not_deleted_by_a_repair) {
    Kept kept = new_kept("keep");
    rp_case_redis(kept.test_case, "DEL c:2 c:1 p:1:cars p:2:cars");
    depart(&kept, "cars", "c:2");
    g_autoptr(json_t) document = reconcile(kept.test_case, kept.mapping, 0, "--repair", "--delete-extra",
                                           "--max-delete-percent", "100", NULL);
    cr_assert(eq(i64, rp_json_number(document, "repair.deleted"), 1));
    rp_case_assert_rows(kept.test_case, "SELECT id FROM cars ORDER BY id", "0\n2");
    drop(&kept);
}

Test(reconcile_kept, nothing_is_where_the_mapping_deletes) {
    Kept kept = new_kept("delete, on_delete: delete");
    rp_case_redis(kept.test_case, "DEL c:2 p:2:cars");
    depart(&kept, "cars", "c:2");
    g_autoptr(json_t) document = reconcile(kept.test_case, kept.mapping, 1, NULL);
    assert_counts(document, "cars", "source_rows 2, target_rows 3, equal 2, extra 1");
    drop(&kept);
}

Test(reconcile_kept, reports_say_so) {
    Kept kept = new_kept("keep");
    rp_case_redis(kept.test_case, "DEL c:2 p:2:cars");
    depart(&kept, "cars", "c:2");
    g_auto(RpOutcome) out = {0};
    rp_case_run(kept.test_case, &out, "reconcile", "--mapping", kept.mapping, NULL);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.output,
                   "cars: rows that stand on purpose, for the mapping keeps what has left Redis: 1");
    drop(&kept);
}

/* Whoever may not read the ledger has them as extra rows, and no error. */
Test(reconcile_kept, nothing_is_without_a_ledger) {
    Kept kept = new_kept("keep");
    rp_case_redis(kept.test_case, "DEL c:2 p:2:cars");
    depart(&kept, "cars", "c:2");
    rp_case_sql(kept.test_case, "ALTER SCHEMA redis2pg RENAME TO elsewhere");
    g_autoptr(json_t) document = reconcile(kept.test_case, kept.mapping, 1, NULL);
    assert_counts(document, "cars", "source_rows 2, target_rows 3, equal 2, extra 1");
    drop(&kept);
}

/* ---- which rows tell their key ---- */

static const struct {
    const char *keys, *id, *more, *key; /* of the mapping; and of Redis */
    gboolean is_told;
} TOLD[] = {
    {"t:{id}", "$key.id", "n: n", "t:x", TRUE},
    {"{id}", "$key.id", "n: n", "x", TRUE},
    {"it''s:{id}:\\{n+}:end", "$key.id", "n: $key.n", "it's:x:\\a:b:end", TRUE},
    {"t:{id}", "$key", "n: n", "t:x", TRUE},
    {"t:{id}", "{from: id, equals: $key.id}", "n: n", "t:x", TRUE},
    {"t:{id}", "{from: $key.id, lower: true}", "n: n", "t:x", FALSE},
    {"t:{id}", "{from: $key.id, map: {x: y}}", "n: n", "t:x", FALSE},
    {"t:{id}:{n}", "$key.id", "n: {from: n}", "t:x:7", FALSE},
    {"t:{id}:{n}", "$key.id", "n: {from: n, equals: $key.n}", "t:x:7", TRUE},
    {"t:{id}", "{uuid5: [t, $key.id]}", "n: n", "t:x", FALSE},
    {"t:{u}:{i}", "{template: '{$key.u}-{$key.i}'}", "u: $key.u, i: $key.i",
     "t:c0ffee00-0000-4000-8000-000000000000:42", TRUE},
    {"t:{u}:{i}", "{template: '{$key.u}-{$key.i}'}", "u: $key.u, i: $key.i",
     "t:c0ffee00-0000-4000-8000-000000000000:042", FALSE},
    {"t:{id}", "{from: $key.id, sensitive: true}", "n: n", "t:x", TRUE},
};

static void assert_told(guint number) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *text = g_strdup_printf(
        "redis2pg: 1\nentities:\n  things: {keys: '%s', type: hash, table: things, key: [id], "
        "columns: {id: %s, %s, f: f}}\n",
        TOLD[number].keys, TOLD[number].id, TOLD[number].more);
    char *mapping = rp_file_write(text);
    rp_case_sql(test_case, "CREATE TABLE things (id text PRIMARY KEY, n text, u uuid, i integer, f text)");
    rp_case_redis(test_case, "HSET %s f 1 id x n 7", TOLD[number].key);
    load_status(test_case, mapping, 0);
    rp_case_redis(test_case, "DEL %s", TOLD[number].key);
    g_autofree char *sql =
        g_strdup_printf("INSERT INTO redis2pg.lifetimes (entity, key_digest, departed_at) "
                        "VALUES ('things', md5(convert_to($k$%s$k$, 'UTF8'))::uuid, now())",
                        TOLD[number].key);
    rp_case_sql(test_case, sql);
    g_autoptr(json_t) document = reconcile(test_case, mapping, TOLD[number].is_told ? 0 : 1, NULL);
    cr_assert(eq(i64, rp_json_number(document, "entities.things.kept"), TOLD[number].is_told ? 1 : 0),
              "%s: %s", TOLD[number].keys, TOLD[number].id);
    rp_file_drop(mapping);
}

Test(reconcile_kept, rows_are_those_that_tell_their_key) {
    for (guint i = 0; i < G_N_ELEMENTS(TOLD); i++)
        assert_told(i);
}

/* Two entities fill one table: what either has let go of stands. */
Test(reconcile_kept, rows_of_a_shared_table) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write("redis2pg: 1\nentities:\n"
                                  "  cats: {keys: 'cat:{id}', type: hash, table: pets, key: [kind, id], "
                                  "columns: {kind: {const: cat}, id: "
                                  "$key.id, name: name}}\n"
                                  "  dogs: {keys: 'dog:{id}', type: hash, table: pets, key: [kind, id], "
                                  "columns: {kind: {const: dog}, id: "
                                  "$key.id, name: name}}\n");
    rp_case_sql(test_case, "CREATE TABLE pets (kind text, id text, name text, PRIMARY KEY (kind, id))");
    for (int i = 0; i < 3; i++) {
        rp_case_redis(test_case, "HSET cat:%d name c%d", i, i);
        rp_case_redis(test_case, "HSET dog:%d name d%d", i + 3, i);
    }
    load_equal(test_case, mapping);
    rp_case_redis(test_case, "DEL cat:0 dog:4 dog:5");
    rp_case_sql(test_case, "INSERT INTO redis2pg.lifetimes (entity, key_digest, departed_at) VALUES ('cats', "
                           "md5('cat:0')::uuid, now()), ('dogs', md5('dog:4')::uuid, now())");
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    cr_assert(eq(i64, rp_json_number(document, "entities.cats.kept"), 1));
    cr_assert(eq(i64, rp_json_number(document, "entities.dogs.kept"), 1));
    cr_assert(eq(i64, rp_json_number(document, "entities.cats.extra"), 1));
    rp_file_drop(mapping);
}
