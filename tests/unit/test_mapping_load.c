/* Loading: each mistake gives its finding, at its line and column, and all of them at once. */
#include "handmade.h"

/* A whole mapping around one column (at 9:7) of entity t. */
#define COLUMN(text_)                                                                                        \
    "redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n    table: t\n    key: [id]\n"      \
    "    columns: {id: id,\n      " text_ "}\n"
/* The same around words of the entity (from 8:5). */
#define ENTITY(text_)                                                                                        \
    "redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n    table: t\n    key: [id]\n"      \
    "    " text_ "\n    columns: {id: id}\n"
/* The same before words of the top (from 9:1). */
#define TOP(text_)                                                                                           \
    "redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n    table: t\n    key: [id]\n"      \
    "    columns: {id: id}\n" text_ "\n"

typedef struct {
    const char *yaml;
    const char *code;
    const char *place;
    const char *text;
} Mistake;

static void assert_only_finding(const char *yaml, gssize size, const char *code, const char *place,
                                const char *text) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping = handmade_mapping_sized(yaml, size, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 1, "%.600s\ngave: %s\nnot: %s", yaml, shown, code);
    const RpFinding *finding = g_ptr_array_index(findings->items, 0);
    cr_assert(finding->severity == RP_SEVERITY_ERROR && strcmp(finding->code, code) == 0, "%.600s\n%s", yaml,
              shown);
    cr_assert(place == NULL || strcmp(finding->place, place) == 0, "%.600s\n%s\nnot at %s", yaml, shown,
              place);
    cr_assert(strstr(finding->text, text) != NULL, "%.600s\n%s\nlacks %s", yaml, shown, text);
}

static void assert_mistakes(const Mistake *mistakes, gsize n_mistakes) {
    for (gsize i = 0; i < n_mistakes; i++)
        assert_only_finding(mistakes[i].yaml, -1, mistakes[i].code, mistakes[i].place, mistakes[i].text);
}

#define ASSERT_MISTAKES(...)                                                                                 \
    do {                                                                                                     \
        static const Mistake mistakes_[] = {__VA_ARGS__};                                                    \
        assert_mistakes(mistakes_, G_N_ELEMENTS(mistakes_));                                                 \
    } while (0)

