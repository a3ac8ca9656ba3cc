/* What is said of the words of a column that are wrong: bad types, bad values, conflicts, and what is
 * missing. */
#include "handmade.h"

/* A column (at 9:7) beside id of an entity over hashes; expected is "code line:column". */
static void assert_said(const char *column, const char *expected, const char *text) {
    g_autofree char *yaml =
        g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n    "
                        "table: t\n    key: [id]\n    columns: {id: id,\n      %s}\n",
                        column);
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping = handmade_mapping(yaml, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    if (expected == NULL) {
        cr_assert(findings->items->len == 0, "%s\n%s", column, shown);
        return;
    }
    cr_assert(findings->items->len == 1, "%s\n%s", column, shown);
    const RpFinding *finding = g_ptr_array_index(findings->items, 0);
    g_autofree char *got = g_strdup_printf("%s %s", finding->code, finding->place + strlen("m.yaml:"));
    cr_assert(strcmp(got, expected) == 0, "%s\n%snot %s", column, shown, expected);
    cr_assert(strstr(finding->text, text) != NULL, "%s\n%slacks %s", column, shown, text);
}

typedef struct {
    const char *column, *expected, *text;
} Case;

static void assert_all(const Case *cases, guint n_cases) {
    for (guint i = 0; i < n_cases; i++)
        assert_said(cases[i].column, cases[i].expected, cases[i].text);
}

#define ASSERT_SAID(...)                                                                                     \
    do {                                                                                                     \
        static const Case cases_[] = {__VA_ARGS__};                                                          \
        assert_all(cases_, G_N_ELEMENTS(cases_));                                                            \
    } while (0)

Test(column_findings, of_sources) {
    ASSERT_SAID({"a: {const: x}", NULL, NULL}, {"a: {const: \"\"}", NULL, NULL},
                {"a: {const: [x]}", "wrong_yaml_type 9:18", "takes a scalar"},
                {"a: {const: null}", "wrong_yaml_type 9:18", "not nothing"},
                {"a: {const: x, from: y}", "two_sources 9:27", "two sources"},
                {"a: {template: \"{x}{{{y}\"}", NULL, NULL}, {"a: {template: \"\"}", NULL, NULL},
                {"a: {template: \"{x\"}", "bad_value 9:21", "a brace stands alone"},
                {"a: {template: \"x}\"}", "bad_value 9:21", "a brace stands alone"},
                {"a: {template: \"{}\"}", "bad_reference 9:21", "a name in it is empty"},
                {"a: {template: \"{$key.nobody}\"}", "bad_reference 9:21", "captures no \"nobody\""},
                {"a: {template: \"{$index}\"}", "bad_reference 9:21", "$index is not here"},
                {"a: {template: \"{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}\"}", NULL, NULL},
                {"a: {template: \"{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}q\"}", "bad_value 9:21",
                 "more than 16 parts"},
                {"a: {template: [x]}", "wrong_yaml_type 9:21", "takes a scalar"},
                {"a: {coalesce: [x]}", NULL, NULL},
                {"a: {coalesce: []}", "bad_value 9:21", "one reference or more"},
                {"a: {coalesce: x}", "wrong_yaml_type 9:21", "takes a list"},
                {"a: {coalesce: [x, $score]}", "bad_reference 9:25", "$score is not here"},
                {"a: {coalesce: [x, [y]]}", "bad_reference 9:25", "a reference is a scalar"},
                {"a: {coalesce: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}", "bad_value 9:70",
                 "more than 16 parts"},
                {"a: {uuid5: [n, x]}", NULL, NULL},
                {"a: {uuid5: []}", "bad_value 9:18", "a name and one reference or more"},
                {"a: {uuid5: [[n], x]}", "bad_value 9:18", "a name and one reference or more"});
}

