/* Mistakes in fixture files: each is said with its place. */
#include "fixturing.h"

#include <criterion/parameterized.h>

/* Commands that reach beyond the test's database, wait, or run what nobody has looked at. */
Test(fixture_mistakes, refuse_all_commands_but_those_that_write_keys) {
    static const char *const commands[] = {
        "flushall",
        "FLUSHDB",
        "EVAL 'return 1' 0",
        "EVALSHA a 0",
        "EVAL_RO 'return 1' 0",
        "FCALL f 0",
        "FUNCTION LIST",
        "SCRIPT FLUSH",
        "COPY a b DB 1",
        "copy a b replace db 1",
        "MOVE a 1",
        "SELECT 1",
        "BLPOP a 0",
        "BLMOVE a b LEFT LEFT 0",
        "BZPOPMIN a 0",
        "XREAD BLOCK 0 STREAMS a 0",
        "WAIT 1 0",
        "WAITAOF 0 1 0",
        "PUBLISH a b",
        "SPUBLISH a b",
        "CONFIG GET a",
        "MULTI",
        "MODULE LIST",
        "JSON.SET a $ 1",
    };
    g_auto(Folder) folder = folder_new();
    g_autoptr(GString) text = g_string_new("test: a\nmapping: $MAPPING\nredis:\n  - COPY db copy\n");
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        g_string_append_printf(text, "  - %s\n", commands[i]);
    g_string_append(text, "expect: {}\n");
    g_autofree char *path = write_file(&folder, "a.yaml", text->str);
    g_auto(RpOutcome) out;
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 2);
    cr_assert(strcmp(out.output, "") == 0, "nothing was begun: %s", out.output);
    rp_assert_keeps_quiet(out.errors, ":4:5:");
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_auto(GStrv) words = g_strsplit(commands[i], " ", 2);
        g_autofree char *said = g_strdup_printf(":%u:5: %s is refused", i + 5, words[0]);
        rp_assert_says(out.errors, said);
    }
}

typedef struct {
    char text[200]; /* behind HEAD, or the whole file when it begins with "test" */
    char place[32]; /* line and column */
    char says[120];
} Mistake;

#define NAMED "test: a\n" HEAD

