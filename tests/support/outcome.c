/* Puts tables, accounts and rejects of a run into lines, and compares them. */
#include "outcome.h"

#include <string.h>

static void note_twin(RpCase *test_case, const char *value) {
    char *quoted = PQescapeLiteral(test_case->postgres, value, strlen(value));
    g_autofree char *sql = g_strdup_printf("INSERT INTO redis2pg_test.twins VALUES (%s)", quoted);
    rp_case_sql(test_case, sql);
    PQfreemem(quoted);
}

void rp_outcome_fill(RpCase *test_case, guint n_customers, const char *fault_percent) {
    g_autofree char *path = rp_source_path("tests/support/twins.lua");
    g_autofree char *script = NULL;
    cr_assert(g_file_get_contents(path, &script, NULL, NULL), "%s", path);
    rp_case_fill(test_case, n_customers, fault_percent);
    rp_case_sql(test_case, "CREATE SCHEMA redis2pg_test; CREATE TABLE redis2pg_test.twins (value text)");
    redisReply *twins = redisCommand(test_case->redis, "EVAL %s 0", script);
    cr_assert(twins != NULL && twins->type == REDIS_REPLY_ARRAY, "%s", path);
    for (size_t i = 0; i < twins->elements; i++)
        note_twin(test_case, twins->element[i]->str);
    freeReplyObject(twins);
}

static char *read_tables(RpCase *test_case) {
    g_autofree char *path = rp_source_path("tests/support/outcome.sql");
    g_autofree char *sql = NULL;
    cr_assert(g_file_get_contents(path, &sql, NULL, NULL), "%s", path);
    rp_case_sql(test_case, "SET client_min_messages = warning");
    return rp_case_sql_rows(test_case, sql);
}

static json_t *ask(RpCase *test_case, const char *const *words) {
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, words);
    rp_outcome_assert_status(&out, 0);
    return rp_outcome_json(&out);
}

static void add_json(GString *lines, const char *name, json_t *value) {
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    g_string_append_printf(lines, "%s %s\n", name, text);
    free(text);
}

static void add_account(GString *lines, json_t *run) {
    size_t i;
    json_t *entity;
    add_json(lines, "status", rp_json_at(run, "status"));
    add_json(lines, "balanced", rp_json_at(run, "balanced"));
    add_json(lines, "keys", rp_json_at(run, "keys"));
    json_array_foreach(rp_json_at(run, "entities"), i, entity) {
        add_json(lines, "account", entity);
    }
    add_json(lines, "rejects", rp_json_at(run, "rejects"));
}

static int compare_lines(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_rejects(GString *lines, json_t *list) {
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    size_t i;
    json_t *reject;
    json_array_foreach(rp_json_at(list, "rejects"), i, reject) {
        const char *code = rp_json_text(reject, "code");
        const gboolean is_contested = strcmp(code, "duplicate_key") == 0;
        g_ptr_array_add(texts, g_strdup_printf("reject %s %s %s", rp_json_text(reject, "entity"), code,
                                               is_contested ? "" : rp_json_text(reject, "key")));
    }
    g_ptr_array_sort(texts, compare_lines);
    for (guint line = 0; line < texts->len; line++)
        g_string_append_printf(lines, "%s\n", (const char *)texts->pdata[line]);
}

char *rp_case_outcome(RpCase *test_case, gint64 run) {
    g_autofree char *tables = read_tables(test_case);
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, run);
    GString *lines = g_string_new(NULL);
    g_autoptr(json_t) shown = ask(test_case, (const char *const[]){"runs", "show", number, "--json", NULL});
    g_autoptr(json_t) rejects = ask(
        test_case, (const char *const[]){"rejects", "list", "--run", number, "--limit", "0", "--json", NULL});
    g_string_append_printf(lines, "%s\n", tables);
    add_account(lines, shown);
    add_rejects(lines, rejects);
    return g_string_free(lines, FALSE);
}

/* The lines of one text that the other has not. */
static char *list_missing(const char *text, const char *other, const char *mark) {
    GString *missing = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) others = g_strsplit(other, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (!g_strv_contains((const char *const *)others, *line))
            g_string_append_printf(missing, "%s %s\n", mark, *line);
    return g_string_free(missing, FALSE);
}

void rp_case_assert_outcome(RpCase *test_case, gint64 run, const char *expected, const char *what) {
    g_autofree char *outcome = rp_case_outcome(test_case, run);
    const gboolean is_same = strcmp(outcome, expected) == 0;
    if (is_same)
        return;
    g_autofree char *lacking = list_missing(expected, outcome, "-");
    g_autofree char *added = list_missing(outcome, expected, "+");
    cr_assert(is_same, "%s: another outcome than that of an undisturbed run:\n%s%s", what, lacking, added);
}

void rp_case_empty_target(RpCase *test_case) {
    rp_case_sql(test_case, "TRUNCATE users, orders, payments; SET client_min_messages = error;"
                           "DROP SCHEMA IF EXISTS redis2pg CASCADE");
}

gint64 rp_case_last_run(RpCase *test_case) {
    return rp_case_sql_number(test_case, "SELECT max(run) FROM redis2pg.runs");
}
