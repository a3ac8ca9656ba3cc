/* The mapper: records put into a batch by hand, and the rows and rejects that come of them. */
#include "mapping/mapper.h"

#include "handmade.h"

static RpTable *table;
static RpMapping *mapping;
static RpBatch *batch;

static void make_table(void) {
    static const char *const TEXTS[] = {"a", "b", "c", "d", "e"};
    table = handmade_table("t", 1);
    handmade_column(table, "id", RP_TYPE_TEXT, "text")->is_not_null = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++)
        handmade_column(table, TEXTS[i], RP_TYPE_TEXT, "text");
    handmade_column(table, "n", RP_TYPE_INT4, "integer");
    handmade_column(table, "u", RP_TYPE_UUID, "uuid");
    handmade_column(table, "must", RP_TYPE_TEXT, "text")->is_not_null = TRUE;
    ((RpColumn *)rp_table_find_column(table, "must"))->has_default = TRUE;
    handmade_constraint(table, RP_CONSTRAINT_UNIQUE, "t_pkey", "id");
}

static void clean_up(void) {
    rp_batch_free(batch);
    rp_mapping_free(mapping);
    rp_table_free(table);
}

TestSuite(mapper, .init = make_table, .fini = clean_up);

/* A mapping of keys t:{id} whose columns are id and those given, one a line. */
static void load(const char *columns) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autofree char *yaml =
        g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: hash\n"
                        "    table: t\n    key: [id]\n    columns:\n"
                        "      id: {from: $key.id}\n%s",
                        columns);
    mapping = handmade_mapping(yaml, findings);
    if (findings->items->len == 0)
        rp_entity_bind(g_ptr_array_index(mapping->entities, 0), table, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 0, "%s", shown);
    batch = rp_batch_new(mapping->entities->len);
}

/* fields: "a=1 b=2"; "\1" stands for a byte that is no UTF-8, "_" for a blank. */
static RpRecord *add(const char *key, const char *fields) {
    rp_records_begin(&batch->records, 0, RP_RECORD_HASH, rp_span(key));
    g_auto(GStrv) pairs = g_strsplit(fields, " ", -1);
    for (char **pair = pairs; *pair != NULL && **pair != '\0'; pair++) {
        char *value = strchr(*pair, '=');
        *value++ = '\0';
        g_strdelimit(g_strdelimit(value, "\1", '\xff'), "_", ' ');
        rp_records_add_value(&batch->records, rp_span(*pair));
        rp_records_add_value(&batch->records, rp_span(value));
    }
    return &g_array_index(batch->records.index, RpRecord, batch->records.index->len - 1);
}

static void map(void) {
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapping, &(RpOccasion){0}, 1000, 1 << 20);
    rp_mapper_map(mapper, batch);
    cr_assert(batch->n_map_rejects == batch->rejects->len, "the batch is sealed");
}

static guint32 take_u32(const char **at) {
    guint32 value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return GUINT32_FROM_BE(value);
}

/* A row's fields joined with '|', the id left out, null as NULL. */
static char *row(guint ordinal) {
    const RpTuples *tuples = &batch->tuples[0];
    cr_assert(ordinal < tuples->rows->len, "there is no row %u", ordinal);
    const char *at = tuples->bytes.data + rp_tuples_get(tuples, ordinal)->offset;
    guint16 n_fields;
    memcpy(&n_fields, at, sizeof n_fields);
    at += sizeof n_fields;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i + 1 < GUINT16_FROM_BE(n_fields); i++) {
        const guint32 size = take_u32(&at);
        g_autofree char *shown =
            size == G_MAXUINT32 ? g_strdup("NULL") : rp_span_show((RpSpan){at, size}, 100);
        at += size == G_MAXUINT32 ? 0 : size;
        if (i > 0)
            g_string_append_printf(text, "%s%s", i > 1 ? "|" : "", shown);
    }
    cr_assert(take_u32(&at) == 4 && take_u32(&at) == ordinal, "the last field is the ordinal");
    cr_assert((gsize)(at - tuples->bytes.data) == rp_tuples_row_end(tuples, ordinal));
    return g_string_free(text, FALSE);
}

