/* The mapper over every type of key: its references, elements of JSON arrays, and batches in portions. */
#include "mapped.h"

#define NOW_US G_GINT64_CONSTANT(1735787045678901) /* 2025-01-02T03:04:05.678901Z */

TestSuite(elements, .init = mapped_init, .fini = mapped_clear);

static RpMapper *mapper_new(guint portion_rows, gsize portion_bytes) {
    return rp_mapper_new(mapped_mapping, &(RpOccasion){.database = 7, .now_us = NOW_US}, portion_rows,
                         portion_bytes);
}

/* Maps all at once; expected: rows by newlines, rejects after them with '!' before each. */
static void assert_gives(const char *expected) {
    g_autoptr(RpMapper) mapper = mapper_new(100000, 1 << 30);
    rp_mapper_map(mapper, mapped_batch);
    cr_assert(mapped_batch->is_whole);
    g_autoptr(GString) got = g_string_new(NULL);
    for (guint i = 0; i < mapped_batch->tuples[0].rows->len; i++) {
        g_autofree char *row = mapped_row(i);
        g_string_append_printf(got, "%s%s", got->len > 0 ? "\n" : "", row);
    }
    for (guint i = 0; i < mapped_batch->rejects->len; i++) {
        g_autofree char *reject = mapped_reject(i);
        g_string_append_printf(got, "%s!%s", got->len > 0 ? "\n" : "", reject);
    }
    cr_assert(strcmp(got->str, expected) == 0, "gave\n%s\nnot\n%s", got->str, expected);
    const RpCounts *counts = &mapped_batch->counts[0];
    cr_assert(counts->read == mapped_batch->tuples[0].rows->len + mapped_batch->rejects->len);
    cr_assert(counts->rejected == mapped_batch->rejects->len);
}

/* ---- types ---- */

Test(elements, a_string_gives_its_value) {
    mapped_load_type("string", "      a: $value\n      b: {from: $value.x, on_invalid: null}\n");
    mapped_add_values(RP_RECORD_STRING, "t:1", "plain", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "{\"x\":5}", NULL, NULL);
    assert_gives("plain|NULL\n|NULL\n{\"x\":5}|5");
}

