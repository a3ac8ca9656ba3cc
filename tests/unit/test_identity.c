/* Whether the identity of a row follows from its key and element, for each type of key. */
#include "handmade.h"

static RpTable *table;
static RpMapping *mapping;
static RpFindings *findings;

static void make_table(void) {
    static const char *const KEYS[] = {"id no", "id value", "id",   "value",   "no",     "id big",
                                       "u",     "id bytes", "mood", "varying", "padded", "folding"};
    table = handmade_table("t", 1);
    handmade_column(table, "id", RP_TYPE_TEXT, "text")->is_not_null = TRUE;
    handmade_column(table, "no", RP_TYPE_INT4, "integer");
    handmade_column(table, "big", RP_TYPE_NUMERIC, "numeric");
    handmade_column(table, "value", RP_TYPE_TEXT, "text");
    handmade_column(table, "u", RP_TYPE_UUID, "uuid");
    handmade_column(table, "bytes", RP_TYPE_BYTEA, "bytea");
    handmade_column(table, "note", RP_TYPE_TEXT, "text");
    RpColumn *mood = handmade_column(table, "mood", RP_TYPE_ENUM, "mood");
    mood->labels = g_strsplit("sad ok", " ", -1);
    handmade_column(table, "varying", RP_TYPE_TEXT, "character varying(9)")->max_characters = 9;
    RpColumn *padded = handmade_column(table, "padded", RP_TYPE_TEXT, "character(9)");
    padded->max_characters = 9;
    padded->is_padded = TRUE;
    handmade_column(table, "folding", RP_TYPE_TEXT, "text")->is_folding = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++)
        handmade_constraint(table, RP_CONSTRAINT_UNIQUE, KEYS[i], KEYS[i]);
    findings = rp_findings_new();
}

static void clean_up(void) {
    rp_findings_free(findings);
    rp_mapping_free(mapping);
    rp_table_free(table);
}

TestSuite(identity, .init = make_table, .fini = clean_up);

/* type: with further words of the entity after it, one a line. columns: beside id. */
static const RpEntity *bind(const char *keys, const char *type, const char *key, const char *columns) {
    g_autofree char *yaml =
        g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"%s\"\n    table: t\n    type: %s\n"
                        "    key: [%s]\n    columns: {%s}\n",
                        keys, type, key, columns);
    rp_mapping_free(mapping);
    g_ptr_array_set_size(findings->items, 0);
    mapping = handmade_mapping(yaml, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 0, "%s\n%s", yaml, shown);
    RpEntity *entity = g_ptr_array_index(mapping->entities, 0);
    rp_entity_bind(entity, table, findings);
    return entity;
}

typedef struct {
    const char *type, *key, *columns;
    gboolean is_identity;
} Case;

static void assert_identity(const Case *cases, guint n_cases) {
    for (guint i = 0; i < n_cases; i++) {
        const RpEntity *entity = bind("t:{k}", cases[i].type, cases[i].key, cases[i].columns);
        g_autofree char *shown = handmade_show_findings(findings);
        cr_assert(findings->items->len == 0, "%s\n%s", cases[i].columns, shown);
        cr_assert(entity->has_key_identity == cases[i].is_identity, "a %s by %s: %s", cases[i].type,
                  cases[i].key, cases[i].columns);
    }
}

#define ASSERT_IDENTITY(...)                                                                                 \
    do {                                                                                                     \
        static const Case cases_[] = {__VA_ARGS__};                                                          \
        assert_identity(cases_, G_N_ELEMENTS(cases_));                                                       \
    } while (0)

