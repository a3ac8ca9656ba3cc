/* The words of a link. */
#include "mapping/words.h"

#include <string.h>

void rp_link_free(RpLink *link) {
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
    loader->link->keys = rp_words_pattern(loader, value);
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
    const gboolean is_pair = rp_yaml_length(value) == 2;
    const RpYamlNode entity_node = is_pair ? rp_yaml_get(value, "entity") : (RpYamlNode){0};
    const RpYamlNode column_node = is_pair ? rp_yaml_get(value, "column") : (RpYamlNode){0};
    if (rp_yaml_text(entity_node) == NULL || rp_yaml_text(column_node) == NULL) {
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
    rp_words_demand(loader, value, "a link", needed);
    rp_words_walk(loader, LINK_WORDS, value, "a link");
    g_ptr_array_add(loader->mapping->links, loader->link);
    loader->link = NULL;
}

void rp_links_load(RpLoader *loader, RpYamlNode value) {
    RpYamlNode name, link;
    for (guint i = 0; rp_words_pair(loader, value, i, &name, &link); i++) {
        if (rp_yaml_text(name) == NULL || rp_yaml_kind(link) != RP_YAML_MAP) {
            rp_words_error(loader, name, "wrong_yaml_type", "a link is a name and a map");
            continue;
        }
        const RpLink *earlier = find_link(loader->mapping, rp_yaml_text(name));
        if (earlier != NULL)
            rp_words_error(loader, name, "duplicate_name", "link \"%s\" stands at %s too", earlier->name,
                           earlier->place);
        else if (rp_words_add(loader, name, loader->mapping->links->len, RP_MAX_ENTITIES, "links"))
            load_link(loader, name, link);
    }
}

/* The ends of links may stand in files that come later: checked when all are read. */
static void check_link_end(RpFindings *findings, const RpMapping *mapping, const RpLink *link,
                           const char *entity_name, const char *column) {
    if (entity_name == NULL)
        return;
    const RpEntity *entity = rp_mapping_find_entity(mapping, entity_name);
    if (entity == NULL)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "bad_reference", link->place, NULL,
                        "link \"%s\" names entity \"%s\", which is not there", link->name, entity_name);
    else if (rp_entity_find_column(entity, column) == NULL)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "bad_reference", link->place, NULL,
                        "link \"%s\" names column \"%s\", which entity \"%s\" does not map", link->name,
                        column, entity_name);
}

void rp_links_check(RpLoader *loader) {
    for (guint i = 0; !loader->is_over && i < loader->mapping->links->len; i++) {
        const RpLink *link = g_ptr_array_index(loader->mapping->links, i);
        check_link_end(loader->findings, loader->mapping, link, link->member_entity, link->member_column);
        check_link_end(loader->findings, loader->mapping, link, link->owner_entity, link->owner_column);
    }
}