Test(mapping_load, finds_mistakes_in_a_columns_words) {
    ASSERT_MISTAKES(
        {COLUMN("a: {from: x, tirm: true}"), "unknown_word", "m.yaml:9:20", "(did you mean \"trim\"?)"},
        {COLUMN("a: {from: x, elephant: 1}"), "unknown_word", "m.yaml:9:20",
         "\"elephant\" is no word of a column"},
        {COLUMN("a: {from: x, from: y}"), "duplicate_word", "m.yaml:9:20", "\"from\" stands twice"},
        {COLUMN("a: {trim: true}"), "missing_word", "m.yaml:9:10", "no source"},
        {COLUMN("a: {from: x, uuid5: [a, b]}"), "two_sources", "m.yaml:9:27", "two sources"},
        {COLUMN("a: [x]"), "wrong_yaml_type", "m.yaml:9:10", "not a list"},
        {COLUMN("a: {from: [x]}"), "wrong_yaml_type", "m.yaml:9:17", "\"from\" takes a scalar, not a list"},
        {COLUMN("a: {from: x, map: x}"), "wrong_yaml_type", "m.yaml:9:25", "takes a map, not a scalar"},
        {COLUMN("a: {from: x, map: {a: [b]}}"), "wrong_yaml_type", "m.yaml:9:26", "scalars to scalars"},
        {COLUMN("a: {from: x, map: {a: b, a: c}}"), "duplicate_word", "m.yaml:9:32", "twice in a map"},
        {COLUMN("a: {from: x, [y]: z}"), "wrong_yaml_type", "m.yaml:9:20", "is a list"},
        {COLUMN("id: x"), "duplicate_column", "m.yaml:9:7", "\"id\" is mapped twice"},
        {COLUMN("a: $key.nobody"), "bad_reference", "m.yaml:9:10", "captures no \"nobody\""},
        {COLUMN("a: {from: $keys}"), "bad_reference", "m.yaml:9:17", "no reference"},
        {COLUMN("a: \"\""), "bad_reference", "m.yaml:9:10", "a name in it is empty"},
        {COLUMN("a: {from: x, equals: $key.nobody}"), "bad_reference", "m.yaml:9:28", "captures no"},
        {COLUMN("a: {uuid5: [x]}"), "bad_value", "m.yaml:9:18", "a name and one reference"},
        {COLUMN("a: {uuid5: [x, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]}"), "bad_value",
         "m.yaml:9:67", "more than 16 parts"},
        {COLUMN("a: {uuid5: [x, $key.y]}"), "bad_reference", "m.yaml:9:22", "captures no"},
        {COLUMN("a: {uuid5: [x, [y]]}"), "bad_reference", "m.yaml:9:22", "is a scalar"},
        {COLUMN("a: {from: x, trim: maybe}"), "bad_value", "m.yaml:9:26", "neither true nor false"},
        {COLUMN("a: {from: x, timestamp: iso}"), "bad_value", "m.yaml:9:31", "none of iso8601, unix"},
        {COLUMN("a: {from: x, zone: Mars/Phobos}"), "bad_value", "m.yaml:9:26", "\"Mars/Phobos\" is unknown"},
        {COLUMN("a: {from: x, json: objekt}"), "bad_value", "m.yaml:9:26", "(did you mean \"object\"?)"},
        {COLUMN("a: {from: x, max_length: -1}"), "bad_value", "m.yaml:9:32", "no whole number"},
        {COLUMN("a: {from: x, min_length: 1.5}"), "bad_value", "m.yaml:9:32", "no whole number"},
        {COLUMN("a: {from: x, format: phone}"), "bad_value", "m.yaml:9:28", "none of email"});
}

Test(mapping_load, takes_no_null_for_text) {
    ASSERT_MISTAKES(
        {COLUMN("a: {from: x, default: null}"), "wrong_yaml_type", "m.yaml:9:29", "not nothing"},
        {COLUMN("a: {from: x, default: ~}"), "wrong_yaml_type", "m.yaml:9:29", "not nothing"},
        {COLUMN("a: {from: x, default: }"), "wrong_yaml_type", NULL, "not nothing"},
        {COLUMN("a: {from: x, map: {unknown: null}}"), "wrong_yaml_type", "m.yaml:9:26",
         "scalars to scalars"},
        {TOP("ignore: [a, null]"), "wrong_yaml_type", "m.yaml:9:13", "a scalar is expected, not nothing"});
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping =
        handmade_mapping(COLUMN("a: {from: x, default: \"null\", map: {\"~\": \"\"}}"), findings);
    cr_assert(findings->items->len == 0, "in quotes it is text");
}

Test(mapping_load, finds_mistakes_in_entities) {
    ASSERT_MISTAKES(
        {ENTITY("on_delete: drop"), "bad_value", "m.yaml:8:16", "none of keep, delete"},
        {ENTITY("coloms: x"), "unknown_word", "m.yaml:8:5", "(did you mean \"columns\"?)"},
        {ENTITY("table: u"), "duplicate_word", "m.yaml:8:5", "\"table\" stands twice"},
        {ENTITY("where: [x]"), "wrong_yaml_type", "m.yaml:8:12", "takes a scalar, not a list"},
        {ENTITY("checks: {a: [b]}"), "wrong_yaml_type", "m.yaml:8:14", "a check is"},
        {ENTITY("checks: {a: x > 1, a: y > 1}"), "duplicate_name", "m.yaml:8:24", "check \"a\""},
        {"redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id\"\n    type: hash\n    table: t\n    key: [id]\n   "
         " columns: {id: $key.id}\n",
         "bad_pattern", "m.yaml:4:11", "\"{\" without \"}\""},
        {"redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hsh\n    table: t\n    key: [id]\n   "
         " columns: {id: id}\n",
         "bad_value", "m.yaml:5:11",
         "none of hash, string, json, list, set, zset, stream (did you mean \"hash\"?)"},
        {"redis2pg: 1\nentities:\n  t:\n    type: hash\n    table: t\n    key: [id]\n    columns: {id: id}\n",
         "missing_word", "m.yaml:4:5", "lacks \"keys\""},
        {"redis2pg: 1\nentities:\n  t:\n    keys: t\n    type: hash\n    table: t\n    key: [no]\n    "
         "columns: {id: id}\n",
         "key_not_mapped", "m.yaml:7:10", "key column \"no\""},
        {"redis2pg: 1\nentities:\n  t:\n    keys: t\n    type: hash\n    table: t\n    key: []\n    columns: "
         "{id: id}\n",
         "bad_value", "m.yaml:7:10", "names no column"},
        {"redis2pg: 1\nentities:\n  t: x\n", "wrong_yaml_type", "m.yaml:3:3", "a name and a map"},
        {TOP("  t: {keys: a, type: hash, table: t, key: [a], columns: {a: a}}"), "duplicate_name",
         "m.yaml:9:3", "stands at m.yaml:3:3 too"});
}

