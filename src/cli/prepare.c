/* Connecting, loading and binding for commands. */
#include "cli/prepare.h"

#include "base/error.h"
#include "ledger/set_aside.h"

#include <stdio.h>

void rp_prepared_clear(RpPrepared *prepared) {
    g_clear_pointer(&prepared->mapping, rp_mapping_free);
    g_clear_pointer(&prepared->binding, rp_binding_free);
    g_clear_pointer(&prepared->postgres, PQfinish);
    g_clear_pointer(&prepared->redis, rp_redis_address_free);
}

static gboolean read_all(const RpGlobals *globals, RpPrepared *prepared, RpFindings *findings,
                         GError **error) {
    if (globals->mapping_path == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "no mapping: name a file or a folder with --mapping or REDIS2PG_MAPPING");
        return FALSE;
    }
    prepared->redis = rp_redis_address_parse(globals->redis_url, error);
    if (prepared->redis == NULL)
        return FALSE;
    prepared->mapping = rp_mapping_load(globals->mapping_path, findings);
    return TRUE;
}

/* --entity names some that the mapping does not have, or NULL. */
static gboolean check_entities(const RpMapping *mapping, char **names, GError **error) {
    for (char **name = names; name != NULL && *name != NULL; name++) {
        if (rp_mapping_find_entity(mapping, *name) != NULL)
            continue;
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--entity: the mapping has no entity \"%s\"", *name);
        return FALSE;
    }
    return TRUE;
}

gboolean rp_prepare_mapping(const RpGlobals *globals, char **entities, RpPrepared *prepared,
                            RpFindings *findings, GError **error) {
    return read_all(globals, prepared, findings, error) && rp_findings_check(findings, error) &&
           check_entities(prepared->mapping, entities, error);
}

gboolean rp_prepare(const RpGlobals *globals, guint retry_seconds, RpPrepared *prepared, RpFindings *findings,
                    GError **error) {
    if (prepared->redis == NULL && !read_all(globals, prepared, findings, error))
        return FALSE;
    if (rp_findings_count(findings, RP_SEVERITY_ERROR) > 0)
        return TRUE;
    prepared->postgres = rp_postgres_await(globals->postgres_conninfo, retry_seconds, error);
    if (prepared->postgres == NULL)
        return FALSE;
    prepared->binding =
        rp_binding_new(prepared->postgres, prepared->mapping, rp_set_aside_complete, findings, error);
    return prepared->binding != NULL;
}

void rp_print_json(json_t *document) {
    json_dumpf(document, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(document);
}

gboolean rp_expect_words(const RpCommand *command, int n_words, int least, int most, GError **error) {
    if (n_words >= least && n_words <= most)
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "usage: redis2pg %s %s (see redis2pg %s --help)", command->name,
                command->arguments != NULL ? command->arguments : "[OPTIONS]", command->name);
    return FALSE;
}

gboolean rp_parse_number(const char *text, const char *what, guint64 *number, GError **error) {
    if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, number, NULL))
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "\"%s\" is no number of a %s", text, what);
    return FALSE;
}
