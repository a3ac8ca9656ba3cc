/* Of a reconciliation: rows by entity, aggregates, links, orphans. */
#include "report/html_chart.h"
#include "report/html_sections.h"
#include "report/html_table.h"

#include "report/field.h"

static const json_t *entities_of(const json_t *document) {
    return rp_field_list(json_object_get(document, "reconcile"), "entities");
}

static void write_bar_row(RpHtml *html, const json_t *entity, size_t number) {
    const guint64 missing = rp_field_number(entity, "missing"),
                  explained = rp_field_number(entity, "explained");
    const RpHtmlShare shares[] = {{"equal", "s-inserted", rp_field_number(entity, "equal")},
                                  {"different", "s-updated", rp_field_number(entity, "different")},
                                  {"missing and explained", "s-filtered", MIN(explained, missing)},
                                  {"missing", "s-rejected", missing - MIN(explained, missing)},
                                  {"extra", "s-parked", rp_field_number(entity, "extra")}};
    g_autofree char *id = g_strdup_printf("bar-%zu", number);
    rp_html_open(html, "div", "class", "bar-row", NULL);
    rp_html_open(html, "p", NULL);
    rp_html_open(html, "b", NULL);
    rp_html_data(html, rp_field_span(entity, "entity"));
    rp_html_close(html, "b");
    rp_html_open(html, "span", "class", "total", NULL);
    rp_html_number(html, rp_field_number(entity, "source_rows"));
    rp_html_text(html, " in Redis, ");
    rp_html_number(html, rp_field_number(entity, "target_rows"));
    rp_html_text(html, " in PostgreSQL");
    rp_html_close(html, "span");
    rp_html_close(html, "p");
    rp_html_bar(html, id, rp_field_text(entity, "entity"), shares, G_N_ELEMENTS(shares));
    rp_html_close(html, "div");
}

