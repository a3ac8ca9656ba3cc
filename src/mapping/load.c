/* Loading: files and folders of YAML to a mapping. */
#include "mapping/words.h"

#include "base/error.h"

#include <string.h>

#define LANGUAGE_VERSION "1"

/* ---- entities ---- */

static void entity_free(gpointer data) {
    RpEntity *entity = data;
    g_free(entity->name);
    g_free(entity->place);
    rp_pattern_free(entity->keys);
    g_free(entity->table_name);
    g_strfreev(entity->key);
    g_ptr_array_unref(entity->columns);
    g_ptr_array_unref(entity->fields);
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

static RpPattern *load_pattern(RpLoader *loader, RpYamlNode value) {
    g_autofree char *problem = NULL;
    RpPattern *pattern = rp_pattern_new(rp_yaml_text(value), &problem);
    if (pattern == NULL)
        rp_words_error(loader, value, "bad_pattern", "key pattern \"%s\": %s", rp_yaml_text(value), problem);
    return pattern;
}

static void skip(RpLoader *loader, RpYamlNode value) {
    (void)loader, (void)value; /* read before the walk: other words depend on it */
}

static void take_type(RpLoader *loader, RpYamlNode value) {
    static const char *const types[] = {"hash", NULL};
    guint position;
    if (rp_words_choice(loader, value, types, &position))
        loader->entity->type = RP_RECORD_HASH;
}

static void take_table(RpLoader *loader, RpYamlNode value) {
    loader->entity->table_name = g_strdup(rp_yaml_text(value));
}

static void take_key(RpLoader *loader, RpYamlNode value) {
    loader->entity->key = rp_words_list(loader, value);
    if (loader->entity->key != NULL && loader->entity->key[0] == NULL)
        rp_words_error(loader, value, "bad_value", "key names no column");
}

static void take_columns(RpLoader *loader, RpYamlNode value) {
    for (guint i = 0; i < rp_yaml_length(value); i++) {
        RpYamlNode name, column;
        rp_yaml_pair(value, i, &name, &column);
        if (rp_yaml_text(name) == NULL)
            rp_words_error(loader, name, "wrong_yaml_type", "a column's name is a scalar");
        else if (rp_entity_find_column(loader->entity, rp_yaml_text(name)) != NULL)
            rp_words_error(loader, name, "duplicate_column", "column \"%s\" is mapped twice",
                           rp_yaml_text(name));
        else
            rp_column_load(loader, name, column);
    }
}

static gboolean has_check(const RpEntity *entity, const char *name) {
    for (guint i = 0; i < entity->checks->len; i++)
        if (strcmp(((const RpCheck *)g_ptr_array_index(entity->checks, i))->name, name) == 0)
            return TRUE;
    return FALSE;
}

static void take_checks(RpLoader *loader, RpYamlNode value) {
    for (guint i = 0; i < rp_yaml_length(value); i++) {
        RpYamlNode name, sql;
        rp_yaml_pair(value, i, &name, &sql);
        if (rp_yaml_text(name) == NULL || rp_yaml_text(sql) == NULL) {
            rp_words_error(loader, name, "wrong_yaml_type", "a check is a name and an SQL expression");
            continue;
        }
        if (has_check(loader->entity, rp_yaml_text(name))) {
            rp_words_error(loader, name, "duplicate_name", "check \"%s\" stands twice", rp_yaml_text(name));
            continue;
        }
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
    {"type", RP_YAML_SCALAR, take_type},
    {"table", RP_YAML_SCALAR, take_table},
    {"key", RP_YAML_LIST, take_key},
    {"columns", RP_YAML_MAP, take_columns},
    {"checks", RP_YAML_MAP, take_checks},
    {"where", RP_YAML_SCALAR, take_where},
    {"on_delete", RP_YAML_SCALAR, take_on_delete},
    {"on_expire", RP_YAML_SCALAR, take_on_expire},
    {NULL, RP_YAML_NONE, NULL},
};

static void demand(RpLoader *loader, RpYamlNode map, const char *what, const char *const *words) {
    for (; *words != NULL; words++)
        if (rp_yaml_get(map, *words).number == 0)
            rp_words_error(loader, map, "missing_word", "%s lacks \"%s\"", what, *words);
}

static void check_key_columns(RpLoader *loader, RpYamlNode node) {
    const RpEntity *entity = loader->entity;
    for (char **name = entity->key; name != NULL && *name != NULL; name++)
        if (rp_entity_find_column(entity, *name) == NULL)
            rp_words_error(loader, rp_yaml_get(node, "key"), "key_not_mapped",
                           "key column \"%s\" of entity \"%s\" is not mapped", *name, entity->name);
}

static void load_entity(RpLoader *loader, RpYamlNode name, RpYamlNode value) {
    static const char *const needed[] = {"keys", "type", "table", "key", "columns", NULL};
    RpEntity *entity = g_new0(RpEntity, 1);
    entity->name = g_strdup(rp_yaml_text(name));
    entity->place = rp_yaml_place(name);
    entity->columns = g_ptr_array_new_with_free_func((GDestroyNotify)rp_column_free);
    entity->fields = g_ptr_array_new_with_free_func(g_free);
    entity->checks = g_ptr_array_new_with_free_func(check_free);
    loader->entity = entity;
    const RpYamlNode keys = rp_yaml_get(value, "keys");
    if (rp_yaml_kind(keys) == RP_YAML_SCALAR)
        entity->keys = load_pattern(loader, keys);
    demand(loader, value, "an entity", needed);
    rp_words_walk(loader, ENTITY_WORDS, value, "an entity");
    check_key_columns(loader, value);
    g_ptr_array_add(loader->mapping->entities, entity);
    loader->entity = NULL;
}

static const RpEntity *find_entity(const RpMapping *mapping, const char *name) {
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        if (strcmp(entity->name, name) == 0)
            return entity;
    }
    return NULL;
}

static void take_entities(RpLoader *loader, RpYamlNode value) {
    for (guint i = 0; i < rp_yaml_length(value); i++) {
        RpYamlNode name, entity;
        rp_yaml_pair(value, i, &name, &entity);
        if (rp_yaml_text(name) == NULL || rp_yaml_kind(entity) != RP_YAML_MAP) {
            rp_words_error(loader, name, "wrong_yaml_type", "an entity is a name and a map");
            continue;
        }
        const RpEntity *earlier = find_entity(loader->mapping, rp_yaml_text(name));
        if (earlier != NULL)
            rp_words_error(loader, name, "duplicate_name", "entity \"%s\" stands at %s too", earlier->name,
                           earlier->place);
        else
            load_entity(loader, name, entity);
    }
}

/* ---- links ---- */

static void link_free(gpointer data) {
    RpLink *link = data;
    g_free(link->name);
    g_free(link->place);
    rp_pattern_free(link->keys);
    g_free(link->member_entity);
    g_free(link->member_column);
    g_free(link->owner_entity);
    g_free(link->owner_column);
    g_free(link);
}

static void take_link_keys(RpLoader *loader, RpYamlNode value) {
    loader->link->keys = load_pattern(loader, value);
}

static void take_link_type(RpLoader *loader, RpYamlNode value) {
    static const char *const types[] = {"set", "list", "zset", NULL};
    static const RpRecordType values[] = {RP_RECORD_SET, RP_RECORD_LIST, RP_RECORD_ZSET};
    guint position;
    if (rp_words_choice(loader, value, types, &position))
        loader->link->type = values[position];
}

/* {entity: orders, column: order_id}, both needed and nothing else. */
static void take_end(RpLoader *loader, RpYamlNode value, char **entity, char **column) {
    const RpYamlNode entity_node = rp_yaml_get(value, "entity");
    const RpYamlNode column_node = rp_yaml_get(value, "column");
    if (rp_yaml_length(value) != 2 || rp_yaml_text(entity_node) == NULL ||
        rp_yaml_text(column_node) == NULL) {
        rp_words_error(loader, value, "bad_value", "an end of a link is {entity: NAME, column: NAME}");
        return;
    }
    *entity = g_strdup(rp_yaml_text(entity_node));
    *column = g_strdup(rp_yaml_text(column_node));
}

static void take_member(RpLoader *loader, RpYamlNode value) {
    take_end(loader, value, &loader->link->member_entity, &loader->link->member_column);
}

static void take_owner(RpLoader *loader, RpYamlNode value) {
    take_end(loader, value, &loader->link->owner_entity, &loader->link->owner_column);
}

static const RpWord LINK_WORDS[] = {
    {"keys", RP_YAML_SCALAR, take_link_keys},
    {"type", RP_YAML_SCALAR, take_link_type},
    {"member", RP_YAML_MAP, take_member},
    {"owner", RP_YAML_MAP, take_owner},
    {NULL, RP_YAML_NONE, NULL},
};

static const RpLink *find_link(const RpMapping *mapping, const char *name) {
    for (guint i = 0; i < mapping->links->len; i++) {
        const RpLink *link = g_ptr_array_index(mapping->links, i);
        if (strcmp(link->name, name) == 0)
            return link;
    }
    return NULL;
}

static void load_link(RpLoader *loader, RpYamlNode name, RpYamlNode value) {
    static const char *const needed[] = {"keys", "type", "member", "owner", NULL};
    loader->link = g_new0(RpLink, 1);
    loader->link->name = g_strdup(rp_yaml_text(name));
    loader->link->place = rp_yaml_place(name);
    demand(loader, value, "a link", needed);
    rp_words_walk(loader, LINK_WORDS, value, "a link");
    g_ptr_array_add(loader->mapping->links, loader->link);
    loader->link = NULL;
}

static void take_links(RpLoader *loader, RpYamlNode value) {
    for (guint i = 0; i < rp_yaml_length(value); i++) {
        RpYamlNode name, link;
        rp_yaml_pair(value, i, &name, &link);
        if (rp_yaml_text(name) == NULL || rp_yaml_kind(link) != RP_YAML_MAP) {
            rp_words_error(loader, name, "wrong_yaml_type", "a link is a name and a map");
            continue;
        }
        const RpLink *earlier = find_link(loader->mapping, rp_yaml_text(name));
        if (earlier != NULL)
            rp_words_error(loader, name, "duplicate_name", "link \"%s\" stands at %s too", earlier->name,
                           earlier->place);
        else
            load_link(loader, name, link);
    }
}

/* The ends of links may stand in files that come later: checked when all are read. */
static void check_link_end(RpFindings *findings, const RpMapping *mapping, const RpLink *link,
                           const char *entity_name, const char *column) {
    if (entity_name == NULL)
        return;
    const RpEntity *entity = find_entity(mapping, entity_name);
    if (entity == NULL)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "bad_reference", link->place, NULL,
                        "link \"%s\" names entity \"%s\", which is not there", link->name, entity_name);
    else if (rp_entity_find_column(entity, column) == NULL)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "bad_reference", link->place, NULL,
                        "link \"%s\" names column \"%s\", which entity \"%s\" does not map", link->name,
                        column, entity_name);
}

