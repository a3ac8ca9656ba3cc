/* Mistakes of whoever calls the program: exit status 2, a text that helps, and nothing touched. */
#include "shop.h"

#include <string.h>

static void assert_refused(RpCase *test_case, const char *const words[], const char *const texts[]) {
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, words);
    rp_outcome_assert_status(&out, 2);
    for (guint i = 0; texts[i] != NULL; i++)
        rp_assert_says(out.errors, texts[i]);
    cr_assert(eq(str, out.output, ""));
}

static void assert_untouched(RpCase *test_case) {
    rp_case_assert_rows(test_case, "SELECT count(*) FROM pg_namespace WHERE nspname = 'redis2pg'", "0");
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(usage, an_unknown_command_is_refused_with_the_nearest_name) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    assert_refused(test_case, LIST("chekc"), LIST("there is no command \"chekc\"", "\"check\""));
    assert_refused(test_case, LIST("--json"), LIST("a command is missing"));
}

Test(usage, an_unknown_option_is_refused_with_the_nearest_name) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    assert_refused(test_case, LIST("run", "--batchrows", "5"), LIST("--batchrows", "--batch-rows"));
    assert_refused(test_case, LIST("run", "--mappin=x"), LIST("--mappin", "--mapping"));
    assert_refused(test_case, LIST("rejects", "list", "--cod", "x"), LIST("--cod", "--code"));
}

Test(usage, a_value_that_does_not_fit_is_refused) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_autoptr(RpCase) test_case = rp_case_new();
    assert_refused(test_case, LIST("run", "--batch-rows", "0"),
                   LIST("--batch-rows", "1 to 10000000", "\"0\""));
    assert_refused(test_case, LIST("run", "--writers", "two"), LIST("--writers", "\"two\""));
    assert_refused(test_case, LIST("run", "--mapping", mapping, "--strategy", "fast"),
                   LIST("--strategy", "\"fast\""));
    assert_refused(test_case, LIST("run", "--mapping", mapping, "--entity", "order"),
                   LIST("--entity", "\"order\""));
    assert_refused(test_case, LIST("--log-level", "loud", "runs", "list"), LIST("--log-level", "\"loud\""));
    assert_refused(test_case, LIST("--redis", "http://x", "--mapping", mapping, "run"), LIST("http://"));
    assert_refused(test_case, LIST("runs", "show", "one"), LIST("\"one\""));
    assert_refused(test_case, LIST("runs", "show", "1"), LIST("no run 1"));
    assert_refused(test_case, LIST("run", "now"), LIST("redis2pg run"));
    assert_untouched(test_case);
}

Test(usage, a_mapping_is_needed) {
    g_autoptr(RpCase) test_case = rp_case_new();
    assert_refused(test_case, LIST("run"), LIST("--mapping", "REDIS2PG_MAPPING"));
    assert_refused(test_case, LIST("run", "--mapping", "/nowhere/shop.yaml"), LIST("/nowhere/shop.yaml"));
    assert_untouched(test_case);
}

static const char GOOD_MAPPING[] = "redis2pg: 1\n"
                                   "entities:\n"
                                   "  customers:\n"
                                   "    keys: 'customer:{id}'\n"
                                   "    type: hash\n"
                                   "    table: users\n"
                                   "    key: [customer_id]\n"
                                   "    columns:\n"
                                   "      id: {uuid5: [customer, $key.id]}\n"
                                   "      customer_id: $key.id\n";

/* The good mapping with one text replaced. */
static char *write_mistake(const char *from, const char *to) {
    g_auto(GStrv) parts = g_strsplit(GOOD_MAPPING, from, 2);
    cr_assert(g_strv_length(parts) == 2);
    g_autofree char *text = g_strjoinv(to, parts);
    return rp_file_write(text);
}

Test(usage, a_mistake_in_the_mapping_is_named_by_its_place) {
    static const struct {
        const char *from, *to, *place, *text;
    } mistakes[] = {
        {"table: users", "tabel: users", ":6:5: ", "(did you mean \"table\"?)"},
        {"type: hash", "type: hsh", ":5:11: ", "(did you mean \"hash\"?)"},
        {"table: users", "table: user", ":3:3: ", "\"user\""},
        {"customer_id: $key.id", "customer_name: $key.id", ":7:10: ", "customer_id"},
        {"customer_id: $key.id", "customer_id: $key.id\n      mail: mail", ":11:7: ", "no column \"mail\""},
        {"$key.id]}", "$key.name]}", ":9:", "name"},
        {"redis2pg: 1", "redis2pg: 2", ":1:11: ", "\"2\""},
        {"entities:", "entities: [", ":", "expected"},
    };
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_customer(test_case, "c1");
    for (guint i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        char *path = write_mistake(mistakes[i].from, mistakes[i].to);
        g_autofree char *name = g_path_get_basename(path);
        g_autofree char *place = g_strconcat(name, mistakes[i].place, NULL);
        assert_refused(test_case, LIST("run", "--mapping", path), LIST(place, mistakes[i].text));
        rp_file_drop(path);
    }
    assert_untouched(test_case);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM users", "0");
}

