/* Data, runs and comparisons for tests over the shop. */
#include "shop.h"

#include "rehearsal.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

#define MAX_WORDS 24
#define MIB       1024 /* in the unit of ru_maxrss */
#define SLOW_US   100000

void rp_case_add_customer(RpCase *test_case, const char *id) {
    rp_case_redis(test_case,
                  "HSET customer:%s customer_id %s email %s@example.com profile_data {} created_at "
                  "2025-01-02T03:04:05.678901",
                  id, id, id);
}

void rp_case_add_order(RpCase *test_case, const char *id, const char *customer) {
    rp_case_redis(test_case,
                  "HSET order:%s order_id %s customer_id %s job_type load quantity 10 priority high "
                  "parameters {} total_amount 49.90 currency USD status pending created_at "
                  "2025-02-03T04:05:06.000007 expires_at 2025-02-04T04:05:06.000007 metadata {}",
                  id, id, customer);
}

void rp_case_add_payment(RpCase *test_case, const char *id, const char *order) {
    rp_case_redis(test_case,
                  "HSET payment:%s payment_id %s order_id %s transaction_id tx-%s status completed amount "
                  "49.90 currency USD processed_at 2025-02-03T05:00:00 created_at 2025-02-03T04:30:00",
                  id, id, order, id);
}

void rp_case_fill(RpCase *test_case, guint n_customers, const char *fault_percent) {
    g_autofree char *customers = g_strdup_printf("%u", n_customers);
    g_autofree char *orders = g_strdup_printf("%u", 4 * n_customers);
    g_autofree char *payments = g_strdup_printf("%u", 3 * n_customers);
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "demo", "--fill", "--faults", fault_percent, "--customers", customers,
                "--orders", orders, "--payments", payments, "--json", NULL);
    rp_outcome_assert_status(&out, 0);
}

json_t *rp_case_load(RpCase *test_case, int status, ...) {
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    const char *words[MAX_WORDS + 1] = {"run", "--json"};
    guint n_words = 2;
    gboolean has_mapping = FALSE, has_resume = FALSE;
    va_list arguments;
    va_start(arguments, status);
    for (const char *word = va_arg(arguments, const char *); word != NULL;
         word = va_arg(arguments, const char *)) {
        cr_assert(n_words < MAX_WORDS - 4);
        words[n_words++] = word;
        has_resume = has_resume || strcmp(word, "--resume") == 0;
        has_mapping = has_mapping || strcmp(word, "--mapping") == 0;
    }
    va_end(arguments);
    if (!has_mapping) {
        words[n_words++] = "--mapping";
        words[n_words++] = mapping;
    }
    const gboolean is_rehearsed = g_getenv("REDIS2PG_TEST_REHEARSES") != NULL && !has_resume;
    g_autoptr(json_t) rehearsal = is_rehearsed ? rp_case_rehearse(test_case, status, words) : NULL;
    if (is_rehearsed) { /* which of two writers comes first is chance */
        words[n_words++] = "--writers";
        words[n_words++] = "1";
    }
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, words);
    rp_outcome_assert_status(&out, status);
    json_t *document = rp_outcome_json(&out);
    if (is_rehearsed)
        rp_assert_tells_the_same(rehearsal, document);
    cr_assert(JSON_TRUE == json_typeof(rp_json_at(document, "balanced")), "not balanced:\n%s", out.output);
    return document;
}

char *rp_file_write(const char *text) {
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    const int fd = g_file_open_tmp("redis2pg-test-XXXXXX.yaml", &path, &error);
    cr_assert(fd >= 0, "%s", error != NULL ? error->message : "");
    g_close(fd, NULL);
    cr_assert(g_file_set_contents(path, text, -1, NULL));
    return path;
}

void rp_file_drop(char *path) {
    g_remove(path);
    g_free(path);
}

/* ---- JSON ---- */

static json_t *step_into(json_t *at, const char *name) {
    if (!json_is_array(at))
        return json_object_get(at, name);
    if (g_ascii_isdigit(name[0]))
        return json_array_get(at, (size_t)g_ascii_strtoull(name, NULL, 10));
    size_t i;
    json_t *item;
    json_array_foreach(at, i, item) {
        if (g_strcmp0(json_string_value(json_object_get(item, "entity")), name) == 0)
            return item;
    }
    return NULL;
}

json_t *rp_json_at(json_t *document, const char *path) {
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    json_t *at = document;
    for (char **name = names; *name != NULL && at != NULL; name++)
        at = step_into(at, *name);
    if (at == NULL) {
        char *shown = json_dumps(document, JSON_INDENT(2));
        cr_assert(at != NULL, "nothing stands at %s in\n%s", path, shown);
    }
    return at;
}

gint64 rp_json_number(json_t *document, const char *path) {
    json_t *at = rp_json_at(document, path);
    cr_assert(JSON_INTEGER == json_typeof(at), "%s is no whole number", path);
    return json_integer_value(at);
}

const char *rp_json_text(json_t *document, const char *path) {
    json_t *at = rp_json_at(document, path);
    cr_assert(JSON_STRING == json_typeof(at), "%s is no text", path);
    return json_string_value(at);
}

void rp_assert_account(json_t *run, const char *entity, const char *expected) {
    static const char *const names[] = {"read",     "inserted", "updated",  "unchanged", "deleted",
                                        "rejected", "filtered", "vanished", "parked"};
    g_autofree char *path = g_strdup_printf("entities.%s", entity);
    json_t *counts = rp_json_at(run, path);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const gint64 count = rp_json_number(counts, names[i]);
        if (count != 0)
            g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT, text->len > 0 ? ", " : "", names[i],
                                   count);
    }
    cr_assert(strcmp(text->str, expected) == 0, "%s: \"%s\" instead of \"%s\"", entity, text->str, expected);
}

