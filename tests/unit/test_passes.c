/* Passes: parents before children. */
#include "pipeline/passes.h"

#include "base/error.h"
#include "handmade.h"

#define MAX_TABLES 6

/* A column of child that is looked up in parent's table. */
static void add_lookup(RpEntity *child, const RpTable *parent) {
    RpMapColumn *column = g_new0(RpMapColumn, 1);
    column->source = RP_FROM_LOOKUP;
    column->lookup = g_new0(RpLookup, 1);
    column->lookup->table = parent;
    column->name = (char *)"looked_up";
    g_ptr_array_add(child->columns, column);
}

/* The column over which handmade_foreign_key makes its constraints. */
static void add_id(RpEntity *entity) {
    RpMapColumn *column = g_new0(RpMapColumn, 1);
    column->name = (char *)"id";
    g_ptr_array_add(entity->columns, column);
}

static void free_column(gpointer data) {
    RpMapColumn *column = data;
    g_free(column->lookup);
    g_free(column);
}

/* Entities 0, 1, … whose tables refer to each other as edges say: "10 20 21" is 1->0, 2->0, 2->1; "1?0" is a
 * look-up of 1 into 0. The result: a digit for each pass, or NULL for a circle. */
static char *plan(guint n_entities, const char *edges) {
    RpMapping mapping = {.entities = g_ptr_array_new()};
    RpTable *tables[MAX_TABLES];
    RpEntity entities[MAX_TABLES] = {0};
    for (guint i = 0; i < n_entities; i++) {
        g_autofree char *name = g_strdup_printf("t%u", i);
        tables[i] = handmade_table(name, 100 + i);
        entities[i] = (RpEntity){.name = tables[i]->name,
                                 .place = (char *)"m.yaml:1:1",
                                 .table = tables[i],
                                 .columns = g_ptr_array_new_with_free_func(free_column)};
        add_id(&entities[i]);
        g_ptr_array_add(mapping.entities, &entities[i]);
    }
    g_auto(GStrv) words = g_strsplit(edges, " ", -1);
    for (char **word = words; *word != NULL; word++)
        if ((*word)[0] != '\0' && (*word)[1] == '?')
            add_lookup(&entities[(*word)[0] - '0'], tables[(*word)[2] - '0']);
        else if ((*word)[0] != '\0')
            handmade_foreign_key(tables[(*word)[0] - '0'], tables[(*word)[1] - '0']);
    guint n_passes = 99;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) passes = rp_passes_plan(&mapping, &n_passes, &error);
    GString *shown = g_string_new(NULL);
    guint32 last = 0;
    for (guint i = 0; passes != NULL && i < passes->len; i++) {
        last = MAX(last, g_array_index(passes, guint32, i) + 1);
        g_string_append_printf(shown, "%u", g_array_index(passes, guint32, i));
    }
    if (passes != NULL)
        cr_assert(n_passes == last && passes->len == n_entities && error == NULL);
    else
        cr_assert(g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID) &&
                  strstr(error->message, "lead back to itself") != NULL);
    for (guint i = 0; i < n_entities; i++) {
        rp_table_free(tables[i]);
        g_ptr_array_unref(entities[i].columns);
    }
    g_ptr_array_unref(mapping.entities);
    return g_string_free(shown, passes == NULL);
}

