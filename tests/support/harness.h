/* Integration tests against private servers. A test program that links with the harness gets its main: it
 * starts one sandbox, applies schema/shop to a template, runs the program's Criterion tests (each in a
 * process of its own, several at once) and stops the sandbox. Each test asks for a case of its own. */
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <glib.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <libpq-fe.h>

G_BEGIN_DECLS

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/* What one test has to itself: a PostgreSQL database and a Redis database (never 0). */
typedef struct {
    char *redis_url;
    char *conninfo;
    guint number; /* the number of the Redis database */
    redisContext *redis;
    PGconn *postgres;
    gboolean is_apart; /* it has its servers to itself */
} RpCase;

/* A case whose database has the tables of schema/shop, or one whose database is empty. Fails the test when
 * it cannot be made. The test frees it; a test that fails leaves it to the end of the sandbox. */
RpCase *rp_case_new(void);
RpCase *rp_case_new_empty(void);
void rp_case_free(RpCase *test_case);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpCase, rp_case_free)

/* A case with the tables of schema/shop on servers that only this test uses (blackout.h starts some). Only
 * one on them; it is freed before they are stopped. */
RpCase *rp_case_new_at(const char *redis_socket, const char *conninfo);

/* Connects again to servers that were away; fails the test when they still are. */
void rp_case_reconnect(RpCase *test_case);

/* Sends one command (hiredis format: "HSET order:1 a %s") and fails the test on an error reply. The second
 * gives the reply as text (numbers too; NULL for nil), the third as a number; the caller frees the text. */
void rp_case_redis(RpCase *test_case, const char *format, ...);
char *rp_case_redis_text(RpCase *test_case, const char *format, ...);
gint64 rp_case_redis_number(RpCase *test_case, const char *format, ...);

/* Runs SQL (one or more statements) and fails the test when it fails. */
void rp_case_sql(RpCase *test_case, const char *sql);

/* The same as the administrator of the server, outside of any case: for what has to be put back when a test
 * has failed. */
void rp_server_sql(const char *sql);

/* The first value of the first row; NULL for NULL and for no row. The caller frees it. */
char *rp_case_sql_text(RpCase *test_case, const char *sql);

/* The same as a number; fails the test when there is none. */
gint64 rp_case_sql_number(RpCase *test_case, const char *sql);

/* What came of a run of redis2pg. */
typedef struct {
    char *output; /* stdout; a NUL that the program wrote ends the text */
    char *errors; /* stderr */
    int status;   /* exit status, or 128 + the signal that ended it */
} RpOutcome;

/* Runs redis2pg with the case's --redis and --postgres before the words given, and waits for it. Fails the
 * test, after killing the program, when it takes more than 60 seconds. out need not be initialized. */
void rp_case_run(RpCase *test_case, RpOutcome *out, const char *word, ...) G_GNUC_NULL_TERMINATED;

/* The same with the words of an array that ends in NULL. */
void rp_case_run_words(RpCase *test_case, RpOutcome *out, const char *const *words);

/* rp_case_run in two steps, for tests that interrupt the program. rp_process_wait frees the process. */
typedef struct _RpProcess RpProcess;
RpProcess *rp_case_spawn(RpCase *test_case, const char *word, ...) G_GNUC_NULL_TERMINATED;
RpProcess *rp_case_spawn_in(RpCase *test_case, char **environment, const char *const *words);
void rp_process_signal(RpProcess *process, int number);

/* Waits until the program stands still by SIGSTOP; fails the test when it ends instead, or takes more than 30
 * seconds. Its outputs are not read meanwhile: it must not write more than a pipe holds. */
void rp_process_await_stopped(RpProcess *process);
void rp_process_wait(RpProcess *process, RpOutcome *out);

/* stdout read as one JSON document; fails the test, showing both outputs, when it is none. */
json_t *rp_outcome_json(const RpOutcome *out);
void rp_outcome_clear(RpOutcome *out);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpOutcome, rp_outcome_clear)

/* Fails the test, showing both outputs, unless the exit status is the expected one. */
void rp_outcome_assert_status(const RpOutcome *out, int expected);

/* A path in the source folder ("mappings/shop.yaml"); the caller frees it. */
char *rp_source_path(const char *name);

/* Process ids of the servers, for tests that suspend one (others run beside them: not for killing). */
pid_t rp_case_redis_pid(void);
pid_t rp_case_postgres_pid(void);

G_END_DECLS