Test(identity, an_element_of_a_list_is_its_index) {
    ASSERT_IDENTITY(
        {"list", "id, no", "id: $key.k, no: $index", TRUE},
        {"list", "id, big", "id: $key.k, big: $index", TRUE},
        {"list", "id, value", "id: $key.k, value: $index", TRUE},
        {"list", "id, value", "id: $key.k, value: $value", FALSE}, /* it may stand twice */
        {"list", "no", "id: $key.k, no: $index", FALSE},           /* of every list */
        {"list", "id", "id: $key.k", FALSE}, {"list", "id", "id: {uuid5: [x, $key.k, $index]}", TRUE},
        {"list", "id", "id: {uuid5: [x, $key.k, $value]}", FALSE},
        {"list", "id, no", "id: $key.k, no: {from: $index, divide: 10}", FALSE},
        {"list", "id, no", "id: $key.k, no: {from: $index, round: down}", FALSE},
        {"list", "id, no", "id: $key.k, no: {from: $index, on_invalid: default, default: 0}", FALSE},
        {"list", "id, no", "id: $key.k, no: {from: $value, equals: $index, required: true}", TRUE},
        {"list", "id, no", "id: {from: $key.k, lower: true}, no: $index", FALSE});
}

Test(identity, an_element_of_a_set_is_its_value) {
    ASSERT_IDENTITY(
        {"set", "id, value", "id: $key.k, value: $value", TRUE},
        {"zset", "id, value", "id: $key.k, value: $value", TRUE},
        {"set", "id, no", "id: $key.k, no: $value", FALSE}, /* 1 and 01 */
        {"set", "id, value", "id: $key.k, value: {from: $value, trim: true}", FALSE},
        {"set", "id, value", "id: $key.k, value: {from: $value, replace: {regex: a, with: b}}", FALSE},
        {"set", "id, value", "id: $key.k, value: {from: $value, map: {a: b}}", FALSE},
        {"set", "id, value", "id: $key.k, value: {from: $value, on_invalid: default, default: x}", FALSE},
        {"set", "id, value", "id: $key.k, value: {from: $value, empty_as_null: true, default: x}", FALSE},
        {"set", "id, value", "id: $key.k, value: {from: $value, empty_as_null: true, required: true}", TRUE},
        {"set", "id, value", "id: $key.k, value: {from: $value, hash: sha256}", TRUE},
        {"set", "id, bytes", "id: $key.k, bytes: $value", TRUE},
        {"set", "id, bytes", "id: $key.k, bytes: {from: $value, encoding: hex}", FALSE}, /* aa and AA */
        {"zset", "id, value", "id: $key.k, value: $score", FALSE},
        {"set", "u", "id: $key.k, u: {uuid5: [x, $key.k, $value]}", TRUE},
        {"set", "u", "id: $key.k, u: {uuid5: [x, $value, $key]}", FALSE}, /* both may hold a colon */
        {"set", "id, value", "id: $key.k, value: {from: $value.x, required: true}", FALSE});
}

Test(identity, an_entry_of_a_stream_is_its_id) {
    ASSERT_IDENTITY({"stream", "id, value", "id: $key.k, value: $id", TRUE},
                    {"stream", "id, value", "id: $key.k, value: {from: value, required: true}", FALSE},
                    {"stream", "value", "id: $key.k, value: $id", FALSE},
                    {"stream", "u", "id: $key.k, u: {uuid5: [x, $key.k, $id]}", TRUE},
                    {"stream", "u", "id: $key.k, u: {uuid5: [x, $key, $id]}", TRUE});
}

Test(identity, an_element_of_each_is_its_index) {
    ASSERT_IDENTITY({"json\n    each: items", "id, no", "id: $key.k, no: $index", TRUE},
                    {"json\n    each: items", "id, value",
                     "id: $key.k, value: {from: $element.sku, required: true}", FALSE},
                    {"hash\n    each: meta.items", "id, no", "id: $key.k, no: $index", TRUE},
                    {"hash\n    each: meta.items", "id", "id: $key.k", FALSE},
                    {"json", "id", "id: $key.k", TRUE}, {"string", "id", "id: $key.k", TRUE},
                    {"string", "value", "id: $key.k, value: $value", FALSE});
}

#define DEFAULT_UUID "default: 00000000-0000-0000-0000-000000000001"

