/* `redis2pg demo`: every fault that it plants comes out as the reject that it announced. */
#include "shop.h"

#include <signal.h>
#include <string.h>

static json_t *tell(RpCase *test_case, const char *fault_percent) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "demo", "--json", "--customers", "2500", "--orders", "10000", "--payments",
                "7500", "--faults", fault_percent, "--progress", "none", NULL);
    rp_outcome_assert_status(&out, 0);
    return rp_outcome_json(&out);
}

/* planted.faults by entity and code, the codes that are null left out. */
static gint64 sum_planted(json_t *story, const char *entity, const char *code) {
    gint64 sum = 0;
    size_t i;
    json_t *fault;
    json_array_foreach(rp_json_at(story, "planted.faults"), i, fault) {
        if (g_strcmp0(json_string_value(json_object_get(fault, "entity")), entity) == 0 &&
            g_strcmp0(json_string_value(json_object_get(fault, "code")), code) == 0)
            sum += rp_json_number(fault, "planted");
    }
    return sum;
}

Test(demo, each_planted_fault_is_found_with_its_code) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autoptr(json_t) story = tell(test_case, "5");
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(story, "matches")));
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(story, "run.balanced")));
    gint64 n_found = 0;
    const char *entity;
    json_t *codes;
    json_object_foreach(rp_json_at(story, "rejects_by_entity"), entity, codes) {
        const char *code;
        json_t *count;
        json_object_foreach(codes, code, count) {
            cr_assert(eq(i64, json_integer_value(count), sum_planted(story, entity, code)), "%s %s", entity,
                      code);
            n_found += json_integer_value(count);
        }
    }
    cr_assert(n_found > 800);
    cr_assert(eq(i64, rp_json_number(story, "reconcile.entities.orders.unexplained"), 0));
    cr_assert(eq(i64, rp_json_number(story, "reconcile.entities.orders.equal"),
                 rp_json_number(story, "run.entities.orders.inserted")));
    cr_assert(eq(i64, n_found, rp_json_number(story, "run.rejects.total")));
    cr_assert(eq(i64, n_found, rp_json_number(story, "planted.rejects.total")));
    size_t i;
    json_t *fault;
    json_array_foreach(rp_json_at(story, "planted.faults"), i, fault) {
        cr_assert(rp_json_number(fault, "planted") > 0, "%s is never planted", rp_json_text(fault, "fault"));
    }
}

Test(demo, without_faults_there_are_no_rejects) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autoptr(json_t) story = tell(test_case, "0");
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(story, "matches")));
    cr_assert(eq(i64, rp_json_number(story, "run.rejects.total"), 0));
    cr_assert(eq(i64, rp_json_number(story, "run.entities.orders.inserted"), 10000));
}

Test(demo, fill_writes_into_the_given_redis_only_when_it_is_empty) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) first = {0};
    g_auto(RpOutcome) second = {0};
    rp_case_run(test_case, &first, "demo", "--fill", "--json", "--customers", "60", "--orders", "80",
                "--payments", "70", NULL);
    rp_outcome_assert_status(&first, 0);
    g_autoptr(json_t) filled = rp_outcome_json(&first);
    cr_assert(eq(i64, rp_json_number(filled, "planted.hashes"), 210));
    cr_assert(rp_case_redis_number(test_case, "DBSIZE") >= 210);
    rp_case_run(test_case, &second, "demo", "--fill", NULL);
    rp_outcome_assert_status(&second, 6);
    rp_assert_says(second.errors, "--force");
}

/* The text of the story, told on a small shop. */
Test(demo, the_story_in_text_names_its_commands) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "demo", "--customers", "100", "--orders", "200", "--payments", "150",
                "--progress", "none", NULL);
    rp_outcome_assert_status(&out, 0);
    rp_assert_says(out.output, "== 1/7");
    rp_assert_says(out.output, "== 7/7");
    rp_assert_says(out.output, "$ redis2pg run");
    rp_assert_says(out.output, "$ redis2pg rejects list");
    rp_assert_says(out.output, "$ redis2pg reconcile");
    rp_assert_says(out.output, "comparing every row found nothing else");
    rp_assert_keeps_quiet(out.output, "<- differs");
}

/* The number that follows a text; 0 when there is none. */
static gint64 number_after(const char *text, const char *before) {
    const char *at = strstr(text, before);
    return at != NULL ? g_ascii_strtoll(at + strlen(before), NULL, 10) : 0;
}

Test(demo, kept_servers_live_until_their_process_is_ended) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "demo", "--keep", "--customers", "60", "--orders", "80", "--payments", "70",
                "--progress", "none", NULL);
    rp_outcome_assert_status(&out, 0);
    const pid_t keeper = (pid_t)number_after(out.output, "kill ");
    cr_assert(keeper > 1, "no process to end in:\n%s", out.output);
    const char *socket = strstr(out.output, "unix://");
    cr_assert(socket != NULL);
    g_autofree char *path = g_strndup(socket + 7, strcspn(socket + 7, "?"));
    redisContext *redis = redisConnectUnix(path);
    cr_assert(redis != NULL && redis->err == 0, "nobody answers at %s", path);
    redisFree(redis);
    cr_assert(eq(int, kill(keeper, SIGTERM), 0));
    for (int i = 0; i < 1000 && kill(keeper, 0) == 0; i++)
        g_usleep(10000);
    cr_assert(ne(int, kill(keeper, 0), 0), "process %d lives on", (int)keeper);
    g_autofree char *folder = g_path_get_dirname(path);
    cr_assert(not(g_file_test(folder, G_FILE_TEST_EXISTS)), "%s is left behind", folder);
}
