/* The statements that read the rows of a unit. */
#include "reconcile/unit.h"

char *rp_unit_copy_sql(const RpUnit *unit, const char *where) {
    g_autoptr(GString) sql = g_string_new("COPY (SELECT ");
    for (guint i = 0; i < unit->columns->len; i++)
        g_string_append_printf(sql, "%s%s", i > 0 ? ", " : "", rp_unit_column(unit, i)->expression);
    g_string_append_printf(sql, " %s%s) TO STDOUT (FORMAT binary)", unit->from, where);
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

char *rp_unit_refused_sql(const RpUnit *unit) {
    g_autoptr(GString) where = g_string_new(NULL);
    for (guint i = 0; i < unit->entity->checks->len; i++) {
        const RpCheck *check = g_ptr_array_index(unit->entity->checks, i);
        g_string_append_printf(where, "%s(%s) IS FALSE", i > 0 ? " OR " : " WHERE ", check->sql);
    }
    return rp_unit_copy_sql(unit, where->str);
}
