/* Canonical forms and aggregates. The first line chooses a column of target_table.h, whether the value came
 * from PostgreSQL, and whether the column is padded, a character each; what follows is the wire form. */
#include "mapping/json.h"
#include "reconcile/aggregate.h"
#include "reconcile/canonical.h"

#include "input.h"
#include "target_table.h"

/* A canonical text is its own, on both sides. Without its exponent a number may have more digits than
 * rp_json_check takes: 1.5e-1000. */
static void check_json(RpSpan text, gboolean is_sound, RpSpan canonical) {
    g_assert(is_sound == (rp_json_check(text, RP_JSON_ANY) == NULL));
    if (!is_sound)
        return;
    RpCanonicalJson json = {0};
    g_auto(RpBuffer) again = {0};
    g_auto(RpBuffer) stored = {0};
    const char *problem = rp_json_check(canonical, RP_JSON_ANY);
    const gboolean is_again = rp_canonical_json_append(&json, canonical, &again);
    g_assert(is_again == (problem == NULL));
    if (is_again)
        g_assert(rp_span_equal(canonical, (RpSpan){again.data, again.size}));
    else
        g_assert(strcmp(problem, "a number has too many digits") == 0);
    rp_canonical_json_append_stored(canonical, &stored);
    g_assert(rp_span_equal(canonical, (RpSpan){stored.data, stored.size}));
    rp_canonical_json_clear(&json);
}

static void check_canonical(const RpColumn *column, RpSpan wire, gboolean is_stored) {
    g_auto(RpCanonical) canonical = {0};
    g_auto(RpBuffer) out = {0};
    rp_canonical_append(&canonical, column, wire, is_stored, &out);
    const gsize once = out.size;
    rp_canonical_append(&canonical, column, wire, is_stored, &out);
    g_assert(out.size == 2 * once && memcmp(out.data, out.data + once, once) == 0);
    const gboolean is_sound = out.data[0] == 1;
    if (!is_sound)
        g_assert(out.data[0] == 0 && rp_span_equal((RpSpan){out.data + 1, once - 1}, wire));
    if (column->kind == RP_TYPE_JSONB && !is_stored && wire.size > 0 && wire.data[0] == 1)
        check_json((RpSpan){wire.data + 1, wire.size - 1}, is_sound, (RpSpan){out.data + 1, once - 1});
}

/* Two parts that are merged are as one. */
static void check_aggregate(const RpColumn *column, RpSpan wire) {
    g_autoptr(RpAggregate) whole = rp_aggregate_new(column);
    g_autoptr(RpAggregate) part = rp_aggregate_new(column);
    g_autoptr(RpAggregate) merged = rp_aggregate_new(column);
    if (whole == NULL)
        return;
    rp_aggregate_add(whole, wire);
    rp_aggregate_add(whole, wire);
    rp_aggregate_add(part, wire);
    rp_aggregate_add(merged, wire);
    rp_aggregate_merge(merged, part);
    const gboolean is_sound = rp_aggregate_n_malformed(whole) == 0;
    g_assert(rp_aggregate_n_malformed(merged) == (is_sound ? 0 : 2));
    g_assert(rp_aggregate_is_equal(whole, merged) == is_sound);
    for (guint i = 0; i < rp_aggregate_n_results(whole); i++) {
        g_autofree char *left = rp_aggregate_show(whole, i), *right = rp_aggregate_show(merged, i);
        g_assert(g_strcmp0(left, right) == 0 && (left != NULL) == is_sound);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    RpColumn *column = target_column_at(input_choose(&input, G_N_ELEMENTS(TARGET_COLUMNS)));
    const gboolean is_stored = input_choose(&input, 2) == 1;
    column->is_padded = input_choose(&input, 2) == 1;
    if (column->element != NULL)
        column->element->is_padded = column->is_padded;
    input_line(&input);
    check_canonical(column, input_rest(&input), is_stored);
    check_aggregate(column, input_rest(&input));
    rp_table_column_free(column);
    return 0;
}
