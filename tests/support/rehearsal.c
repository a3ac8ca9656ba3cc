/* Pictures of a database before and after. */
#include "rehearsal.h"

#include "shop.h"

#include <string.h>

#define MAX_WORDS 28

#define OURS "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"

static const char OBJECTS_SQL[] =
    "SELECT 'schema', n.oid::text, n.nspname FROM pg_namespace n WHERE " OURS
    " UNION ALL SELECT 'relation', c.oid::text, concat(c.relname, c.relfilenode, c.relkind) FROM pg_class c "
    "JOIN"
    "  pg_namespace n ON n.oid = c.relnamespace WHERE " OURS " AND c.relkind <> 'S'"
    " UNION ALL SELECT 'column', c.relname, concat(a.attname, a.attnum) FROM pg_attribute a JOIN pg_class c "
    "ON "
    "c.oid ="
    "  a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " OURS
    " UNION ALL SELECT 'function', p.oid::text, p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid ="
    "  p.pronamespace WHERE " OURS
    " UNION ALL SELECT 'trigger', t.oid::text, concat(t.tgname, t.tgenabled) FROM pg_trigger t"
    " UNION ALL SELECT 'constraint', c.oid::text, c.conname FROM pg_constraint c"
    " ORDER BY 1, 2, 3";

static const char ROWS_SQL[] =
    "SELECT coalesce(string_agg(format('SELECT %L, t.ctid::text, t.xmin::text, t::text FROM %s t', c.oid, "
    "c.oid::regclass), ' UNION ALL '), 'SELECT 1 WHERE false') || ' ORDER BY 1, 2' FROM pg_class c JOIN "
    "pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND " OURS;

char *rp_case_picture(RpCase *test_case) {
    g_autofree char *objects = rp_case_sql_rows(test_case, OBJECTS_SQL);
    g_autofree char *rows_sql = rp_case_sql_text(test_case, ROWS_SQL);
    g_autofree char *rows = rp_case_sql_rows(test_case, rows_sql);
    return g_strconcat(objects, "\n\n", rows, NULL);
}

/* Sessions beside ours that hold more than nothing. A program that was killed leaves its session to the
 * server, which sees that in its own time. */
static const char AT_WORK_SQL[] =
    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database()"
    " AND a.application_name = 'redis2pg'";

static void await_nobody(RpCase *test_case) {
    const gint64 limit = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (rp_case_sql_number(test_case, AT_WORK_SQL) > 0) {
        cr_assert(g_get_monotonic_time() < limit, "locks of redis2pg are left");
        g_usleep(5000);
    }
}

void rp_case_assert_untouched(RpCase *test_case, const char *picture) {
    await_nobody(test_case);
    g_autofree char *now = rp_case_picture(test_case);
    if (strcmp(now, picture) == 0)
        return;
    gsize at = 0;
    while (now[at] == picture[at])
        at++;
    while (at > 0 && now[at - 1] != '\n')
        at--;
    cr_fatal("the database was touched, first here:\n%.300s\nwhere there was\n%.300s", now + at,
             picture + at);
}

/* ---- sequences ---- */

/* Statements that put them back to where they are. */
static char *note_sequences(RpCase *test_case) {
    g_autofree char *sql = rp_case_sql_text(
        test_case,
        "SELECT coalesce(string_agg(format('SELECT format(''SELECT setval(%%L, %%s, %%L)'', %L, last_value,"
        " is_called) FROM %s', c.oid::regclass, c.oid::regclass), ' UNION ALL '), 'SELECT ''SELECT 1'' ')"
        " FROM pg_class c WHERE relkind = 'S'");
    g_autofree char *statements = rp_case_sql_rows(test_case, sql);
    g_auto(GStrv) lines = g_strsplit(statements, "\n", -1);
    return g_strjoinv(";", lines);
}

/* ---- rehearsals ---- */

json_t *rp_case_rehearse(RpCase *test_case, int status, const char *const *words) {
    const char *all[MAX_WORDS + 1] = {"run", "--json", "--dry-run"};
    guint n_words = 3;
    for (; *words != NULL; words++) {
        cr_assert(n_words < MAX_WORDS);
        if (strcmp(*words, "run") != 0 && strcmp(*words, "--json") != 0)
            all[n_words++] = *words;
    }
    g_autofree char *picture = rp_case_picture(test_case);
    g_autofree char *sequences = note_sequences(test_case);
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, all);
    rp_outcome_assert_status(&out, status);
    rp_case_assert_untouched(test_case, picture);
    rp_case_sql(test_case, sequences);
    json_t *document = rp_outcome_json(&out);
    cr_assert(JSON_NULL == json_typeof(rp_json_at(document, "run")));
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(document, "dry_run")));
    if (status <= 1)
        cr_assert(eq(str, (char *)rp_json_text(document, "status"), "dry_run"));
    return document;
}

static json_t *without_what_differs(json_t *document) {
    static const char *const names[] = {"run", "status", "dry_run", "strategy", "seconds", "error"};
    json_t *copy = json_deep_copy(document);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        json_object_del(copy, names[i]);
    return copy;
}

void rp_assert_tells_the_same(json_t *rehearsal, json_t *run) {
    g_autoptr(json_t) told = without_what_differs(rehearsal);
    g_autoptr(json_t) done = without_what_differs(run);
    if (json_equal(told, done))
        return;
    char *first = json_dumps(told, JSON_INDENT(2)), *second = json_dumps(done, JSON_INDENT(2));
    cr_fatal("the dry run tells\n%s\nand the run\n%s", first, second);
}
