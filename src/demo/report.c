/* What was planted, as a table and as JSON. */
#include "demo/shop.h"

#include <string.h>

guint64 rp_shop_report_rejects(const RpShopReport *report, RpShopEntity entity, const char *code) {
    guint64 n_rejects = 0;
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++)
        if (RP_SHOP_FAULTS[kind].entity == entity && g_strcmp0(RP_SHOP_FAULTS[kind].code, code) == 0)
            n_rejects += report->planted[kind];
    return n_rejects;
}

static guint64 total_of(const RpShopReport *report, gsize offset) {
    guint64 total = 0;
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++)
        total += G_STRUCT_MEMBER(guint64, &report->entities[i], offset);
    return total;
}

#define TOTAL(report, member) total_of((report), G_STRUCT_OFFSET(RpShopEntityCounts, member))

static void show_counts(GString *text, const char *name, guint64 hashes, guint64 good, guint64 rejected) {
    g_string_append_printf(text,
                           "%-10s %12" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT "\n",
                           name, hashes, good, rejected);
}

char *rp_shop_report_show(const RpShopReport *report) {
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%-10s %12s %12s %12s\n", "entity", "hashes", "good rows", "rejects due");
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        const RpShopEntityCounts *counts = &report->entities[i];
        show_counts(text, rp_shop_entity_name((RpShopEntity)i), counts->hashes, counts->good,
                    counts->rejected);
    }
    show_counts(text, "total", TOTAL(report, hashes), TOTAL(report, good), TOTAL(report, rejected));
    if (TOTAL(report, faulty) == 0)
        return g_string_free(text, FALSE);
    g_string_append_printf(text, "\n%-30s %-20s %-18s %8s  %s\n", "planted fault", "column", "reject", "rows",
                           "what went wrong");
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++) {
        const RpShopFault *fault = &RP_SHOP_FAULTS[kind];
        if (report->planted[kind] > 0)
            g_string_append_printf(text, "%-30s %-20s %-18s %8" G_GUINT64_FORMAT "  %s\n", fault->name,
                                   fault->column != NULL ? fault->column : "-",
                                   fault->code != NULL ? fault->code : "(none)", report->planted[kind],
                                   fault->story);
    }
    return g_string_free(text, FALSE);
}

static json_t *json_text(const char *text) {
    return text != NULL ? json_string(text) : json_null();
}

static json_t *json_number(guint64 number) {
    return json_integer((json_int_t)number);
}

static void add_to(json_t *counts, const char *name, guint64 number) {
    json_object_set_new(counts, name,
                        json_number((guint64)json_integer_value(json_object_get(counts, name)) + number));
}

static json_t *entities_json(const RpShopReport *report) {
    json_t *entities = json_array();
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        const RpShopEntityCounts *counts = &report->entities[i];
        json_t *entity = json_object();
        json_object_set_new(entity, "entity", json_string(rp_shop_entity_name((RpShopEntity)i)));
        json_object_set_new(entity, "read", json_number(counts->hashes));
        json_object_set_new(entity, "faulty", json_number(counts->faulty));
        json_object_set_new(entity, "rejected", json_number(counts->rejected));
        json_object_set_new(entity, "good", json_number(counts->good));
        json_array_append_new(entities, entity);
    }
    return entities;
}

static json_t *faults_json(const RpShopReport *report) {
    json_t *faults = json_array();
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++) {
        const RpShopFault *fault = &RP_SHOP_FAULTS[kind];
        json_t *row = json_object();
        json_object_set_new(row, "fault", json_string(fault->name));
        json_object_set_new(row, "entity", json_string(rp_shop_entity_name(fault->entity)));
        json_object_set_new(row, "column", json_text(fault->column));
        json_object_set_new(row, "code", json_text(fault->code));
        json_object_set_new(row, "constraint", json_text(fault->constraint));
        json_object_set_new(row, "planted", json_number(report->planted[kind]));
        json_array_append_new(faults, row);
    }
    return faults;
}

static json_t *rejects_json(const RpShopReport *report) {
    json_t *by_code = json_object();
    json_t *by_entity = json_object();
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++)
        json_object_set_new(by_entity, rp_shop_entity_name((RpShopEntity)i), json_object());
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++) {
        const RpShopFault *fault = &RP_SHOP_FAULTS[kind];
        if (fault->code == NULL || report->planted[kind] == 0)
            continue;
        add_to(by_code, fault->code, report->planted[kind]);
        add_to(json_object_get(by_entity, rp_shop_entity_name(fault->entity)), fault->code,
               report->planted[kind]);
    }
    json_t *rejects = json_object();
    json_object_set_new(rejects, "total", json_number(TOTAL(report, rejected)));
    json_object_set_new(rejects, "by_code", by_code);
    json_object_set_new(rejects, "by_entity", by_entity);
    return rejects;
}

json_t *rp_shop_report_json(const RpShopReport *report) {
    json_t *root = json_object();
    json_object_set_new(root, "seed", json_number(report->spec.seed));
    json_object_set_new(root, "hashes", json_number(TOTAL(report, hashes)));
    json_object_set_new(root, "faulty", json_number(TOTAL(report, faulty)));
    json_object_set_new(root, "entities", entities_json(report));
    json_object_set_new(root, "faults", faults_json(report));
    json_object_set_new(root, "rejects", rejects_json(report));
    return root;
}