/* All keys without a part would have the default for their identity. */
Test(identity, a_uuid5_with_a_default_has_all_its_parts) {
    ASSERT_IDENTITY({"hash", "u", "id: $key.k, u: {uuid5: [x, $key.k, tenant], required: true}", TRUE},
                    {"hash", "u", "id: $key.k, u: {uuid5: [x, $key.k, tenant], " DEFAULT_UUID "}", FALSE},
                    {"hash", "u", "id: $key.k, u: {uuid5: [x, $key.k, $ttl_ms], " DEFAULT_UUID "}", FALSE},
                    {"hash", "u", "id: $key.k, u: {uuid5: [x, $key.k, $db], " DEFAULT_UUID "}", TRUE},
                    {"stream", "u", "id: $key.k, u: {uuid5: [x, $key.k, $id], " DEFAULT_UUID "}", TRUE},
                    {"json\n    each: items", "u",
                     "id: $key.k, u: {uuid5: [x, $key.k, $index, $element.sku], " DEFAULT_UUID "}", FALSE},
                    {"json\n    each: items", "u",
                     "id: $key.k, u: {uuid5: [x, $key.k, $index], " DEFAULT_UUID "}", TRUE});
}

/* A key of two texts that its column takes for one would be two keys of one row. */
Test(identity, a_key_follows_where_its_text_is_told_apart) {
    ASSERT_IDENTITY(
        {"hash", "varying", "id: $key.k, varying: {from: $key.k, required: true}", TRUE},
        {"hash", "mood", "id: $key.k, mood: {from: $key.k, required: true}", TRUE},
        {"hash", "padded", "id: $key.k, padded: {from: $key.k, required: true}", FALSE},
        {"hash", "folding", "id: $key.k, folding: {from: $key.k, required: true}", FALSE},
        {"hash", "folding", "id: $key.k, folding: {from: f, equals: $key.k, required: true}", FALSE},
        {"hash", "varying", "id: $key.k, varying: {from: f, equals: $key.k, required: true}", TRUE},
        {"set", "id, value", "id: $key.k, value: $value", TRUE},
        {"set", "folding", "id: $key.k, folding: {from: $value, required: true}", FALSE});
}

/* words: of the entity, with columns before them. */
static void assert_delete(const char *keys, const char *type, const char *key, const char *columns,
                          gboolean is_fine) {
    bind(keys, type, key, columns);
    g_autofree char *shown = handmade_show_findings(findings);
    if (is_fine) {
        cr_assert(findings->items->len == 0, "%s: %s", columns, shown);
        return;
    }
    cr_assert(findings->items->len == 1 && g_str_has_prefix(shown, "delete_not_derivable m.yaml:3:3 "),
              "%s: %s", columns, shown);
}

/* The rows of a key that is gone have to be found; which of its elements they were does not matter. */
Test(identity, rows_of_a_key_that_is_gone_can_be_found) {
    assert_delete("t:{k}", "hash\n    on_delete: delete", "id", "id: $key.k", TRUE);
    assert_delete("t:{k}", "hash\n    on_delete: delete", "id", "id: id", FALSE);
    assert_delete("t:{k}", "hash\n    on_expire: delete", "id", "id: id", FALSE);
    assert_delete("t:{k}", "hash\n    on_expire: keep", "id", "id: id", TRUE);
    assert_delete("t:{k}", "hash\n    on_delete: delete", "id", "id: {from: id, equals: $key.k}", TRUE);
    assert_delete("t:{k}:{l}", "hash\n    on_delete: delete", "id", "id: $key.k", FALSE);
    assert_delete("t:{k}:{l}", "hash\n    on_delete: delete", "id", "id: $key", TRUE);
    assert_delete("t:{k}", "hash\n    on_delete: delete", "no",
                  "id: $key.k, no: {from: $key.k, required: true}", FALSE);
    assert_delete("t:{k}", "list\n    on_delete: delete", "id, value", "id: $key.k, value: $value", TRUE);
    assert_delete("t:{k}", "list\n    on_delete: delete", "no", "id: $key.k, no: $index", FALSE);
    assert_delete("t:{k}", "json\n    each: i\n    on_delete: delete", "id, no", "id: $key.k, no: $index",
                  TRUE);
}
