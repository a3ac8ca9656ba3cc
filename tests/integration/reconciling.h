/* Running `reconcile` and looking at what it says. Every document that comes through here holds what CLI.md
 * promises of it. */
#pragma once

#include "shop.h"

#include <string.h>

#define RECONCILE_MOST_WORDS 24

/* A table's name as SQL, of one as shown ("public.My Table"): good enough for tests. */
static inline gint64 count_table(RpCase *test_case, const char *shown) {
    g_auto(GStrv) parts = g_strsplit(shown, ".", 2);
    char *schema = PQescapeIdentifier(test_case->postgres, parts[0], strlen(parts[0]));
    char *name = PQescapeIdentifier(test_case->postgres, parts[1], strlen(parts[1]));
    g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s.%s", schema, name);
    PQfreemem(schema);
    PQfreemem(name);
    return rp_case_sql_number(test_case, sql);
}

/* Rows of a shared table are nobody's; with --entity nobody says whether it is shared. */
static inline gboolean is_shared(json_t *document, const char *table, gboolean has_choice) {
    guint n = has_choice ? 2 : 0;
    size_t i;
    json_t *entity;
    json_array_foreach(rp_json_at(document, "entities"), i, entity) n +=
        strcmp(rp_json_text(entity, "table"), table) == 0;
    return n > 1;
}

/* Rows that are listed, of a kind (NULL: all). */
static inline gint64 count_listed(json_t *entity, const char *kind) {
    gint64 n = 0;
    size_t i;
    json_t *difference;
    json_array_foreach(rp_json_at(entity, "differences"), i, difference) n +=
        kind == NULL || strcmp(rp_json_text(difference, "kind"), kind) == 0;
    return n;
}

static inline gboolean is_entity_fine(json_t *entity) {
    gboolean is_fine = rp_json_number(entity, "missing") + rp_json_number(entity, "extra") +
                           rp_json_number(entity, "different") + rp_json_number(entity, "unrecorded") ==
                       0;
    size_t i;
    json_t *aggregate;
    json_array_foreach(rp_json_at(entity, "aggregates"), i, aggregate) is_fine =
        is_fine && json_is_true(json_object_get(aggregate, "equal"));
    return is_fine;
}

static inline void check_entity(RpCase *test_case, json_t *document, json_t *entity, gboolean has_choice) {
    static const char *const KINDS[] = {"missing", "extra", "different"};
    const gint64 equal = rp_json_number(entity, "equal"), missing = rp_json_number(entity, "missing"),
                 extra = rp_json_number(entity, "extra"), different = rp_json_number(entity, "different");
    const char *table = rp_json_text(entity, "table");
    cr_assert(eq(i64, rp_json_number(entity, "source_rows"), equal + different + missing));
    cr_assert(eq(i64, rp_json_number(entity, "target_rows"), equal + different + extra));
    cr_assert(eq(i64, rp_json_number(entity, "explained") + rp_json_number(entity, "unexplained"), missing));
    if (!is_shared(document, table, has_choice))
        cr_assert(eq(i64, rp_json_number(entity, "target_rows") + rp_json_number(entity, "kept"),
                     count_table(test_case, table)));
    const gboolean has_rows = strcmp(rp_json_text(document, "level"), "counts") != 0;
    for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++) {
        const gint64 counted = rp_json_number(entity, KINDS[i]), listed = count_listed(entity, KINDS[i]);
        cr_assert(le(i64, listed, counted));
        if (has_rows && missing + extra + different <= 100)
            cr_assert(eq(i64, listed, counted));
    }
}

/* The exit status without --allow-rejects. */
static inline int check_document(RpCase *test_case, json_t *document, gboolean has_choice) {
    gboolean is_fine = TRUE;
    size_t i;
    json_t *part;
    json_array_foreach(rp_json_at(document, "orphans"), i, part) is_fine =
        is_fine && rp_json_number(part, "rows") == 0;
    json_array_foreach(rp_json_at(document, "entities"), i, part) {
        check_entity(test_case, document, part, has_choice);
        is_fine = is_fine && is_entity_fine(part);
    }
    json_array_foreach(rp_json_at(document, "links"), i, part) is_fine =
        is_fine && rp_json_number(part, "dangling") + rp_json_number(part, "unlisted") == 0;
    cr_assert(eq(str, (char *)rp_json_text(document, "status"), is_fine ? "equal" : "different"));
    return is_fine ? 0 : 1;
}

/* Runs `reconcile --json` with the words given; fails the test unless the exit status is the expected one and
 * the document holds what it must. */
