/* Of a run: the balance by entity, the account of keys, and what nothing covers. */
#include "report/html_chart.h"
#include "report/html_sections.h"
#include "report/html_table.h"

#include "report/document.h"
#include "report/field.h"

/* ---- balance ---- */

static const struct {
    const char *name, *class_name;
} ACCOUNTS[] = {{"inserted", "s-inserted"}, {"updated", "s-updated"},   {"unchanged", "s-unchanged"},
                {"filtered", "s-filtered"}, {"vanished", "s-vanished"}, {"parked", "s-parked"},
                {"rejected", "s-rejected"}};

static guint read_shares(const json_t *counts, RpHtmlShare *shares) {
    for (guint i = 0; i < G_N_ELEMENTS(ACCOUNTS); i++)
        shares[i] = (RpHtmlShare){ACCOUNTS[i].name, ACCOUNTS[i].class_name,
                                  rp_field_number(counts, ACCOUNTS[i].name)};
    return G_N_ELEMENTS(ACCOUNTS);
}

/* Only what some entity has: a legend of seven names for two colours helps nobody. */
static void write_legend(RpHtml *html, const json_t *entities) {
    RpHtmlShare shares[G_N_ELEMENTS(ACCOUNTS)];
    guint n = 0;
    for (guint i = 0; i < G_N_ELEMENTS(ACCOUNTS); i++)
        if (rp_field_sum(entities, ACCOUNTS[i].name) > 0)
            shares[n++] = (RpHtmlShare){ACCOUNTS[i].name, ACCOUNTS[i].class_name, 0};
    if (n > 0)
        rp_html_legend(html, shares, n);
}

static void write_bars(RpHtml *html, const json_t *entities) {
    RpHtmlShare shares[G_N_ELEMENTS(ACCOUNTS)];
    for (size_t i = 0; i < json_array_size(entities); i++) {
        const json_t *entity = json_array_get(entities, i);
        g_autofree char *id = g_strdup_printf("bar-%zu", i);
        const guint n = read_shares(entity, shares);
        rp_html_open(html, "div", "class", "bar-row", NULL);
        rp_html_open(html, "p", NULL);
        rp_html_open(html, "b", NULL);
        rp_html_data(html, rp_field_span(entity, "entity"));
        rp_html_close(html, "b");
        rp_html_open(html, "span", "class", "total", NULL);
        rp_html_number(html, rp_field_number(entity, "read"));
        rp_html_text(html, " rows");
        rp_html_close(html, "span");
        rp_html_close(html, "p");
        rp_html_bar(html, id, rp_field_text(entity, "entity"), shares, n);
        rp_html_close(html, "div");
    }
    write_legend(html, entities);
}

static void write_account(RpHtml *html, const json_t *entities) {
    static const char *const headings[] = {"Entity",   "Table",      ">Read",     ">Inserted",
                                           ">Updated", ">Unchanged", ">Filtered", ">Vanished",
                                           ">Parked",  ">Rejected",  ">Deleted",  NULL};
    rp_html_table_open(html, "Rows by entity", headings);
    for (size_t i = 0; i < json_array_size(entities); i++) {
        const json_t *entity = json_array_get(entities, i);
        rp_html_row_open(html);
        rp_html_heading_cell(html, rp_field_text(entity, "entity"));
        rp_html_data_cell(html, rp_field_span(entity, "table"));
        rp_html_number_cell(html, rp_field_number(entity, "read"));
        for (guint a = 0; a < G_N_ELEMENTS(ACCOUNTS) - 1; a++)
            rp_html_number_cell(html, rp_field_number(entity, ACCOUNTS[a].name));
        rp_html_marked_cell(html, rp_field_number(entity, "rejected"), "bad");
        rp_html_number_cell(html, rp_field_number(entity, "deleted"));
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
}

void rp_html_balance(RpHtml *html, const json_t *document) {
    const json_t *run = rp_document_result(document);
    const json_t *entities = rp_field_list(run, "entities");
    rp_html_element(html, "p", "lead",
                    rp_field_is_true(run, "balanced")
                        ? "Every row that was read is in one account: read = inserted + updated + unchanged "
                          "+ filtered + vanished + parked + rejected."
                        : "The accounts do not add up: rows are unaccounted for.");
    write_bars(html, entities);
    write_account(html, entities);
}

/* ---- keys ---- */

void rp_html_keys(RpHtml *html, const json_t *document) {
    static const struct {
        const char *name, *class_name, *meaning;
    } accounts[] = {
        {"mapped", "s-inserted", "an entity of the mapping covers them"},
        {"ignored", "s-filtered", "the mapping ignores them, or they are of entities that were left out"},
        {"unmapped", "s-rejected", "nothing covers them"}};
    static const char *const headings[] = {"Keys", ">Number", "Meaning", NULL};
    const json_t *keys = json_object_get(rp_document_result(document), "keys");
    RpHtmlShare shares[G_N_ELEMENTS(accounts)];
    for (guint i = 0; i < G_N_ELEMENTS(accounts); i++)
        shares[i] =
            (RpHtmlShare){accounts[i].name, accounts[i].class_name, rp_field_number(keys, accounts[i].name)};
    rp_html_open(html, "div", "class", "bar-row", NULL);
    rp_html_bar(html, "bar-keys", "Keys of Redis", shares, G_N_ELEMENTS(shares));
    rp_html_close(html, "div");
    rp_html_legend(html, shares, G_N_ELEMENTS(shares));
    rp_html_table_open_as(html, "stacked keys", "Keys that Redis gave", headings);
    rp_html_row_open(html);
    rp_html_heading_cell(html, "scanned");
    rp_html_number_cell(html, rp_field_number(keys, "scanned"));
    rp_html_text_cell(html, "all of the database, each counted once");
    rp_html_row_close(html);
    for (guint i = 0; i < G_N_ELEMENTS(accounts); i++) {
        rp_html_row_open(html);
        rp_html_heading_cell(html, accounts[i].name);
        rp_html_marked_cell(html, shares[i].value, i == 2 ? "bad" : NULL);
        rp_html_text_cell(html, accounts[i].meaning);
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
}

void rp_html_unmapped(RpHtml *html, const json_t *document) {
    static const char *const headings[] = {"Pattern", ">Keys", "Example", NULL};
    const json_t *patterns = rp_field_list(rp_document_result(document), "unmapped_patterns");
    rp_html_element(
        html, "p", "lead",
        "These keys stay in Redis. Give a pattern an entity, or name it under ignore in the mapping.");
    rp_html_table_open(html, "Patterns of keys, those with the most keys first", headings);
    for (size_t i = 0; i < json_array_size(patterns); i++) {
        const json_t *pattern = json_array_get(patterns, i);
        rp_html_row_open(html);
        rp_html_heading_cell(html, rp_field_text(pattern, "pattern"));
        rp_html_number_cell(html, rp_field_number(pattern, "keys"));
        rp_html_member_cell(html, pattern, "example");
        rp_html_row_close(html);
    }
    rp_html_table_close(html);
}
