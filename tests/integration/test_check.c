/* `redis2pg check`: finds what a run would stumble over, and writes nothing. */
#include "shop.h"

static json_t *check(RpCase *test_case, const char *mapping, int status) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "check", "--json", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&out, status);
    json_t *document = rp_outcome_json(&out);
    cr_assert(eq(str, (char *)rp_json_text(document, "status"), (char *)(status == 0 ? "ok" : "findings")));
    rp_case_assert_rows(test_case, "SELECT count(*) FROM pg_namespace WHERE nspname = 'redis2pg'", "0");
    return document;
}

/* The finding with that code; fails the test when there is none. */
static json_t *find(json_t *document, const char *code) {
    size_t i;
    json_t *finding;
    json_array_foreach(rp_json_at(document, "findings"), i, finding) {
        if (g_strcmp0(rp_json_text(finding, "code"), code) == 0)
            return finding;
    }
    char *shown = json_dumps(document, JSON_INDENT(2));
    cr_assert(finding != NULL, "no finding %s in\n%s", code, shown);
    return NULL;
}

Test(check, the_shop_is_fine) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_fill(test_case, 5, "0");
    g_autoptr(json_t) document = check(test_case, mapping, 0);
    json_t *postgres = find(document, "postgres_reachable");
    cr_assert(eq(str, (char *)rp_json_text(postgres, "severity"), "note"));
    rp_assert_says(rp_json_text(postgres, "text"), "version ");
    rp_assert_says(rp_json_text(find(document, "redis_reachable"), "text"), " keys");
    g_auto(RpOutcome) text = {0};
    rp_case_run(test_case, &text, "check", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&text, 0);
    rp_assert_says(text.output, "check: ok\n");
}

Test(check, keys_that_nothing_covers_are_a_finding) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    rp_case_add_customer(test_case, "c1");
    rp_case_redis(test_case, "SET session:1 x");
    rp_case_redis(test_case, "SET session:2 x");
    g_autoptr(json_t) document = check(test_case, mapping, 1);
    json_t *finding = find(document, "unmapped_keys");
    cr_assert(eq(str, (char *)rp_json_text(finding, "severity"), "warning"));
    cr_assert(eq(str, (char *)rp_json_text(finding, "place"), "Redis"));
    rp_assert_says(rp_json_text(finding, "text"), "2 of 3 keys");
    rp_assert_says(rp_json_text(finding, "text"), "session:*");
    rp_assert_says(rp_json_text(finding, "remedy"), "ignore: [\"session:*\"]");
    g_auto(RpOutcome) text = {0};
    rp_case_run(test_case, &text, "check", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&text, 1);
    rp_assert_says(text.output, "check: there are findings\n");
    g_auto(RpOutcome) none = {0};
    rp_case_run(test_case, &none, "check", "--mapping", mapping, "--sample", "0", NULL);
    rp_outcome_assert_status(&none, 0);
}

/* Each mapping is of its own, over the same four tables. */
static const char TABLES_SQL[] = "CREATE TABLE loose (name text NOT NULL, size integer);"
                                 "CREATE TABLE strict (name text PRIMARY KEY, size integer NOT NULL);"
                                 "CREATE TABLE egg (name text PRIMARY KEY, hen text);"
                                 "CREATE TABLE hen (name text PRIMARY KEY, egg text REFERENCES egg);"
                                 "ALTER TABLE egg ADD FOREIGN KEY (hen) REFERENCES hen";

static char *write_mapping(const char *table, const char *columns, const char *rest) {
    g_autofree char *text = g_strdup_printf("redis2pg: 1\n"
                                            "entities:\n"
                                            "  things:\n"
                                            "    keys: 'thing:{name}'\n"
                                            "    type: hash\n"
                                            "    table: %s\n"
                                            "    key: [name]\n"
                                            "    columns:\n"
                                            "      name: $key.name\n"
                                            "%s%s",
                                            table, columns, rest);
    return rp_file_write(text);
}

