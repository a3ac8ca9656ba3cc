/* A reconciliation as text. */
#include "report/text_report.h"

#include "report/field.h"
#include "report/reconcile_report.h"
#include "report/shown.h"
#include "report/table.h"
#include "report/verdict-private.h"

#define SIDE_LETTERS  76u
#define BEFORE        20u
#define MAX_SHOWN     500u
#define BRIEF_SHOWN   20u
#define BRIEF_ORPHANS 5u

/* A value, or of a long one the part from a little before the first difference. */
static char *show_side(const char *value, const char *other) {
    if (value == NULL)
        return g_strdup("NULL");
    if (value[0] == '\0')
        return g_strdup("empty text");
    gsize before = 0, after = 0;
    const RpSpan span = rp_span(value);
    if (other != NULL)
        rp_shown_compare(span, rp_span(other), &before, &after);
    const gsize from = before > BEFORE && rp_shown_letters(span) > SIDE_LETTERS ? before - BEFORE : 0;
    const RpSpan rest = rp_shown_cut(span, from, G_MAXSIZE);
    g_autofree char *shown = rp_shown(rest, SIDE_LETTERS);
    return g_strconcat(from > 0 ? "…" : "", shown, NULL);
}

static void append_column(GString *text, const json_t *column) {
    g_autofree char *source = rp_field_show(json_object_get(column, "source"));
    g_autofree char *target = rp_field_show(json_object_get(column, "target"));
    g_autofree char *source_shown = show_side(source, target);
    g_autofree char *target_shown = show_side(target, source);
    g_autofree char *name = rp_shown(rp_field_span(column, "column"), 60);
    g_string_append_printf(text, "    %s\n      Redis       %s\n      PostgreSQL  %s\n", name, source_shown,
                           target_shown);
}

static void append_difference(GString *text, const json_t *difference) {
    const json_t *columns = rp_field_list(difference, "columns");
    const char *kind = rp_field_text(difference, "kind");
    g_autofree char *key_text = rp_field_show_key(json_object_get(difference, "key"));
    g_autofree char *key = rp_shown(rp_span(key_text != NULL ? key_text : ""), 60);
    g_autofree char *source_key = rp_shown(rp_field_span(difference, "source_key"), 60);
    g_string_append_printf(text, "  %-9s  %s%s%s\n", kind, key, source_key[0] != '\0' ? "  from " : "",
                           source_key);
    if (rp_field_is_true(difference, "explained"))
        g_string_append(text, "             explained by an open reject\n");
    if (!g_str_equal(kind, "different"))
        return;
    for (size_t i = 0; i < json_array_size(columns); i++)
        append_column(text, json_array_get(columns, i));
}

static void append_column_counts(GString *text, const json_t *entity) {
    const json_t *columns = rp_field_list(entity, "columns");
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        g_autofree char *name = rp_shown(rp_field_span(column, "column"), 60);
        g_autofree char *rows = rp_verdict_count(rp_field_number(column, "different"), "row");
        if (rp_field_number(column, "different") > 0)
            g_string_append_printf(text, "  %s differs in %s\n", name, rows);
    }
}

static guint64 count_differences(const json_t *entities) {
    return rp_field_sum(entities, "missing") + rp_field_sum(entities, "extra") +
           rp_field_sum(entities, "different");
}

static void append_differences(GString *text, const json_t *reconcile, gboolean is_brief) {
    const json_t *entities = rp_field_list(reconcile, "entities");
    const gboolean only_counts = g_str_equal(rp_field_text(reconcile, "level"), "counts");
    if (is_brief && count_differences(entities) == 0)
        return;
    rp_text_heading(text, "Differences");
    gsize n_listed = 0;
    for (size_t e = 0; e < json_array_size(entities); e++) {
        const json_t *entity = json_array_get(entities, e);
        const json_t *differences = rp_field_list(entity, "differences");
        const size_t n_shown = MIN(json_array_size(differences), is_brief ? BRIEF_SHOWN : MAX_SHOWN);
        const guint64 n_left = rp_field_number(entity, "missing") + rp_field_number(entity, "extra") +
                               rp_field_number(entity, "different") - n_shown;
        g_autofree char *name = rp_shown(rp_field_span(entity, "entity"), 60);
        if (n_shown > 0)
            g_string_append_printf(text, "%s%s\n", n_listed > 0 ? "\n" : "", name);
        for (size_t i = 0; i < n_shown; i++)
            append_difference(text, json_array_get(differences, i));
        if (n_shown > 0 && n_left > 0)
            g_string_append_printf(text, "  … and %" G_GUINT64_FORMAT " more (%s)\n", n_left,
                                   is_brief ? "--json, --report, --limit" : "report.json, --limit");
        append_column_counts(text, entity);
        n_listed += n_shown;
    }
    if (n_listed == 0)
        g_string_append(text, only_counts ? "rows were not compared at this level\n" : "none listed\n");
}

