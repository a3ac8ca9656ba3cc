/* The words of an entity. */
#include "mapping/words.h"

#include <string.h>

void rp_entity_free(RpEntity *entity) {
    g_free(entity->name);
    g_free(entity->place);
    rp_pattern_free(entity->keys);
    g_free(entity->table_name);
    g_strfreev(entity->key);
    g_strfreev(entity->ignored_fields);
    g_ptr_array_unref(entity->columns);
    rp_reference_scope_clear(&entity->scope);
    g_ptr_array_unref(entity->checks);
    if (entity->where != NULL) {
        g_free(entity->where->sql);
        g_free(entity->where->place);
        g_free(entity->where);
    }
    g_free(entity);
}

static void check_free(gpointer data) {
    RpCheck *check = data;
    g_free(check->name);
    g_free(check->sql);
    g_free(check->place);
    g_free(check);
}

static void skip(RpLoader *loader, RpYamlNode value) {
    (void)loader, (void)value; /* read before the walk: other words depend on it */
}

static void take_table(RpLoader *loader, RpYamlNode value) {
    loader->entity->table_name = rp_words_name(loader, value);
}

#define MAX_KEY_COLUMNS 32 /* INDEX_MAX_KEYS of PostgreSQL */

static void take_key(RpLoader *loader, RpYamlNode value) {
    if (rp_yaml_length(value) > MAX_KEY_COLUMNS) {
        rp_words_error(loader, value, "bad_value", "key names more than %d columns", MAX_KEY_COLUMNS);
        return;
    }
    loader->entity->key = rp_words_list(loader, value);
    if (loader->entity->key != NULL && loader->entity->key[0] == NULL)
        rp_words_error(loader, value, "bad_value", "key names no column");
}

static void take_columns(RpLoader *loader, RpYamlNode value) {
    const RpEntity *entity = loader->entity;
    RpYamlNode name, column;
    for (guint i = 0; rp_words_pair(loader, value, i, &name, &column); i++) {
        if (rp_yaml_text(name) == NULL)
            rp_words_error(loader, name, "wrong_yaml_type", "a column's name is a scalar");
        else if (rp_entity_find_column(entity, rp_yaml_text(name)) != NULL)
            rp_words_error(loader, name, "duplicate_column", "column \"%s\" is mapped twice",
                           rp_yaml_text(name));
        else if (rp_words_add(loader, name, entity->columns->len, RP_MAX_COLUMNS, "columns"))
            rp_column_load(loader, name, column);
    }
}

static void take_ignored_fields(RpLoader *loader, RpYamlNode value) {
    RpEntity *entity = loader->entity;
    entity->ignored_fields = rp_words_list(loader, value);
    if (entity->has_scope && !entity->scope.is_json && entity->scope.type != RP_RECORD_HASH &&
        entity->scope.type != RP_RECORD_STREAM)
        rp_words_error(loader, value, "word_without_effect", "a %s has no fields to ignore",
                       rp_record_type_name(entity->scope.type));
}

static gboolean has_check(const RpEntity *entity, const char *name) {
    for (guint i = 0; i < entity->checks->len; i++)
        if (strcmp(((const RpCheck *)g_ptr_array_index(entity->checks, i))->name, name) == 0)
            return TRUE;
    return FALSE;
}

static void take_checks(RpLoader *loader, RpYamlNode value) {
    RpYamlNode name, sql;
    for (guint i = 0; rp_words_pair(loader, value, i, &name, &sql); i++) {
        if (rp_yaml_text(name) == NULL || rp_yaml_text(sql) == NULL) {
            rp_words_error(loader, name, "wrong_yaml_type", "a check is a name and an SQL expression");
            continue;
        }
        if (has_check(loader->entity, rp_yaml_text(name))) {
            rp_words_error(loader, name, "duplicate_name", "check \"%s\" stands twice", rp_yaml_text(name));
            continue;
        }
        if (!rp_words_add(loader, name, loader->entity->checks->len, RP_MAX_COLUMNS, "checks"))
            return;
        RpCheck *check = g_new0(RpCheck, 1);
        check->name = g_strdup(rp_yaml_text(name));
        check->sql = g_strdup(rp_yaml_text(sql));
        check->place = rp_yaml_place(sql);
        g_ptr_array_add(loader->entity->checks, check);
    }
}

static void take_where(RpLoader *loader, RpYamlNode value) {
    loader->entity->where = g_new0(RpCheck, 1);
    loader->entity->where->sql = g_strdup(rp_yaml_text(value));
    loader->entity->where->place = rp_yaml_place(value);
}

static void take_when_gone(RpLoader *loader, RpYamlNode value, RpWhenGone *when_gone) {
    static const char *const choices[] = {"keep", "delete", NULL};
    guint position;
    if (rp_words_choice(loader, value, choices, &position))
        *when_gone = (RpWhenGone)position;
}

static void take_on_delete(RpLoader *loader, RpYamlNode value) {
    take_when_gone(loader, value, &loader->entity->on_delete);
}