Test(column_findings, of_lookups) {
    ASSERT_SAID(
        {"a: {lookup: {table: u, match: {x: y}, take: z}}", NULL, NULL},
        {"a: {lookup: u}", "wrong_yaml_type 9:19", "takes a map"},
        {"a: {lookup: {table: u, match: {x: y}}}", "missing_word 9:19", "lacks \"take\""},
        {"a: {lookup: {table: u, take: z}}", "missing_word 9:19", "lacks \"match\""},
        {"a: {lookup: {match: {x: y}, take: z}}", "missing_word 9:19", "lacks \"table\""},
        {"a: {lookup: {table: u, match: {}, take: z}}", "bad_value 9:37", "1 to 16 columns"},
        {"a: {lookup: {table: u, match: {x: $score}, take: z}}", "bad_reference 9:41", "$score is not here"},
        {"a: {lookup: {table: u, match: {x: [y]}, take: z}}", "bad_reference 9:41",
         "a reference is a scalar"},
        {"a: {lookup: {table: u, match: {x: y}, take: z, tack: z}}", "unknown_word 9:54", "did you mean"},
        {"a: {lookup: {table: \"\", match: {x: y}, take: z}}", "bad_value 9:27", "a name is empty"},
        {"a: {lookup: {table: u, match: {x: y}, take: z}, trim: true}", "word_without_effect 9:55",
         "a lookup"},
        {"a: {lookup: {table: u, match: {x: y}, take: z}, default: q}", NULL, NULL},
        {"a: {lookup: {table: u, match: {x: y}, take: z}, required: true, sensitive: true}", NULL, NULL},
        {"a: {from: x, lookup: {table: u, match: {x: y}, take: z}}", "two_sources 9:28", "two sources"});
}

Test(column_findings, of_cleaning) {
    ASSERT_SAID({"a: {from: x, replace: {regex: \"a(b)\", with: \"$1\"}}", NULL, NULL},
                {"a: {from: x, replace: y}", "wrong_yaml_type 9:29", "takes a map"},
                {"a: {from: x, replace: {regex: y}}", "missing_word 9:29", "lacks \"with\""},
                {"a: {from: x, replace: {with: y}}", "missing_word 9:29", "lacks \"regex\""},
                {"a: {from: x, replace: {regex: \"(\", with: y}}", "bad_regex 9:37", "no regular expression"},
                {"a: {from: x, replace: {regex: y, with: \"$1\"}}", "bad_regex 9:29", "no group \"1\""},
                {"a: {from: x, replace: {regex: y, with: \"$\"}}", "bad_regex 9:29", "after a dollar"},
                {"a: {from: x, replace: {regex: y, with: z, wiht: z}}", "unknown_word 9:49",
                 "did you mean \"with\"?"},
                {"a: {from: x, map: {a: b}, map_default: c}", NULL, NULL},
                {"a: {from: x, map_default: c}", "missing_word 9:10", "\"map_default\" needs \"map\""},
                {"a: {from: x, map: {a: b}, map_default: [c]}", "wrong_yaml_type 9:46", "takes a scalar"},
                {"a: {from: x, split: \", \"}", NULL, NULL},
                {"a: {from: x, split: \"\"}", "bad_value 9:27", "the text between two elements"},
                {"a: {from: x, split: [a]}", "wrong_yaml_type 9:27", "takes a scalar"},
                {"a: {from: x, lower: true, upper: true}", "words_conflict 9:10", "exclude each other"},
                {"a: {from: x, lower: true, upper: false}", NULL, NULL},
                {"a: {from: x, upper: 1}", "bad_value 9:27", "neither true nor false"},
                {"a: {from: x, empty_as_null: [true]}", "wrong_yaml_type 9:35", "takes a scalar"},
                {"a: {uuid5: [n, x], trim: true}", "word_without_effect 9:26", "of uuid5"},
                {"a: {uuid5: [n, x], on_invalid: reject}", "word_without_effect 9:26", "of uuid5"},
                {"a: {uuid5: [n, x], required: true, sensitive: true, min_length: 3}", NULL, NULL});
}