/* ---- the whole ---- */

static void take_ignore(RpLoader *loader, RpYamlNode value) {
    g_auto(GStrv) patterns = rp_words_list(loader, value);
    for (char **pattern = patterns; pattern != NULL && *pattern != NULL; pattern++)
        g_ptr_array_add(loader->mapping->ignores, rp_pattern_new_glob(*pattern));
}

static void take_version(RpLoader *loader, RpYamlNode value) {
    if (strcmp(rp_yaml_text(value), LANGUAGE_VERSION) != 0)
        rp_words_error(loader, value, "bad_version",
                       "version \"%s\" of the language is unknown: this program reads " LANGUAGE_VERSION,
                       rp_yaml_text(value));
}

static void take_namespace(RpLoader *loader, RpYamlNode value) {
    if (!rp_uuid_parse(rp_span(rp_yaml_text(value)), &loader->mapping->uuid_namespace))
        rp_words_error(loader, value, "bad_value", "uuid_namespace: \"%s\" is no UUID", rp_yaml_text(value));
}

static const RpWord TOP_WORDS[] = {
    {"redis2pg", RP_YAML_SCALAR, take_version}, {"uuid_namespace", RP_YAML_SCALAR, take_namespace},
    {"ignore", RP_YAML_LIST, take_ignore},      {"entities", RP_YAML_MAP, take_entities},
    {"links", RP_YAML_MAP, take_links},         {NULL, RP_YAML_NONE, NULL},
};

