/* Records put into a batch by hand, and the rows and rejects that the mapper makes of them. */
#pragma once

#include "mapping/mapper.h"

#include "handmade.h"

static RpTable *mapped_table;
static RpMapping *mapped_mapping;
static RpBatch *mapped_batch;

static inline void mapped_init(void) {
    static const char *const TEXTS[] = {"a", "b", "c", "d", "e"};
    mapped_table = handmade_table("t", 1);
    handmade_column(mapped_table, "id", RP_TYPE_TEXT, "text")->is_not_null = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++)
        handmade_column(mapped_table, TEXTS[i], RP_TYPE_TEXT, "text");
    handmade_column(mapped_table, "n", RP_TYPE_INT4, "integer");
    handmade_column(mapped_table, "u", RP_TYPE_UUID, "uuid");
    handmade_column(mapped_table, "must", RP_TYPE_TEXT, "text")->is_not_null = TRUE;
    ((RpColumn *)rp_table_find_column(mapped_table, "must"))->has_default = TRUE;
    handmade_column(mapped_table, "doc", RP_TYPE_JSON, "json");
    handmade_column(mapped_table, "at", RP_TYPE_TIMESTAMPTZ, "timestamp with time zone");
    handmade_column(mapped_table, "bytes", RP_TYPE_BYTEA, "bytea");
    RpColumn *tags = handmade_column(mapped_table, "tags", RP_TYPE_ARRAY, "text[]");
    tags->element = rp_column_new();
    tags->element->kind = RP_TYPE_TEXT;
    tags->element->type_name = g_strdup("text");
    tags->element->type_oid = 25;
    handmade_constraint(mapped_table, RP_CONSTRAINT_UNIQUE, "t_pkey", "id");
}

static inline void mapped_clear(void) {
    rp_batch_free(mapped_batch);
    rp_mapping_free(mapped_mapping);
    rp_table_free(mapped_table);
}

/* A mapping of keys t:{id} of that type (words of the entity may follow it, one a line) whose columns are id
 * and those given, one a line. */
static inline void mapped_load_type(const char *type, const char *columns) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autofree char *yaml =
        g_strdup_printf("redis2pg: 1\nentities:\n  t:\n    keys: \"t:{id}\"\n    type: %s\n"
                        "    table: t\n    key: [id]\n    columns:\n"
                        "      id: {from: $key.id}\n%s",
                        type, columns);
    mapped_mapping = handmade_mapping(yaml, findings);
    if (findings->items->len == 0)
        rp_entity_bind(g_ptr_array_index(mapped_mapping->entities, 0), mapped_table, findings);
    g_autofree char *shown = handmade_show_findings(findings);
    cr_assert(findings->items->len == 0, "%s", shown);
    mapped_batch = rp_batch_new(mapped_mapping->entities->len);
}

static inline void mapped_load(const char *columns) {
    mapped_load_type("hash", columns);
}

static inline RpRecord *mapped_newest(void) {
    return &g_array_index(mapped_batch->records.index, RpRecord, mapped_batch->records.index->len - 1);
}

/* A record of one to three values; NULL ends them. */
static inline RpRecord *mapped_add_values(RpRecordType type, const char *key, const char *first,
                                          const char *second, const char *third) {
    const char *const values[] = {first, second, third};
    rp_records_begin(&mapped_batch->records, 0, type, rp_span(key));
    for (guint i = 0; i < G_N_ELEMENTS(values) && values[i] != NULL; i++)
        rp_records_add_value(&mapped_batch->records, rp_span(values[i]));
    return mapped_newest();
}

/* fields: "a=1 b=2"; "\1" stands for a byte that is no UTF-8, "_" for a blank. */
static inline RpRecord *mapped_add(const char *key, const char *fields) {
    rp_records_begin(&mapped_batch->records, 0, RP_RECORD_HASH, rp_span(key));
    g_auto(GStrv) pairs = g_strsplit(fields, " ", -1);
    for (char **pair = pairs; *pair != NULL && **pair != '\0'; pair++) {
        char *value = strchr(*pair, '=');
        *value++ = '\0';
        g_strdelimit(g_strdelimit(value, "\1", '\xff'), "_", ' ');
        rp_records_add_value(&mapped_batch->records, rp_span(*pair));
        rp_records_add_value(&mapped_batch->records, rp_span(value));
    }
    return mapped_newest();
}