Test(column_findings, of_conversions) {
    ASSERT_SAID(
        {"a: {from: x, timestamp: \"%d/%m/%Y\"}", NULL, NULL},
        {"a: {from: x, timestamp: \"%Q\"}", "bad_value 9:31", "no time format"},
        {"a: {from: x, timestamp: unix_s}", "bad_value 9:31", "none of iso8601"},
        {"a: {from: x, boolean: {true: [y], false: [n]}}", NULL, NULL},
        {"a: {from: x, boolean: {true: [y]}}", "missing_word 9:29", "lacks \"false\""},
        {"a: {from: x, boolean: {true: y, false: [n]}}", "wrong_yaml_type 9:36", "takes a list"},
        {"a: {from: x, boolean: {true: [y, n], false: [n]}}", "bad_value 9:29",
         "\"n\" is both true and false"},
        {"a: {from: x, boolean: true}", "wrong_yaml_type 9:29", "takes a map"},
        {"a: {from: x, divide: 100}", NULL, NULL},
        {"a: {from: x, divide: 0}", "bad_value 9:28", "no whole number from 1"},
        {"a: {from: x, divide: -1}", "bad_value 9:28", "no whole number"},
        {"a: {from: x, divide: 1.5}", "bad_value 9:28", "no whole number"},
        {"a: {from: x, divide: 1000000000}", NULL, NULL},
        {"a: {from: x, divide: 1000000001}", "bad_value 9:28", "from 1 to 1000000000"},
        {"a: {from: x, round: half_up}", NULL, NULL},
        {"a: {from: x, round: up}", "bad_value 9:27", "none of half_even, half_up, down"},
        {"a: {from: x, encoding: base64}", NULL, NULL},
        {"a: {from: x, encoding: base32}", "bad_value 9:30", "none of hex, base64"},
        {"a: {from: x, on_invalid: null}", NULL, NULL}, {"a: {from: x, on_invalid: ~}", NULL, NULL},
        {"a: {from: x, on_invalid: \"null\"}", NULL, NULL},
        {"a: {from: x, on_invalid: reject, required: true}", NULL, NULL},
        {"a: {from: x, on_invalid: drop}", "bad_value 9:32", "none of reject, null, default"},
        {"a: {from: x, on_invalid: [null]}", "wrong_yaml_type 9:32", "takes reject, null or default"},
        {"a: {from: x, on_invalid: default}", "missing_word 9:10", "needs \"default\""},
        {"a: {from: x, on_invalid: default, default: y}", NULL, NULL},
        {"a: {from: x, on_invalid: null, required: true}", "words_conflict 9:10", "exclude each other"});
}

Test(column_findings, of_rules_and_privacy) {
    ASSERT_SAID({"a: {from: x, one_of: [a, 1, true]}", NULL, NULL},
                {"a: {from: x, one_of: []}", "bad_value 9:28", "names no value"},
                {"a: {from: x, one_of: a}", "wrong_yaml_type 9:28", "takes a list"},
                {"a: {from: x, one_of: [a, [b]]}", "wrong_yaml_type 9:32", "a scalar is expected"},
                {"a: {from: x, one_of: [a, null]}", "wrong_yaml_type 9:32", "not nothing"},
                {"a: {from: x, matches: \"a+\"}", NULL, NULL},
                {"a: {from: x, matches: \"a(\"}", "bad_regex 9:29", "no regular expression"},
                {"a: {from: x, matches: [a]}", "wrong_yaml_type 9:29", "takes a scalar"},
                {"a: {from: x, hash: sha256}", NULL, NULL},
                {"a: {from: x, hash: md5}", "bad_value 9:26", "none of sha256"},
                {"a: {from: x, hash: true}", "bad_value 9:26", "none of sha256"},
                {"a: {from: x, equals: $score}", "bad_reference 9:28", "$score is not here"});
}

/* What belongs to entities of other types than hashes. */
Test(column_findings, of_each_and_types) {
    static const Case CASES[] = {
        {"type: json, each: items, key: [a], columns: {a: $index}", NULL, NULL},
        {"type: string, key: [a], columns: {a: $value}", NULL, NULL},
        {"type: list, each: items, key: [a], columns: {a: $index}", "bad_reference",
         "walks over a JSON array"},
        {"type: json, each: [items], key: [a], columns: {a: $key}", "wrong_yaml_type", "takes a scalar"},
        {"type: json, each: \"a..b\", key: [a], columns: {a: $key}", "bad_reference",
         "a name in it is empty"},
        {"type: hash, each: $value, key: [a], columns: {a: $key}", "bad_reference", "no path to an array"},
        {"type: zset, key: [a], columns: {a: member}", "bad_reference", "a zset has no fields"},
        {"type: stream, key: [a], columns: {a: $value}", "bad_reference", "$value is not here"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *yaml = g_strdup_printf(
            "redis2pg: 1\nentities:\n  t:\n    {keys: \"t:{id}\", table: t, %s}\n", CASES[i].column);
        g_autoptr(RpFindings) findings = rp_findings_new();
        g_autoptr(RpMapping) mapping = handmade_mapping(yaml, findings);
        g_autofree char *shown = handmade_show_findings(findings);
        cr_assert(findings->items->len == (CASES[i].expected == NULL ? 0 : 1), "%s\n%s", yaml, shown);
        if (CASES[i].expected != NULL)
            cr_assert(g_str_has_prefix(shown, CASES[i].expected) && strstr(shown, CASES[i].text) != NULL,
                      "%s\n%s", yaml, shown);
    }
}
