/* The words of a column, one by one: what each makes of good values, of those at its limit, and of bad ones.
 */
#include "mapped.h"

TestSuite(column_words, .init = mapped_init, .fini = mapped_clear);

/* ---- source ---- */

Test(column_words, const_is_the_same_in_every_row) {
    ASSERT_MAPS(
        "      a: {const: fixed}\n      n: {const: 7}\n      b: {const: \"\"}\n      c: {const: \"\", "
        "empty_as_null: true, default: d}\n",
        {"", "fixed|\\x00\\x00\\x00\\a||d"}, {"a=other n=x", "fixed|\\x00\\x00\\x00\\a||d"});
}

Test(column_words, template_joins_its_parts) {
    ASSERT_MAPS("      a: {template: \"{x} {y}\"}\n"
                "      b: {template: \"{{{x}}}{{}}\"}\n"
                "      c: {template: \"{$key.id}/{$key}\"}\n"
                "      d: {template: \"\"}\n"
                "      e: {template: \"{x}{x}\", max_length: 4}\n",
                {"x=1 y=2", "1 2|{1}{}|1/t:1||11"}, {"x=1", "NULL|{1}{}|1/t:1||11"},
                {"y=2", "NULL|NULL|1/t:1||NULL"}, {"x= y=", " |{}{}|1/t:1||"},
                {"x=123 y=2", "!too_long e 123123"});
}

Test(column_words, template_reads_json) {
    ASSERT_MAPS("      a: {template: \"{doc.first}-{doc.last\\\\.name}\"}\n",
                {"doc={\"first\":\"x\",\"last.name\":\"y\"}", "x-y"},
                {"doc={\"first\":null,\"last.name\":\"y\"}", "NULL"}, {"doc={", "!invalid_json a -"});
}

Test(column_words, coalesce_takes_the_first_that_is_not_empty) {
    ASSERT_MAPS("      a: {coalesce: [x, y, z]}\n      b: {coalesce: [x], default: none}\n"
                "      c: {coalesce: [doc.name, $key.id]}\n",
                {"x=1 y=2 z=3", "1|1|1"}, {"y=2 z=3", "2|none|1"}, {"x= y= z=3", "3|none|1"},
                {"x= y= z=", "NULL|none|1"}, {"", "NULL|none|1"}, {"x=_", " | |1"},
                {"doc={\"name\":\"n\"}", "NULL|none|n"}, {"doc={\"name\":\"\"}", "NULL|none|1"},
                {"doc={\"name\":null}", "NULL|none|1"}, {"doc=x", "!invalid_json c -"});
}

