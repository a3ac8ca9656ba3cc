/* The shop in a case: hashes as the application writes them, runs over them, and what came of them. */
#pragma once

#include "harness.h"

G_BEGIN_DECLS

/* Write a hash that is good in every field (customer:ID; order:ID of CUSTOMER; payment:ID of ORDER with
 * transaction tx-ID). Tests change fields of it afterwards. */
void rp_case_add_customer(RpCase *test_case, const char *id);
void rp_case_add_order(RpCase *test_case, const char *id, const char *customer);
void rp_case_add_payment(RpCase *test_case, const char *id, const char *order);

/* Generates a shop with `demo --fill`: n customers, 4 n orders, 3 n payments. */
void rp_case_fill(RpCase *test_case, guint n_customers, const char *fault_percent);

/* Runs `run --json` with mappings/shop.yaml, or the --mapping given, and gives its document; fails the test
 * unless the exit status is the expected one and the run is balanced. With REDIS2PG_TEST_REHEARSES in the
 * environment there is a dry run first, which must leave nothing and tell the same (rehearsal.h). */
json_t *rp_case_load(RpCase *test_case, int status, ...) G_GNUC_NULL_TERMINATED;

/* Writes a mapping, or any other file, into a temporary place; rp_file_drop removes it and frees the path. */
char *rp_file_write(const char *text);
void rp_file_drop(char *path);

/* What stands at a path: names and array indexes separated by dots ("rejects.0.code"); in an array of
 * entities the entity's name serves as its index. Fails the test when nothing stands there. */
json_t *rp_json_at(json_t *document, const char *path);
gint64 rp_json_number(json_t *document, const char *path);
const char *rp_json_text(json_t *document, const char *path);

/* Compares an entity's counts that are not 0, in the order of the contract: "read 3, inserted 2, rejected 1".
 */
void rp_assert_account(json_t *run, const char *entity, const char *expected);

/* Rows as text: values joined by "|", null as "null", rows by newlines. The caller frees it. */
char *rp_case_sql_rows(RpCase *test_case, const char *sql);
void rp_case_assert_rows(RpCase *test_case, const char *sql, const char *expected);

/* Takes the ledger back to a version by the scripts that undo those after it. */
void rp_case_undo_ledger(RpCase *test_case, guint version);

void rp_assert_says(const char *text, const char *part);
void rp_assert_keeps_quiet(const char *text, const char *part);

/* The time that the children of this process that have ended had of the processors, in seconds. */
double rp_processor_seconds(void);

/* Fails the test when any child of this process held more memory at a time; not with sanitizers, which keep
 * what was freed. */
void rp_assert_peak_below(long limit_mib);

/* Fails the test when a command that reads a hash or a collection kept Redis from others for 100 ms: much
 * less than a whole one takes, and more than Redis waits for a processor. */
void rp_case_assert_never_slow(RpCase *test_case, const char *key);

/* Keeps writers out of a table until it is released, so that a run stands still at a known place. */
PGconn *rp_case_hold(RpCase *test_case, const char *table);
void rp_case_release(PGconn *holder);

/* Waits until n connections wait for the table; short waits for anything else do not count. */
void rp_case_await_blocked(RpCase *test_case, const char *table, gint64 n);

G_END_DECLS
