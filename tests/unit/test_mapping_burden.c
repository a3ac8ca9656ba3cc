/* Mappings that would take much to load, by size or by aliases, and unusual bytes in them: each ends quickly,
 * with one clear finding or with the right answer. */
#include "handmade.h"

#include <time.h>

/* The sanitizer's build notes a stack for each allocation. */
#ifdef __SANITIZE_ADDRESS__
#define MOST_SECONDS 30
#else
#define MOST_SECONDS 5
#endif

static RpFindings *findings;

static void begin(void) {
    findings = rp_findings_new();
}

static void end(void) {
    rp_findings_free(findings);
}

TestSuite(mapping_burden, .init = begin, .fini = end, .timeout = 400);

static RpMapping *load(const char *text, gsize size) {
    const clock_t start = clock(); /* of the processor: the machine may be busy with other tests */
    RpMapping *mapping = rp_mapping_load_text("m.yaml", text, size, findings);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    cr_assert(seconds < MOST_SECONDS, "it took %f s", seconds);
    return mapping;
}

/* ---- much ---- */

#define HEAD        "redis2pg: 1\n"
#define REST        "type: hash, table: t, key: [a]"
#define KEYS        "keys: \"t:{id}\", " REST
#define ENTITY(in_) HEAD "entities: {t: {" KEYS ", " in_

#define TAGGED "yaml_syntax m.yaml %TAG stands in it more than 10 times"

typedef struct {
    const char *head;
    const char *unit; /* its %u, or two of them, are counted up */
    guint times;
    const char *tail;
    const char *finding; /* the last one; NULL: there is none at all */
} Burden;

static char *build(const Burden *burden) {
    GString *text = g_string_new(burden->head);
    for (guint i = 0; i < burden->times; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        g_string_append_printf(text, burden->unit, i, i);
#pragma GCC diagnostic pop
    }
    g_string_append(text, burden->tail);
    return g_string_free(text, FALSE);
}

static void assert_burden(const Burden *burden) {
    g_autofree char *text = build(burden);
    g_autoptr(RpMapping) mapping = load(text, strlen(text));
    if (burden->finding == NULL) {
        g_autofree char *shown = handmade_show_findings(findings);
        cr_assert(findings->items->len == 0, "%.200s…\n%.2000s", text, shown);
        return;
    }
    cr_assert(findings->items->len > 0, "%.200s… gave nothing", text);
    const RpFinding *last = g_ptr_array_index(findings->items, findings->items->len - 1);
    g_autofree char *shown = g_strdup_printf("%s %s %s", last->code, last->place, last->text);
    cr_assert(g_str_has_prefix(shown, burden->finding), "%.200s…\n%.300s\nnot %s", text, shown,
              burden->finding);
    g_ptr_array_set_size(findings->items, 0);
}

static void assert_burdens(const Burden *burdens, gsize n_burdens) {
    for (gsize i = 0; i < n_burdens; i++)
        assert_burden(&burdens[i]);
}

Test(mapping_burden, has_limits_of_each) {
    static const Burden BURDENS[] = {
        {ENTITY("columns: {a: a"), ", c%u: a", 1599, "}}}\n", NULL},
        {ENTITY("columns: {a: a"), ", c%u: a", 1600, "}}}\n", "too_much m.yaml:2:"},
        {ENTITY("columns: {a: a}, checks: {x: x"), ", c%u: x", 1599, "}}}\n", NULL},
        {ENTITY("columns: {a: a}, checks: {x: x"), ", c%u: x", 90000, "}}}\n", "too_much m.yaml:2:"},
        {HEAD "entities:\n", "  e%u: {keys: \"t%u:{id}\", " REST ", columns: {a: a}}\n", 1000, "", NULL},
        {HEAD "entities:\n", "  e%u: {keys: \"t%u:{id}\", " REST ", columns: {a: a}}\n", 1001, "",
         "too_much m.yaml:1003:3 more than 1000 entities"},
        {HEAD "links:\n", "  l%u: {}\n", 1001, "", "too_much m.yaml:1003:3 more than 1000 links"},
        {HEAD "entities: {t: {keys: k, type: hash, table: t, columns: {a: a}, key: [a", ", a", 100000,
         "]}}\n", "bad_value m.yaml:2:"},
        {ENTITY("columns: {a: {from: a, boolean: {true: [x"), ", x%u", 30000, "], false: [n]}}}}}\n",
         "bad_value m.yaml:2:"},
        {ENTITY("columns: {a: {lookup: {table: t, take: a, match: {a: a"), ", c%u: f%u", 40000, "}}}}}}\n",
         "bad_value m.yaml:2:"},
        {"", "%%TAG !a%u! x\n", 10, "--- {redis2pg: 1, ignore: [], entities: []}\n", "wrong_yaml_type"},
        {HEAD, "%%TAG !a%u! x\n", 50000, "", TAGGED},
        {HEAD "ignore: [x", ", &a%u x", 1000, "]\nentities: []\n", "wrong_yaml_type m.yaml:3:11"},
        {HEAD "ignore: [x", ", &a%u x", 90000, "]\n", "yaml_syntax m.yaml:2:"},
    };
    assert_burdens(BURDENS, G_N_ELEMENTS(BURDENS));
}