Test(mapping_load, finds_mistakes_at_the_top_and_in_links) {
    ASSERT_MISTAKES(
        {TOP("ignor: [x]"), "unknown_word", "m.yaml:9:1", "(did you mean \"ignore\"?)"},
        {TOP("ignore: x"), "wrong_yaml_type", "m.yaml:9:9", "takes a list"},
        {TOP("uuid_namespace: x"), "bad_value", "m.yaml:9:17", "no UUID"},
        {"redis2pg: 1\n", "missing_word", NULL, "no entities"},
        {"redis2pg: 2\nentities: {}\n", "bad_version", "m.yaml:1:11", "version \"2\""},
        {TOP("links: {l: {keys: \"l:{a}\", type: set, member: {entity: t, column: id}}}"), "missing_word",
         "m.yaml:9:12", "lacks \"owner\""},
        {TOP("links: {l: {keys: l, type: hash, member: {entity: t, column: id}, owner: {entity: t, column: "
             "id}}}"),
         "bad_value", "m.yaml:9:28", "none of set, list, zset"},
        {TOP("links: {l: {keys: l, type: set, member: {entity: u, column: id}, owner: {entity: t, column: "
             "id}}}"),
         "bad_reference", "m.yaml:9:9", "entity \"u\""},
        {TOP("links: {l: {keys: l, type: set, member: {entity: t, column: id}, owner: {entity: t, column: "
             "nope}}}"),
         "bad_reference", "m.yaml:9:9", "column \"nope\""},
        {TOP("links: {l: {keys: l, type: set, member: {entity: t}, owner: {entity: t, column: id}}}"),
         "bad_value", "m.yaml:9:41", "an end of a link"},
        {TOP("links:\n  l: &l {keys: l, type: set, member: {entity: t, column: id}, owner: {entity: t, "
             "column: id}}\n  l: *l"),
         "duplicate_name", "m.yaml:11:3", "link \"l\""});
}

Test(mapping_load, finds_all_mistakes_at_once) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping = handmade_mapping(
        "redis2pg: 3\nignor: []\nentities:\n  t:\n    keys: \"}\"\n    type: x\n    key: [k]\n"
        "    columns:\n      a: {from: x, trim: 5, min_length: y}\n      a: b\n",
        findings);
    g_autofree char *shown = handmade_show_findings(findings);
    static const char *const EXPECTED[] = {
        "bad_version m.yaml:1:11", "unknown_word m.yaml:2:1", "bad_pattern m.yaml:5:11",
        "missing_word m.yaml:5:5", "bad_value m.yaml:6:11",   "key_not_mapped m.yaml:7:10",
        "bad_value m.yaml:9:26",   "bad_value m.yaml:9:41",   "duplicate_column m.yaml:10:7"};
    for (guint i = 0; i < G_N_ELEMENTS(EXPECTED); i++)
        cr_assert(strstr(shown, EXPECTED[i]) != NULL, "%s\nlacks %s", shown, EXPECTED[i]);
    cr_assert(findings->items->len == G_N_ELEMENTS(EXPECTED), "%s", shown);
    g_autoptr(GError) error = NULL;
    cr_assert(!rp_findings_check(findings, &error) && strstr(error->message, "m.yaml:9:41: ") != NULL);
}

