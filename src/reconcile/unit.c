/* From the mapping to units. */
#include "reconcile/unit.h"

#include "reconcile/result.h"

#include <string.h>

static void unit_column_clear(gpointer data) {
    g_free(((RpUnitColumn *)data)->expression);
}

RpUnit *rp_unit_new(const RpEntity *entity, guint number) {
    RpUnit *unit = g_new0(RpUnit, 1);
    *unit = (RpUnit){.number = number, .entity = entity, .leader = number, .is_told_extra = TRUE};
    unit->columns = g_array_new(FALSE, FALSE, sizeof(RpUnitColumn));
    g_array_set_clear_func(unit->columns, unit_column_clear);
    unit->not_compared = g_ptr_array_new_with_free_func(g_free);
    unit->places = g_array_new(FALSE, FALSE, sizeof(guint));
    return unit;
}

void rp_unit_free(RpUnit *unit) {
    if (unit == NULL)
        return;
    g_array_unref(unit->columns);
    g_ptr_array_unref(unit->not_compared);
    g_array_unref(unit->places);
    g_free(unit->from);
    g_free(unit->kept);
    g_free(unit->not_kept);
    g_free(unit->kept_probe);
    g_free(unit);
}

/* ---- columns ---- */

/* What changes from reading to reading can be equal to nothing. */
static const char *why_volatile(const RpMapColumn *column) {
    for (guint i = 0; i < column->n_parts; i++) {
        if (column->parts[i].literal != NULL)
            continue;
        if (column->parts[i].reference.kind == RP_REFERENCE_NOW)
            return "it holds the time of the run ($now)";
        if (column->parts[i].reference.kind == RP_REFERENCE_TTL_MS)
            return "it holds the time that was left to live ($ttl_ms)";
    }
    return NULL;
}

static void leave_out(RpUnit *unit, const char *column, const char *why) {
    g_ptr_array_add(unit->not_compared, g_strdup(column));
    g_ptr_array_add(unit->not_compared, g_strdup(why));
}

static gboolean is_key(const RpEntity *entity, const char *name) {
    return g_strv_contains((const char *const *)entity->key, name);
}

/* Where the column's value stands among the fields of the mapper's tuples; a staged row has one for each. */
static guint field_of(const RpUnit *unit, const RpMapColumn *wanted) {
    guint field = 0;
    for (guint i = 0; i < unit->entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(unit->entity->columns, i);
        if (column == wanted)
            return field;
        field += !unit->is_staged && column->source == RP_FROM_LOOKUP ? column->lookup->matches->len : 1;
    }
    g_assert_not_reached();
}

/* citext, and texts of a collation that is not deterministic. */
static gboolean is_caseless(const RpColumn *column) {
    if (column->kind == RP_TYPE_OTHER)
        return g_str_has_suffix(column->cast_name, "citext");
    return column->is_folding && !column->is_padded;
}

static void add_column(RpUnit *unit, PGconn *connection, const RpMapColumn *column) {
    const RpColumn *target = column->conversion.column;
    const gboolean is_text = target->kind == RP_TYPE_OTHER;
    g_autofree char *quoted = rp_postgres_identifier(connection, column->name);
    const RpUnitColumn added = {
        .name = column->name,
        .column = target,
        .field = field_of(unit, column),
        .expression = g_strdup_printf("t.%s%s", quoted, is_text ? "::text" : ""),
        .is_key = is_key(unit->entity, column->name),
        .is_text = is_text,
        .table_oid = unit->entity->table->oid,
        .is_loose = target->is_folding || (is_text && target->is_comparable),
        .is_caseless = is_key(unit->entity, column->name) && is_caseless(target),
    };
    unit->is_caseless = unit->is_caseless || added.is_caseless;
    g_array_append_val(unit->columns, added);
}

