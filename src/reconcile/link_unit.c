/* A link as an entity of two columns: the owner, captured from the key, and the member. Its rows in the
 * target are those of the foreign key that leads from the members' table to the owners'. */
#include "reconcile/unit.h"

#include <string.h>

enum { OWNER, MEMBER, N_ENDS };

struct RpLinkEntity {
    const RpLink *link;
    RpEntity entity;
    RpTable table;
    RpMapColumn ends[N_ENDS];
    char *names[N_ENDS + 1];
    char *from;
    char *expressions[N_ENDS];
    guint32 table_oids[N_ENDS];
};

/* ---- the foreign key ---- */

static const RpConstraint *find_foreign_key(const RpTable *child, const RpTable *parent, guint *n_found) {
    const RpConstraint *found = NULL;
    *n_found = 0;
    for (guint i = 0; i < child->constraints->len; i++) {
        const RpConstraint *constraint = g_ptr_array_index(child->constraints, i);
        if (constraint->kind != RP_CONSTRAINT_FOREIGN || constraint->referenced_oid != parent->oid)
            continue;
        found = constraint;
        (*n_found)++;
    }
    return found;
}

static char *join_sql(PGconn *connection, const RpTable *child, const RpTable *parent,
                      const RpConstraint *key) {
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_append_printf(sql, "FROM %s t JOIN %s o ON ", child->quoted, parent->quoted);
    for (guint i = 0; key->columns[i] != NULL; i++) {
        g_autofree char *own = rp_postgres_identifier(connection, key->columns[i]);
        g_autofree char *theirs = rp_postgres_identifier(connection, key->referenced_columns[i]);
        g_string_append_printf(sql, "%st.%s = o.%s", i > 0 ? " AND " : "", own, theirs);
    }
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

/* ---- the columns ---- */

/* A column takes what the key or the member says through the words that its entity has for it. */
static gboolean make_end(RpLinkEntity *made, guint end, const RpMapColumn *column,
                         const RpReference *reference, char **why) {
    if (column->source != RP_FROM_REFERENCE || column->conversion.column->kind == RP_TYPE_OTHER) {
        *why = g_strdup_printf("column \"%s\" does not hold a value as Redis has it", column->name);
        return FALSE;
    }
    RpMapColumn *own = &made->ends[end];
    *own = *column;
    own->parts[0] = (RpPart){.reference = *reference};
    own->n_parts = 1;
    own->fallback = NULL;
    own->is_required = TRUE;
    own->on_invalid = RP_INVALID_REJECTS;
    own->rules = g_ptr_array_new();
    return TRUE;
}

static gboolean find_owner(const RpLink *link, RpReference *reference, char **why) {
    int capture = rp_pattern_find_capture(link->keys, link->owner_column);
    if (capture < 0 && rp_pattern_n_captures(link->keys) == 1)
        capture = 0;
    *reference = (RpReference){.kind = RP_REFERENCE_CAPTURE, .index = (guint)MAX(capture, 0)};
    if (capture < 0)
        *why = g_strdup_printf("no capture of its keys is called \"%s\"", link->owner_column);
    return capture >= 0;
}

static gboolean make_ends(RpLinkEntity *made, const RpEntity *owner, const RpEntity *member, char **why) {
    const RpLink *link = made->link;
    RpReference reference;
    const RpReference value = {.kind = RP_REFERENCE_VALUE};
    made->table_oids[OWNER] = owner->table->oid;
    made->table_oids[MEMBER] = member->table->oid;
    made->names[OWNER] = link->owner_column;
    made->names[MEMBER] = link->member_column;
    return find_owner(link, &reference, why) &&
           make_end(made, OWNER, rp_entity_find_column(owner, link->owner_column), &reference, why) &&
           make_end(made, MEMBER, rp_entity_find_column(member, link->member_column), &value, why);
}

static void make_expression(RpLinkEntity *made, PGconn *connection, guint end, const char *table) {
    g_autofree char *quoted = rp_postgres_identifier(connection, made->ends[end].name);
    made->expressions[end] = g_strdup_printf("%s.%s", table, quoted);
}

/* ---- the entity ---- */

static void fill_entity(RpLinkEntity *made) {
    const RpLink *link = made->link;
    RpEntity *entity = &made->entity;
    *entity = (RpEntity){.name = link->name,
                         .place = link->place,
                         .keys = link->keys,
                         .is_sound = TRUE,
                         .has_scope = TRUE,
                         .key = made->names,
                         .table = &made->table,
                         .n_tuple_fields = N_ENDS};
    rp_reference_scope_init(&entity->scope);
    entity->scope.keys = link->keys;
    entity->scope.type = link->type;
    entity->scope.has_value = TRUE;
    entity->columns = g_ptr_array_new();
    entity->checks = g_ptr_array_new();
    for (guint end = 0; end < N_ENDS; end++)
        g_ptr_array_add(entity->columns, &made->ends[end]);
}

RpLinkEntity *rp_link_entity_new(PGconn *connection, const RpMapping *mapping, const RpLink *link,
                                 char **why) {
    const RpEntity *owner = rp_mapping_find_entity(mapping, link->owner_entity);
    const RpEntity *member = rp_mapping_find_entity(mapping, link->member_entity);
    guint n_found;
    const RpConstraint *key = find_foreign_key(member->table, owner->table, &n_found);
    if (n_found != 1) {
        *why = g_strdup_printf("%s foreign key leads from %s to %s", n_found == 0 ? "no" : "more than one",
                               member->table->shown, owner->table->shown);
        return NULL;
    }
    RpLinkEntity *made = g_new0(RpLinkEntity, 1);
    made->link = link;
    if (!make_ends(made, owner, member, why)) {
        rp_link_entity_free(made);
        return NULL;
    }
    made->from = join_sql(connection, member->table, owner->table, key);
    make_expression(made, connection, OWNER, "o");
    make_expression(made, connection, MEMBER, "t");
    fill_entity(made);
    return made;
}

void rp_link_entity_free(RpLinkEntity *link) {
    for (guint end = 0; end < N_ENDS; end++) {
        if (link->ends[end].rules != NULL)
            g_ptr_array_unref(link->ends[end].rules);
        g_free(link->expressions[end]);
    }
    if (link->entity.columns != NULL) {
        rp_reference_scope_clear(&link->entity.scope);
        g_ptr_array_unref(link->entity.columns);
        g_ptr_array_unref(link->entity.checks);
    }
    g_free(link->from);
    g_free(link);
}

RpEntity *rp_link_entity_get(RpLinkEntity *link) {
    return &link->entity;
}

RpUnit *rp_link_entity_unit(RpLinkEntity *link, guint number) {
    RpUnit *unit = rp_unit_new(&link->entity, number);
    unit->link = link->link;
    unit->n_keys = N_ENDS;
    unit->from = g_strdup(link->from);
    for (guint end = 0; end < N_ENDS; end++) {
        const RpUnitColumn column = {.name = link->ends[end].name,
                                     .column = link->ends[end].conversion.column,
                                     .field = end,
                                     .expression = g_strdup(link->expressions[end]),
                                     .is_key = TRUE,
                                     .table_oid = link->table_oids[end]};
        g_array_append_val(unit->columns, column);
    }
    return unit;
}