ParameterizedTestParameters(fixture_mistakes, say_where_their_mistakes_are) {
    static Mistake mistakes[] = {
        {"expekt: {}\n", ":7:1", "\"expekt\" is no word of a fixture test (did you mean \"expect\"?)"},
        {"schema: a\nexpect: {}\n", ":7:1", "\"schema\" stands twice in a fixture test"},
        {"expect: []\n", ":7:9", "\"expect\" takes a map, not a list"},
        {"expect: {row: {}}\n", ":7:10", "\"row\" is no word of expect (did you mean \"rows\"?)"},
        {"expect: {rows: []}\n", ":7:16", "\"rows\" takes a map, not a list"},
        {"expect: {rows: {users: {a: b}}}\n", ":7:24", "takes a list of rows"},
        {"expect: {rows: {users: [a]}}\n", ":7:25", "a row is a map of columns, not a scalar"},
        {"expect: {rows: {users: [{}]}}\n", ":7:25", "this row names no columns"},
        {"expect: {rows: {users: [{a: 1}, {b: 1}]}}\n", ":7:34", "column \"b\" is not in the first row"},
        {"expect: {rows: {users: [{a: 1, b: 2}, {a: 1}]}}\n", ":7:39", "this row lacks column \"b\""},
        {"expect: {rows: {users: [{a: [1]}]}}\n", ":7:29", "a value is a scalar, not a list"},
        {"expect: {rows: {users: [{a: 1, a: 2}]}}\n", ":7:32", "column \"a\" stands twice"},
        {"expect: {rows: {users: [], users: []}}\n", ":7:28", "table \"users\" stands twice"},
        {"expect: {rejects: [{cod: a}]}\n", ":7:21",
         "\"cod\" is no word of a reject (did you mean \"code\"?)"},
        {"expect: {rejects: [{code: out_of_rang}]}\n", ":7:27", "(did you mean \"out_of_range\"?)"},
        {"expect: {rejects: [{stage: mapp}]}\n", ":7:28", "(did you mean \"map\"?)"},
        {"expect: {rejects: [a]}\n", ":7:20", "a reject is a map"},
        {"expect: {rejects: [{key: [a]}]}\n", ":7:26", "\"key\" of a reject takes a scalar, not a list"},
        {"expect: {unmapped: [[a]]}\n", ":7:21", "a pattern of unmapped keys is expected"},
        {"expect: {counts: {orders: {insertd: 1}}}\n", ":7:28", "(did you mean \"inserted\"?)"},
        {"expect: {counts: {orders: {inserted: -1}}}\n", ":7:38", "is no whole number of 0 or more"},
        {"expect: {keys: {mapd: 1}}\n", ":7:17", "(did you mean \"mapped\"?)"},
        {"options: {batch_rows: 0}\nexpect: {}\n", ":7:23", "0 is not between 1 and 10000000"},
        {"postgres: [[a]]\nexpect: {}\n", ":7:12", "SQL is expected, not a list"},
        {"", ":1:1", "the test lacks \"expect\""},
        {"test: a\nmapping: gone.yaml\nexpect: {}\n", ":2:10", "there is no file"},
        {"test: a\nmapping: $MAPPING\nschema: gone\nexpect: {}\n", ":3:9", "there is no folder"},
        {"test: a\nmapping: $MAPPING\nredis: [FLUSHALL]\nexpect: {}\n", ":3:9", "FLUSHALL is refused"},
        {"test: a\nmapping: $MAPPING\nredis: ['SET a \"b']\nexpect: {}\n", ":3:9", "are not closed"},
        {"test: a\nmapping: $MAPPING\nredis: [{a: b}]\nexpect: {}\n", ":3:9", "not a map"},
        {"test: a\nmapping: $MAPPING\nredis: [[SET, [a]]]\nexpect: {}\n", ":3:15", "is a scalar, not a list"},
        {"test: a\nmapping: $MAPPING\nredis: [[]]\nexpect: {}\n", ":3:9", "a command is empty"},
        {"test: [a]\nmapping: $MAPPING\nexpect: {}\n", ":1:7", "\"test\" takes a scalar"},
        {"test: a\n\tb\n", ":2:", "no YAML"},
        {"test: ''\nmapping: $MAPPING\nexpect: {}\n", ":1:7", "a test has a name"},
    };
    return cr_make_param_array(Mistake, mistakes, G_N_ELEMENTS(mistakes), NULL);
}

ParameterizedTest(Mistake *mistake, fixture_mistakes, say_where_their_mistakes_are) {
    g_auto(Folder) folder = folder_new();
    const gboolean is_whole = g_str_has_prefix(mistake->text, "test");
    g_autofree char *text = g_strconcat(is_whole ? "" : NAMED, mistake->text, NULL);
    g_autofree char *path = write_file(&folder, "a.yaml", text);
    g_autofree char *place = g_strconcat(path, mistake->place, NULL);
    g_auto(RpOutcome) out;
    run_test(&out, path, NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, place);
    rp_assert_says(out.errors, mistake->says);
    cr_assert(strcmp(out.output, "") == 0, "nothing was begun: %s", out.output);
}

