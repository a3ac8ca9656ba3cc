/* What was planted beside what a run found. */
#pragma once

#include "demo/shop.h"

G_BEGIN_DECLS

/* Differences between a report and a run into an empty target: [{"what", "planted", "found"}], empty when
 * all is as planted. run is the JSON of `run`; rejects holds, for each entity, an object of counts by code
 * (as report_json's "by_entity"). The caller owns the array. */
json_t *rp_shop_differences(const RpShopReport *report, json_t *run, json_t *rejects);

/* Adds what a reconciliation after the run (the JSON of `reconcile`) should have found and did not: every
 * good row equal, nothing extra or different, and a reject on record for all that is missing or refused. */
void rp_shop_expect_proof(const RpShopReport *report, const json_t *reconciliation, json_t *differences);

/* Codes with what was planted and what was found of them, as a table for people; the caller frees it. */
char *rp_shop_compare_show(const RpShopReport *report, json_t *rejects);

G_END_DECLS