Test(elements, a_json_key_gives_its_members) {
    mapped_load_type(
        "json", "      a: name\n      b: tags.0\n      c: $value\n      doc: meta\n      d: $value.name\n");
    mapped_add_values(RP_RECORD_STRING, "t:1", "{\"name\":\"N\\u00e9\",\"tags\":[\"x\"],\"meta\":{\"k\":1}}",
                      NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "{\"name\":null,\"tags\":[],\"meta\":null}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "[1]", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "{\"name\":", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "{\"name\":\"\xff\"}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "{\"name\":true,\"tags\":\"x\",\"meta\":[ ]}", NULL, NULL);
    assert_gives(
        "N\xc3\xa9|x|{\"name\":\"N\\\\u00e9\",\"tags\":[\"x\"],\"meta\":{\"k\":1}}|{\"k\":1}|N\xc3\xa9\n"
        "NULL|NULL|{\"name\":null,\"tags\":[],\"meta\":null}|NULL|NULL\nNULL|NULL|[1]|NULL|NULL\n"
        "true|NULL|{\"name\":true,\"tags\":\"x\",\"meta\":[ ]}|[ ]|true\n"
        "!invalid_json a -\n!invalid_json a -\n!invalid_encoding a -");
}

Test(elements, a_list_gives_elements_with_their_index) {
    mapped_load_type(
        "list",
        "      a: $value\n      n: $index\n      b: $index\n      c: {template: \"{$key.id}.{$index}\"}\n");
    mapped_add_values(RP_RECORD_LIST, "t:1", "x", NULL, NULL)->index = 0;
    mapped_add_values(RP_RECORD_LIST, "t:1", "", NULL, NULL)->index = 1;
    mapped_add_values(RP_RECORD_LIST, "t:1", "z", NULL, NULL)->index = G_GINT64_CONSTANT(3000000000);
    assert_gives("x|\\x00\\x00\\x00\\x00|0|1.0\n|\\x00\\x00\\x00\\x01|1|1.1\n!out_of_range n 3000000000");
}

Test(elements, sets_sorted_sets_and_json_inside_them) {
    mapped_load_type("zset",
                     "      a: $value\n      b: $score\n      c: {from: $value.k, on_invalid: null}\n");
    mapped_add_values(RP_RECORD_ZSET, "t:1", "m", "1.5", NULL);
    mapped_add_values(RP_RECORD_ZSET, "t:1", "{\"k\":\"v\"}", "-inf", NULL);
    mapped_add_values(RP_RECORD_ZSET, "t:1", "", "1e+20", NULL);
    assert_gives("m|1.5|NULL\n{\"k\":\"v\"}|-inf|v\n|1e+20|NULL");
}

Test(elements, a_stream_gives_entries_with_their_fields) {
    mapped_load_type("stream", "      a: $id\n      b: temp\n      c: doc.x\n      d: $key\n");
    mapped_add_values(RP_RECORD_STREAM, "t:1", "1-0", "temp", "20");
    mapped_add_values(RP_RECORD_STREAM, "t:1", "1-1", "doc", "{\"x\":1}");
    mapped_add_values(RP_RECORD_STREAM, "t:1", "temp", "x", "temp"); /* an id that looks like a field */
    rp_records_add_value(&mapped_batch->records, RP_SPAN_OF("temp"));
    rp_records_add_value(&mapped_batch->records, RP_SPAN_OF("3"));
    mapped_add_values(RP_RECORD_STREAM, "t:1", "1-3", NULL, NULL);
    assert_gives("1-0|20|NULL|t:1\n1-1|NULL|1|t:1\ntemp|3|NULL|t:1\n1-3|NULL|NULL|t:1");
}

/* ---- what the record and the run know ---- */

Test(elements, times_and_the_place) {
    mapped_load("      a: $ttl_ms\n      b: $expires_at\n      c: $db\n      d: $now\n");
    RpRecord *never = mapped_add("t:1", "");
    never->ttl_ms = never->expires_at_ms = -1;
    RpRecord *soon = mapped_add("t:1", "");
    soon->ttl_ms = 1500;
    soon->expires_at_ms = G_GINT64_CONSTANT(1735787045678);
    RpRecord *unknown = mapped_add("t:1", "");
    unknown->ttl_ms = unknown->expires_at_ms = -2;
    RpRecord *first = mapped_add("t:1", "");
    first->ttl_ms = first->expires_at_ms = 0;
    assert_gives("NULL|NULL|7|2025-01-02T03:04:05.678901Z\n1500|2025-01-02T03:04:05.678000Z|7|2025-01-02T03:"
                 "04:05.678901Z\n"
                 "NULL|NULL|7|2025-01-02T03:04:05.678901Z\n0|1970-01-01T00:00:00.000000Z|7|2025-01-02T03:04:"
                 "05.678901Z");
}

Test(elements, an_expiry_is_a_timestamp) {
    mapped_load("      at: $expires_at\n      a: {from: $now, max_length: 27}\n");
    mapped_add("t:1", "")->expires_at_ms =
        G_GINT64_CONSTANT(946684800001); /* a millisecond into PostgreSQL's epoch */
    assert_gives("\\x00\\x00\\x00\\x00\\x00\\x00\\x03\\xe8|2025-01-02T03:04:05.678901Z");
}

/* Redis takes any 64-bit number of milliseconds: none may wrap around into a time that looks sound. */
Test(elements, an_expiry_no_type_holds_is_refused) {
    mapped_load("      at: $expires_at\n");
    mapped_add("t:1", "")->expires_at_ms = G_MAXINT64;
    mapped_add("t:1", "")->expires_at_ms = G_MAXINT64 / 1000;
    mapped_add("t:1", "")->expires_at_ms = G_GINT64_CONSTANT(9224318015999000); /* PostgreSQL's last second */
    g_autoptr(RpMapper) mapper = mapper_new(1000, 1 << 20);
    rp_mapper_map(mapper, mapped_batch);
    cr_assert(mapped_batch->rejects->len >= 2);
    for (guint i = 0; i < 2; i++) {
        const RpReject *reject = &g_array_index(mapped_batch->rejects, RpReject, i);
        cr_assert(reject->record == i &&
                  (reject->code == RP_REJECT_OUT_OF_RANGE || reject->code == RP_REJECT_INVALID_TIMESTAMP));
    }
}

Test(elements, what_is_too_large_or_of_another_type_names_its_record) {
    mapped_load_type("list", "      a: $value\n");
    mapped_add_values(RP_RECORD_LIST, "t:1", "x", NULL, NULL)->index = 0;
    RpRecord *large = mapped_add_values(RP_RECORD_LIST, "t:1", NULL, NULL, NULL);
    large->outcome = RP_READ_TOO_LARGE;
    large->index = 1;
    RpRecord *wrong = mapped_add_values(RP_RECORD_STRING, "t:2", "v", NULL, NULL);
    wrong->outcome = RP_READ_WRONG_TYPE;
    assert_gives("x\n!too_large - -\n!wrong_type - -");
    cr_assert(strstr(g_array_index(mapped_batch->rejects, RpReject, 0).message, "an element holds more") !=
              NULL);
    cr_assert(strstr(g_array_index(mapped_batch->rejects, RpReject, 1).message,
                     "holds a string, not a list") != NULL);
}

/* ---- each ---- */

Test(elements, each_gives_a_row_for_every_element) {
    mapped_load_type("json\n    each: items",
                     "      a: $element.sku\n      b: $index\n      c: name\n      doc: $element\n");
    mapped_add_values(RP_RECORD_STRING, "t:1",
                      "{\"name\":\"N\",\"items\":[{\"sku\":\"x\\n\"},{\"sku\":2} ,7,null,{}]}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:2", "{\"items\":[],\"name\":\"M\"}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:3", "{\"name\":\"none\"}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:4", "{\"items\":null}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:5", "{\"items\":{\"sku\":1}}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:6", "{\"items\":\"[1]\"}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:7", "{\"items\":[1,]}", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:8", "{\"items\":[[\"a\"]]}", NULL, NULL);
    assert_gives("x\\n|0|N|{\"sku\":\"x\\\\n\"}\n2|1|N|{\"sku\":2}\nNULL|2|N|7\nNULL|3|N|NULL\nNULL|4|N|{}"
                 "\nNULL|0|NULL|[\"a\"]\n"
                 "!invalid_json - -\n!invalid_json - -\n!invalid_json - -");
    static const guint32 elements[] = {0, 1, 2, 3, 4, 0};
    for (guint i = 0; i < G_N_ELEMENTS(elements); i++)
        cr_assert(rp_tuples_get(&mapped_batch->tuples[0], i)->element == elements[i]);
}

Test(elements, each_walks_over_a_field_of_a_hash) {
    mapped_load_type("hash\n    each: meta.items",
                     "      a: $element.x.0\n      b: other\n      c: meta.owner\n      d: {from: $element, "
                     "required: true}\n");
    mapped_add("t:1", "other=o meta={\"owner\":\"me\",\"items\":[{\"x\":[1]},null,\"s\"]}");
    mapped_add("t:2", "other=o");
    mapped_add("t:3", "meta=");
    mapped_add("t:4", "meta={\"items\":5}");
    mapped_add("t:5", "meta=\1");
    assert_gives("1|o|me|{\"x\":[1]}\nNULL|o|me|s\n!missing_field d -\n!invalid_json - -\n!invalid_json - "
                 "-\n!invalid_encoding - -");
    const RpReject *reject = &g_array_index(mapped_batch->rejects, RpReject, 0);
    cr_assert(reject->record == 0 && reject->element == 1, "a reject names its element");
}

Test(elements, each_may_be_the_whole_value) {
    mapped_load_type("json\n    each: $value",
                     "      a: $element\n      b: {from: $element.k, on_invalid: null}\n      c: \"0.k\"\n");
    mapped_add_values(RP_RECORD_STRING, "t:1", " [ {\"k\":1} , \"two\" ] ", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "5", NULL, NULL);
    mapped_add_values(RP_RECORD_STRING, "t:1", "null", NULL, NULL);
    assert_gives("{\"k\":1}|1|1\ntwo|NULL|1\n!invalid_json - -");
}

Test(elements, strings_of_an_element_stay_apart) {
    mapped_load_type("json\n    each: i", "      a: $element.x\n      b: $element.y\n      c: s\n");
    mapped_add_values(RP_RECORD_STRING, "t:1",
                      "{\"s\":\"\\u0073\",\"i\":[{\"x\":\"\\u0061\",\"y\":\"\\u0062\"},{\"y\":\"\\u0063\"},{"
                      "\"x\":\"\\u0064\"}]}",
                      NULL, NULL);
    assert_gives("a|b|s\nNULL|c|s\nd|NULL|s");
}

/* ---- portions ---- */

/* Elements of which every tenth is refused. */
static char *array_of(guint n_elements) {
    GString *json = g_string_new("[");
    for (guint i = 0; i < n_elements; i++)
        g_string_append_printf(json, "%s{\"n\":%s%u}", i > 0 ? "," : "", i % 10 == 9 ? "1." : "", i);
    g_string_append_c(json, ']');
    return g_string_free(json, FALSE);
}

typedef struct {
    guint n_portions;
    guint n_rows;
    guint n_rejects;
    RpCounts counts;
} Taken;

/* As mapper and writer do it: portion by portion; the elements come in their order, each once. */
static Taken take_portions(guint portion_rows, gsize portion_bytes, guint most_rows) {
    g_autoptr(RpMapper) mapper = mapper_new(portion_rows, portion_bytes);
    Taken taken = {0};
    guint32 next = 0, next_reject = 0;
    rp_mapper_map(mapper, mapped_batch);
    for (;;) {
        const RpTuples *tuples = &mapped_batch->tuples[0];
        cr_assert(tuples->rows->len + mapped_batch->rejects->len <= most_rows &&
                  mapped_batch->portion == taken.n_portions);
        for (guint i = 0; i < tuples->rows->len; i++, next += next % 10 == 8 ? 2 : 1)
            cr_assert(rp_tuples_get(tuples, i)->element == next, "%u instead of %u",
                      rp_tuples_get(tuples, i)->element, next);
        for (guint i = 0; i < mapped_batch->rejects->len; i++, next_reject += 10)
            cr_assert(g_array_index(mapped_batch->rejects, RpReject, i).element == next_reject + 9);
        taken.n_rows += tuples->rows->len;
        taken.n_rejects += mapped_batch->rejects->len;
        rp_counts_add(&taken.counts, &mapped_batch->counts[0]);
        taken.n_portions++;
        if (mapped_batch->is_whole)
            return taken;
        rp_batch_next_portion(mapped_batch);
        rp_mapper_map(mapper, mapped_batch);
    }
}

Test(elements, a_record_of_many_elements_comes_in_portions) {
    g_autofree char *json = array_of(10000);
    mapped_load_type("json\n    each: $value", "      n: $element.n\n");
    mapped_add_values(RP_RECORD_STRING, "t:1", json, NULL, NULL);
    const Taken taken = take_portions(100, 1 << 30, 100);
    cr_assert(taken.n_rows == 9000 && taken.n_rejects == 1000, "%u rows, %u rejects", taken.n_rows,
              taken.n_rejects);
    cr_assert(taken.counts.read == 10000 && taken.counts.rejected == 1000);
    cr_assert(taken.n_portions >= 100 && taken.n_portions <= 101, "%u portions", taken.n_portions);
}

Test(elements, portions_are_bounded_in_bytes_too) {
    g_autofree char *json = array_of(1000);
    mapped_load_type("json\n    each: $value", "      n: $element.n\n      doc: $element\n");
    mapped_add_values(RP_RECORD_STRING, "t:1", json, NULL, NULL);
    const Taken taken = take_portions(100000, 1000, 100);
    cr_assert(taken.n_rows == 900 && taken.n_rejects == 100 && taken.n_portions > 30, "%u portions",
              taken.n_portions);
}

/* Records before and after the large one, and empty ones, at every place where a portion may end. */
Test(elements, portions_may_end_between_records) {
    for (guint portion_rows = 1; portion_rows <= 12; portion_rows++) {
        mapped_load_type("json\n    each: $value", "      a: $element\n");
        static const char *const VALUES[] = {"[]",          "[1,2,3]", "[]",   "[]", "[4]",
                                             "[5,6,7,8,9]", "x",       "[10]", "[]"};
        for (guint i = 0; i < G_N_ELEMENTS(VALUES); i++)
            mapped_add_values(RP_RECORD_STRING, "t:1", VALUES[i], NULL, NULL);
        mapped_newest()->outcome = RP_READ_OK;
        RpMapper *mapper = mapper_new(portion_rows, 1 << 20);
        g_autoptr(GString) got = g_string_new(NULL);
        guint64 n_read = 0, n_rejected = 0;
        for (rp_mapper_map(mapper, mapped_batch);; rp_mapper_map(mapper, mapped_batch)) {
            for (guint i = 0; i < mapped_batch->tuples[0].rows->len; i++) {
                g_autofree char *row = mapped_row(i);
                g_string_append_printf(got, "%s ", row);
            }
            n_read += mapped_batch->counts[0].read;
            n_rejected += mapped_batch->counts[0].rejected;
            if (mapped_batch->is_whole)
                break;
            rp_batch_next_portion(mapped_batch);
        }
        cr_assert(strcmp(got->str, "1 2 3 4 5 6 7 8 9 10 ") == 0, "portions of %u: %s", portion_rows,
                  got->str);
        cr_assert(n_read == 11 && n_rejected == 1);
        rp_mapper_free(mapper);
        g_clear_pointer(&mapped_batch, rp_batch_free);
        g_clear_pointer(&mapped_mapping, rp_mapping_free);
    }
}

/* The same mapper takes the next batch from its beginning. */
Test(elements, a_mapper_goes_on_with_the_next_batch) {
    mapped_load_type("json\n    each: $value", "      a: $element\n");
    g_autoptr(RpMapper) mapper = mapper_new(2, 1 << 20);
    for (guint round = 0; round < 3; round++) {
        rp_batch_reset(mapped_batch, 1 << 20);
        mapped_add_values(RP_RECORD_STRING, "t:1", "[1,2,3]", NULL, NULL);
        rp_mapper_map(mapper, mapped_batch);
        cr_assert(!mapped_batch->is_whole && mapped_batch->tuples[0].rows->len == 2);
        rp_batch_next_portion(mapped_batch);
        rp_mapper_map(mapper, mapped_batch);
        cr_assert(mapped_batch->is_whole && mapped_batch->tuples[0].rows->len == 1);
        g_autofree char *last = mapped_row(0);
        cr_assert(strcmp(last, "3") == 0);
    }
}