static void load_file(RpLoader *loader, const char *path, GChecksum *digest) {
    g_autofree char *text = NULL;
    gsize size = 0;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &text, &size, &error)) {
        rp_findings_add(loader->findings, RP_SEVERITY_ERROR, "unreadable_file", path, NULL, "%s",
                        error->message);
        return;
    }
    g_checksum_update(digest, (const guchar *)text, (gssize)size);
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(RpYamlFile) file = rp_yaml_parse(name, text, size, loader->findings);
    if (file == NULL)
        return;
    const RpYamlNode root = rp_yaml_root(file);
    static const char *const needed[] = {"redis2pg", NULL};
    if (rp_yaml_kind(root) != RP_YAML_MAP) {
        rp_findings_add(loader->findings, RP_SEVERITY_ERROR, "wrong_yaml_type", name,
                        "begin with redis2pg: 1", "the file is no map of words");
        return;
    }
    demand(loader, root, "the mapping", needed);
    rp_words_walk(loader, TOP_WORDS, root, "a mapping");
}

static int compare_paths(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files that path names, in the order of their names. */
static GPtrArray *list_files(const char *path, RpFindings *findings) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_ptr_array_add(files, g_strdup(path));
        return g_steal_pointer(&files);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) folder = g_dir_open(path, 0, &error);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
        if (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml"))
            g_ptr_array_add(files, g_build_filename(path, name, NULL));
    g_ptr_array_sort(files, compare_paths);
    if (files->len == 0)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "unreadable_file", path, NULL, "%s",
                        error != NULL ? error->message : "the folder holds no *.yaml file");
    return g_steal_pointer(&files);
}