static void add_columns(RpUnit *unit, PGconn *connection) {
    const RpEntity *entity = unit->entity;
    for (char **name = entity->key; *name != NULL; name++)
        add_column(unit, connection, rp_entity_find_column(entity, *name));
    unit->n_keys = unit->columns->len;
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        const char *why = why_volatile(column);
        if (why != NULL)
            leave_out(unit, column->name, why);
        else if (!is_key(entity, column->name))
            add_column(unit, connection, column);
    }
    for (guint i = 0; i < entity->table->columns->len; i++) {
        const RpColumn *column = g_ptr_array_index(entity->table->columns, i);
        if (rp_entity_find_column(entity, column->name) == NULL)
            leave_out(unit, column->name, RP_WHY_UNWRITTEN);
    }
}

static gboolean needs_postgres(const RpEntity *entity) {
    for (guint i = 0; i < entity->columns->len; i++) {
        const RpMapColumn *column = g_ptr_array_index(entity->columns, i);
        if (column->source == RP_FROM_LOOKUP || column->conversion.column->kind == RP_TYPE_OTHER)
            return TRUE;
    }
    return entity->where != NULL;
}

static RpUnit *entity_unit_new(PGconn *connection, const RpEntity *entity, guint number) {
    RpUnit *unit = rp_unit_new(entity, number);
    unit->is_staged = needs_postgres(entity);
    unit->has_checks = entity->checks->len > 0;
    unit->from = g_strdup_printf("FROM %s t", entity->table->quoted);
    add_columns(unit, connection);
    return unit;
}

/* ---- entities of one table ---- */

static int find_column(const RpUnit *unit, const char *name) {
    for (guint i = 0; i < unit->columns->len; i++)
        if (strcmp(rp_unit_column(unit, i)->name, name) == 0)
            return (int)i;
    return -1;
}

/* Puts the follower's columns into the leader's order; FALSE when they are not the same ones. */
static gboolean follow(RpUnit *unit, const RpUnit *leader) {
    if (unit->columns->len != leader->columns->len || unit->n_keys != leader->n_keys)
        return FALSE;
    g_autofree guint *order = g_new(guint, unit->columns->len);
    for (guint i = 0; i < leader->columns->len; i++) {
        const int position = find_column(unit, rp_unit_column(leader, i)->name);
        if (position < 0 ||
            rp_unit_column(unit, (guint)position)->is_key != rp_unit_column(leader, i)->is_key)
            return FALSE;
        order[i] = (guint)position;
    }
    g_autofree RpUnitColumn *columns =
        g_memdup2(unit->columns->data, unit->columns->len * sizeof(RpUnitColumn));
    for (guint i = 0; i < unit->columns->len; i++)
        g_array_index(unit->columns, RpUnitColumn, i) = columns[order[i]];
    unit->leader = leader->number;
    return TRUE;
}

/* Where others write the same table, which rows are nobody's cannot be told by comparing one of them. */
static void find_leader(RpUnits *units, RpUnit *unit) {
    for (guint i = 0; i < units->units->len; i++) {
        RpUnit *other = g_ptr_array_index(units->units, i);
        if (other->link != NULL || other->leader != other->number ||
            other->entity->table->oid != unit->entity->table->oid)
            continue;
        if (follow(unit, other))
            return;
        other->is_told_extra = unit->is_told_extra = FALSE;
    }
}

/* ---- the set ---- */

static void note_places(RpUnit *unit) {
    const guint nowhere = G_MAXUINT;
    for (guint i = 0; i < unit->entity->n_tuple_fields; i++)
        g_array_append_val(unit->places, nowhere);
    for (guint i = 0; i < unit->columns->len; i++)
        g_array_index(unit->places, guint, rp_unit_column(unit, i)->field) = i;
}

static void note_masks(const RpUnits *units, RpUnit *unit) {
    unit->hides_key = unit->link == NULL && rp_masks_hide_key(units->masks, unit->entity);
    for (guint i = 0; i < unit->columns->len; i++) {
        RpUnitColumn *column = &g_array_index(unit->columns, RpUnitColumn, i);
        column->is_masked = rp_masks_has(units->masks, column->table_oid, column->name);
    }
}

