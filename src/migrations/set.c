/* A set of SQL files, read and ordered by version. */
#include "migrations/set.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "migrations/checksum.h"
#include "migrations/scripts.h"
#include "migrations/version.h"

#define NO_TRANSACTION_LINE "-- redis2pg: no-transaction"
#define BYTE_ORDER_MARK     "\xef\xbb\xbf"

struct RpMigrationSet {
    char *place;
    GPtrArray *migrations; /* RpMigration */
};

static void script_free(RpScript *script) {
    if (script == NULL)
        return;
    g_free(script->name);
    g_free(script->path);
    g_free(script->sql);
    g_free(script);
}

static void migration_free(RpMigration *migration) {
    g_free(migration->version);
    g_free(migration->description);
    script_free(migration->apply);
    script_free(migration->undo);
    g_free(migration);
}

void rp_migration_set_free(RpMigrationSet *set) {
    if (set == NULL)
        return;
    g_free(set->place);
    g_ptr_array_unref(set->migrations);
    g_free(set);
}

static gboolean is_marked_no_transaction(const char *sql) {
    g_autofree char *first_line = g_strchomp(g_strndup(sql, strcspn(sql, "\r\n")));
    return strcmp(first_line, NO_TRANSACTION_LINE) == 0;
}

static RpScript *script_new(const char *place, const char *name, GBytes *bytes, GError **error) {
    gsize size = 0;
    const char *text = g_bytes_get_data(bytes, &size);
    g_autofree char *path = g_strconcat(place, g_str_has_suffix(place, "/") ? "" : "/", name, NULL);
    if (size > 0 && !g_utf8_validate_len(text, size, NULL)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s is not UTF-8 text", path);
        return NULL;
    }
    RpScript *script = g_new0(RpScript, 1);
    script->checksum = rp_migration_checksum(text, size);
    script->sql = g_strndup(text != NULL ? text : "", size);
    if (g_str_has_prefix(script->sql, BYTE_ORDER_MARK))
        memmove(script->sql, script->sql + strlen(BYTE_ORDER_MARK),
                strlen(script->sql) - strlen(BYTE_ORDER_MARK) + 1);
    script->is_transactional = !is_marked_no_transaction(script->sql);
    script->name = g_strdup(name);
    script->path = g_steal_pointer(&path);
    return script;
}

static RpMigration *find(const RpMigrationSet *set, const char *version) {
    for (guint i = 0; i < set->migrations->len; i++) {
        RpMigration *migration = set->migrations->pdata[i];
        if (rp_version_compare(migration->version, version) == 0)
            return migration;
    }
    return NULL;
}

static RpMigration *find_or_add(RpMigrationSet *set, const char *version) {
    RpMigration *migration = find(set, version);
    if (migration == NULL) {
        migration = g_new0(RpMigration, 1);
        migration->version = g_strdup(version);
        g_ptr_array_add(set->migrations, migration);
    }
    return migration;
}

static gboolean add_script(RpMigrationSet *set, const RpScriptSource *source, const char *name,
                           gboolean is_undo, const char *version, const char *description, GError **error) {
    RpMigration *migration = find_or_add(set, version);
    RpScript **place = is_undo ? &migration->undo : &migration->apply;
    if (*place != NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "%s: two files for version %s: %s and %s; give one of them another version", set->place,
                    version, (*place)->name, name);
        return FALSE;
    }
    g_autoptr(GBytes) bytes = source->read(set->place, name, error);
    if (bytes == NULL)
        return FALSE;
    *place = script_new(set->place, name, bytes, error);
    if (!is_undo && migration->description == NULL)
        migration->description = g_strdup(description);
    return *place != NULL;
}

static gboolean add_named(RpMigrationSet *set, const RpScriptSource *source, const char *name,
                          GError **error) {
    g_autofree char *version = NULL;
    g_autofree char *description = NULL;
    const RpScriptNameKind kind = rp_script_name_parse(name, &version, &description);
    switch (kind) {
    case RP_SCRIPT_NAME_OTHER:
        if (g_str_has_suffix(name, ".sql"))
            rp_log(RP_LOG_WARNING, "%s: %s is left alone: versioned files are named V001__text.sql",
                   set->place, name);
        return TRUE;
    case RP_SCRIPT_NAME_BAD:
        g_set_error(
            error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "%s: cannot read a version in the name %s; files are named V1.2__text.sql and U1.2__text.sql",
            set->place, name);
        return FALSE;
    case RP_SCRIPT_NAME_VERSIONED:
    case RP_SCRIPT_NAME_UNDO:
        return add_script(set, source, name, kind == RP_SCRIPT_NAME_UNDO, version, description, error);
    }
    g_assert_not_reached();
}

/* An undo file alone can neither be applied nor be reached: its version is not part of the set. */
static void drop_orphans(RpMigrationSet *set) {
    for (guint i = set->migrations->len; i-- > 0;) {
        const RpMigration *migration = set->migrations->pdata[i];
        if (migration->apply != NULL)
            continue;
        rp_log(RP_LOG_WARNING, "%s: %s undoes version %s, which no file applies", set->place,
               migration->undo->name, migration->version);
        g_ptr_array_remove_index(set->migrations, i);
    }
}

static int by_name(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_version(gconstpointer a, gconstpointer b) {
    const RpMigration *first = *(RpMigration *const *)a;
    const RpMigration *second = *(RpMigration *const *)b;
    return rp_version_compare(first->version, second->version);
}

static RpMigrationSet *load(const RpScriptSource *source, const char *place, GError **error) {
    g_auto(GStrv) names = source->list(place, error);
    if (names == NULL)
        return NULL;
    qsort(names, g_strv_length(names), sizeof names[0], by_name);
    g_autoptr(RpMigrationSet) set = g_new0(RpMigrationSet, 1);
    set->place = g_strdup(place);
    set->migrations = g_ptr_array_new_with_free_func((GDestroyNotify)migration_free);
    for (guint i = 0; names[i] != NULL; i++)
        if (!add_named(set, source, names[i], error))
            return NULL;
    drop_orphans(set);
    g_ptr_array_sort(set->migrations, by_version);
    return g_steal_pointer(&set);
}

RpMigrationSet *rp_migration_set_load_folder(const char *path, GError **error) {
    return load(&RP_SCRIPTS_IN_FOLDER, path, error);
}

RpMigrationSet *rp_migration_set_load_resource(const char *resource_path, GError **error) {
    return load(&RP_SCRIPTS_IN_RESOURCE, resource_path, error);
}

const char *rp_migration_set_get_place(const RpMigrationSet *set) {
    return set->place;
}

guint rp_migration_set_get_size(const RpMigrationSet *set) {
    return set->migrations->len;
}

const RpMigration *rp_migration_set_get(const RpMigrationSet *set, guint index) {
    return set->migrations->pdata[index];
}

const RpMigration *rp_migration_set_find(const RpMigrationSet *set, const char *version) {
    return find(set, version);
}
