/* Cutovers on servers of their own: a pause holds everybody who writes. */
#pragma once

#include "blackout.h"
#include "fault.h"
#include "shop.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    RpSandbox *sandbox;
    RpCase *test_case;
    char *mapping;
} Gate;

/* A shop that is loaded. */
static inline Gate new_gate(void) {
    RpSandbox *sandbox = rp_blackout_sandbox();
    const Gate gate = {sandbox, rp_blackout_case(sandbox), rp_source_path("mappings/shop.yaml")};
    rp_case_add_customer(gate.test_case, "c1");
    rp_case_add_order(gate.test_case, "o1", "c1");
    rp_case_add_payment(gate.test_case, "p1", "o1");
    rp_case_redis(gate.test_case, "SADD customer:c1:orders o1");
    g_autoptr(json_t) run = rp_case_load(gate.test_case, 0, "--mapping", gate.mapping, NULL);
    return gate;
}

static inline void drop_gate(Gate *gate) {
    rp_case_free(gate->test_case);
    rp_sandbox_stop(gate->sandbox);
    g_free(gate->mapping);
}

/* What a sync would have left that is right up to date, and will be for an hour. */
static inline void pretend_sync(const Gate *gate) {
    rp_case_sql(
        gate->test_case,
        "DELETE FROM redis2pg.sync; INSERT INTO redis2pg.sync (mapping, mapping_digest, source, capture,"
        " replication_id, stream_offset, state, seen_at, source_offset, lag_bytes, lag_ms)"
        " SELECT mapping, mapping_digest, source, 'replica', repeat('a', 40), 1000000000, 'following',"
        " now() + interval '1 hour', 0, 0, 0 FROM redis2pg.runs WHERE kind = 'run'");
}

#define GATE_WORDS "cutover", "--json", "--mapping"

/* Runs the gate with the words given beside --json; fails the test unless its verdict and exit status are the
 * expected ones. */
G_GNUC_NULL_TERMINATED static inline json_t *cut_over(const Gate *gate, int status, ...) {
    const char *words[24] = {GATE_WORDS, gate->mapping};
    guint n = 4;
    va_list arguments;
    va_start(arguments, status);
    for (const char *word = va_arg(arguments, const char *); word != NULL;
         word = va_arg(arguments, const char *))
        words[n++] = word;
    va_end(arguments);
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(gate->test_case, &out, words);
    rp_outcome_assert_status(&out, status);
    json_t *document = rp_outcome_json(&out);
    cr_assert(eq(str, (char *)rp_json_text(document, "verdict"), status == 0 ? "go" : "refused"), "%s",
              out.output);
    cr_assert(eq(int, status == 0, json_array_size(rp_json_at(document, "reasons")) == 0));
    return document;
}

static inline char *show_reasons(json_t *document, const char *member) {
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *reason;
    json_array_foreach(rp_json_at(document, member), i, reason)
        g_string_append_printf(text, "%s\n", json_string_value(reason));
    return g_string_free(text, FALSE);
}

static inline void assert_reason(json_t *document, const char *words) {
    g_autofree char *reasons = show_reasons(document, "reasons");
    rp_assert_says(reasons, words);
}

static inline void assert_note(json_t *document, const char *words) {
    g_autofree char *notes = show_reasons(document, "notes");
    rp_assert_says(notes, words);
}

/* A write goes through at once. */
static inline void assert_released(const Gate *gate) {
    const gint64 start = g_get_monotonic_time();
    redisSetTimeout(gate->test_case->redis, (struct timeval){.tv_sec = 5});
    rp_case_redis(gate->test_case, "SET released 1");
    cr_assert(lt(i64, g_get_monotonic_time() - start, G_TIME_SPAN_SECOND));
}
