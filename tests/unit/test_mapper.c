/* The mapper: records put into a batch by hand, and the rows and rejects that come of them. */
#include "mapped.h"

TestSuite(mapper, .init = mapped_init, .fini = mapped_clear);

Test(mapper, words_act_in_their_order) {
    ASSERT_MAPS(
        "      a: {map: {x: y}, empty_as_null: true, lower: true, trim: true, from: a, default: none}\n"
        "      b: {from: b, upper: true, map: {UP: down}, max_length: 4}\n"
        "      c: {from: c, default: \" D \", trim: true, lower: true}\n",
        {"a=_X_ b=up c=_Q_", "y|down|q"}, {"a=___ b=UP", "none|down| D "}, {"a= b=", "none|| D "},
        {"b=abcde", "!too_long b ABCDE"}, {"a=Z b=\xc3\xa9", "z|\xc3\x89| D "});
}

Test(mapper, null_takes_the_default_or_is_refused) {
    ASSERT_MAPS("      a: {from: a, required: true}\n"
                "      must: must\n"
                "      b: {from: b, required: true, default: dflt, empty_as_null: true}\n",
                {"a=1 must=2 b=3", "1|2|3"}, {"must=2", "!missing_field a -"}, {"a=1", "!not_null must -"},
                {"a=1 must=2", "1|2|dflt"}, {"a=1 must=2 b=", "1|2|dflt"}, {"a= must=", "||dflt"},
                {"", "!missing_field a -"});
}

Test(mapper, absent_is_null_and_empty_is_empty) {
    ASSERT_MAPS("      a: a\n      n: {from: n, empty_as_null: true}\n", {"a= n=", "|NULL"},
                {"n=7", "NULL|\\x00\\x00\\x00\\a"}, {"a=NULL n=x", "!invalid_integer n x"});
}

Test(mapper, maps_whole_values_only) {
    ASSERT_MAPS("      a: {from: a, map: {canceled: cancelled, \"\": empty, b: \"\"}}\n",
                {"a=canceled", "cancelled"}, {"a=Canceled", "Canceled"}, {"a=", "empty"}, {"a=b", ""},
                {"a=bb", "bb"}, {"", "NULL"});
}

Test(mapper, sensitive_values_are_masked) {
    ASSERT_MAPS("      a: {from: a, max_length: 3, sensitive: true}\n"
                "      n: {from: n, sensitive: true}\n"
                "      must: {from: must, sensitive: true}\n"
                "      b: {from: b, max_length: 3}\n",
                {"a=secret must=1", "!too_long a ***"}, {"n=secret must=1", "!invalid_integer n ***"},
                {"a=\1 must=1", "!invalid_encoding a ***"}, {"b=1", "!not_null must -"},
                {"must=1 b=long", "!too_long b long"});
    for (guint i = 0; i < mapped_batch->rejects->len; i++)
        cr_assert(strstr(g_array_index(mapped_batch->rejects, RpReject, i).message, "secret") == NULL);
}

Test(mapper, rejects_show_the_cleaned_value_shortened) {
    g_autofree char *long_value = g_strnfill(1000, 'x');
    mapped_load("      n: {from: n, trim: true}\n");
    g_autofree char *fields = g_strconcat("n=_", long_value, "_", NULL);
    mapped_add("t:1", fields);
    mapped_add("t:1", "n=_\1\n_");
    mapped_map();
    g_autofree char *first = mapped_reject(0);
    g_autofree char *second = mapped_reject(1);
    g_autofree char *expected = g_strdup_printf("invalid_integer n %.200s…", long_value);
    cr_assert(strcmp(first, expected) == 0, "%s", first);
    cr_assert(strcmp(second, "invalid_integer n \\xff") == 0, "%s", second);
    cr_assert(strcmp(g_array_index(mapped_batch->rejects, RpReject, 0).message, "n is no whole number") == 0);
}

Test(mapper, equals_compares_with_the_key_and_with_fields) {
    ASSERT_MAPS(
        "      a: {from: a, equals: $key.id}\n      b: {from: b, equals: other}\n      c: {from: $key}\n",
        {"a=1 b=x other=x", "1|x|t:1"}, {"a=2", "!rule_failed a 2"}, {"a=1 b=x other=y", "!rule_failed b x"},
        {"a=1 b=x", "!rule_failed b x"}, {"other=y", "NULL|NULL|t:1"});
    const RpReject *found = &g_array_index(mapped_batch->rejects, RpReject, 0);
    cr_assert(strcmp(found->constraint, "equals") == 0);
    cr_assert(strcmp(found->message, "a does not equal $key.id") == 0, "%s", found->message);
}