Test(check, what_a_run_would_refuse_is_an_error_with_its_place) {
    static const struct {
        const char *table, *columns, *rest, *code, *place;
    } wrong[] = {
        {"nothing", "", "", "unknown_table", ":3:3"},
        {"strict", "      size: size\n      weight: weight\n", "", "unknown_column", ":11:7"},
        {"loose", "", "", "key_not_unique", ":3:3"},
        {"strict", "", "", "not_null_unmapped", ":3:3"},
        {"strict", "      size: {from: size, timestamp: unix}\n", "", "type_does_not_fit", ":10:7"},
        {"strict", "      size: {from: size, min: low}\n", "", "rule_does_not_fit", ":10:7"},
        {"strict", "      size: {from: size, default: big}\n", "", "default_does_not_fit", ":10:7"},
        {"strict", "      size: size\n", "    checks: {odd: \"size = \"}\n", "bad_sql", ":11:19"},
        {"strict", "      size: size\n", "    where: \"no_such_column > 1\"\n", "bad_sql", ":11:12"},
        {"strict", "      size: size\n", "    where: \"size = 1) or (size = 2\"\n", "bad_sql", ":11:12"},
        {"strict", "      size: size\n", "    where: \"size = 1), (size = 2\"\n", "bad_sql", ":11:12"},
        {"strict", "      size: size\n", "    where: \"count(*) > 1\"\n", "bad_sql", ":11:12"},
        {"strict", "      size: {from: size, mx: 3}\n", "", "unknown_word", ":10:26"},
    };
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, TABLES_SQL);
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        char *mapping = write_mapping(wrong[i].table, wrong[i].columns, wrong[i].rest);
        g_autofree char *name = g_path_get_basename(mapping);
        g_autofree char *place = g_strconcat(name, wrong[i].place, NULL);
        g_autoptr(json_t) document = check(test_case, mapping, 2);
        json_t *finding = find(document, wrong[i].code);
        cr_assert(eq(str, (char *)rp_json_text(finding, "severity"), "error"));
        cr_assert(eq(str, (char *)rp_json_text(finding, "place"), place), "%s", wrong[i].code);
        cr_assert(rp_json_text(finding, "text")[0] != '\0');
        rp_json_at(finding, "remedy");
        rp_file_drop(mapping);
    }
}

Test(check, a_circle_of_foreign_keys_is_an_error) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = write_mapping("egg", "      hen: hen\n",
                                  "  others:\n    keys: 'other:{name}'\n    type: hash\n    table: hen\n"
                                  "    key: [name]\n    columns: {name: $key.name, egg: egg}\n");
    rp_case_sql(test_case, TABLES_SQL);
    g_autoptr(json_t) document = check(test_case, mapping, 2);
    rp_file_drop(mapping);
    rp_assert_says(rp_json_text(find(document, "foreign_key_circle"), "text"), "load order");
}

/* One call finds all mistakes, in the mapping and in what it is for. */
Test(check, all_findings_come_at_once) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = write_mapping("strict", "      weight: weight\n", "    where: \"no_such_column > 1\"\n");
    rp_case_sql(test_case, TABLES_SQL);
    rp_case_redis(test_case, "SET stray:1 x");
    g_autoptr(json_t) document = check(test_case, mapping, 2);
    rp_file_drop(mapping);
    find(document, "unknown_column");
    find(document, "not_null_unmapped");
    find(document, "bad_sql");
    find(document, "unmapped_keys");
}

Test(check, a_server_that_is_down_ends_it) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_auto(RpOutcome) redis = {0};
    g_auto(RpOutcome) postgres = {0};
    rp_case_run(test_case, &redis, "check", "--mapping", mapping, "--redis", "unix:///nowhere/redis.sock",
                NULL);
    rp_outcome_assert_status(&redis, 3);
    rp_assert_says(redis.errors, "/nowhere/redis.sock");
    rp_case_run(test_case, &postgres, "check", "--mapping", mapping, "--postgres", "host=/nowhere", NULL);
    rp_outcome_assert_status(&postgres, 4);
    rp_assert_says(postgres.errors, "/nowhere/.s.PGSQL.5432");
}