static void write_rows_table(RpHtml *html, const json_t *entities) {
    static const char *const headings[] = {"Entity",
                                           "Table",
                                           ">In Redis",
                                           ">In PostgreSQL",
                                           ">Equal",
                                           ">Missing",
                                           ">of which explained",
                                           ">Extra",
                                           ">Different",
                                           ">Refused",
                                           NULL};
    rp_html_table_open(html, "Rows by entity", headings);
    for (size_t i = 0; i < json_array_size(entities); i++) {
        const json_t *entity = json_array_get(entities, i);
        rp_html_row_open(html);
        rp_html_heading_cell(html, rp_field_text(entity, "entity"));
        rp_html_data_cell(html, rp_field_span(entity, "table"));
        rp_html_number_cell(html, rp_field_number(entity, "source_rows"));
        rp_html_number_cell(html, rp_field_number(entity, "target_rows"));
        rp_html_number_cell(html, rp_field_number(entity, "equal"));
        rp_html_marked_cell(html, rp_field_number(entity, "missing"), "bad");
        rp_html_number_cell(html, rp_field_number(entity, "explained"));
        rp_html_marked_cell(html, rp_field_number(entity, "extra"), "bad");
        rp_html_marked_cell(html, rp_field_number(entity, "different"), "bad");
        rp_html_number_cell(html, rp_field_number(entity, "rejected"));
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
}

/* What the counts of the table do not say. */
static void write_notes(RpHtml *html, const json_t *entity) {
    static const struct {
        const char *member, *meaning;
    } notes[] = {{"unexplained", "missing rows without an open reject on record"},
                 {"kept", "rows that stand on purpose, for the mapping keeps what has left Redis"},
                 {"extra_refused", "extra rows whose key is in Redis, but is refused by the mapping now"},
                 {"unrecorded", "records that the mapping refuses now, without an open reject on record"}};
    for (guint i = 0; i < G_N_ELEMENTS(notes); i++) {
        const guint64 n = rp_field_number(entity, notes[i].member);
        if (n == 0)
            continue;
        rp_html_open(html, "p", "class", "lead", NULL);
        rp_html_data(html, rp_field_span(entity, "entity"));
        rp_html_printf(html, ": %s: ", notes[i].meaning);
        rp_html_number(html, n);
        rp_html_close(html, "p");
    }
}

static void write_not_compared(RpHtml *html, const json_t *entities) {
    static const char *const headings[] = {"Entity", "Column", "Why", NULL};
    gboolean is_open = FALSE;
    for (size_t e = 0; e < json_array_size(entities); e++) {
        const json_t *columns = rp_field_list(json_array_get(entities, e), "not_compared");
        for (size_t c = 0; c < json_array_size(columns); c++) {
            if (!is_open)
                rp_html_table_open(html, "Columns that were not compared", headings);
            is_open = TRUE;
            rp_html_row_open(html);
            rp_html_heading_cell(html, rp_field_text(json_array_get(entities, e), "entity"));
            rp_html_member_cell(html, json_array_get(columns, c), "column");
            rp_html_prose_cell(html, json_array_get(columns, c), "why");
            rp_html_row_close(html);
        }
    }
    if (is_open)
        rp_html_table_close(html);
}

void rp_html_rows(RpHtml *html, const json_t *document) {
    static const RpHtmlShare legend[] = {{"equal", "s-inserted", 0},
                                         {"different", "s-updated", 0},
                                         {"missing, explained by an open reject", "s-filtered", 0},
                                         {"missing in PostgreSQL", "s-rejected", 0},
                                         {"extra in PostgreSQL", "s-parked", 0}};
    const json_t *entities = entities_of(document);
    rp_html_element(html, "p", "lead",
                    g_str_equal(rp_field_text(json_object_get(document, "reconcile"), "level"), "counts")
                        ? "Rows were not compared at this level. Equal: as many as both sides have; missing "
                          "or extra: what one side has more."
                        : "In Redis = equal + different + missing. In PostgreSQL = equal + different + "
                          "extra.");
    for (size_t i = 0; i < json_array_size(entities); i++)
        write_bar_row(html, json_array_get(entities, i), i);
    rp_html_legend(html, legend, G_N_ELEMENTS(legend));
    write_rows_table(html, entities);
    for (size_t i = 0; i < json_array_size(entities); i++)
        write_notes(html, json_array_get(entities, i));
    write_not_compared(html, entities);
}

/* Of no rows there is no sum: null. */
static void write_value(RpHtml *html, const json_t *aggregate, const char *name) {
    g_autofree char *value = rp_field_show(json_object_get(aggregate, name));
    rp_html_data(html, value != NULL ? rp_span(value) : (RpSpan){NULL, 0});
}

void rp_html_aggregates(RpHtml *html, const json_t *document) {
    static const char *const headings[] = {"Aggregate",      "Entity", ">In Redis",
                                           ">In PostgreSQL", "Equal",  NULL};
    const json_t *entities = entities_of(document);
    rp_html_table_open(html, "Sums, least and greatest values on both sides", headings);
    for (size_t e = 0; e < json_array_size(entities); e++) {
        const json_t *aggregates = rp_field_list(json_array_get(entities, e), "aggregates");
        for (size_t a = 0; a < json_array_size(aggregates); a++) {
            const json_t *aggregate = json_array_get(aggregates, a);
            const gboolean is_equal = rp_field_is_true(aggregate, "equal");
            rp_html_row_open(html);
            rp_html_heading_cell(html, rp_field_text(aggregate, "name"));
            rp_html_data_cell(html, rp_field_span(json_array_get(entities, e), "entity"));
            rp_html_open(html, "td", "class", "n", NULL);
            write_value(html, aggregate, "source");
            rp_html_close(html, "td");
            rp_html_open(html, "td", "class", "n", NULL);
            write_value(html, aggregate, "target");
            rp_html_close(html, "td");
            rp_html_element(html, "td", is_equal ? "good" : "bad", is_equal ? "✓ equal" : "✗ differs");
            rp_html_row_close(html);
        }
    }
    rp_html_table_close(html);
}

static void write_link_examples(RpHtml *html, const json_t *links) {
    static const char *const headings[] = {"Link", "Kind", "Owner", "Member", NULL};
    gboolean is_open = FALSE;
    for (size_t l = 0; l < json_array_size(links); l++) {
        const json_t *examples = rp_field_list(json_array_get(links, l), "examples");
        for (size_t i = 0; i < json_array_size(examples); i++) {
            if (!is_open)
                rp_html_table_open(html, "Examples", headings);
            is_open = TRUE;
            rp_html_row_open(html);
            rp_html_heading_cell(html, rp_field_text(json_array_get(links, l), "link"));
            rp_html_text_cell(html, rp_field_text(json_array_get(examples, i), "kind"));
            rp_html_member_cell(html, json_array_get(examples, i), "owner");
            rp_html_member_cell(html, json_array_get(examples, i), "member");
            rp_html_row_close(html);
        }
    }
    if (is_open)
        rp_html_table_close(html);
}

/* A zero of what nobody looked at would be a claim. */
static void write_link_counts(RpHtml *html, const json_t *link) {
    if (rp_field_has_text(link, "not_checked")) {
        for (guint i = 0; i < 3; i++)
            rp_html_element(html, "td", "n", "–");
        return;
    }
    rp_html_number_cell(html, rp_field_number(link, "checked"));
    rp_html_marked_cell(html, rp_field_number(link, "dangling"), "bad");
    rp_html_marked_cell(html, rp_field_number(link, "unlisted"), "bad");
}

void rp_html_links(RpHtml *html, const json_t *document) {
    static const char *const headings[] = {"Link", ">Checked", ">Dangling", ">Unlisted", "Not checked", NULL};
    const json_t *links = rp_field_list(json_object_get(document, "reconcile"), "links");
    rp_html_element(html, "p", "lead",
                    "Dangling: a key lists a member that has no row. Unlisted: a row that no key lists.");
    rp_html_table_open(html, "Keys that list members of an entity", headings);
    for (size_t i = 0; i < json_array_size(links); i++) {
        const json_t *link = json_array_get(links, i);
        rp_html_row_open(html);
        rp_html_heading_cell(html, rp_field_text(link, "link"));
        write_link_counts(html, link);
        rp_html_prose_cell(html, link, "not_checked");
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
    write_link_examples(html, links);
}

/* Texts of an array, one after another. */
static char *join(const json_t *texts) {
    GString *joined = g_string_new(NULL);
    for (size_t i = 0; i < json_array_size(texts); i++) {
        g_autofree char *text = rp_field_show_key(json_array_get(texts, i));
        g_string_append_printf(joined, "%s%s", i > 0 ? ", " : "", text != NULL ? text : "NULL");
    }
    return g_string_free(joined, FALSE);
}

void rp_html_orphans(RpHtml *html, const json_t *document) {
    static const char *const headings[] = {"Table", "Columns",  "Refer to", "Constraint",
                                           ">Rows", "Examples", NULL};
    const json_t *orphans = rp_field_list(json_object_get(document, "reconcile"), "orphans");
    if (json_array_size(orphans) == 0) {
        rp_html_element(html, "p", "lead", "No row of PostgreSQL refers to a row that is not there.");
        return;
    }
    rp_html_table_open(html, "Rows that refer to a row that is not there", headings);
    for (size_t i = 0; i < json_array_size(orphans); i++) {
        const json_t *orphan = json_array_get(orphans, i);
        g_autofree char *columns = join(rp_field_list(orphan, "columns"));
        g_autofree char *examples = join(rp_field_list(orphan, "examples"));
        rp_html_row_open(html);
        rp_html_heading_cell(html, rp_field_text(orphan, "table"));
        rp_html_data_cell(html, rp_span(columns));
        rp_html_member_cell(html, orphan, "references");
        if (rp_field_has_text(orphan, "constraint"))
            rp_html_member_cell(html, orphan, "constraint");
        else
            rp_html_text_cell(html, "none in the database");
        if (rp_field_has_text(orphan, "not_checked")) {
            rp_html_text_cell(html, "not checked");
            rp_html_member_cell(html, orphan, "not_checked");
        } else {
            rp_html_marked_cell(html, rp_field_number(orphan, "rows"), "bad");
            rp_html_data_cell(html, rp_span(examples));
        }
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
}
