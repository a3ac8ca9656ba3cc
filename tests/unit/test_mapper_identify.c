/* The identity of records that are refused. */
#include "mapped.h"

TestSuite(mapper_identify, .init = mapped_init, .fini = mapped_clear);

/* The id of the record, in its binary form as text; "-" where it is not known. */
static char *identify(guint32 record, guint32 element) {
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapped_mapping, &(RpOccasion){0}, 1, 1);
    RpSpan values[1];
    return rp_mapper_identify(mapper, mapped_batch, record, element, values) ? rp_span_show(values[0], 100)
                                                                             : g_strdup("-");
}

static void assert_identity(guint32 record, const char *expected) {
    g_autofree char *got = identify(record, 0);
    cr_assert(strcmp(got, expected) == 0, "record %u is %s, not %s", record, got, expected);
}

/* A mapping whose id is made by the words given, and whose column n refuses what is no number. */
static void load_id(const char *words) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autofree char *yaml =
        g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n"
                        "    table: t\n    key: [id]\n    columns:\n      n: n\n"
                        "      id: %s\n",
                        words);
    mapped_mapping = handmade_mapping(yaml, findings);
    rp_entity_bind(g_ptr_array_index(mapped_mapping->entities, 0), mapped_table, findings);
    mapped_batch = rp_batch_new(1);
}

Test(mapper_identify, asks_nothing_but_the_key_columns) {
    mapped_load("      n: {from: n, required: true}\n");
    mapped_add("t:1", "n=x");
    mapped_add("t:2", "");
    mapped_add("t:3", "n=3");
    mapped_map();
    cr_assert(mapped_batch->rejects->len == 2);
    assert_identity(0, "1");
    assert_identity(1, "2");
    assert_identity(2, "3");
}

Test(mapper_identify, is_not_known_where_the_key_itself_is_refused) {
    load_id("{from: a, trim: true, required: true, equals: $key.id}");
    mapped_add("t:1", "a=_1 n=x");
    mapped_add("t:1", "a=2 n=x");
    mapped_add("t:1", "n=x");
    assert_identity(0, "1");
    assert_identity(1, "-");
    assert_identity(2, "-");
}

Test(mapper_identify, of_a_record_without_values_is_what_its_key_tells) {
    mapped_load("      n: n\n");
    mapped_add("t:1", "")->outcome = RP_READ_WRONG_TYPE;
    mapped_add("t:2", "")->outcome = RP_READ_TOO_LARGE;
    assert_identity(0, "1");
    assert_identity(1, "2");
}

Test(mapper_identify, of_a_record_without_values_is_not_known_by_its_fields) {
    load_id("{from: a, default: none}");
    mapped_add("t:1", "")->outcome = RP_READ_WRONG_TYPE;
    assert_identity(0, "-");
}

Test(mapper_identify, of_a_record_without_values_is_not_known_by_rules_about_fields) {
    load_id("{from: $key.id, equals: a}");
    mapped_add("t:1", "")->outcome = RP_READ_WRONG_TYPE;
    mapped_add("t:1", "a=1");
    assert_identity(0, "-");
    assert_identity(1, "1");
}

