/* Compares what was planted with what a run found, count by count. */
#include "demo/verdict.h"

static void expect(json_t *differences, guint64 planted, json_t *found, const char *entity,
                   const char *what) {
    const json_int_t n_found = json_integer_value(found);
    if (n_found == (json_int_t)planted)
        return;
    g_autofree char *text = g_strdup_printf("%s %s", entity, what);
    json_array_append_new(differences, json_pack("{s:s, s:I, s:I}", "what", text, "planted",
                                                 (json_int_t)planted, "found", n_found));
}

/* Borrowed, or NULL when the run does not know the entity. */
static json_t *find_entity(const json_t *run, const char *name) {
    gsize i;
    json_t *entity;
    json_array_foreach(json_object_get(run, "entities"), i,
                       entity) if (g_strcmp0(json_string_value(json_object_get(entity, "entity")), name) ==
                                   0) return entity;
    return NULL;
}

/* The codes of both sides of an entity, in order; names borrowed from the two. */
static GPtrArray *codes_of(const RpShopReport *report, RpShopEntity entity, json_t *found) {
    GPtrArray *codes = g_ptr_array_new();
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++) {
        const char *code = RP_SHOP_FAULTS[kind].code;
        if (RP_SHOP_FAULTS[kind].entity == entity && code != NULL && report->planted[kind] > 0 &&
            !g_ptr_array_find_with_equal_func(codes, code, g_str_equal, NULL))
            g_ptr_array_add(codes, (gpointer)code);
    }
    const char *code;
    json_t *count;
    json_object_foreach(found, code,
                        count) if (!g_ptr_array_find_with_equal_func(codes, code, g_str_equal, NULL))
        g_ptr_array_add(codes, (gpointer)code);
    return codes;
}

json_t *rp_shop_differences(const RpShopReport *report, json_t *run, json_t *rejects) {
    json_t *differences = json_array();
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        const RpShopEntityCounts *counts = &report->entities[i];
        const char *name = rp_shop_entity_name((RpShopEntity)i);
        json_t *entity = find_entity(run, name);
        json_t *found = json_object_get(rejects, name);
        expect(differences, counts->hashes, json_object_get(entity, "read"), name, "read");
        expect(differences, counts->good, json_object_get(entity, "inserted"), name, "inserted");
        expect(differences, counts->rejected, json_object_get(entity, "rejected"), name, "rejected");
        g_autoptr(GPtrArray) codes = codes_of(report, (RpShopEntity)i, found);
        for (guint k = 0; k < codes->len; k++)
            expect(differences, rp_shop_report_rejects(report, (RpShopEntity)i, codes->pdata[k]),
                   json_object_get(found, codes->pdata[k]), name, codes->pdata[k]);
    }
    if (!json_is_true(json_object_get(run, "balanced")))
        json_array_append_new(differences, json_pack("{s:s, s:b, s:b}", "what", "the run is balanced",
                                                     "planted", 1, "found", 0));
    return differences;
}

void rp_shop_expect_proof(const RpShopReport *report, const json_t *reconciliation, json_t *differences) {
    static const char *const none[] = {"extra", "different", "unexplained", "unrecorded"};
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        const char *name = rp_shop_entity_name((RpShopEntity)i);
        const json_t *entity = find_entity(reconciliation, name);
        expect(differences, report->entities[i].good, json_object_get(entity, "equal"), name, "equal");
        for (guint k = 0; k < G_N_ELEMENTS(none); k++)
            expect(differences, 0, json_object_get(entity, none[k]), name, none[k]);
    }
}

char *rp_shop_compare_show(const RpShopReport *report, json_t *rejects) {
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%-10s %-18s %9s %9s\n", "entity", "code", "planted", "rejected");
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        const char *name = rp_shop_entity_name((RpShopEntity)i);
        json_t *found = json_object_get(rejects, name);
        g_autoptr(GPtrArray) codes = codes_of(report, (RpShopEntity)i, found);
        for (guint k = 0; k < codes->len; k++) {
            const char *code = codes->pdata[k];
            const json_int_t planted = (json_int_t)rp_shop_report_rejects(report, (RpShopEntity)i, code);
            const json_int_t n_found = json_integer_value(json_object_get(found, code));
            g_string_append_printf(text,
                                   "%-10s %-18s %9" JSON_INTEGER_FORMAT " %9" JSON_INTEGER_FORMAT "%s\n",
                                   name, code, planted, n_found, planted == n_found ? "" : "  <- differs");
        }
    }
    return g_string_free(text, FALSE);
}