Test(mapper, uuid5_is_bytes_or_text) {
    /* uuid5(6ba7b810-9dad-11d1-80b4-00c04fd430c8, "customer:c1") */
    mapped_load(
        "      u: {uuid5: [customer, a]}\n      b: {uuid5: [customer, a], max_length: 36}\n"
        "      c: {uuid5: [x, a, $key.id], default: none}\n      d: {uuid5: [customer, a], equals: e}\n");
    cr_assert(
        rp_uuid_parse(RP_SPAN_OF("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &mapped_mapping->uuid_namespace));
    mapped_add("t:1", "a=c1 e=24d0fcb9-f80f-5b66-91eb-2cc3e957e998");
    mapped_add("t:1", "a=c1 e=x");
    mapped_add("t:1", "e=x");
    mapped_map();
    const char *at = mapped_batch->tuples[0].bytes.data + 2 + 4 + 1; /* past the field count and the id */
    static const guint8 BYTES[] = {0,    0,    0,    16,   0x24, 0xd0, 0xfc, 0xb9, 0xf8, 0x0f,
                                   0x5b, 0x66, 0x91, 0xeb, 0x2c, 0xc3, 0xe9, 0x57, 0xe9, 0x98};
    cr_assert(memcmp(at, BYTES, sizeof BYTES) == 0);
    g_autofree char *first = mapped_row(0);
    cr_assert(strstr(first, "|24d0fcb9-f80f-5b66-91eb-2cc3e957e998|") != NULL, "%s", first);
    g_autofree char *second = mapped_row(1);
    cr_assert(strcmp(second, "NULL|NULL|none|NULL") == 0, "%s", second);
    g_autofree char *refused = mapped_reject(0);
    cr_assert(g_str_has_prefix(refused, "rule_failed d "), "rules hold for computed values too: %s", refused);
}

Test(mapper, fields_may_stand_anywhere) {
    ASSERT_MAPS("      a: a\n      b: b\n      c: c\n", {"a=1 b=2 c=3", "1|2|3"}, {"c=3 b=2 a=1", "1|2|3"},
                {"x=9 c=3 y=9 a=1", "1|NULL|3"}, {"a=1 b=2 c=3", "1|2|3"}, {"b=2", "NULL|2|NULL"},
                {"a=b b=c c=a", "b|c|a"}, {"aa=1 ab=2 c=3", "NULL|NULL|3"}, {"", "NULL|NULL|NULL"});
}

Test(mapper, takes_one_of_fields_that_stand_twice) {
    mapped_load("      a: a\n      b: b\n");
    mapped_add("t:1", "a=1 b=3 a=1 b=3");
    mapped_add("t:1", "b=3 a=1 b=3");
    mapped_map();
    for (guint i = 0; i < 2; i++) {
        g_autofree char *fields = mapped_row(i);
        cr_assert(strcmp(fields, "1|3") == 0, "%s", fields);
    }
}

Test(mapper, accounts_for_what_was_not_read) {
    mapped_load("      a: a\n");
    mapped_add("t:gone", "")->outcome = RP_READ_VANISHED;
    RpRecord *wrong = mapped_add("t:list", "");
    wrong->outcome = RP_READ_WRONG_TYPE;
    wrong->type = RP_RECORD_LIST;
    mapped_add("t:big", "")->outcome = RP_READ_TOO_LARGE;
    mapped_add("t:fine", "a=1");
    mapped_map();
    const RpCounts *counts = &mapped_batch->counts[0];
    cr_assert(counts->read == 4 && counts->vanished == 1 && counts->rejected == 2);
    cr_assert(mapped_batch->tuples[0].rows->len == 1 &&
              rp_tuples_get(&mapped_batch->tuples[0], 0)->record == 3);
    g_autofree char *first = mapped_reject(0);
    g_autofree char *second = mapped_reject(1);
    cr_assert(strcmp(first, "wrong_type - -") == 0, "%s", first);
    cr_assert(strcmp(second, "too_large - -") == 0, "%s", second);
    cr_assert(strstr(g_array_index(mapped_batch->rejects, RpReject, 0).message, "list") != NULL);
}

Test(mapper, cuts_a_row_that_turns_out_bad_late) {
    ASSERT_MAPS("      a: a\n      b: b\n      n: n\n", {"a=1 b=2 n=x", "!invalid_integer n x"},
                {"a=1 b=2", "1|2|NULL"}, {"a=1 b=\1", "!invalid_encoding b \\xff"}, {"a=3", "3|NULL|NULL"});
}
