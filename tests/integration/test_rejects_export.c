/* Exporting rejects: every kind of record as JSON, one a line, and no sensitive value. */
#include "replaying.h"

/* The lines of an export; a GPtrArray of json_t. */
static GPtrArray *export(RpCase *test_case, RpOutcome *out, const char *option, const char *value,
                         const char *more) {
    rp_case_run(test_case, out, "rejects", "export", option, value, more, NULL);
    rp_outcome_assert_status(out, 0);
    GPtrArray *lines = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    g_auto(GStrv) texts = g_strsplit(out->output, "\n", -1);
    for (guint i = 0; texts[i] != NULL && texts[i][0] != '\0'; i++) {
        json_t *line = json_loads(texts[i], 0, NULL);
        cr_assert(line != NULL, "%s", texts[i]);
        g_ptr_array_add(lines, line);
    }
    return lines;
}

static void assert_record(const GPtrArray *lines, const char *key, const char *expected) {
    json_t *record = NULL;
    for (guint i = 0; i < lines->len; i++)
        if (g_str_equal(rp_json_text(g_ptr_array_index(lines, i), "key"), key))
            record = json_object_get(g_ptr_array_index(lines, i), "record");
    cr_assert(record != NULL, "%s", key);
    char *text = json_dumps(record, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER);
    cr_assert(eq(str, text, (char *)expected));
    free(text);
}

#define ENTITY(name, type)                                                                                   \
    "  " name ":\n    keys: \"" name ":{id}\"\n    table: t\n    type: " type                                \
    "\n    key: [id]\n    columns: {id: $key.id, v: {from: $ttl_ms, required: true}}\n"

/* One reject of each kind: no key has a time to live. */
static void make_kinds(RpCase *test_case) {
    char *mapping = rp_file_write("redis2pg: 1\nentities:\n" ENTITY("a", "hash") ENTITY("b", "string") ENTITY(
        "c", "list") ENTITY("d", "set") ENTITY("e", "zset") ENTITY("f", "stream") ENTITY("g", "hash"));
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, v int, t bigint)");
    rp_case_redis(test_case, "HSET a:1 x 1 y %b", "\xff\x01", (size_t)2);
    rp_case_redis(test_case, "HSET a:1 %b 2", "n\xff", (size_t)2);
    rp_case_redis(test_case, "SET b:1 t\xc3\xbc");
    rp_case_redis(test_case, "RPUSH c:1 one");
    rp_case_redis(test_case, "SADD d:1 %b", "a\0b", (size_t)3);
    rp_case_redis(test_case, "ZADD e:1 1.5 m");
    rp_case_redis(test_case, "XADD f:1 5-1 k 1 k 2 k 3");
    rp_case_redis(test_case, "RPUSH g:1 not-a-hash");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, "--writers", "1", NULL);
    cr_assert(eq(i64, rp_json_number(run, "rejects.total"), 7));
    rp_file_drop(mapping);
}

Test(rejects_export, gives_every_kind_of_record) {
    static const struct {
        const char *key, *record;
    } kinds[] = {
        {"a:1",
         "{\"type\":\"hash\",\"ttl_ms\":-1,\"fields\":{\"x\":\"1\",\"y\":{\"hex\":\"ff01\"},\"n\\\\xff\":"
         "\"2\"}}"},
        {"b:1", "{\"type\":\"string\",\"ttl_ms\":-1,\"value\":\"t\\u00FC\"}"},
        {"c:1", "{\"type\":\"list\",\"ttl_ms\":-1,\"index\":0,\"value\":\"one\"}"},
        {"d:1", "{\"type\":\"set\",\"ttl_ms\":-1,\"member\":{\"hex\":\"610062\"}}"},
        {"e:1", "{\"type\":\"zset\",\"ttl_ms\":-1,\"member\":\"m\",\"score\":\"1.5\"}"},
        {"f:1", "{\"type\":\"stream\",\"ttl_ms\":-1,\"id\":\"5-1\",\"fields\":{\"k\":[\"1\",\"2\",\"3\"]}}"},
        {"g:1", "{\"type\":\"list\",\"ttl_ms\":-1}"},
    };
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    make_kinds(test_case);
    g_autoptr(GPtrArray) lines = export(test_case, &out, "--reveal", NULL, NULL);
    cr_assert(eq(uint, lines->len, 7));
    rp_assert_keeps_quiet(out.errors, "warning");
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        assert_record(lines, kinds[i].key, kinds[i].record);
}

