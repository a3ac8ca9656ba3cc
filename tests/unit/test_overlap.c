/* Which pairs of key patterns have a key in common. */
#include "handmade.h"

#include "mapping/overlap.h"

static gboolean overlaps(const char *a, const char *b) {
    g_autofree char *problem = NULL;
    g_autoptr(RpPattern) first = rp_pattern_new(a, &problem);
    g_autoptr(RpPattern) second = rp_pattern_new(b, &problem);
    cr_assert(first != NULL && second != NULL, "%s", problem);
    cr_assert(rp_pattern_overlaps(first, second) == rp_pattern_overlaps(second, first));
    return rp_pattern_overlaps(first, second);
}

Test(overlap, is_told_for_pairs_of_patterns) {
    static const struct {
        const char *a;
        const char *b;
        gboolean overlaps;
    } CASES[] = {
        {"order:{id}", "order:{id}", TRUE},
        {"order:{id}", "order:17", TRUE},
        {"order:{id}", "order:", FALSE}, /* a capture takes at least a byte */
        {"order:{id}", "customer:{id}", FALSE},
        {"order:{id}", "order:{id}:items", FALSE},
        {"order:{id+}", "order:{id}:items", TRUE},
        {"{kind}:{id}", "order:{id}", TRUE},
        {"{kind}:{id}", "order", FALSE},
        {"{all+}", "order:{id}:items", TRUE},
        {"a{x}c", "ab{y}", TRUE},
        {"a{x}c", "ab{y}d", FALSE},
        {"{x+}:a", "{y+}:b", FALSE},
        {"{x}a:{y}", "{z}b:{w}", FALSE},
        {"{x}a{y}:k", "b{z}:k", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        cr_assert(overlaps(CASES[i].a, CASES[i].b) == CASES[i].overlaps, "%s and %s", CASES[i].a, CASES[i].b);
}

Test(overlap, of_long_patterns_is_told_in_time) {
    g_autofree char *literal = g_strnfill(2000, 'x');
    g_autofree char *a = g_strconcat(literal, "{a+}", NULL);
    g_autofree char *b = g_strconcat("{b+}", literal, "y", NULL);
    cr_assert(overlaps(a, b));
}

Test(overlap, is_a_note_for_entities) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping = handmade_mapping(
        "redis2pg: 1\nentities:\n"
        "  a: {keys: \"k:{id}\", type: hash, table: t, key: [id], columns: {id: $key.id}}\n"
        "  b: {keys: \"{kind}:{id}\", type: hash, table: t, key: [id], columns: {id: $key.id}}\n"
        "  c: {keys: \"l:{id}:m\", type: hash, table: t, key: [id], columns: {id: $key.id}}\n",
        findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 1 && strstr(shown, "patterns_overlap m.yaml:4:3") != NULL, "%s", shown);
    cr_assert(rp_findings_count(findings, RP_SEVERITY_NOTE) == 1);
}