/* What is read. */
Test(mapping_load, reads_every_word) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping = handmade_mapping(
        "\xef\xbb\xbfredis2pg: 1\r\nuuid_namespace: 6ba7b810-9dad-11d1-80b4-00c04fd430c8\r\nignore: [\"a*\", "
        "b]\r\nentities:\r\n"
        "  t:\r\n    keys: \"t:{id}\"\r\n    type: hash\r\n    table: s.t\r\n    key: [id, a]\r\n    "
        "columns:\r\n"
        "      id: $key.id\r\n"
        "      a: {from: x, trim: yes, lower: on, upper: false, empty_as_null: true, map: {a: b}, default: "
        "d, required: TRUE,\r\n"
        "          min_length: 1, max_length: 9, format: url, equals: y, sensitive: true}\r\n"
        "      b: {uuid5: [n, x, $key]}\r\n      c: {from: x, timestamp: unix_ms, zone: Europe/Berlin, min: "
        "5, max: 6}\r\n"
        "      d: {from: y, json: array}\r\n"
        "    checks: {one: a > b, two: \"true\"}\r\n    where: a IS NOT NULL\r\n    on_delete: delete\r\n    "
        "on_expire: keep\r\n"
        "links:\r\n  l: {keys: \"t:{id}:x\", type: zset, member: {entity: t, column: a}, owner: {entity: t, "
        "column: id}}\r\n",
        findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 0, "%s", shown);
    const RpEntity *entity = g_ptr_array_index(mapping->entities, 0);
    cr_assert(strcmp(entity->table_name, "s.t") == 0 && g_strv_length(entity->key) == 2 &&
              entity->checks->len == 2);
    cr_assert(entity->on_delete == RP_WHEN_GONE_DELETE && entity->on_expire == RP_WHEN_GONE_KEEP);
    cr_assert(entity->scope.fields->len == 2, "x and y are read once each");
    cr_assert(strcmp(((const RpCheck *)g_ptr_array_index(entity->checks, 1))->name, "two") == 0 &&
              entity->where != NULL);
    const RpMapColumn *a = rp_entity_find_column(entity, "a");
    cr_assert(a->trims && a->lowers && !a->uppers && a->nulls_empty && a->is_required && a->is_sensitive);
    cr_assert(strcmp(a->fallback, "d") == 0 && g_hash_table_size(a->map) == 1 && a->rules->len == 4);
    const RpMapColumn *b = rp_entity_find_column(entity, "b");
    cr_assert(b->source == RP_FROM_UUID5 && b->n_parts == 3 && strcmp(b->parts[0].literal, "n") == 0);
    cr_assert(b->parts[2].literal == NULL && b->parts[2].reference.kind == RP_REFERENCE_KEY);
    const RpMapColumn *c = rp_entity_find_column(entity, "c");
    cr_assert(c->conversion.time_format == RP_TIME_UNIX_MS && c->conversion.zone != NULL &&
              c->rules->len == 2);
    cr_assert(rp_entity_find_column(entity, "d")->conversion.json_shape == RP_JSON_ARRAY);
    cr_assert(mapping->uuid_namespace.bytes[0] == 0x6b && mapping->links->len == 1 &&
              strlen(mapping->digest) == 64);
    cr_assert(rp_mapping_cover(mapping, RP_SPAN_OF("t:1")) == RP_COVER_ENTITY);
    cr_assert(rp_mapping_cover(mapping, RP_SPAN_OF("t:1:x")) == RP_COVER_LINK);
    cr_assert(rp_mapping_cover(mapping, RP_SPAN_OF("abc")) == RP_COVER_IGNORE);
    cr_assert(rp_mapping_cover(mapping, RP_SPAN_OF("bc")) == RP_COVER_NONE);
}
