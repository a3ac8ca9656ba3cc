/* What came of a run, all of it as text, so that a run that was disturbed can be compared with one that was
 * not. */
#pragma once

#include "shop.h"

G_BEGIN_DECLS

/* Generates a shop with faults, as rp_case_fill does, and notes which values two hashes of it claim: who has
 * them is left out of outcomes, since it depends on who comes first. */
void rp_outcome_fill(RpCase *test_case, guint n_customers, const char *fault_percent);

/* Lines, in a fixed order: each user table with its number of rows and their checksum; the run's status and
 * account: keys, each entity, rejects by code; each reject (of what two keys claim without the key). Nothing
 * in it depends on when and in which pieces the run wrote. The caller frees it. */
char *rp_case_outcome(RpCase *test_case, gint64 run);

/* Fails the test, showing the lines that differ, when the outcome is another one. what names the comparison.
 */
void rp_case_assert_outcome(RpCase *test_case, gint64 run, const char *expected, const char *what);

/* Empties the shop's tables and forgets all runs. */
void rp_case_empty_target(RpCase *test_case);

/* The number of the last run. */
gint64 rp_case_last_run(RpCase *test_case);

G_END_DECLS
