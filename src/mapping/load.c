/* Loading: files and folders of YAML to a mapping. */
#include "mapping/overlap.h"
#include "mapping/words.h"

#include "base/error.h"

#include <string.h>

#define LANGUAGE_VERSION "1"
#define MAX_FOLDERS      8 /* inside each other: a link may lead in a circle */

static void take_ignore(RpLoader *loader, RpYamlNode value) {
    g_auto(GStrv) patterns = rp_words_list(loader, value);
    for (char **pattern = patterns; pattern != NULL && *pattern != NULL; pattern++)
        if (rp_words_spend(loader, value, RP_WORDS_COST_NEW + RP_WORDS_COST_PATTERN * strlen(*pattern)))
            g_ptr_array_add(loader->mapping->ignores, rp_pattern_new_glob(*pattern));
}

static void take_version(RpLoader *loader, RpYamlNode value) {
    if (strcmp(rp_yaml_text(value), LANGUAGE_VERSION) != 0)
        rp_words_error(loader, value, "bad_version",
                       "version \"%s\" of the language is unknown: this program reads " LANGUAGE_VERSION,
                       rp_yaml_text(value));
}

/* Every uuid5 of the mapping is in one namespace: two files cannot have two. */
static void take_namespace(RpLoader *loader, RpYamlNode value) {
    const RpUuid before = loader->mapping->uuid_namespace;
    if (!rp_uuid_parse(rp_span(rp_yaml_text(value)), &loader->mapping->uuid_namespace))
        rp_words_error(loader, value, "bad_value", "uuid_namespace: \"%s\" is no UUID", rp_yaml_text(value));
    else if (loader->namespace_place != NULL &&
             memcmp(&before, &loader->mapping->uuid_namespace, sizeof before) != 0)
        rp_words_error(loader, value, "duplicate_name", "another uuid_namespace stands at %s",
                       loader->namespace_place);
    g_free(loader->namespace_place);
    loader->namespace_place = rp_yaml_place(value);
}

static const RpWord TOP_WORDS[] = {
    {"redis2pg", RP_YAML_SCALAR, take_version}, {"uuid_namespace", RP_YAML_SCALAR, take_namespace},
    {"ignore", RP_YAML_LIST, take_ignore},      {"entities", RP_YAML_MAP, rp_entities_load},
    {"links", RP_YAML_MAP, rp_links_load},      {NULL, RP_YAML_NONE, NULL},
};

static void load_text(RpLoader *loader, const char *name, const char *text, gsize size) {
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
    rp_words_demand(loader, root, "the mapping", needed);
    rp_words_walk(loader, TOP_WORDS, root, "a mapping");
}

/* In places a file has the name by which it stands in the folder that was named. */
static void load_file(RpLoader *loader, const char *folder, const char *path, GChecksum *digest) {
    gsize size;
    g_autofree char *text = rp_yaml_read(path, &size, loader->findings);
    if (text == NULL)
        return;
    g_checksum_update(digest, (const guchar *)text, (gssize)size);
    const gboolean is_inside = g_str_has_prefix(path, folder) && path[strlen(folder)] != '\0';
    g_autofree char *name = is_inside ? g_strdup(path + strlen(folder) + strspn(path + strlen(folder), "/"))
                                      : g_path_get_basename(path);
    load_text(loader, name, text, size);
}

static int compare_paths(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the mapping files of a folder and of the folders in it; hidden ones are passed over. */
static void add_files(GPtrArray *files, const char *path, guint depth, GError **error) {
    g_autoptr(GDir) folder = g_dir_open(path, 0, error);
    const char *name;
    while (folder != NULL && *error == NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        if (name[0] == '.')
            continue;
        if (g_file_test(inside, G_FILE_TEST_IS_DIR) && depth < MAX_FOLDERS)
            add_files(files, inside, depth + 1, error);
        else if (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml"))
            g_ptr_array_add(files, g_steal_pointer(&inside));
    }
}

/* The files that path names, in the order of their names. */
static GPtrArray *list_files(const char *path, RpFindings *findings) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_ptr_array_add(files, g_strdup(path));
        return g_steal_pointer(&files);
    }
    g_autoptr(GError) error = NULL;
    add_files(files, path, 0, &error);
    g_ptr_array_sort(files, compare_paths);
    if (error != NULL || files->len == 0)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "unreadable_file", path, NULL, "%s",
                        error != NULL ? error->message : "the folder holds no *.yaml file");
    return g_steal_pointer(&files);
}

static RpMapping *mapping_new(const char *path) {
    RpMapping *mapping = g_new0(RpMapping, 1);
    mapping->path = g_strdup(path);
    mapping->uuid_namespace = RP_UUID_DEFAULT_NAMESPACE;
    mapping->entities = g_ptr_array_new_with_free_func((GDestroyNotify)rp_entity_free);
    mapping->links = g_ptr_array_new_with_free_func((GDestroyNotify)rp_link_free);
    mapping->ignores = g_ptr_array_new_with_free_func((GDestroyNotify)rp_pattern_free);
    return mapping;
}

/* After all files. */
static void finish(RpLoader *loader, GChecksum *digest) {
    RpMapping *mapping = loader->mapping;
    mapping->digest = g_strdup(g_checksum_get_string(digest));
    g_free(loader->namespace_place);
    rp_links_check(loader);
    if (rp_findings_count(loader->findings, RP_SEVERITY_ERROR) == 0)
        rp_overlap_note(mapping, loader->findings);
    if (mapping->entities->len == 0 && rp_findings_count(loader->findings, RP_SEVERITY_ERROR) == 0)
        rp_findings_add(loader->findings, RP_SEVERITY_ERROR, "missing_word", mapping->path, NULL,
                        "the mapping has no entities");
}

RpMapping *rp_mapping_load(const char *path, RpFindings *findings) {
    g_autoptr(GPtrArray) files = list_files(path, findings);
    g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_SHA256);
    RpLoader loader = {.findings = findings, .mapping = mapping_new(path)};
    for (guint i = 0; i < files->len; i++)
        load_file(&loader, path, g_ptr_array_index(files, i), digest);
    finish(&loader, digest);
    return loader.mapping;
}

RpMapping *rp_mapping_load_text(const char *name, const char *text, gsize size, RpFindings *findings) {
    g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_SHA256);
    RpLoader loader = {.findings = findings, .mapping = mapping_new(name)};
    g_checksum_update(digest, (const guchar *)text, (gssize)size);
    load_text(&loader, name, text, size);
    finish(&loader, digest);
    return loader.mapping;
}

gboolean rp_mapping_keep_sound(RpMapping *mapping) {
    const guint n_entities = mapping->entities->len;
    for (guint i = n_entities; i > 0; i--)
        if (!((const RpEntity *)g_ptr_array_index(mapping->entities, i - 1))->is_sound)
            g_ptr_array_remove_index(mapping->entities, i - 1);
    return n_entities > 0 && mapping->entities->len == n_entities;
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