static gboolean is_asked_for(const char *const *only, const char *name) {
    return only == NULL || g_strv_contains(only, name);
}

/* Rows of a table that another entity fills too are extra only when neither gives them. */
static gboolean takes_part(const RpUnits *units, const RpUnit *unit, const char *const *only) {
    gboolean is_wanted = unit->link != NULL;
    for (guint i = 0; !is_wanted && i < units->units->len; i++) {
        const RpUnit *other = rp_units_get(units, i);
        is_wanted =
            other->link == NULL && other->leader == unit->leader && is_asked_for(only, other->entity->name);
    }
    return is_wanted;
}

/* A link may have the name of an entity that takes no part: the names alone say what is read. */
static void choose(RpUnits *units, const char *const *only) {
    if (only != NULL)
        units->only = g_ptr_array_new();
    for (guint i = 0; i < units->units->len; i++) {
        RpUnit *unit = g_ptr_array_index(units->units, i);
        unit->is_wanted = takes_part(units, unit, only);
        if (only != NULL && unit->is_wanted)
            g_ptr_array_add(units->only, unit->entity->name);
    }
    if (only != NULL)
        g_ptr_array_add(units->only, NULL);
}

static void skip_link(RpUnits *units, const RpLink *link, char *why) {
    g_ptr_array_add(units->skipped, g_strdup(link->name));
    g_ptr_array_add(units->skipped, why);
}

static void add_link(RpUnits *units, PGconn *connection, const RpMapping *mapping, const RpLink *link) {
    char *why = NULL;
    RpLinkEntity *made = rp_link_entity_new(connection, mapping, link, &why);
    if (made == NULL) {
        skip_link(units, link, why);
        return;
    }
    g_ptr_array_add(units->units, rp_link_entity_unit(made, units->units->len));
    g_ptr_array_add(units->mapping.entities, rp_link_entity_get(made));
    g_ptr_array_add(units->links, made);
}

RpUnits *rp_units_new(PGconn *connection, const RpMapping *mapping, const char *const *only) {
    RpUnits *units = g_new0(RpUnits, 1);
    units->mapping = *mapping;
    units->mapping.entities = g_ptr_array_new();
    units->units = g_ptr_array_new_with_free_func((GDestroyNotify)rp_unit_free);
    units->links = g_ptr_array_new_with_free_func((GDestroyNotify)rp_link_entity_free);
    units->skipped = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < mapping->entities->len; i++) {
        RpUnit *unit = entity_unit_new(connection, g_ptr_array_index(mapping->entities, i), i);
        find_leader(units, unit);
        g_ptr_array_add(units->units, unit);
        g_ptr_array_add(units->mapping.entities, g_ptr_array_index(mapping->entities, i));
    }
    for (guint i = 0; i < mapping->links->len; i++) {
        const RpLink *link = g_ptr_array_index(mapping->links, i);
        if (is_asked_for(only, link->member_entity) && is_asked_for(only, link->owner_entity))
            add_link(units, connection, mapping, link);
        else
            skip_link(units, link, g_strdup("--entity leaves one of its entities out"));
    }
    units->masks = rp_masks_new(mapping);
    for (guint i = 0; i < units->units->len; i++) {
        note_places(g_ptr_array_index(units->units, i));
        note_masks(units, g_ptr_array_index(units->units, i));
    }
    choose(units, only);
    return units;
}

void rp_units_free(RpUnits *units) {
    if (units == NULL)
        return;
    g_ptr_array_unref(units->mapping.entities);
    g_ptr_array_unref(units->units);
    g_ptr_array_unref(units->links);
    g_ptr_array_unref(units->skipped);
    rp_masks_free(units->masks);
    if (units->only != NULL)
        g_ptr_array_unref(units->only);
    g_free(units);
}

guint rp_units_most_columns(const RpUnits *units) {
    guint most = 1;
    for (guint i = 0; i < units->units->len; i++)
        most = MAX(most, rp_units_get(units, i)->columns->len);
    return most;
}