/* ---- SQL ---- */

char *rp_case_sql_rows(RpCase *test_case, const char *sql) {
    PGresult *result = PQexec(test_case->postgres, sql);
    cr_assert(PQresultStatus(result) == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(test_case->postgres));
    GString *text = g_string_new(NULL);
    for (int row = 0; row < PQntuples(result); row++) {
        if (row > 0)
            g_string_append_c(text, '\n');
        for (int field = 0; field < PQnfields(result); field++)
            g_string_append_printf(text, "%s%s", field > 0 ? "|" : "",
                                   PQgetisnull(result, row, field) ? "null" : PQgetvalue(result, row, field));
    }
    PQclear(result);
    return g_string_free(text, FALSE);
}

void rp_case_assert_rows(RpCase *test_case, const char *sql, const char *expected) {
    g_autofree char *rows = rp_case_sql_rows(test_case, sql);
    cr_assert(strcmp(rows, expected) == 0, "%s gives\n%s\ninstead of\n%s", sql, rows, expected);
}

/* ---- the ledger ---- */

/* Runs the script U00N__….sql of a version; FALSE when there is none. */
static gboolean undo_version(RpCase *test_case, const char *scripts, guint version) {
    g_autoptr(GDir) folder = g_dir_open(scripts, 0, NULL);
    g_autofree char *start = g_strdup_printf("U%03u__", version);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
        if (g_str_has_prefix(name, start)) {
            g_autofree char *path = g_build_filename(scripts, name, NULL);
            g_autofree char *sql = NULL;
            cr_assert(g_file_get_contents(path, &sql, NULL, NULL), "%s", path);
            rp_case_sql(test_case, sql);
            return TRUE;
        }
    return FALSE;
}

void rp_case_undo_ledger(RpCase *test_case, guint version) {
    g_autofree char *scripts = rp_source_path("src/ledger/sql");
    const gint64 newest =
        rp_case_sql_number(test_case, "SELECT max(version::integer) FROM redis2pg.schema_migrations");
    for (guint undone = (guint)newest; undone > version; undone--)
        cr_assert(undo_version(test_case, scripts, undone), "version %u", undone);
    g_autofree char *sql =
        g_strdup_printf("DELETE FROM redis2pg.schema_migrations WHERE version::integer > %u", version);
    rp_case_sql(test_case, sql);
}

/* ---- texts ---- */

void rp_assert_says(const char *text, const char *part) {
    cr_assert(strstr(text, part) != NULL, "\"%s\" is not in:\n%s", part, text);
}

void rp_assert_keeps_quiet(const char *text, const char *part) {
    cr_assert(strstr(text, part) == NULL, "\"%s\" is in:\n%s", part, text);
}

/* ---- burdens ---- */

double rp_processor_seconds(void) {
    struct rusage usage;
    cr_assert(eq(int, getrusage(RUSAGE_CHILDREN, &usage), 0));
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void rp_assert_peak_below(long limit_mib) {
#ifndef __SANITIZE_ADDRESS__
    struct rusage usage;
    cr_assert(eq(int, getrusage(RUSAGE_CHILDREN, &usage), 0));
    cr_assert(usage.ru_maxrss < limit_mib * MIB, "%ld MiB", usage.ru_maxrss / MIB);
#else
    (void)limit_mib;
#endif
}

void rp_case_assert_never_slow(RpCase *test_case, const char *key) {
    static const char *const READING[] = {"HRANDFIELD", "HGETALL", "HMGET",  "LRANGE",
                                          "SSCAN",      "ZSCAN",   "XRANGE", NULL};
    redisReply *log = redisCommand(test_case->redis, "SLOWLOG GET -1");
    cr_assert(log != NULL && log->type == REDIS_REPLY_ARRAY);
    for (size_t i = 0; i < log->elements; i++) {
        const redisReply *words = log->element[i]->element[3];
        const gint64 took_us = log->element[i]->element[2]->integer;
        if (words->elements > 1 && strcmp(words->element[1]->str, key) == 0)
            cr_assert(took_us < SLOW_US || !g_strv_contains(READING, words->element[0]->str), "%s took %d us",
                      words->element[0]->str, (int)took_us);
    }
    freeReplyObject(log);
}

/* ---- standing still ---- */

PGconn *rp_case_hold(RpCase *test_case, const char *table) {
    PGconn *holder = PQconnectdb(test_case->conninfo);
    g_autofree char *sql = g_strdup_printf("BEGIN; LOCK TABLE %s IN SHARE MODE", table);
    PGresult *result = PQexec(holder, sql);
    cr_assert(PQresultStatus(result) == PGRES_COMMAND_OK, "%s: %s", sql, PQerrorMessage(holder));
    PQclear(result);
    return holder;
}

void rp_case_release(PGconn *holder) {
    PQfinish(holder);
}

void rp_case_await_blocked(RpCase *test_case, const char *table, gint64 n) {
    const gint64 limit = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = "
                                           "'relation' AND database = (SELECT oid FROM pg_database WHERE "
                                           "datname = current_database()) AND relation = '%s'::regclass",
                                           table);
    while (rp_case_sql_number(test_case, sql) < n) {
        cr_assert(g_get_monotonic_time() < limit, "nobody waits for %s", table);
        g_usleep(5000);
    }
}