static inline void mapped_map(void) {
    g_autoptr(RpMapper) mapper = rp_mapper_new(mapped_mapping, &(RpOccasion){0}, 1000, 1 << 20);
    rp_mapper_map(mapper, mapped_batch);
    cr_assert(mapped_batch->n_map_rejects == mapped_batch->rejects->len, "the batch is sealed");
}

static inline guint32 mapped_take_u32(const char **at) {
    guint32 value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return GUINT32_FROM_BE(value);
}

/* A row's fields joined with '|', the id left out, null as NULL. */
static inline char *mapped_row(guint ordinal) {
    const RpTuples *tuples = &mapped_batch->tuples[0];
    cr_assert(ordinal < tuples->rows->len, "there is no row %u", ordinal);
    const char *at = tuples->bytes.data + rp_tuples_get(tuples, ordinal)->offset;
    guint16 n_fields;
    memcpy(&n_fields, at, sizeof n_fields);
    at += sizeof n_fields;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i + 1 < GUINT16_FROM_BE(n_fields); i++) {
        const guint32 size = mapped_take_u32(&at);
        g_autofree char *shown =
            size == G_MAXUINT32 ? g_strdup("NULL") : rp_span_show((RpSpan){at, size}, 100);
        at += size == G_MAXUINT32 ? 0 : size;
        if (i > 0)
            g_string_append_printf(text, "%s%s", i > 1 ? "|" : "", shown);
    }
    cr_assert(mapped_take_u32(&at) == 4 && mapped_take_u32(&at) == ordinal, "the last field is the ordinal");
    cr_assert((gsize)(at - tuples->bytes.data) == rp_tuples_row_end(tuples, ordinal));
    return g_string_free(text, FALSE);
}

/* "code column value" */
static inline char *mapped_reject(guint number) {
    cr_assert(number < mapped_batch->rejects->len, "there is no reject %u", number);
    const RpReject *found = &g_array_index(mapped_batch->rejects, RpReject, number);
    cr_assert(found->stage == RP_STAGE_MAP && found->message[0] != '\0');
    return g_strdup_printf("%s %s %s", rp_reject_code_name(found->code),
                           found->column != NULL ? found->column : "-",
                           found->value != NULL ? found->value : "-");
}

typedef struct {
    const char *fields;
    const char *expected; /* a row, or a reject with its code first */
} MappedCase;

/* Each case is a record; what does not begin with '!' is a row, what does is a reject. */
static inline void mapped_assert(const char *columns, const MappedCase *cases, guint n_cases) {
    mapped_load(columns);
    guint n_rows = 0, n_rejects = 0;
    for (guint i = 0; i < n_cases; i++)
        mapped_add("t:1", cases[i].fields);
    mapped_map();
    for (guint i = 0; i < n_cases; i++) {
        const gboolean is_reject = cases[i].expected[0] == '!';
        g_autofree char *got = is_reject ? mapped_reject(n_rejects) : mapped_row(n_rows);
        cr_assert(strcmp(got, cases[i].expected + is_reject) == 0, "%s gave %s, not %s", cases[i].fields, got,
                  cases[i].expected);
        const guint32 record = is_reject ? g_array_index(mapped_batch->rejects, RpReject, n_rejects).record
                                         : rp_tuples_get(&mapped_batch->tuples[0], n_rows)->record;
        cr_assert(record == i, "%s names record %u", cases[i].fields, record);
        n_rejects += is_reject;
        n_rows += !is_reject;
    }
    cr_assert(n_rows == mapped_batch->tuples[0].rows->len && n_rejects == mapped_batch->rejects->len);
    cr_assert(mapped_batch->counts[0].read == n_cases && mapped_batch->counts[0].rejected == n_rejects);
}

#define ASSERT_MAPS(columns, ...)                                                                            \
    do {                                                                                                     \
        static const MappedCase cases_[] = {__VA_ARGS__};                                                    \
        mapped_assert(columns, cases_, G_N_ELEMENTS(cases_));                                                \
    } while (0)