RpMapping *rp_mapping_load(const char *path, RpFindings *findings) {
    g_autoptr(GPtrArray) files = list_files(path, findings);
    RpMapping *mapping = g_new0(RpMapping, 1);
    mapping->path = g_strdup(path);
    mapping->uuid_namespace = RP_UUID_DEFAULT_NAMESPACE;
    mapping->entities = g_ptr_array_new_with_free_func(entity_free);
    mapping->links = g_ptr_array_new_with_free_func(link_free);
    mapping->ignores = g_ptr_array_new_with_free_func((GDestroyNotify)rp_pattern_free);
    RpLoader loader = {.findings = findings, .mapping = mapping};
    g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < files->len; i++)
        load_file(&loader, g_ptr_array_index(files, i), digest);
    mapping->digest = g_strdup(g_checksum_get_string(digest));
    for (guint i = 0; i < mapping->links->len; i++) {
        const RpLink *link = g_ptr_array_index(mapping->links, i);
        check_link_end(findings, mapping, link, link->member_entity, link->member_column);
        check_link_end(findings, mapping, link, link->owner_entity, link->owner_column);
    }
    if (mapping->entities->len == 0 && rp_findings_count(findings, RP_SEVERITY_ERROR) == 0)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "missing_word", path, NULL,
                        "the mapping has no entities");
    return mapping;
}

void rp_mapping_free(RpMapping *mapping) {
    if (mapping == NULL)
        return;
    g_free(mapping->path);
    g_free(mapping->digest);
    g_ptr_array_unref(mapping->entities);
    g_ptr_array_unref(mapping->links);
    g_ptr_array_unref(mapping->ignores);
    g_free(mapping);
}