/* Of no rows there is no sum: null. */
static char *show_aggregate(const json_t *aggregate, const char *side) {
    g_autofree char *value = rp_field_show(json_object_get(aggregate, side));
    return value != NULL ? rp_shown(rp_span(value), 32) : g_strdup("NULL");
}

/* In brief, only those that differ. */
static void append_aggregates(GString *text, const json_t *entities, gboolean is_brief) {
    static const char *const headings[] = {"entity", "aggregate", ">Redis", ">PostgreSQL", "", NULL};
    g_autoptr(RpTextTable) table = rp_text_table_new(headings);
    guint n = 0;
    for (size_t e = 0; e < json_array_size(entities); e++) {
        const json_t *aggregates = rp_field_list(json_array_get(entities, e), "aggregates");
        for (size_t a = 0; a < json_array_size(aggregates); a++) {
            const json_t *aggregate = json_array_get(aggregates, a);
            if (is_brief && rp_field_is_true(aggregate, "equal"))
                continue;
            n++;
            g_autofree char *entity = rp_shown(rp_field_span(json_array_get(entities, e), "entity"), 24);
            g_autofree char *name = rp_shown(rp_field_span(aggregate, "name"), 32);
            g_autofree char *source = show_aggregate(aggregate, "source");
            g_autofree char *target = show_aggregate(aggregate, "target");
            const char *const cells[] = {entity, name, source, target,
                                         rp_field_is_true(aggregate, "equal") ? "equal" : "DIFFERS"};
            rp_text_table_add(table, cells);
        }
    }
    if (n == 0)
        return;
    g_autofree char *shown = rp_text_table_show(table);
    rp_text_heading(text, "Aggregates");
    g_string_append(text, shown);
}

/* A zero of what nobody looked at would be a claim. */
static void append_link_table(GString *text, const json_t *links) {
    static const char *const headings[] = {"link", ">checked", ">dangling", ">unlisted", NULL};
    static const char *const members[] = {"checked", "dangling", "unlisted"};
    g_autoptr(RpTextTable) table = rp_text_table_new(headings);
    for (size_t l = 0; l < json_array_size(links); l++) {
        const json_t *link = json_array_get(links, l);
        g_auto(GStrv) cells = g_new0(char *, G_N_ELEMENTS(headings));
        cells[0] = rp_shown(rp_field_span(link, "link"), 40);
        for (guint i = 0; i < G_N_ELEMENTS(members); i++)
            cells[i + 1] = rp_field_has_text(link, "not_checked")
                               ? g_strdup("–")
                               : rp_text_number(rp_field_number(link, members[i]));
        rp_text_table_add(table, (const char *const *)cells);
    }
    g_autofree char *shown = rp_text_table_show(table);
    g_string_append(text, shown);
}

static void append_link_example(GString *text, const json_t *link, const json_t *example) {
    g_autofree char *name = rp_shown(rp_field_span(link, "link"), 30);
    g_autofree char *owner = rp_shown(rp_field_span(example, "owner"), 40);
    g_autofree char *member = rp_shown(rp_field_span(example, "member"), 40);
    g_string_append_printf(text, "  %s: %s, owner %s, member %s\n", name, rp_field_text(example, "kind"),
                           owner, member);
}

static void append_links(GString *text, const json_t *links, gboolean is_brief) {
    if (json_array_size(links) == 0)
        return;
    rp_text_heading(text, "Links");
    append_link_table(text, links);
    for (size_t l = 0; l < json_array_size(links); l++) {
        const json_t *link = json_array_get(links, l), *examples = rp_field_list(link, "examples");
        if (rp_field_has_text(link, "not_checked")) {
            g_autofree char *name = rp_shown(rp_field_span(link, "link"), 30);
            g_autofree char *why = rp_shown(rp_field_span(link, "not_checked"), 60);
            g_string_append_printf(text, "  %s was not checked: %s\n", name, why);
        }
        for (size_t i = 0; i < json_array_size(examples) && (!is_brief || i < BRIEF_SHOWN); i++)
            append_link_example(text, link, json_array_get(examples, i));
    }
}

/* ---- rows that the counts do not tell all about, and columns that were not looked at ---- */

static void append_notes(GString *text, const json_t *entity) {
    static const struct {
        const char *member, *meaning;
    } notes[] = {{"kept", "rows that stand on purpose, for the mapping keeps what has left Redis"},
                 {"extra_refused", "extra rows whose key is in Redis, but is refused by the mapping now"},
                 {"unrecorded", "records that the mapping refuses now, without an open reject on record"}};
    for (guint i = 0; i < G_N_ELEMENTS(notes); i++) {
        const guint64 n = rp_field_number(entity, notes[i].member);
        g_autofree char *name = rp_shown(rp_field_span(entity, "entity"), 24);
        g_autofree char *number = rp_text_number(n);
        if (n > 0)
            g_string_append_printf(text, "  %s: %s: %s\n", name, notes[i].meaning, number);
    }
}