/* Texts that have one hash where a hash is made in the usual way: of each pair, "Ez" and "FY" weigh the same.
 */
Test(mapping_burden, of_alike_texts_in_a_map_is_bounded) {
    enum { N_PAIRS = 12 };
    g_autoptr(GHashTable) hashes = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < 1 << N_PAIRS; i++) {
        char text[2 * N_PAIRS];
        for (guint j = 0; j < N_PAIRS; j++)
            memcpy(text + 2 * j, (i >> j) & 1 ? "Ez" : "FY", 2);
        const RpMapped mapped = {.from = {text, sizeof text}};
        g_hash_table_add(hashes, GUINT_TO_POINTER(rp_mapped_hash(&mapped)));
    }
    cr_assert(g_hash_table_size(hashes) > (1 << N_PAIRS) - 40, "%u", g_hash_table_size(hashes));
}

/* Whatever ends the lines. */
Test(mapping_burden, of_tags_is_bounded) {
    static const char *const ENDS[] = {"\n", "\r", "\r\n", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    static const char *const ENCODINGS[] = {"UTF-8", "UTF-16LE", "UTF-16BE"};
    for (guint i = 0; i < G_N_ELEMENTS(ENDS) * G_N_ELEMENTS(ENCODINGS); i++) {
        GString *text = g_string_new("\xef\xbb\xbf");
        while (text->len < 500000)
            g_string_append_printf(text, "%%TAG !a%" G_GSIZE_FORMAT "! x%s", text->len,
                                   ENDS[i % G_N_ELEMENTS(ENDS)]);
        g_string_append(text, "--- {}\n");
        gsize size;
        g_autofree char *file = g_convert(text->str, (gssize)text->len, ENCODINGS[i / G_N_ELEMENTS(ENDS)],
                                          "UTF-8", NULL, &size, NULL);
        g_string_free(text, TRUE);
        g_autoptr(RpMapping) mapping = load(file, size);
        g_autofree char *shown = handmade_show_findings(findings);
        cr_assert(g_str_has_prefix(shown, TAGGED), "case %u: %s", i, shown);
        g_ptr_array_set_size(findings->items, 0);
    }
}

Test(mapping_burden, is_bounded_in_all) {
    static const Burden BURDENS[] = {
        {ENTITY("columns: {a: a, b: {from: a"), ", w%u: 1", 90000, "}}}}\n", "too_much m.yaml:2:"},
        {ENTITY("columns: {a: a, b: {from: a"), ", trim: 1", 100000, "}}}}\n", "too_much m.yaml:2:"},
        {HEAD "ignore: [&g \"", "a*", 100000, "\", *g, *g, *g, *g, *g, *g, *g]\n", "too_much m.yaml:2:"},
        {ENTITY("columns: {a: a, b: {from: a, map: {x: y"), ", m%u: y", 80000, "}}}}}\n", NULL},
    };
    assert_burdens(BURDENS, G_N_ELEMENTS(BURDENS));
}

/* The first column of an entity is said once, and 1000 entities say all columns by alias. */
static char *repeat_columns(const char *column, guint n_columns) {
    GString *text = g_string_new(HEAD "entities:\n  t: {" KEYS ", columns: &all {a: &one ");
    g_string_append(text, column);
    for (guint i = 0; i < n_columns; i++)
        g_string_append_printf(text, ", c%u: *one", i);
    g_string_append(text, "}}\n");
    for (guint i = 0; i < 999; i++)
        g_string_append_printf(text, "  e%u: {" KEYS ", columns: *all}\n", i);
    return g_string_free(text, FALSE);
}

Test(mapping_burden, of_aliases_is_refused) {
    static const char *const COLUMNS[] = {
        "a",
        "{from: a, trim: true, lower: true, max_length: 7}",
        "{from: a, matches: \"(?:(?:a{200}){100}b){3}\"}",
        "{from: a, timestamp: \"%Y-%m-%d\"}",
        "{from: b, no: 1, such: 2, word: 3, here: 4}",
        "{coalesce: [a, b.c.d.e, c.d.e.f, d.e.f.g, e.f.g.h, f.g.h, a.b, b.c, c.d, e, f, g, h, i, j, k]}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(COLUMNS); i++) {
        g_autofree char *text = repeat_columns(COLUMNS[i], 1000);
        g_autoptr(RpMapping) mapping = load(text, strlen(text));
        guint n_too_much = 0;
        for (guint j = 0; j < findings->items->len; j++) {
            const RpFinding *finding = g_ptr_array_index(findings->items, j);
            n_too_much += strcmp(finding->code, "too_much") == 0;
        }
        cr_assert(n_too_much == 1, "%s: %u times", COLUMNS[i], n_too_much);
        const RpFinding *last = g_ptr_array_index(findings->items, findings->items->len - 1);
        cr_assert(strcmp(last->code, "too_much") == 0 && g_str_has_prefix(last->place, "m.yaml:"));
        g_ptr_array_set_size(findings->items, 0);
    }
}

Test(mapping_burden, of_some_aliases_is_taken) {
    GString *text = g_string_new(HEAD "entities:\n  e: {" KEYS ", columns: &all {a: &one {from: a}");
    for (guint i = 0; i < 100; i++)
        g_string_append_printf(text, ", c%u: *one", i);
    g_string_append(text, "}}\n");
    for (guint i = 0; i < 100; i++)
        g_string_append_printf(text, "  e%u: {keys: \"t%u:{id}\", " REST ", columns: *all}\n", i, i);
    g_autofree char *yaml = g_string_free(text, FALSE);
    g_autoptr(RpMapping) mapping = load(yaml, strlen(yaml));
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 0, "%.2000s", shown);
    cr_assert(mapping->entities->len == 101);
}

