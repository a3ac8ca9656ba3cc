/* How long a hundred fixture tests take. */
#include "fixturing.h"

/* What docs/ci.md promises. Where other programs have the processors, the time that the program and its
 * servers had of them is what counts: half as much again as it takes (docs/performance.md). */
#ifdef __SANITIZE_ADDRESS__
#define LIMIT_SECONDS     100
#define PROCESSOR_SECONDS 100
#else
#define LIMIT_SECONDS     10
#define PROCESSOR_SECONDS 12
#endif

Test(fixture_speed, are_quick, .timeout = 120) {
    g_auto(Folder) folder = folder_new();
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 100; i++)
        g_string_append_printf(
            text, "%stest: %u\n%s  - SADD customer:c1:orders o%u\n%s", i > 0 ? "---\n" : "", i, HEAD, i,
            "expect:\n  rows: {users: [{customer_id: c1}], orders: [{order_id: o1, quantity: 10}]}\n"
            "  rejects: []\n");
    g_autofree char *path = write_file(&folder, "a.yaml", text->str);
    g_auto(RpOutcome) out;
    run_test(&out, path, "--json", NULL);
    rp_outcome_assert_status(&out, 0);
    g_autoptr(json_t) json = rp_outcome_json(&out);
    cr_assert(eq(int, (int)rp_json_number(json, "passed"), 100));
    const double seconds = json_real_value(rp_json_at(json, "seconds"));
    const double had = rp_processor_seconds();
    cr_assert(seconds <= LIMIT_SECONDS || had <= PROCESSOR_SECONDS,
              "100 tests took %.1f s, and %.1f s of the processors", seconds, had);
}
