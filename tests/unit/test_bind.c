/* Binding: what does not fit between a mapping and its table. */
#include "handmade.h"

static RpTable *table;
static RpMapping *mapping;
static RpFindings *findings;

static void make_table(void) {
    static char *LABELS[] = {"pending", "paid", NULL};
    table = handmade_table("t", 1);
    handmade_column(table, "id", RP_TYPE_TEXT, "text")->is_not_null = TRUE;
    handmade_column(table, "note", RP_TYPE_TEXT, "text");
    handmade_column(table, "n", RP_TYPE_INT4, "integer");
    RpColumn *price = handmade_column(table, "price", RP_TYPE_NUMERIC, "numeric(5,2)");
    price->precision = 5;
    price->scale = 2;
    handmade_column(table, "u", RP_TYPE_UUID, "uuid");
    handmade_column(table, "doc", RP_TYPE_JSONB, "jsonb");
    handmade_column(table, "at", RP_TYPE_TIMESTAMPTZ, "timestamp with time zone");
    handmade_column(table, "mood", RP_TYPE_ENUM, "mood")->labels = g_strdupv(LABELS);
    RpColumn *sum = handmade_column(table, "sum", RP_TYPE_INT4, "integer");
    sum->is_generated = sum->has_default = TRUE;
    RpColumn *padded = handmade_column(table, "padded", RP_TYPE_TEXT, "character(5)");
    padded->is_padded = padded->is_not_null = padded->has_default = TRUE;
    padded->max_characters = 5;
    handmade_constraint(table, RP_CONSTRAINT_UNIQUE, "t_pkey", "id");
    handmade_constraint(table, RP_CONSTRAINT_UNIQUE, "t_note_n", "note n");
    handmade_constraint(table, RP_CONSTRAINT_UNIQUE, "t_n", "n");
    handmade_constraint(table, RP_CONSTRAINT_UNIQUE, "t_u", "u");
    handmade_constraint(table, RP_CONSTRAINT_UNIQUE, "t_padded", "padded");
    handmade_constraint(table, RP_CONSTRAINT_CHECK, "t_check", "price");
    findings = rp_findings_new();
}

static void clean_up(void) {
    rp_findings_free(findings);
    rp_mapping_free(mapping);
    rp_table_free(table);
}

TestSuite(bind, .init = make_table, .fini = clean_up);

static RpEntity *bind(const char *keys, const char *key, const char *columns) {
    g_autofree char *yaml = g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"%s\"\n    type: hash\n"
                                            "    table: t\n    key: [%s]\n    columns:\n%s",
                                            keys, key, columns);
    rp_mapping_free(mapping);
    g_ptr_array_set_size(findings->items, 0);
    mapping = handmade_mapping(yaml, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 0, "%s", shown);
    RpEntity *entity = g_ptr_array_index(mapping->entities, 0);
    rp_entity_bind(entity, table, findings);
    return entity;
}

/* column: one line for a column beside id. expected: the code and a part of the text, or NULL. */
static void assert_finding(const char *column, const char *code, const char *part) {
    g_autofree char *columns = g_strdup_printf("      id: {from: $key.id}\n      %s\n", column);
    bind("t:{id}", "id", columns);
    g_autofree char *shown = handmade_show_findings(findings);
    if (code == NULL) {
        cr_assert(findings->items->len == 0, "%s: %s", column, shown);
        return;
    }
    cr_assert(findings->items->len == 1, "%s: %s", column, shown);
    const RpFinding *finding = g_ptr_array_index(findings->items, 0);
    cr_assert(finding->severity == RP_SEVERITY_ERROR);
    cr_assert(strcmp(finding->code, code) == 0 && strstr(finding->text, part) != NULL, "%s: %s", column,
              shown);
    cr_assert(strcmp(finding->place, "m.yaml:10:7") == 0, "%s", finding->place);
}