/* "code column value" */
static char *reject(guint number) {
    cr_assert(number < batch->rejects->len, "there is no reject %u", number);
    const RpReject *found = &g_array_index(batch->rejects, RpReject, number);
    cr_assert(found->stage == RP_STAGE_MAP && found->message[0] != '\0');
    return g_strdup_printf("%s %s %s", rp_reject_code_name(found->code),
                           found->column != NULL ? found->column : "-",
                           found->value != NULL ? found->value : "-");
}

typedef struct {
    const char *fields;
    const char *expected; /* a row, or a reject with its code first */
} Case;

/* Each case is a record; what does not begin with '!' is a row, what does is a reject. */
static void assert_maps(const char *columns, const Case *cases, guint n_cases) {
    load(columns);
    guint n_rows = 0, n_rejects = 0;
    for (guint i = 0; i < n_cases; i++)
        add("t:1", cases[i].fields);
    map();
    for (guint i = 0; i < n_cases; i++) {
        const gboolean is_reject = cases[i].expected[0] == '!';
        g_autofree char *got = is_reject ? reject(n_rejects) : row(n_rows);
        cr_assert(strcmp(got, cases[i].expected + is_reject) == 0, "%s gave %s, not %s", cases[i].fields, got,
                  cases[i].expected);
        const guint32 record = is_reject ? g_array_index(batch->rejects, RpReject, n_rejects).record
                                         : rp_tuples_get(&batch->tuples[0], n_rows)->record;
        cr_assert(record == i, "%s names record %u", cases[i].fields, record);
        n_rejects += is_reject;
        n_rows += !is_reject;
    }
    cr_assert(n_rows == batch->tuples[0].rows->len && n_rejects == batch->rejects->len);
    cr_assert(batch->counts[0].read == n_cases && batch->counts[0].rejected == n_rejects);
}

#define ASSERT_MAPS(columns, ...)                                                                            \
    do {                                                                                                     \
        static const Case cases_[] = {__VA_ARGS__};                                                          \
        assert_maps(columns, cases_, G_N_ELEMENTS(cases_));                                                  \
    } while (0)

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
    for (guint i = 0; i < batch->rejects->len; i++)
        cr_assert(strstr(g_array_index(batch->rejects, RpReject, i).message, "secret") == NULL);
}

Test(mapper, rejects_show_the_cleaned_value_shortened) {
    g_autofree char *long_value = g_strnfill(1000, 'x');
    load("      n: {from: n, trim: true}\n");
    g_autofree char *fields = g_strconcat("n=_", long_value, "_", NULL);
    add("t:1", fields);
    add("t:1", "n=_\1\n_");
    map();
    g_autofree char *first = reject(0);
    g_autofree char *second = reject(1);
    g_autofree char *expected = g_strdup_printf("invalid_integer n %.200s…", long_value);
    cr_assert(strcmp(first, expected) == 0, "%s", first);
    cr_assert(strcmp(second, "invalid_integer n \\xff") == 0, "%s", second);
    cr_assert(strcmp(g_array_index(batch->rejects, RpReject, 0).message, "n is no whole number") == 0);
}

Test(mapper, equals_compares_with_the_key_and_with_fields) {
    ASSERT_MAPS(
        "      a: {from: a, equals: $key.id}\n      b: {from: b, equals: other}\n      c: {from: $key}\n",
        {"a=1 b=x other=x", "1|x|t:1"}, {"a=2", "!rule_failed a 2"}, {"a=1 b=x other=y", "!rule_failed b x"},
        {"a=1 b=x", "!rule_failed b x"}, {"other=y", "NULL|NULL|t:1"});
    const RpReject *found = &g_array_index(batch->rejects, RpReject, 0);
    cr_assert(strcmp(found->constraint, "equals") == 0);
    cr_assert(strcmp(found->message, "a does not equal $key.id") == 0, "%s", found->message);
}