/* What only the servers can tell: the place, and what is said. */
Test(fixture_mistakes, say_where_the_servers_refuse_them) {
    g_auto(Folder) folder = folder_new();
    static const char *const bodies[] = {
        "redis: [HSET customer:c1 a]\nexpect: {}\n",
        "postgres: [SELECT 1, INSERT INTO userz VALUES (1)]\nexpect: {}\n",
        "expect: {rows: {user: []}}\n",
        "expect: {rows: {users: [{custmer_id: a}]}}\n",
        "expect: {rows: {orders: [{order_id: a, quantity: many}]}}\n",
        "expect: {rejects: [{entity: order}]}\n",
        "expect: {counts: {order: {read: 1}}}\n",
        "options: {entities: [nobody]}\nexpect: {}\n",
    };
    static const char *const said[][2] = {
        {":4:9", "wrong number of arguments"},
        {":4:22", "relation \"userz\" does not exist"},
        {":4:17", "did you mean \"users\"?"},
        {":4:26", "did you mean \"customer_id\"?"},
        {":4:50", "column \"quantity\" is integer: invalid input syntax"},
        {":4:20", "did you mean \"orders\"?"},
        {":4:19", "did you mean \"orders\"?"},
        {":1:1", "no entity \"nobody\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *name = g_strdup_printf("%u.yaml", i);
        g_autofree char *text = g_strconcat("test: a\nmapping: $MAPPING\nschema: $SCHEMA\n", bodies[i], NULL);
        g_free(write_file(&folder, name, text));
    }
    g_auto(RpOutcome) out;
    run_test(&out, folder.path, "--json", NULL);
    rp_outcome_assert_status(&out, 2);
    g_autoptr(json_t) json = rp_outcome_json(&out);
    cr_assert(eq(int, (int)rp_json_number(json, "broken"), (int)G_N_ELEMENTS(bodies)));
    for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *place = g_strdup_printf("results.%u.differences.0.place", i);
        g_autofree char *what = g_strdup_printf("results.%u.differences.0.what", i);
        g_autofree char *expected = g_strdup_printf("%s/%u.yaml%s", folder.path, i, said[i][0]);
        cr_assert(strcmp(rp_json_text(json, place), expected) == 0, "%s not %s", rp_json_text(json, place),
                  expected);
        rp_assert_says(rp_json_text(json, what), said[i][1]);
    }
}

Test(fixture_mistakes, are_looked_for_in_folders_where_mappings_may_lie_too) {
    g_auto(Folder) folder = folder_new();
    g_autofree char *inside = g_build_filename(folder.path, "b", NULL);
    g_mkdir(inside, 0755);
    g_free(write_file(&folder, "m.yaml", "redis2pg: 1\nentities: {}\n"));
    g_free(write_file(&folder, "b/2.yaml", "test: two\n" HEAD "expect: {rejects: []}\n"));
    g_free(write_file(&folder, "a.yml", "test: one\n" HEAD "expect: {rejects: []}\n"));
    g_free(write_file(&folder, ".hidden.yaml", "a: b\n"));
    g_free(write_file(&folder, "notes.txt", "a: b\n"));
    g_auto(RpOutcome) out;
    run_test(&out, folder.path, NULL);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.output, "1..2\nok 1 - one\nok 2 - two\n");
    rp_outcome_clear(&out);
    g_autofree char *other = write_file(&folder, "z.yaml", "a: b\n");
    g_autofree char *place = g_strconcat(other, ":1:1: the test lacks \"test\"", NULL);
    run_test(&out, folder.path, NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, place);
    g_unlink(other);
    rp_outcome_clear(&out);
    g_autofree char *mapping = g_build_filename(folder.path, "m.yaml", NULL);
    run_test(&out, mapping, NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "this is a mapping, and no fixture test");
}

Test(fixture_mistakes, are_mistaken_when_there_is_none) {
    g_auto(Folder) folder = folder_new();
    g_auto(RpOutcome) out;
    run_test(&out, folder.path, NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "there is no fixture test");
    rp_outcome_clear(&out);
    run_test(&out, "--quiet", NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "usage: redis2pg test PATH");
    rp_outcome_clear(&out);
    run_test(&out, "/nowhere.yaml", NULL);
    rp_outcome_assert_status(&out, 2);
    rp_assert_says(out.errors, "/nowhere.yaml");
}