Test(bind, finds_what_does_not_fit_a_column) {
    static const char *const CASES[][3] = {
        {"note: note", NULL, NULL},
        {"nota: note", "unknown_column", "no column \"nota\""},
        {"sum: n", "generated_column", "generated"},
        {"note: {from: x, timestamp: unix}", "type_does_not_fit", "timestamp"},
        {"note: {from: x, json: any}", "type_does_not_fit", "json"},
        {"doc: {from: x, json: object}", NULL, NULL},
        {"at: {from: x, timestamp: unix}", NULL, NULL},
        {"n: {uuid5: [x, y]}", "type_does_not_fit", "uuid5"},
        {"note: {uuid5: [x, y]}", NULL, NULL},
        {"u: {uuid5: [x, y]}", NULL, NULL},
        {"n: {from: x, default: seven}", "default_does_not_fit", "seven"},
        {"n: {from: x, default: 7}", NULL, NULL},
        {"price: {from: x, default: \"1.234\"}", "default_does_not_fit", "decimal places"},
        {"mood: {from: x, default: sad}", "default_does_not_fit", "no label"},
        {"n: {from: x, min: 1, max: 10}", NULL, NULL},
        {"n: {from: x, min: one}", "rule_does_not_fit", "min of column \"n\""},
        {"n: {from: x, max: 99999999999}", "rule_does_not_fit", "out of the range"},
        {"note: {from: x, min: 1}", "rule_does_not_fit", "no meaning"},
        {"note: {from: x, min: 1, default: 2}", "rule_does_not_fit", "no meaning"},
        {"mood: {from: x, max: paid, default: paid}", "rule_does_not_fit", "no meaning"},
        {"n: {from: x, min: 10, max: 1}", "rule_does_not_fit", "no value is"},
        {"note: {from: x, min_length: 5, max_length: 4}", "rule_does_not_fit", "no text has"},
        {"n: {const: seven}", "default_does_not_fit", "const \"seven\""},
        {"n: {const: seven, map: {seven: 7}}", NULL, NULL},
        {"n: {const: 7}", NULL, NULL},
        {"mood: {from: x, max: paid}", "rule_does_not_fit", "no meaning"},
        {"price: {from: x, max: \"123456.789\"}", NULL, NULL}, /* a bound may be finer than the column */
        {"at: {from: x, min: \"2024-01-01\"}", NULL, NULL},
        {"at: {from: x, min: yesterday}", "rule_does_not_fit", "ISO 8601"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_finding(CASES[i][0], CASES[i][1], CASES[i][2]);
}

Test(bind, finds_all_that_is_wrong_at_once) {
    bind("t:{id}", "id",
         "      id: {from: $key.id}\n      nota: x\n      n: {from: x, default: a, min: b}\n      sum: x\n");
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 4, "%s", shown);
}

static gboolean has_finding(const char *code) {
    for (guint i = 0; i < findings->items->len; i++)
        if (strcmp(((const RpFinding *)g_ptr_array_index(findings->items, i))->code, code) == 0)
            return TRUE;
    return FALSE;
}

Test(bind, not_null_columns_need_a_source) {
    bind("t:{x}", "n", "      n: {from: n, required: true}\n");
    cr_assert(has_finding("not_null_unmapped"), "id is NOT NULL");
    cr_assert(findings->items->len == 1, "padded has a default");
}

Test(bind, key_is_a_unique_constraint_in_any_order) {
    bind("t:{id}", "n, note",
         "      id: $key.id\n      n: {from: n, required: true}\n      note: {from: x, required: true}\n");
    cr_assert(findings->items->len == 0);
    bind("t:{id}", "note", "      id: $key.id\n      note: {from: x, required: true}\n");
    cr_assert(has_finding("key_not_unique"));
    bind("t:{id}", "price", "      id: $key.id\n      price: {from: x, required: true}\n");
    cr_assert(has_finding("key_not_unique"), "a check is no unique constraint");
}

Test(bind, key_columns_are_never_null) {
    bind("t:{id}", "n", "      id: $key.id\n      n: n\n");
    cr_assert(has_finding("key_nullable"));
    bind("t:{id}", "n", "      id: $key.id\n      n: {from: n, required: true}\n");
    cr_assert(!has_finding("key_nullable"));
    bind("t:{id}", "id", "      id: id\n");
    cr_assert(!has_finding("key_nullable"), "the table's NOT NULL refuses it");
}

Test(bind, gives_columns_their_converters_and_bounds) {
    const RpEntity *entity =
        bind("t:{id}", "id", "      id: $key.id\n      price: {from: p, max: \"10.255\"}\n");
    const RpMapColumn *price = rp_entity_find_column(entity, "price");
    const RpRule *rule = g_ptr_array_index(price->rules, 0);
    cr_assert(entity->table == table && price->conversion.column == rp_table_find_column(table, "price"));
    cr_assert(price->convert == rp_converter_for(RP_TYPE_NUMERIC) && rule->kind == RP_TYPE_NUMERIC);
    cr_assert(rule->bound.decimal.groups[1] == 2550);
}

Test(bind, knows_when_different_keys_have_different_identities) {
    static const struct {
        const char *keys, *key, *columns;
        gboolean is_identity;
    } CASES[] = {
        {"t:{k}", "id", "      id: $key.k\n", TRUE},
        {"t:{k}", "id", "      id: {from: id, equals: $key.k}\n", TRUE},
        {"t:{k}", "id", "      id: {uuid5: [t, $key.k]}\n", TRUE},
        {"t:{k}", "id", "      id: id\n", FALSE},
        {"t:{k}", "id", "      id: {from: $key.k, lower: true}\n", FALSE},
        {"t:{k}", "id", "      id: {from: $key.k, trim: true}\n", FALSE},
        {"t:{k}", "id", "      id: {from: $key.k, map: {a: b}}\n", FALSE},
        {"t:{k}:{l}", "id", "      id: $key.k\n", FALSE},
        {"t:{k}:{l}", "id", "      id: {uuid5: [t, $key.k, $key.l]}\n", TRUE},
        {"t:{k+}:{l+}", "id", "      id: {uuid5: [t, $key.k, $key.l]}\n",
         FALSE}, /* a:b and c, or a and b:c */
        {"t:{k+}:{l}", "id", "      id: {uuid5: [t, $key.k, $key.l]}\n", TRUE},
        {"t:{k}", "id", "      id: {from: id, trim: true, equals: $key.k}\n", TRUE},
        {"t:{k}:{l}", "n, note",
         "      id: $key.k\n      note: {from: $key.k, required: true}\n      n: {from: $key.l, required: "
         "true}\n",
         FALSE},
        /* "1" and "01", "A0…" and "a0…", "x" and "x ": one value */
        {"t:{k}", "n", "      id: $key.k\n      n: {from: $key.k, required: true}\n", FALSE},
        {"t:{k}", "n", "      id: $key.k\n      n: {from: n, equals: $key.k, required: true}\n", FALSE},
        {"t:{k}", "u", "      id: $key.k\n      u: {from: $key.k, required: true}\n", FALSE},
        {"t:{k}", "u", "      id: $key.k\n      u: {uuid5: [t, $key.k], required: true}\n", TRUE},
        {"t:{k}", "padded", "      id: $key.k\n      padded: {from: $key.k, required: true}\n", FALSE},
        {"literal", "id", "      id: id\n", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const RpEntity *entity = bind(CASES[i].keys, CASES[i].key, CASES[i].columns);
        g_autofree char *shown = handmade_show_findings(findings);
        cr_assert(findings->items->len == 0, "%s", shown);
        cr_assert(entity->has_key_identity == CASES[i].is_identity, "%s by %s:\n%s", CASES[i].keys,
                  CASES[i].key, CASES[i].columns);
    }
}