static void take_on_expire(RpLoader *loader, RpYamlNode value) {
    take_when_gone(loader, value, &loader->entity->on_expire);
}

static const RpWord ENTITY_WORDS[] = {
    {"keys", RP_YAML_SCALAR, skip},
    {"type", RP_YAML_SCALAR, skip},
    {"each", RP_YAML_SCALAR, skip},
    {"table", RP_YAML_SCALAR, take_table},
    {"key", RP_YAML_LIST, take_key},
    {"columns", RP_YAML_MAP, take_columns},
    {"ignore_fields", RP_YAML_LIST, take_ignored_fields},
    {"checks", RP_YAML_MAP, take_checks},
    {"where", RP_YAML_SCALAR, take_where},
    {"on_delete", RP_YAML_SCALAR, take_on_delete},
    {"on_expire", RP_YAML_SCALAR, take_on_expire},
    {NULL, RP_YAML_NONE, NULL},
};

static void check_key_columns(RpLoader *loader, RpYamlNode node) {
    const RpEntity *entity = loader->entity;
    for (char **name = entity->key; name != NULL && *name != NULL; name++)
        if (rp_entity_find_column(entity, *name) == NULL)
            rp_words_error(loader, rp_yaml_get(node, "key"), "key_not_mapped",
                           "key column \"%s\" of entity \"%s\" is not mapped", *name, entity->name);
}

/* What the columns can refer to: read before them, wherever it stands. */
static void load_scope(RpLoader *loader, RpYamlNode value) {
    static const char *const types[] = {"hash", "string", "json", "list", "set", "zset", "stream", NULL};
    static const RpRecordType record_types[] = {RP_RECORD_HASH,  RP_RECORD_STRING, RP_RECORD_STRING,
                                                RP_RECORD_LIST,  RP_RECORD_SET,    RP_RECORD_ZSET,
                                                RP_RECORD_STREAM};
    RpEntity *entity = loader->entity;
    const RpYamlNode keys = rp_yaml_get(value, "keys");
    const RpYamlNode type = rp_yaml_get(value, "type");
    const RpYamlNode each = rp_yaml_get(value, "each");
    guint position;
    if (rp_yaml_kind(keys) == RP_YAML_SCALAR)
        entity->keys = rp_words_pattern(loader, keys);
    const gboolean has_type =
        rp_yaml_kind(type) == RP_YAML_SCALAR && rp_words_choice(loader, type, types, &position);
    if (!has_type || entity->keys == NULL)
        return;
    entity->has_scope = TRUE;
    entity->scope.keys = entity->keys;
    entity->scope.type = record_types[position];
    entity->scope.is_json = strcmp(types[position], "json") == 0;
    g_autofree char *problem = NULL;
    if (rp_yaml_kind(each) == RP_YAML_SCALAR &&
        !rp_reference_parse_each(&entity->scope, rp_yaml_text(each), &problem))
        rp_words_error(loader, each, "bad_reference", "%s", problem);
}

static void load_entity(RpLoader *loader, RpYamlNode name, RpYamlNode value) {
    static const char *const needed[] = {"keys", "type", "table", "key", "columns", NULL};
    RpEntity *entity = g_new0(RpEntity, 1);
    entity->name = g_strdup(rp_yaml_text(name));
    entity->place = rp_yaml_place(name);
    entity->columns = g_ptr_array_new_with_free_func((GDestroyNotify)rp_column_free);
    rp_reference_scope_init(&entity->scope);
    entity->checks = g_ptr_array_new_with_free_func(check_free);
    loader->entity = entity;
    const guint n_errors = rp_findings_count(loader->findings, RP_SEVERITY_ERROR);
    load_scope(loader, value);
    rp_words_demand(loader, value, "an entity", needed);
    rp_words_walk(loader, ENTITY_WORDS, value, "an entity");
    check_key_columns(loader, value);
    entity->is_sound = rp_findings_count(loader->findings, RP_SEVERITY_ERROR) == n_errors;
    g_ptr_array_add(loader->mapping->entities, entity);
    loader->entity = NULL;
}

void rp_entities_load(RpLoader *loader, RpYamlNode value) {
    RpYamlNode name, entity;
    for (guint i = 0; rp_words_pair(loader, value, i, &name, &entity); i++) {
        if (rp_yaml_text(name) == NULL || rp_yaml_kind(entity) != RP_YAML_MAP) {
            rp_words_error(loader, name, "wrong_yaml_type", "an entity is a name and a map");
            continue;
        }
        const RpEntity *earlier = rp_mapping_find_entity(loader->mapping, rp_yaml_text(name));
        if (earlier != NULL)
            rp_words_error(loader, name, "duplicate_name", "entity \"%s\" stands at %s too", earlier->name,
                           earlier->place);
        else if (rp_words_add(loader, name, loader->mapping->entities->len, RP_MAX_ENTITIES, "entities"))
            load_entity(loader, name, entity);
    }
}