Test(mapper, uuid5_is_bytes_or_text) {
    /* uuid5(6ba7b810-9dad-11d1-80b4-00c04fd430c8, "customer:c1") */
    load("      u: {uuid5: [customer, a]}\n      b: {uuid5: [customer, a], max_length: 36}\n"
         "      c: {uuid5: [x, a, $key.id], default: none}\n      d: {uuid5: [customer, a], equals: e}\n");
    cr_assert(rp_uuid_parse(RP_SPAN_OF("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &mapping->uuid_namespace));
    add("t:1", "a=c1 e=24d0fcb9-f80f-5b66-91eb-2cc3e957e998");
    add("t:1", "a=c1 e=x");
    add("t:1", "e=x");
    map();
    const char *at = batch->tuples[0].bytes.data + 2 + 4 + 1; /* past the field count and the id */
    static const guint8 BYTES[] = {0,    0,    0,    16,   0x24, 0xd0, 0xfc, 0xb9, 0xf8, 0x0f,
                                   0x5b, 0x66, 0x91, 0xeb, 0x2c, 0xc3, 0xe9, 0x57, 0xe9, 0x98};
    cr_assert(memcmp(at, BYTES, sizeof BYTES) == 0);
    g_autofree char *first = row(0);
    cr_assert(strstr(first, "|24d0fcb9-f80f-5b66-91eb-2cc3e957e998|") != NULL, "%s", first);
    g_autofree char *second = row(1);
    cr_assert(strcmp(second, "NULL|NULL|none|NULL") == 0, "%s", second);
    g_autofree char *refused = reject(0);
    cr_assert(g_str_has_prefix(refused, "rule_failed d "), "rules hold for computed values too: %s", refused);
}

Test(mapper, fields_may_stand_anywhere) {
    ASSERT_MAPS("      a: a\n      b: b\n      c: c\n", {"a=1 b=2 c=3", "1|2|3"}, {"c=3 b=2 a=1", "1|2|3"},
                {"x=9 c=3 y=9 a=1", "1|NULL|3"}, {"a=1 b=2 c=3", "1|2|3"}, {"b=2", "NULL|2|NULL"},
                {"a=b b=c c=a", "b|c|a"}, {"aa=1 ab=2 c=3", "NULL|NULL|3"}, {"", "NULL|NULL|NULL"});
}

Test(mapper, takes_one_of_fields_that_stand_twice) {
    load("      a: a\n      b: b\n");
    add("t:1", "a=1 b=3 a=1 b=3");
    add("t:1", "b=3 a=1 b=3");
    map();
    for (guint i = 0; i < 2; i++) {
        g_autofree char *fields = row(i);
        cr_assert(strcmp(fields, "1|3") == 0, "%s", fields);
    }
}

Test(mapper, accounts_for_what_was_not_read) {
    load("      a: a\n");
    add("t:gone", "")->outcome = RP_READ_VANISHED;
    RpRecord *wrong = add("t:list", "");
    wrong->outcome = RP_READ_WRONG_TYPE;
    wrong->type = RP_RECORD_LIST;
    add("t:big", "")->outcome = RP_READ_TOO_LARGE;
    add("t:fine", "a=1");
    map();
    const RpCounts *counts = &batch->counts[0];
    cr_assert(counts->read == 4 && counts->vanished == 1 && counts->rejected == 2);
    cr_assert(batch->tuples[0].rows->len == 1 && rp_tuples_get(&batch->tuples[0], 0)->record == 3);
    g_autofree char *first = reject(0);
    g_autofree char *second = reject(1);
    cr_assert(strcmp(first, "wrong_type - -") == 0, "%s", first);
    cr_assert(strcmp(second, "too_large - -") == 0, "%s", second);
    cr_assert(strstr(g_array_index(batch->rejects, RpReject, 0).message, "list") != NULL);
}

Test(mapper, says_times_of_expiry_beyond_all_calendars_as_they_are) {
    load("      a: $expires_at\n");
    add("t:1", "")->expires_at_ms = 1700000000123;
    add("t:1", "")->expires_at_ms = G_MAXINT64; /* PEXPIREAT takes it */
    add("t:1", "")->expires_at_ms = -1;
    map();
    static const char *const EXPECTED[] = {"2023-11-14T22:13:20.123000Z", "9223372036854775807", "NULL"};
    for (guint i = 0; i < G_N_ELEMENTS(EXPECTED); i++) {
        g_autofree char *got = row(i);
        cr_assert(strcmp(got, EXPECTED[i]) == 0, "%s", got);
    }
}

Test(mapper, cuts_a_row_that_turns_out_bad_late) {
    ASSERT_MAPS("      a: a\n      b: b\n      n: n\n", {"a=1 b=2 n=x", "!invalid_integer n x"},
                {"a=1 b=2", "1|2|NULL"}, {"a=1 b=\1", "!invalid_encoding b \\xff"}, {"a=3", "3|NULL|NULL"});
}
