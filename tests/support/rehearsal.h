/* Dry runs in a case: what they tell, and that they leave nothing. */
#pragma once

#include "harness.h"

G_BEGIN_DECLS

/* Everything that stands in the case's database: objects, and rows with their places and transactions; but
 * not what sequences have come to. The caller frees it. */
char *rp_case_picture(RpCase *test_case);

/* Fails the test unless the database is as it was in the picture, and nobody else is at work in it: no
 * transaction, no lock of a row, a table or the target. A session that was killed may take a moment. */
void rp_case_assert_untouched(RpCase *test_case, const char *picture);

/* Runs `run --json --dry-run` and the words of an array that ends in NULL, and gives its document; fails the
 * test unless the exit status is the expected one and the database is untouched. Sequences are put back. */
json_t *rp_case_rehearse(RpCase *test_case, int status, const char *const *words);

/* Fails the test unless both say the same, but for what tells a dry run from a run. */
void rp_assert_tells_the_same(json_t *rehearsal, json_t *run);

G_END_DECLS