G_GNUC_NULL_TERMINATED static inline json_t *reconcile(RpCase *test_case, const char *mapping, int status,
                                                       ...) {
    const char *words[RECONCILE_MOST_WORDS + 1] = {"reconcile", "--json", "--mapping", mapping};
    guint n_words = 4;
    gboolean allows_rejects = FALSE, has_choice = FALSE;
    va_list arguments;
    va_start(arguments, status);
    for (const char *word = va_arg(arguments, const char *); word != NULL;
         word = va_arg(arguments, const char *)) {
        cr_assert(n_words < RECONCILE_MOST_WORDS);
        allows_rejects = allows_rejects || strcmp(word, "--allow-rejects") == 0;
        has_choice = has_choice || strcmp(word, "--entity") == 0;
        words[n_words++] = word;
    }
    va_end(arguments);
    g_auto(RpOutcome) out = {0};
    rp_case_run_words(test_case, &out, words);
    rp_outcome_assert_status(&out, status);
    json_t *document = rp_outcome_json(&out);
    const int checked = check_document(test_case, document, has_choice);
    cr_assert(allows_rejects ? status <= checked : status == checked, "%s", out.output);
    return document;
}

/* ---- what it says, as text ---- */

static inline const char *text_or_null(json_t *value) {
    return json_is_null(value) ? "null" : json_string_value(value);
}

static inline int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "different 1 t:1 name: a > b, age: 1 > 2": kind, key values, key of Redis, columns. */
static inline char *show_difference(json_t *difference) {
    GString *line = g_string_new(rp_json_text(difference, "kind"));
    const char *name;
    size_t i;
    json_t *value, *column;
    json_object_foreach(rp_json_at(difference, "key"), name, value)
        g_string_append_printf(line, " %s", text_or_null(value));
    if (!json_is_null(json_object_get(difference, "source_key")))
        g_string_append_printf(line, " %s", rp_json_text(difference, "source_key"));
    json_array_foreach(rp_json_at(difference, "columns"), i, column) g_string_append_printf(
        line, "%s %s: %s > %s", i > 0 ? "," : "", rp_json_text(column, "column"),
        text_or_null(json_object_get(column, "source")), text_or_null(json_object_get(column, "target")));
    if (json_is_true(json_object_get(difference, "explained")))
        g_string_append(line, " (explained)");
    return g_string_free(line, FALSE);
}

/* An entity's differences in order, a line each. The caller frees it. */
static inline char *show_differences(json_t *document, const char *entity) {
    g_autofree char *path = g_strdup_printf("entities.%s.differences", entity);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    size_t i;
    json_t *difference;
    json_array_foreach(rp_json_at(document, path), i, difference)
        g_ptr_array_add(lines, show_difference(difference));
    if (lines->len > 0)
        qsort(lines->pdata, lines->len, sizeof(char *), compare_lines);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}

static inline void assert_differences(json_t *document, const char *entity, const char *expected) {
    g_autofree char *shown = show_differences(document, entity);
    cr_assert(strcmp(shown, expected) == 0, "%s:\n%s\ninstead of\n%s", entity, shown, expected);
}

/* Counts that are not 0: "source_rows 3, target_rows 2, equal 2, missing 1". */
static inline void assert_counts(json_t *document, const char *entity, const char *expected) {
    static const char *const NAMES[] = {"source_rows", "target_rows", "equal",        "missing",
                                        "extra",       "different",   "explained",    "rejected",
                                        "unrecorded",  "filtered",    "extra_refused"};
    g_autofree char *path = g_strdup_printf("entities.%s", entity);
    json_t *counts = rp_json_at(document, path);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        const gint64 count = rp_json_number(counts, NAMES[i]);
        if (count != 0)
            g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT, text->len > 0 ? ", " : "", NAMES[i],
                                   count);
    }
    if (strcmp(text->str, expected) == 0)
        return;
    char *shown = json_dumps(counts, JSON_INDENT(2));
    cr_fail("%s: \"%s\" instead of \"%s\" in\n%s", entity, text->str, expected, shown);
}

/* Loads a mapping; and loads it and finds both sides equal. */
static inline void load_status(RpCase *test_case, const char *mapping, int status) {
    g_autoptr(json_t) run = rp_case_load(test_case, status, "--mapping", mapping, NULL);
}

static inline void load_equal(RpCase *test_case, const char *mapping) {
    load_status(test_case, mapping, 0);
    g_autoptr(json_t) rows = reconcile(test_case, mapping, 0, "--level", "rows", NULL);
    g_autoptr(json_t) fields = reconcile(test_case, mapping, 0, "--level", "fields", NULL);
    g_autoptr(json_t) counts = reconcile(test_case, mapping, 0, "--level", "counts", NULL);
}
