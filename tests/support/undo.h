/* Rollbacks in a case, and what is compared after them. */
#pragma once

#include "shop.h"

G_BEGIN_DECLS

/* Runs `rollback RUN --json` with the words given and gives its document; fails the test unless the exit
 * status is the expected one. */
json_t *rp_case_roll_back(RpCase *test_case, int status, const char *run, ...) G_GNUC_NULL_TERMINATED;

/* The same, for what gives no document: fails the test unless stderr has the part. */
void rp_case_refuses_rollback(RpCase *test_case, int status, const char *run, const char *part);

/* Compares a table's counts that are not 0, in the order of the contract: "deleted 3, kept 1". */
void rp_assert_undone(json_t *rollback, const char *table, const char *expected);

/* Every row of the shop's tables, with all columns. The caller frees it. */
char *rp_case_shop_rows(RpCase *test_case);

G_END_DECLS