Test(passes, put_parents_before_children) {
    static const struct {
        guint n_entities;
        const char *edges;
        const char *passes;
    } CASES[] = {
        {0, "", ""},
        {1, "", "0"},
        {3, "", "000"},
        {3, "10 21", "012"},
        {3, "01 12", "210"},        /* the order of the entities does not count */
        {3, "10 20 21", "012"},     /* the longest way counts */
        {4, "10 20 31 32", "0112"}, /* a diamond */
        {6, "50 41 32", "000111"},
        {6, "10 21 32 43 54", "012345"},
        {6, "01 12 23 34 45", "543210"},
        {2, "10 10", "01"}, /* two foreign keys to one table */
        {2, "1?0", "01"},   /* a look-up is no less of a reason */
        {3, "10 2?1", "012"},
        {3, "0?1 1?2 0?2", "210"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *got = plan(CASES[i].n_entities, CASES[i].edges);
        cr_assert(g_strcmp0(got, CASES[i].passes) == 0, "%s gave %s, not %s", CASES[i].edges,
                  got != NULL ? got : "a circle", CASES[i].passes);
    }
}

Test(passes, refuse_circles) {
    static const char *const CIRCLES[] = {"00",  "01 10",   "01 12 20", "10 23 32", "01 12 23 34 45 50",
                                          "0?0", "0?1 1?0", "01 1?0"};
    for (guint i = 0; i < G_N_ELEMENTS(CIRCLES); i++)
        cr_assert(plan(MAX_TABLES, CIRCLES[i]) == NULL, "%s", CIRCLES[i]);
}

Test(passes, look_only_at_mapped_tables) {
    RpMapping mapping = {.entities = g_ptr_array_new()};
    g_autoptr(RpTable) elsewhere = handmade_table("elsewhere", 7);
    g_autoptr(RpTable) table = handmade_table("t", 1);
    handmade_foreign_key(table, elsewhere);
    handmade_constraint(table, RP_CONSTRAINT_UNIQUE, "u", "a")->referenced_oid = 1;
    g_autoptr(GPtrArray) columns = g_ptr_array_new_with_free_func(free_column);
    RpEntity entity = {.name = (char *)"t", .table = table, .columns = columns};
    add_lookup(&entity, elsewhere);
    g_ptr_array_add(mapping.entities, &entity);
    guint n_passes;
    g_autoptr(GArray) passes = rp_passes_plan(&mapping, &n_passes, NULL);
    cr_assert(passes != NULL && n_passes == 1);
    g_ptr_array_unref(mapping.entities);
}

Test(passes, two_entities_of_one_table_share_its_pass) {
    g_autoptr(RpTable) parent = handmade_table("parent", 1);
    g_autoptr(RpTable) child = handmade_table("child", 2);
    handmade_foreign_key(child, parent);
    g_autoptr(GPtrArray) columns = g_ptr_array_new_with_free_func(free_column);
    RpEntity entities[] = {{.name = (char *)"a", .table = child, .columns = columns},
                           {.name = (char *)"b", .table = parent, .columns = columns},
                           {.name = (char *)"c", .table = child, .columns = columns}};
    add_id(&entities[0]);
    RpMapping mapping = {.entities = g_ptr_array_new()};
    for (guint i = 0; i < G_N_ELEMENTS(entities); i++)
        g_ptr_array_add(mapping.entities, &entities[i]);
    guint n_passes;
    g_autoptr(GArray) passes = rp_passes_plan(&mapping, &n_passes, NULL);
    cr_assert(n_passes == 2 && g_array_index(passes, guint32, 0) == 1 &&
              g_array_index(passes, guint32, 1) == 0 && g_array_index(passes, guint32, 2) == 1);
    g_ptr_array_unref(mapping.entities);
}

/* Nothing writes the column that refers to the table itself. */
Test(passes, a_foreign_key_that_is_not_mapped_asks_for_no_order) {
    g_autoptr(RpTable) table = handmade_table("t", 1);
    handmade_foreign_key(table, table);
    g_autoptr(GPtrArray) columns = g_ptr_array_new_with_free_func(free_column);
    RpEntity entity = {
        .name = (char *)"t", .place = (char *)"m.yaml:1:1", .table = table, .columns = columns};
    RpMapping mapping = {.entities = g_ptr_array_new()};
    g_ptr_array_add(mapping.entities, &entity);
    guint n_passes;
    g_autoptr(GArray) passes = rp_passes_plan(&mapping, &n_passes, NULL);
    cr_assert(passes != NULL && n_passes == 1);
    add_id(&entity);
    g_autoptr(GError) error = NULL;
    cr_assert(rp_passes_plan(&mapping, &n_passes, &error) == NULL && error != NULL);
    g_ptr_array_unref(mapping.entities);
}