/* Columns that change with every reading have their reason; those that the mapping does not write need none,
 * and may be many: one line of names. */
static void append_not_compared(GString *text, const json_t *entity) {
    const json_t *columns = rp_field_list(entity, "not_compared");
    g_autofree char *entity_name = rp_shown(rp_field_span(entity, "entity"), 24);
    g_autoptr(GString) unwritten = g_string_new(NULL);
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *column = json_array_get(columns, i);
        g_autofree char *name = rp_shown(rp_field_span(column, "column"), 24);
        g_autofree char *why = rp_shown(rp_field_span(column, "why"), 60);
        if (g_str_equal(rp_field_text(column, "why"), RP_WHY_UNWRITTEN))
            g_string_append_printf(unwritten, "%s%s", unwritten->len > 0 ? ", " : "", name);
        else
            g_string_append_printf(text, "  %s: %s is not compared: %s\n", entity_name, name, why);
    }
    g_autofree char *names = rp_shown(rp_span(unwritten->str), 60);
    if (unwritten->len > 0)
        g_string_append_printf(text, "  %s: not written by the mapping: %s\n", entity_name, names);
}

/* ---- orphans ---- */

static void append_texts(GString *text, const char *name, const json_t *texts, gsize max_shown) {
    const size_t n = MIN(json_array_size(texts), max_shown);
    if (n == 0)
        return;
    g_string_append_printf(text, "  %s: ", name);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *value = rp_field_show_key(json_array_get(texts, i));
        g_autofree char *shown = rp_shown(rp_span(value != NULL ? value : "NULL"), 60);
        g_string_append_printf(text, "%s%s", i > 0 ? "\n    " : "", shown);
    }
    if (n < json_array_size(texts))
        g_string_append(text, "\n    …");
    g_string_append_c(text, '\n');
}

static void append_orphans(GString *text, const json_t *orphans, gboolean is_brief) {
    static const char *const names[] = {"table", "references", "constraint", "not_checked", "rows", NULL};
    rp_text_counts(text, orphans, names, 4);
    for (size_t i = 0; i < json_array_size(orphans); i++) {
        const json_t *orphan = json_array_get(orphans, i);
        g_autofree char *table = rp_shown(rp_field_span(orphan, "table"), 40);
        g_autofree char *columns = g_strdup_printf("%s, by", table);
        g_autofree char *examples = g_strdup_printf("%s, for example", table);
        append_texts(text, columns, rp_field_list(orphan, "columns"), MAX_SHOWN);
        append_texts(text, examples, rp_field_list(orphan, "examples"), is_brief ? BRIEF_ORPHANS : MAX_SHOWN);
    }
}

void rp_text_reconcile(GString *text, const json_t *reconcile, gboolean is_brief) {
    static const char *const names[] = {"entity",    "source_rows", "target_rows", "equal",    "missing",
                                        "explained", "extra",       "different",   "rejected", NULL};
    const json_t *entities = rp_field_list(reconcile, "entities"),
                 *orphans = rp_field_list(reconcile, "orphans");
    rp_text_heading(text, "Rows by entity");
    rp_text_counts(text, entities, names, 1);
    for (size_t i = 0; i < json_array_size(entities); i++)
        append_notes(text, json_array_get(entities, i));
    for (size_t i = 0; i < json_array_size(entities); i++)
        append_not_compared(text, json_array_get(entities, i));
    append_differences(text, reconcile, is_brief);
    append_aggregates(text, entities, is_brief);
    append_links(text, rp_field_list(reconcile, "links"), is_brief);
    if (is_brief && json_array_size(orphans) == 0)
        return;
    rp_text_heading(text, "Orphans");
    if (json_array_size(orphans) == 0)
        g_string_append(text, "none\n");
    else
        append_orphans(text, orphans, is_brief);
}

char *rp_report_reconcile_text(const json_t *reconcile) {
    g_autoptr(GString) text = g_string_new(NULL);
    RpVerdict verdict = {.sentences = json_array()};
    rp_verdict_of_reconcile(&verdict, reconcile);
    g_string_append_printf(text, "%s\n\n", verdict.headline);
    for (size_t i = 0; i < json_array_size(verdict.sentences); i++)
        rp_text_wrap(text, json_string_value(json_array_get(verdict.sentences, i)));
    rp_text_reconcile(text, reconcile, TRUE);
    json_decref(verdict.sentences);
    g_free(verdict.headline);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