Test(rejects_export, without_a_mapping_shows_names_and_types_only) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    make_kinds(test_case);
    g_autoptr(GPtrArray) lines = export(test_case, &out, NULL, NULL, NULL);
    rp_assert_says(out.errors, "without --mapping");
    assert_record(lines, "a:1",
                  "{\"type\":\"hash\",\"ttl_ms\":-1,\"fields\":{\"x\":\"***\",\"y\":\"***\","
                  "\"n\\\\xff\":\"***\"}}");
    assert_record(lines, "e:1", "{\"type\":\"zset\",\"ttl_ms\":-1,\"member\":\"***\",\"score\":\"***\"}");
    assert_record(lines, "f:1",
                  "{\"type\":\"stream\",\"ttl_ms\":-1,\"id\":\"***\",\"fields\":{\"k\":[\"***\","
                  "\"***\",\"***\"]}}");
}

/* ---- filters and fields ---- */

Test(rejects_export, gives_the_fields_of_the_list_and_takes_its_filters) {
    static const struct {
        const char *option, *value;
        guint n;
    } narrowed[] = {{NULL, NULL, 2},          {"--open", NULL, 1}, {"--run", "1", 1},
                    {"--run", "3", 0},        {"--limit", "1", 1}, {"--code", "missing_field", 0},
                    {"--entity", "orders", 2}};
    g_autoptr(RpCase) test_case = rp_case_new();
    rp_case_add_order(test_case, "orphan", "nobody");
    for (guint i = 0; i < 2; i++) {
        g_autoptr(json_t) run = rp_case_load(test_case, 1, NULL);
    }
    for (guint i = 0; i < G_N_ELEMENTS(narrowed); i++) {
        g_auto(RpOutcome) out = {0};
        g_autoptr(GPtrArray) lines = export(test_case, &out, narrowed[i].option, narrowed[i].value, NULL);
        cr_assert(eq(uint, lines->len, narrowed[i].n), "%s", narrowed[i].option);
    }
    g_auto(RpOutcome) out = {0}, list = {0}, refused = {0};
    g_autoptr(GPtrArray) lines = export(test_case, &out, "--reveal", NULL, NULL);
    rp_case_run(test_case, &list, "rejects", "list", "--json", NULL);
    g_autoptr(json_t) listed = rp_outcome_json(&list);
    for (guint i = 0; i < lines->len; i++) {
        json_object_del(g_ptr_array_index(lines, i), "record");
        cr_assert(json_equal(g_ptr_array_index(lines, i), json_array_get(rp_json_at(listed, "rejects"), i)));
    }
    cr_assert(eq(i64, rp_json_number(listed, "rejects.0.replaced_by"), 2));
    cr_assert(JSON_NULL == json_typeof(rp_json_at(listed, "rejects.1.replaced_by")));
    rp_case_run(test_case, &refused, "rejects", "list", "--reveal", NULL);
    rp_outcome_assert_status(&refused, 2);
}

Test(rejects_export, before_any_run_gives_nothing) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_auto(RpOutcome) out = {0};
    g_autoptr(GPtrArray) lines = export(test_case, &out, NULL, NULL, NULL);
    cr_assert(eq(uint, lines->len, 0));
}

Test(rejects_export, says_what_is_damaged) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    make_kinds(test_case);
    rp_case_sql(test_case, "UPDATE redis2pg.rejects SET raw = 'x' WHERE entity = 'a';"
                           "UPDATE redis2pg.rejects SET raw = '' WHERE entity = 'b'");
    g_autoptr(GPtrArray) lines = export(test_case, &out, "--reveal", NULL, NULL);
    assert_record(lines, "a:1", "{\"is_damaged\":true}");
    assert_record(lines, "b:1", "null");
}

/* ---- what is never shown ---- */