/* What a run would write to is looked at before Redis is asked for anything. */
Test(usage, a_table_that_is_not_there_is_found_before_redis_is_read) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *path = rp_file_write(GOOD_MAPPING);
    assert_refused(test_case, LIST("--redis", "unix:///nowhere/redis.sock", "run", "--mapping", path),
                   LIST("\"users\"", "is not there"));
    rp_file_drop(path);
    assert_untouched(test_case);
}

Test(usage, help_at_each_level_has_an_example) {
    static const char *const commands[] = {NULL, "check", "schema", "run", "runs", "rejects", "demo"};
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_auto(RpOutcome) out = {0};
        rp_case_run(test_case, &out, commands[i] != NULL ? commands[i] : "--help", "--help", NULL);
        rp_outcome_assert_status(&out, 0);
        rp_assert_says(out.output, "Example:\n  redis2pg ");
        rp_assert_says(out.output, commands[i] != NULL ? commands[i] : "COMMAND");
        cr_assert(eq(str, out.errors, ""));
    }
}

Test(usage, version_is_one_line) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "--version", NULL);
    rp_outcome_assert_status(&out, 0);
    cr_assert(g_regex_match_simple("\\Aredis2pg \\d+\\.\\d+\\.\\d+\n\\z", out.output, 0, 0), "%s",
              out.output);
}

/* ---- where an option's value comes from ---- */

#define OPTION_PATH      "/from-the-option.yaml"
#define ENVIRONMENT_PATH "/from-the-environment.yaml"
#define FILE_PATH        "/from-the-file.yaml"

Test(usage, option_beats_environment_beats_file_beats_default) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *config = rp_file_write("mapping: " FILE_PATH "\n");
    assert_refused(test_case, LIST("run"), LIST("no mapping"));
    assert_refused(test_case, LIST("run", "--config", config), LIST(FILE_PATH));
    g_setenv("REDIS2PG_MAPPING", ENVIRONMENT_PATH, TRUE);
    assert_refused(test_case, LIST("run", "--config", config), LIST(ENVIRONMENT_PATH));
    assert_refused(test_case, LIST("run", "--config", config, "--mapping", OPTION_PATH), LIST(OPTION_PATH));
    rp_file_drop(config);
}

Test(usage, the_file_can_give_every_kind_of_option) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_autofree char *text = g_strdup_printf(
        "mapping: %s\nbatch-rows: 1\nallow-rejects: true\nentity: [customers, orders]\njson: yes\n", mapping);
    char *config = rp_file_write(text);
    g_auto(RpOutcome) out = {0};
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "nobody");
    rp_case_add_payment(test_case, "p1", "o1");
    g_setenv("REDIS2PG_CONFIG", config, TRUE);
    rp_case_run(test_case, &out, "run", NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) run = rp_outcome_json(&out);
    rp_assert_account(run, "customers", "read 1, inserted 1");
    rp_assert_account(run, "orders", "read 1, rejected 1");
    rp_assert_account(run, "payments", "");
    rp_case_assert_rows(test_case, "SELECT settings ->> 'batch_rows' FROM redis2pg.runs", "1");
    rp_file_drop(config);
}

Test(usage, mistakes_in_the_file_are_named_by_their_place) {
    static const struct {
        const char *text, *place, *why;
    } mistakes[] = {
        {"mapping: x\nbatch-row: 5\n", ":2:1: ", "did you mean \"batch-rows\"?"},
        {"batch-rows: many\n", "", "\"many\""},
        {"json: perhaps\n", "", "\"perhaps\""},
        {"mapping: x\nmapping: y\n", ":2:1: ", "twice"},
        {"- mapping\n", ":1:1: ", "map"},
        {"mapping: [\n", ":", ""},
    };
    g_autoptr(RpCase) test_case = rp_case_new();
    for (guint i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        char *config = rp_file_write(mistakes[i].text);
        g_autofree char *name = g_path_get_basename(config);
        g_autofree char *place = g_strconcat(name, mistakes[i].place, NULL);
        assert_refused(test_case, LIST("run", "--config", config), LIST(place, mistakes[i].why));
        rp_file_drop(config);
    }
    assert_refused(test_case, LIST("run", "--config", "/nowhere.yaml"), LIST("/nowhere.yaml"));
    assert_untouched(test_case);
}