/* Each entity's keys are compared with those of all others. */
Test(mapping_burden, of_patterns_is_bounded) {
    static const struct {
        guint n_entities;
        const char *unit; /* stands before {id}, so many times, and counts up */
        guint times;
    } PATTERNS[] = {{10, "x", 1}, {1000, "x", 1}, {1000, "{a%u}:", 15}, {300, "x", 1000}, {100, "x", 3000}};
    for (guint i = 0; i < G_N_ELEMENTS(PATTERNS); i++) {
        const Burden keys = {HEAD "ignore: [&k \"", PATTERNS[i].unit, PATTERNS[i].times, "{id}\"]\n", NULL};
        g_autofree char *head = build(&keys);
        const Burden entities = {"entities:\n", "  e%u: {keys: *k, " REST ", columns: {a: a}}\n",
                                 PATTERNS[i].n_entities, "", NULL};
        g_autofree char *rest = build(&entities);
        g_autofree char *text = g_strconcat(head, rest, NULL);
        g_autoptr(RpMapping) mapping = load(text, strlen(text));
        cr_assert(findings->items->len < PATTERNS[i].n_entities, "case %u: %u", i, findings->items->len);
        cr_assert(rp_findings_count(findings, RP_SEVERITY_ERROR) == 0);
        g_ptr_array_set_size(findings->items, 0);
    }
}