Test(mapper_identify, of_a_whole_collection_is_not_known) {
    mapped_load_type("list", "      a: $value\n");
    mapped_add_values(RP_RECORD_LIST, "t:1", "x", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", NULL, NULL, NULL)->outcome = RP_READ_WRONG_TYPE;
    assert_identity(0, "1");
    assert_identity(1, "-");
}

/* Elements are found from where the last one was, and from the beginning where they come out of order. */
Test(mapper_identify, of_elements_of_an_array_in_any_order) {
    static const struct {
        guint32 record, element;
        const char *id;
    } CASES[] = {{0, 0, "a"}, {0, 2, "c"}, {0, 1, "b"}, {0, 1, "b"}, {0, 3, "-"}, {0, 2, "c"},
                 {1, 1, "e"}, {0, 1, "b"}, {1, 0, "d"}, {2, 0, "-"}, {1, 1, "e"}};
    g_autoptr(RpFindings) findings = rp_findings_new();
    mapped_mapping = handmade_mapping("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: json\n"
                                      "    each: $value\n    table: t\n    key: [id]\n    columns:\n"
                                      "      id: {from: $element.id, required: true}\n      n: $element.n\n",
                                      findings);
    rp_entity_bind(g_ptr_array_index(mapped_mapping->entities, 0), mapped_table, findings);
    mapped_batch = rp_batch_new(1);
    mapped_add_values(RP_RECORD_STRING, "t:1",
                      "[{\"id\":\"a\"},{\"id\":\"b\",\"n\":\"x\"},{\"id\":\"c\"},{\"n\":1}]", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:2", "[{\"id\":\"d\"},{\"id\":\"e\"}]", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:3", "no array", NULL, NULL);
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapped_mapping, &(RpOccasion){0}, 1, 1);
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        RpSpan values[1];
        g_autofree char *got =
            rp_mapper_identify(mapper, mapped_batch, CASES[i].record, CASES[i].element, values)
                ? rp_span_show(values[0], 100)
                : g_strdup("-");
        cr_assert(strcmp(got, CASES[i].id) == 0, "case %u gave %s, not %s", i, got, CASES[i].id);
    }
}

/* A record of an entity without `each` moves the reading, too: the elements of the one before are not met
 * where they were left. */
Test(mapper_identify, of_an_element_after_a_record_without_elements) {
    static const struct {
        guint32 record, element;
        const char *id;
    } CASES[] = {{0, 0, "a"}, {1, 0, "9"}, {0, 1, "b"}, {1, 0, "9"}, {0, 2, "c"}};
    g_autoptr(RpFindings) findings = rp_findings_new();
    mapped_mapping =
        handmade_mapping("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: json\n"
                         "    each: $value\n    table: t\n    key: [id]\n    columns:\n"
                         "      id: {from: $element.id, required: true}\n      n: $element.n\n"
                         "  u:\n    keys: \"u:{id}\"\n    type: json\n    table: t\n    key: [id]\n"
                         "    columns:\n      id: {from: $key.id}\n      n: n\n",
                         findings);
    for (guint i = 0; i < 2; i++)
        rp_entity_bind(g_ptr_array_index(mapped_mapping->entities, i), mapped_table, findings);
    mapped_batch = rp_batch_new(2);
    mapped_add_values(RP_RECORD_STRING, "t:1", "[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "u:9", "{\"n\":\"x\"}", NULL, NULL)->entity = 1;
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapped_mapping, &(RpOccasion){0}, 1, 1);
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        RpSpan values[1];
        g_autofree char *got =
            rp_mapper_identify(mapper, mapped_batch, CASES[i].record, CASES[i].element, values)
                ? rp_span_show(values[0], 100)
                : g_strdup("-");
        cr_assert(strcmp(got, CASES[i].id) == 0, "case %u gave %s, not %s", i, got, CASES[i].id);
    }
}

/* The id that the key alone tells; "-" where no row can be of the key, "?" where it tells nothing. */
static void assert_key_tells(guint32 record, const char *expected) {
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapped_mapping, &(RpOccasion){0}, 1, 1);
    RpSpan values[1];
    g_autofree char *got = !rp_mapper_identify_key(mapper, mapped_batch, record, values) ? g_strdup("-")
                           : values[0].data == NULL                                      ? g_strdup("?")
                                                    : rp_span_show(values[0], 100);
    cr_assert(strcmp(got, expected) == 0, "record %u is %s, not %s", record, got, expected);
}

Test(mapper_identify, of_a_key_that_is_gone) {
    load_id("{from: $key.id}");
    mapped_add("t:1", "")->outcome = RP_READ_VANISHED;
    mapped_add("t:2", "id=x");
    assert_key_tells(0, "1");
    assert_key_tells(1, "2");
}

Test(mapper_identify, of_a_key_that_its_field_is_held_to) {
    load_id("{from: a, trim: true, required: true, min_length: 5, equals: $key.id}");
    mapped_add("t:1", "")->outcome = RP_READ_VANISHED;
    mapped_add("t:2", "a=other");
    assert_key_tells(0, "1");
    assert_key_tells(1, "2");
}

Test(mapper_identify, of_a_key_whose_row_takes_its_id_from_a_field_is_not_told) {
    load_id("{from: a}");
    mapped_add("t:1", "")->outcome = RP_READ_VANISHED;
    assert_key_tells(0, "?");
}
