/* Connection strings, taken apart by libpq and put together again. */
#include "sink/conninfo.h"

#include "base/error.h"

#include <libpq-fe.h>
#include <string.h>

/* Values stand in quotes, with backslashes before quotes and backslashes. */
static void append_pair(GString *pairs, const char *keyword, const char *value) {
    g_string_append_printf(pairs, "%s%s='", pairs->len > 0 ? " " : "", keyword);
    for (; *value != '\0'; value++) {
        if (*value == '\'' || *value == '\\')
            g_string_append_c(pairs, '\\');
        g_string_append_c(pairs, *value);
    }
    g_string_append_c(pairs, '\'');
}

char *rp_conninfo_with_database(const char *conninfo, const char *database, GError **error) {
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    if (options == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--postgres is no URL and no key=value pairs");
        return NULL;
    }
    GString *pairs = g_string_new(NULL);
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        if (option->val != NULL && strcmp(option->keyword, "dbname") != 0)
            append_pair(pairs, option->keyword, option->val);
    append_pair(pairs, "dbname", database);
    PQconninfoFree(options);
    return g_string_free(pairs, FALSE);
}
