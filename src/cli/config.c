/* The configuration file. */
#include "cli/config.h"

#include "base/error.h"
#include "base/suggest.h"
#include "mapping/document.h"

struct RpConfig {
    char *path;
    GHashTable *values; /* name -> text */
    GHashTable *places; /* name -> "file:line:column" */
};

void rp_config_free(RpConfig *config) {
    if (config == NULL)
        return;
    g_free(config->path);
    g_hash_table_unref(config->values);
    g_hash_table_unref(config->places);
    g_free(config);
}

static char *value_text(RpYamlNode value) {
    if (rp_yaml_kind(value) == RP_YAML_SCALAR)
        return g_strdup(rp_yaml_text(value));
    if (rp_yaml_kind(value) != RP_YAML_LIST)
        return NULL;
    GString *joined = g_string_new(NULL);
    for (guint i = 0; i < rp_yaml_length(value); i++) {
        const char *item = rp_yaml_text(rp_yaml_item(value, i));
        if (item == NULL) {
            g_string_free(joined, TRUE);
            return NULL;
        }
        g_string_append_printf(joined, "%s%s", i > 0 ? "," : "", item);
    }
    return g_string_free(joined, FALSE);
}

static gboolean take_pair(RpConfig *config, RpYamlNode key, RpYamlNode value, GError **error) {
    g_autofree char *place = rp_yaml_place(key);
    g_autofree char *text = value_text(value);
    if (rp_yaml_text(key) == NULL || text == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "%s: an option's name and its value are expected", place);
        return FALSE;
    }
    if (g_hash_table_contains(config->values, rp_yaml_text(key))) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s: \"%s\" stands twice", place,
                    rp_yaml_text(key));
        return FALSE;
    }
    g_hash_table_insert(config->values, g_strdup(rp_yaml_text(key)), g_steal_pointer(&text));
    g_hash_table_insert(config->places, g_strdup(rp_yaml_text(key)), g_steal_pointer(&place));
    return TRUE;
}

RpConfig *rp_config_load(const char *path, GError **error) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpYamlFile) file = rp_yaml_load(path, findings);
    if (!rp_findings_check(findings, error))
        return NULL;
    g_autoptr(RpConfig) config = g_new0(RpConfig, 1);
    config->path = g_strdup(path);
    config->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    config->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const RpYamlNode root = rp_yaml_root(file);
    if (rp_yaml_kind(root) != RP_YAML_MAP && rp_yaml_kind(root) != RP_YAML_NONE) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s:1:1: a map of options is expected",
                    path);
        return NULL;
    }
    for (guint i = 0; i < rp_yaml_length(root); i++) {
        RpYamlNode key, value;
        rp_yaml_pair(root, i, &key, &value);
        if (!take_pair(config, key, value, error))
            return NULL;
    }
    return g_steal_pointer(&config);
}

const char *rp_config_get(const RpConfig *config, const char *name) {
    return g_hash_table_lookup(config->values, name);
}

const char *rp_config_get_path(const RpConfig *config) {
    return config->path;
}

gboolean rp_config_check_names(const RpConfig *config, const char *const *names, GError **error) {
    GHashTableIter iterator;
    gpointer name, place;
    g_hash_table_iter_init(&iterator, config->places);
    while (g_hash_table_iter_next(&iterator, &name, &place)) {
        if (g_strv_contains(names, name))
            continue;
        g_autofree char *hint = rp_suggest_hint(name, names);
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "%s: \"%s\" is no option of this command%s", (const char *)place, (const char *)name,
                    hint);
        return FALSE;
    }
    return TRUE;
}
