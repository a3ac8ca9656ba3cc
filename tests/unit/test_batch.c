/* Batches: accounts, rejects, and writing twice. */
#include "model/batch.h"

#include <criterion/criterion.h>
#include <glib.h>

static RpBatch *batch;

static void make(void) {
    batch = rp_batch_new(2);
}

static void drop(void) {
    rp_batch_free(batch);
}

TestSuite(batch, .init = make, .fini = drop);

static void reject(guint32 entity, RpStage stage) {
    const RpReject made = {.entity = entity,
                           .stage = stage,
                           .code = RP_REJECT_TOO_LONG,
                           .message = g_strdup("is too long"),
                           .column = g_strdup("c"),
                           .value = g_strdup("v"),
                           .constraint = g_strdup("x")};
    rp_batch_take_reject(batch, &made);
}

Test(batch, rejects_are_counted_for_their_entity) {
    reject(0, RP_STAGE_MAP);
    reject(1, RP_STAGE_MAP);
    reject(1, RP_STAGE_MAP);
    cr_assert(batch->counts[0].rejected == 1 && batch->counts[1].rejected == 2 && batch->rejects->len == 3);
}

Test(batch, forgets_what_an_attempt_to_write_added_and_nothing_else) {
    batch->counts[0] = (RpCounts){.read = 10, .vanished = 1};
    reject(0, RP_STAGE_MAP);
    rp_batch_seal_map(batch);
    for (int attempt = 0; attempt < 2; attempt++) {
        reject(0, RP_STAGE_STAGE);
        reject(1, RP_STAGE_WRITE);
        RpCounts *counts = &batch->counts[0];
        counts->inserted = counts->updated = counts->unchanged = counts->deleted = counts->filtered = 1;
        counts->parked = 2;
        rp_batch_forget_write(batch);
        cr_assert(batch->rejects->len == 1 && counts->rejected == 1 && batch->counts[1].rejected == 0);
        cr_assert(g_array_index(batch->rejects, RpReject, 0).stage == RP_STAGE_MAP);
        cr_assert(counts->read == 10 && counts->vanished == 1);
        cr_assert(
            counts->inserted + counts->updated + counts->unchanged + counts->deleted + counts->filtered == 0);
        cr_assert(counts->parked == 0, "rows are parked by a write");
    }
}

Test(batch, counts_unmapped_keys_by_pattern_with_the_first_as_example) {
    rp_batch_add_unmapped(batch, "foo:*", RP_SPAN_OF("foo:\xff"));
    rp_batch_add_unmapped(batch, "foo:*", RP_SPAN_OF("foo:2"));
    rp_batch_add_unmapped(batch, "bar", RP_SPAN_OF("bar"));
    cr_assert(batch->keys.unmapped == 3 && g_hash_table_size(batch->unmapped) == 2);
    const RpUnmapped *foo = g_hash_table_lookup(batch->unmapped, "foo:*");
    cr_assert(foo->keys == 2 && strcmp(foo->example, "foo:\\xff") == 0, "%s", foo->example);
}

Test(batch, reset_leaves_nothing) {
    rp_records_begin(&batch->records, 0, RP_RECORD_HASH, RP_SPAN_OF("k"));
    rp_tuples_begin_row(&batch->tuples[1], 0, 0, 0);
    rp_tuples_end_row(&batch->tuples[1]);
    reject(1, RP_STAGE_MAP);
    rp_batch_seal_map(batch);
    rp_batch_add_unmapped(batch, "x", RP_SPAN_OF("x"));
    batch->counts[0].read = batch->keys.scanned = batch->keys.mapped = batch->keys.ignored = 5;
    rp_batch_reset(batch, 1024);
    static const RpCounts NO_COUNTS;
    static const RpKeyCounts NO_KEYS;
    cr_assert(batch->records.index->len == 0 && batch->tuples[1].rows->len == 0 &&
              batch->tuples[1].bytes.size == 0);
    cr_assert(batch->rejects->len == 0 && batch->n_map_rejects == 0 &&
              g_hash_table_size(batch->unmapped) == 0);
    cr_assert(memcmp(&batch->counts[0], &NO_COUNTS, sizeof NO_COUNTS) == 0);
    cr_assert(memcmp(&batch->counts[1], &NO_COUNTS, sizeof NO_COUNTS) == 0);
    cr_assert(memcmp(&batch->keys, &NO_KEYS, sizeof NO_KEYS) == 0);
}

Test(batch, counts_balance_when_every_row_has_one_end) {
    const RpCounts all = {.read = 28,
                          .inserted = 1,
                          .updated = 2,
                          .unchanged = 3,
                          .rejected = 4,
                          .filtered = 5,
                          .vanished = 6,
                          .parked = 7,
                          .deleted = 100};
    cr_assert(rp_counts_is_balanced(&all), "deleted rows were not read");
    RpCounts sum = {0};
    cr_assert(rp_counts_is_balanced(&sum));
    rp_counts_add(&sum, &all);
    rp_counts_add(&sum, &all);
    cr_assert(rp_counts_is_balanced(&sum) && sum.read == 56 && sum.deleted == 200 && sum.parked == 14);
    sum.read++;
    cr_assert(!rp_counts_is_balanced(&sum));
}

Test(batch, tuples_name_records_and_can_be_cut) {
    RpTuples *tuples = &batch->tuples[0];
    for (guint32 record = 5; record < 8; record++) {
        rp_tuples_begin_row(tuples, record, 0, 1);
        rp_tuples_add_null(tuples);
        if (record == 6)
            rp_tuples_cut_row(tuples);
        else
            rp_tuples_end_row(tuples);
    }
    static const char EXPECTED[] = "\0\2\377\377\377\377\0\0\0\4\0\0\0\0"
                                   "\0\2\377\377\377\377\0\0\0\4\0\0\0\1";
    cr_assert(tuples->bytes.size == sizeof EXPECTED - 1 &&
              memcmp(tuples->bytes.data, EXPECTED, tuples->bytes.size) == 0);
    cr_assert(tuples->rows->len == 2 && rp_tuples_get(tuples, 1)->record == 7);
    cr_assert(rp_tuples_row_end(tuples, 0) == 14 && rp_tuples_row_end(tuples, 1) == 28);
}

Test(batch, reject_codes_have_the_names_of_the_contract) {
    static const char *const NAMES[] = {
        "wrong_type",        "missing_field",  "invalid_integer",   "invalid_decimal",  "invalid_boolean",
        "invalid_timestamp", "invalid_uuid",   "invalid_json",      "invalid_encoding", "invalid_value",
        "out_of_range",      "too_long",       "too_short",         "scale_exceeded",   "pattern_mismatch",
        "format_mismatch",   "rule_failed",    "missing_reference", "duplicate_key",    "not_null",
        "check_failed",      "delete_blocked", "too_large",         "database_error"};
    cr_assert(G_N_ELEMENTS(NAMES) == RP_N_REJECT_CODES);
    for (guint i = 0; i < RP_N_REJECT_CODES; i++)
        cr_assert(strcmp(rp_reject_code_name((RpRejectCode)i), NAMES[i]) == 0);
    cr_assert(strcmp(rp_stage_name(RP_STAGE_MAP), "map") == 0 &&
              strcmp(rp_stage_name(RP_STAGE_FINISH), "finish") == 0);
}