/* No way leads to the secret but --reveal. */
static void assert_hidden(const char *entities, gboolean is_needed) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *text = g_strdup_printf("redis2pg: 1\nentities:\n%s", entities);
    char *mapping = rp_file_write(text);
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, v int, s text);"
                           "CREATE TABLE u (no int, s text UNIQUE)");
    rp_case_redis(test_case, "HSET h:1 open plain s topsecret j {\"s\":\"topsecret\"} typo topsecret");
    rp_case_redis(test_case, "SET w:1 topsecret");
    rp_case_redis(test_case, "ZADD z:1 1 topsecret");
    rp_case_redis(test_case, "XADD x:1 5-1 open plain s topsecret");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, NULL);
    static const char *const ways[][2] = {{NULL, NULL}, {"--mapping", NULL}};
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_auto(RpOutcome) out = {0};
        g_autoptr(GPtrArray) lines = export(test_case, &out, ways[i][0], i > 0 ? mapping : NULL, NULL);
        cr_assert(lines->len > 0);
        rp_assert_keeps_quiet(out.output, "topsecret");
        rp_assert_keeps_quiet(out.errors, "topsecret");
        if (i > 0 && is_needed)
            rp_assert_says(out.output, "plain");
    }
    g_auto(RpOutcome) revealed = {0};
    g_autoptr(GPtrArray) lines = export(test_case, &revealed, "--reveal", "--mapping", mapping);
    rp_assert_says(revealed.output, "topsecret");
    rp_file_drop(mapping);
}

#define SECRET(keys, type, columns)                                                                          \
    "  e:\n    keys: \"" keys ":{id}\"\n    table: t\n    type: " type                                       \
    "\n    key: [id]\n    columns: {id: $key.id, " columns "}\n"

Test(rejects_export, hides_what_sensitive_columns_read) {
    assert_hidden(SECRET("h", "hash", "v: open, s: {from: s, sensitive: true}"), TRUE);
    assert_hidden(SECRET("h", "hash", "v: open, s: {from: s, hash: sha256}"), TRUE);
    assert_hidden(SECRET("h", "hash", "v: open, s: {from: j.s, sensitive: true}"), TRUE);
    assert_hidden(SECRET("h", "hash", "v: open, s: {coalesce: [typo, s], sensitive: true}"), TRUE);
    assert_hidden(SECRET("h", "hash", "v: open, s: {template: \"{s}-{open}\", sensitive: true}"), FALSE);
    assert_hidden(SECRET("h", "hash", "v: {lookup: {table: u, match: {s: s}, take: no}, sensitive: true}"),
                  FALSE);
    /* Under two names, of which one column is sensitive. */
    assert_hidden(SECRET("h", "hash", "v: open, s: {from: s, equals: typo, sensitive: true}"), TRUE);
}

Test(rejects_export, hides_records_whose_value_is_sensitive) {
    assert_hidden(
        SECRET("w", "string", "v: {from: $ttl_ms, required: true}, s: {from: $value, sensitive: true}"),
        FALSE);
    assert_hidden(
        SECRET("z", "zset", "v: {from: $ttl_ms, required: true}, s: {from: $value, sensitive: true}"), FALSE);
    assert_hidden(SECRET("x", "stream", "v: open, s: {from: s, sensitive: true}"), TRUE);
    /* A key of another type than the entity's, where nobody knows what is what. */
    assert_hidden(SECRET("w", "hash", "v: open, s: {from: s, sensitive: true}"), FALSE);
}

/* Another entity reads the same keys, and has no sensitive column itself. */
Test(rejects_export, hides_what_is_sensitive_to_another_entity) {
    assert_hidden("  plain:\n    keys: \"h:{id}\"\n    table: t\n    type: hash\n    key: [id]\n"
                  "    columns: {id: $key.id, v: open}\n"
                  "  secret:\n    keys: \"h:{id}\"\n    table: u\n    type: hash\n    key: [s]\n"
                  "    columns: {s: {from: s, sensitive: true, required: true}}\n",
                  TRUE);
}

/* ---- size ---- */

/* Large records, of which few fit into memory at a time. */
Test(rejects_export, takes_bounded_memory) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_auto(RpOutcome) out = {0};
    char *mapping = rp_file_write("redis2pg: 1\nentities:\n" ENTITY("a", "hash"));
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, v int)");
    rp_case_redis(
        test_case, "EVAL %s 0",
        "local v = string.rep('v', 1000000) for i = 1, 200 do redis.call('HSET', 'a:' .. i, 'x', v) end");
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", mapping, NULL);
    rp_case_run(test_case, &out, "rejects", "export", NULL);
    rp_outcome_assert_status(&out, 0);
    rp_file_drop(mapping);
    rp_assert_peak_below(100);
}