/* Version 5 of the DNS namespace over "www:example" and over "a::b": RFC 9562, section 5.5. */
Test(column_words, uuid5_joins_its_parts_with_colons) {
    mapped_load("      a: {uuid5: [www, x]}\n      b: {uuid5: [a, x, y]}\n      c: {uuid5: [a, x, y], "
                "required: true}\n");
    cr_assert(
        rp_uuid_parse(RP_SPAN_OF("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &mapped_mapping->uuid_namespace));
    mapped_add("t:1", "x=example y=b");
    mapped_add("t:1", "x= y=b");
    mapped_add("t:1", "x=example");
    mapped_map();
    g_autofree char *first = mapped_row(0);
    g_autofree char *second = mapped_row(1);
    g_autofree char *refused = mapped_reject(0);
    cr_assert(strcmp(first, "9cd2afe1-2292-5ce2-aee0-99ef240d1199|21b27e96-e68c-5ab5-9a5f-cba21018f920|"
                            "21b27e96-e68c-5ab5-9a5f-cba21018f920") == 0,
              "%s", first);
    cr_assert(strcmp(second, "3092bd77-5b9b-5225-8b71-dfb87ca67d63|970650e6-ff90-5592-a231-02e55adbb550|"
                             "970650e6-ff90-5592-a231-02e55adbb550") == 0,
              "%s", second);
    cr_assert(strcmp(refused, "missing_field c -") == 0, "%s", refused);
}

/* ---- clean ---- */

Test(column_words, trim_cuts_ascii_blanks_at_both_ends) {
    ASSERT_MAPS("      a: {from: a, trim: true}\n      b: {from: a, trim: false}\n",
                {"a=__x_y__", "x y|  x y  "}, {"a=x", "x|x"}, {"a=___", "|   "}, {"a=", "|"},
                {"a=\t\n\r\fx\t", "x|\\t\\n\\r\\x0cx\\t"}, {"a=\xc2\xa0x", "\xc2\xa0x|\xc2\xa0x"},
                {"", "NULL|NULL"});
}

Test(column_words, lower_and_upper_follow_unicode) {
    ASSERT_MAPS("      a: {from: a, lower: true}\n      b: {from: a, upper: true}\n", {"a=aBc", "abc|ABC"},
                {"a=\xc3\x84\xc3\xb6", "\xc3\xa4\xc3\xb6|\xc3\x84\xc3\x96"}, {"a=\xc3\x9f", "\xc3\x9f|SS"},
                {"a=", "|"}, {"a=1_-", "1 -|1 -"}, {"a=\1", "!invalid_encoding a \\xff"},
                {"a=A\1", "!invalid_encoding a a\\xff"}, {"", "NULL|NULL"});
}

Test(column_words, replace_takes_no_text_over_its_limit) {
    g_autofree char *longest = g_strnfill(RP_REGEX_MAX_TEXT, 'x');
    g_autofree char *fits = g_strconcat("a=", longest, NULL);
    g_autofree char *too_long = g_strconcat(fits, "x", NULL);
    mapped_load("      a: {from: a, replace: {regex: \"x+\", with: \"y\"}}\n");
    mapped_add("t:1", fits);
    mapped_add("t:2", too_long);
    mapped_map();
    g_autofree char *row = mapped_row(0);
    cr_assert(strcmp(row, "y") == 0, "%s", row);
    g_autofree char *reject = mapped_reject(0);
    cr_assert(g_str_has_prefix(reject, "too_long a x"), "%.40s", reject);
}

Test(column_words, replace_changes_every_match) {
    ASSERT_MAPS("      a: {from: a, replace: {regex: \"[^0-9]\", with: \"\"}}\n"
                "      b: {from: b, replace: {regex: \"^(\\\\w+)@(?<host>.+)$\", with: \"${host}:$1\"}}\n",
                {"a=+49_(0)3 b=me@example.com", "4903|example.com:me"}, {"a=abc b=x", "|x"},
                {"a=12 b=", "12|"}, {"", "NULL|NULL"}, {"a=1\1", "!invalid_encoding a 1\\xff"});
}

Test(column_words, replace_gives_up_on_what_costs_too_much) {
    g_autofree char *fields = g_strdup_printf("a=%060d!", 0);
    mapped_load("      a: {from: a, replace: {regex: \"(0+)+$\", with: x}}\n");
    mapped_add("t:1", fields);
    mapped_add("t:1", "a=1000");
    mapped_map();
    g_autofree char *refused = mapped_reject(0);
    g_autofree char *fine = mapped_row(0);
    cr_assert(g_str_has_prefix(refused, "pattern_mismatch a 0000"), "%s", refused);
    cr_assert(strcmp(fine, "1x") == 0, "%s", fine);
}

Test(column_words, map_knows_whole_values_and_a_default_for_others) {
    ASSERT_MAPS("      a: {from: a, map: {x: \"1\", y: \"\"}, map_default: other}\n"
                "      b: {from: a, map: {x: \"1\"}}\n"
                "      c: {from: a, map: {x: y, y: z}, map_default: \"\", empty_as_null: true}\n",
                {"a=x", "1|1|y"}, {"a=y", "|y|z"}, {"a=X", "other|X|"}, {"a=", "other||NULL"},
                {"", "NULL|NULL|NULL"});
}

Test(column_words, split_makes_elements_of_what_was_cleaned) {
    mapped_load("      tags: {from: a, lower: true, map: {\"none\": \"a;b\"}, split: \";\"}\n");
    mapped_add("t:1", "a=NONE");
    mapped_add("t:1", "a=X;Y");
    mapped_map();
    g_autofree char *first = mapped_row(0);
    g_autofree char *second = mapped_row(1);
    cr_assert(g_str_has_suffix(first, "\\x00\\x00\\x00\\x01a\\x00\\x00\\x00\\x01b"), "%s", first);
    cr_assert(g_str_has_suffix(second, "\\x00\\x00\\x00\\x01x\\x00\\x00\\x00\\x01y"), "%s", second);
}

/* Each step sees what the one before it has made. */
Test(column_words, clean_goes_in_its_order) {
    ASSERT_MAPS(
        "      a: {from: a, map: {x: trimmed}, trim: true}\n"
        "      b: {from: b, map: {low: mapped}, lower: true}\n"
        "      c: {from: c, replace: {regex: \"[a-z]\", with: \"\"}, lower: true, empty_as_null: true, "
        "default: dflt}\n"
        "      d: {from: d, empty_as_null: true, map: {\"\": never}, default: late}\n"
        "      e: {from: e, replace: {regex: \"^_\", with: \"\"}, trim: true}\n",
        {"a=_x_ b=LOW c=ABC d= e=_x", "trimmed|mapped|dflt|late|x"},
        {"a=x b=Low c=1 d=1", "trimmed|mapped|1|1|NULL"});
}

/* ---- default ---- */

/* The default is no value that is cleaned: it stands as it is written, and is converted. */
Test(column_words, default_comes_after_clean_and_before_rules) {
    ASSERT_MAPS("      a: {from: a, default: \" X \", trim: true, lower: true, map: {\" X \": never}}\n"
                "      n: {from: n, default: 5, max: 5, empty_as_null: true}\n"
                "      b: {from: b, map: {gone: \"\"}, default: d}\n",
                {"", " X |\\x00\\x00\\x00\\x05|d"}, {"a=Y n= b=gone", "y|\\x00\\x00\\x00\\x05|"},
                {"n=6", "!out_of_range n 6"});
}

/* ---- convert ---- */

Test(column_words, on_invalid_rejects_or_puts_null_or_the_default) {
    ASSERT_MAPS("      n: {from: n, on_invalid: null, max: 9}\n"
                "      a: {from: a, on_invalid: default, default: def, max_length: 3}\n"
                "      b: {from: b, on_invalid: reject, max_length: 3}\n",
                {"n=7 a=abc b=x", "\\x00\\x00\\x00\\a|abc|x"}, {"n=x a=abcd", "NULL|def|NULL"},
                {"n=10 a=\1", "NULL|def|NULL"}, {"", "NULL|def|NULL"}, {"n=1 b=abcd", "!too_long b abcd"},
                {"n=99999999999", "NULL|def|NULL"});
}

/* A value that is missing is not invalid. */
Test(column_words, on_invalid_does_not_replace_what_is_missing) {
    ASSERT_MAPS("      a: {from: a, on_invalid: default, default: d, empty_as_null: true, equals: b}\n"
                "      c: {from: c, on_invalid: \"reject\", required: true}\n",
                {"c=x a=d b=d", "d|x"}, {"a=d b=d", "!missing_field c -"}, {"a=e b=d c=x", "d|x"},
                {"a=e b=f c=x", "!rule_failed a e"});
}

Test(column_words, on_invalid_is_for_json_that_is_none) {
    ASSERT_MAPS(
        "      a: {from: doc.a, on_invalid: null}\n      b: {from: doc.a, on_invalid: default, default: d}\n"
        "      c: {coalesce: [doc.a, x], on_invalid: null}\n",
        {"doc={\"a\":1}", "1|1|1"}, {"doc={a:1} x=y", "NULL|d|NULL"}, {"x=y", "NULL|d|y"});
}

/* ---- rules ---- */

Test(column_words, one_of_names_what_is_allowed) {
    ASSERT_MAPS("      a: {from: a, one_of: [x, \"\", y z]}\n      b: {from: b, trim: true, map: {p: x}, "
                "one_of: [x]}\n"
                "      n: {from: n, one_of: [1, 2]}\n",
                {"a=x b=_p n=1", "x|x|\\x00\\x00\\x00\\x01"}, {"a= n=2", "|NULL|\\x00\\x00\\x00\\x02"},
                {"a=y_z", "y z|NULL|NULL"}, {"a=X", "!invalid_value a X"}, {"a=xx", "!invalid_value a xx"},
                {"b=q", "!invalid_value b q"}, {"n=3", "!invalid_value n 3"}, {"", "NULL|NULL|NULL"});
    cr_assert(strcmp(g_array_index(mapped_batch->rejects, RpReject, 0).message, "a is none of x, , y z") == 0,
              "%s", g_array_index(mapped_batch->rejects, RpReject, 0).message);
}

Test(column_words, matches_is_about_the_whole_value) {
    ASSERT_MAPS("      a: {from: a, matches: \"[A-Z]{2}\\\\d+\"}\n      b: {from: b, matches: \".*\"}\n",
                {"a=AB1", "AB1|NULL"}, {"a=xAB1", "!pattern_mismatch a xAB1"},
                {"a=AB1x", "!pattern_mismatch a AB1x"}, {"a=AB1\n", "!pattern_mismatch a AB1\\n"},
                {"a=", "!pattern_mismatch a "}, {"", "NULL|NULL"}, {"b=", "NULL|"},
                {"b=\1", "!invalid_encoding b \\xff"});
}

/* ---- privacy ---- */

/* echo -n secret | sha256sum */
#define DIGEST_OF_SECRET  "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
#define DIGEST_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

Test(column_words, hash_stores_the_digest_of_what_was_cleaned) {
    ASSERT_MAPS("      a: {from: a, hash: sha256, trim: true, lower: true, max_length: 10}\n"
                "      b: {from: b, hash: sha256, default: secret}\n",
                {"a=_Secret_", DIGEST_OF_SECRET "|" DIGEST_OF_SECRET},
                {"a= b=", DIGEST_OF_NOTHING "|" DIGEST_OF_NOTHING}, {"b=secret", "NULL|" DIGEST_OF_SECRET},
                {"a=12345678901", "!too_long a ***"});
}

Test(column_words, hash_gives_a_bytea_the_digest_itself) {
    mapped_load("      bytes: {from: a, hash: sha256}\n");
    mapped_add("t:1", "a=secret");
    mapped_map();
    const RpTuples *tuples = &mapped_batch->tuples[0];
    static const guint8 DIGEST[] = {0, 0, 0, 32, 0x2b, 0xb8, 0x0d, 0x53};
    cr_assert(memcmp(tuples->bytes.data + 2 + 4 + 1, DIGEST, sizeof DIGEST) == 0, "size and first bytes");
    g_free(mapped_row(0));
}

Test(column_words, what_is_hashed_or_sensitive_is_never_shown) {
    ASSERT_MAPS(
        "      a: {from: a, hash: sha256, one_of: [x]}\n      b: {from: b, sensitive: true, matches: x}\n"
        "      c: {template: \"{c}{c}\", sensitive: true, max_length: 1}\n      d: {from: doc.a, sensitive: "
        "true, "
        "max_length: 1}\n      e: {from: e, hash: sha256, sensitive: false, max_length: 1}\n",
        {"a=secret", "!invalid_value a ***"}, {"b=secret", "!pattern_mismatch b ***"},
        {"c=secret", "!too_long c ***"}, {"doc={\"a\":\"secret\"}", "!too_long d ***"},
        {"e=secret", "!too_long e ***"});
    for (guint i = 0; i < mapped_batch->rejects->len; i++)
        cr_assert(strstr(g_array_index(mapped_batch->rejects, RpReject, i).message, "secret") == NULL);
}
