/* Generated data of the shop, good rows and faulty ones: what `redis2pg demo` and the benchmark load. */
#pragma once

#include "demo/faults.h"

#include <glib.h>
#include <hiredis/hiredis.h>
#include <jansson.h>

G_BEGIN_DECLS

/* How many hashes of each kind, good and faulty together, and what share of them is faulty. The same spec
 * gives the same bytes. */
typedef struct {
    guint64 customers;
    guint64 orders;
    guint64 payments;
    guint64 seed;
    double fault_percent; /* 0 … 100; see rp_shop_generate */
} RpShopSpec;

typedef struct {
    guint64 hashes;   /* keys of the entity: what a run reads */
    guint64 faulty;   /* hashes with a planted fault, those that a run does not see among them */
    guint64 rejected; /* rows that a run should reject */
    guint64 good;     /* rows that a run should write: hashes - rejected */
} RpShopEntityCounts;

/* What was planted, and so what a run with the shop's mapping and schema must find. */
typedef struct {
    RpShopSpec spec;
    RpShopEntityCounts entities[RP_SHOP_N_ENTITIES]; /* by RpShopEntity */
    guint64 planted[RP_SHOP_N_FAULTS]; /* by place in RP_SHOP_FAULTS; one reject each where it has a code */
    guint64 commands;                  /* sent to Redis */
} RpShopReport;

/* hashes written so far, of all. */
typedef void (*RpShopProgress)(guint64 n_done, guint64 n_total, gpointer user_data);

/* Writes the shop's keys into the database that redis has selected, which should be empty: hashes of
 * customers, orders (with a time to live of 7 days) and payments, a set of orders for each customer that has
 * some, paid_orders and test_queue. Nothing but the batch under way is held in memory.
 *
 * Faults: fault_percent of all hashes, spread evenly over the kinds of RP_SHOP_FAULTS, and at least one of
 * each when fault_percent is over 0; but at most half of an entity's hashes, so that the rest has good ones
 * to refer to. A hash has one fault at most, and nothing refers to a hash with a fault: a run rejects what
 * report tells and nothing because of it. A twin (two payments with one transaction_id, say) counts one
 * fault: one of the two is rejected, and which one is the run's affair.
 *
 * Error: RP_USAGE_ERROR for a spec that cannot be (orders without customers), RP_SOURCE_ERROR from Redis;
 * the connection is then of no further use. progress may be NULL. */
gboolean rp_shop_generate(redisContext *redis, const RpShopSpec *spec, RpShopReport *report,
                          RpShopProgress progress, gpointer user_data, GError **error);

/* What rp_shop_generate would write, without writing it. Error: RP_USAGE_ERROR. */
gboolean rp_shop_forecast(const RpShopSpec *spec, RpShopReport *report, GError **error);

/* How many rejects with that code a run should give for the entity. */
guint64 rp_shop_report_rejects(const RpShopReport *report, RpShopEntity entity, const char *code);

/* The report as a table for people; the caller frees it. */
char *rp_shop_report_show(const RpShopReport *report);

/* {"seed", "hashes", "faulty", "entities": [{"entity", "read", "faulty", "rejected", "good"}],
 *  "faults": [{"fault", "entity", "column", "code", "constraint", "planted"}],
 *  "rejects": {"total", "by_code": {…}, "by_entity": {"orders": {…}}}}; the caller owns it. */
json_t *rp_shop_report_json(const RpShopReport *report);

/* The id in the key of the index-th hash of an entity, without its prefix: "cus_…", a UUID, "pay_…". Indexes
 * past the count name hashes that are never written. The caller frees it. */
char *rp_shop_id(guint64 seed, RpShopEntity entity, guint64 index);

G_END_DECLS