Test(mapping_burden, of_references_is_bounded) {
    GString *text = g_string_new(ENTITY("columns: {a: a"));
    for (guint i = 0; i < 1500; i++) {
        g_string_append_printf(text, ", c%u: {coalesce: [", i);
        for (guint j = 0; j < 10; j++)
            g_string_append_printf(text, "%sf%u", j > 0 ? ", " : "", i * 10 + j);
        g_string_append(text, "]}");
    }
    g_string_append(text, "}}}\n");
    g_autofree char *yaml = g_string_free(text, FALSE);
    g_autoptr(RpMapping) mapping = load(yaml, strlen(yaml));
    const RpFinding *first = g_ptr_array_index(findings->items, 0);
    cr_assert(strcmp(first->text, "an entity has at most 10000 references") == 0, "%s", first->text);
}

/* ---- unusual bytes ---- */

#define BLOCK(break_)                                                                                        \
    "redis2pg: 1" break_ "entities:" break_ "  t:" break_ "    keys: \"t:{id}\"" break_                      \
    "    type: hash" break_ "    table: t" break_ "    key: [a]" break_ "    columns: {a: a}" break_

Test(mapping_burden, of_unusual_bytes_is_read_or_refused) {
    static const struct {
        const char *text;
        const char *finding; /* NULL: none */
    } FILES[] = {
        {BLOCK("\n"), NULL},
        {BLOCK("\r\n"), NULL},
        {BLOCK("\r"), NULL},
        {BLOCK("\xc2\x85"), NULL}, /* NEL */
        {"\xef\xbb\xbf" BLOCK("\n"), NULL},
        {"%YAML 1.1\n---\n" BLOCK("\n") "...\n", NULL},
        {"%YAML 2.0\n---\n" BLOCK("\n"), "yaml_syntax m.yaml:1:1 no YAML: found incompatible YAML document"},
        {BLOCK("\n") "ignore:\t[x]\n", NULL},
        {BLOCK("\n") "\tignore: [x]\n", "yaml_syntax m.yaml:9:1 no YAML: while scanning"},
        {BLOCK("\n") "redis2pg: 1\n", "duplicate_word m.yaml:9:1 \"redis2pg\" stands twice in a mapping"},
        {BLOCK("\n") "entities: {}\n", "duplicate_word m.yaml:9:1 \"entities\" stands twice in a mapping"},
        {BLOCK("\n") "  t: {}\n", "duplicate_name m.yaml:9:3 entity \"t\" stands at m.yaml:3:3 too"},
        {HEAD "entities:\n  t: &t {" KEYS ", columns: {a: a}}\n  u: {<<: *t}\n", "unknown_word m.yaml:4:7"},
        {BLOCK("\n") "ignore: [\"\xc0\x80\"]\n", "yaml_syntax m.yaml"},
        {BLOCK("\n") "ignore: [\"\xed\xa0\x80\"]\n", "yaml_syntax m.yaml"},
        {BLOCK("\n") "ignore: [\"\xf4\x90\x80\x80\"]\n", "yaml_syntax m.yaml"},
        {BLOCK("\n") "ignore: [\"a\x01\"]\n", "yaml_syntax m.yaml"},
        {BLOCK("\n") "ignore: [\"\\xff\\u00e9\"]\n", NULL},
        {BLOCK("\n") "ignore: [\"\\ud800\"]\n", "yaml_syntax m.yaml:9:"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(FILES); i++) {
        g_autoptr(RpMapping) mapping = load(FILES[i].text, strlen(FILES[i].text));
        g_autofree char *shown = handmade_show_findings(findings);
        const gboolean is_fine = FILES[i].finding == NULL
                                     ? findings->items->len == 0 && mapping->entities->len == 1
                                     : strstr(shown, FILES[i].finding) != NULL;
        cr_assert(is_fine, "%s\ngave %s\nnot %s", FILES[i].text, shown, FILES[i].finding);
        g_ptr_array_set_size(findings->items, 0);
    }
}

Test(mapping_burden, may_be_utf16) {
    gsize size;
    g_autofree char *text = g_convert("\xef\xbb\xbf" BLOCK("\n"), -1, "UTF-16LE", "UTF-8", NULL, &size, NULL);
    g_autoptr(RpMapping) mapping = load(text, size);
    cr_assert(findings->items->len == 0 && mapping->entities->len == 1);
    g_autoptr(RpMapping) half = load(text, size - 1);
    cr_assert(findings->items->len == 1);
}
