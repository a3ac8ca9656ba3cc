/* Versions of SQL files, and the names that carry them. */
#include "migrations/version.h"

#include <string.h>

static gboolean is_number(const char *part) {
    return part[0] != '\0' && part[strspn(part, "0123456789")] == '\0';
}

static const char *without_leading_zeros(const char *part) {
    while (part[0] == '0' && part[1] != '\0')
        part++;
    return part;
}

char *rp_version_parse(const char *text) {
    g_auto(GStrv) parts = g_strsplit(text, ".", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    guint n_significant = 1;
    for (guint i = 0; parts[i] != NULL; i++) {
        if (!is_number(parts[i]))
            return NULL;
        const char *part = without_leading_zeros(parts[i]);
        g_ptr_array_add(kept, (gpointer)part);
        if (strcmp(part, "0") != 0)
            n_significant = i + 1;
    }
    if (kept->len == 0)
        return NULL;
    g_ptr_array_set_size(kept, (int)n_significant);
    g_ptr_array_add(kept, NULL);
    return g_strjoinv(".", (char **)kept->pdata);
}

/* Digits without leading zeros: the longer number is the greater one. */
static int compare_numbers(const char *a, gsize a_digits, const char *b, gsize b_digits) {
    if (a_digits != b_digits)
        return a_digits < b_digits ? -1 : 1;
    return strncmp(a, b, a_digits);
}

int rp_version_compare(const char *a, const char *b) {
    while (*a != '\0' && *b != '\0') {
        const gsize a_digits = strcspn(a, ".");
        const gsize b_digits = strcspn(b, ".");
        const int order = compare_numbers(a, a_digits, b, b_digits);
        if (order != 0)
            return order;
        a += a_digits + (a[a_digits] == '.');
        b += b_digits + (b[b_digits] == '.');
    }
    return (*a != '\0') - (*b != '\0');
}

RpScriptNameKind rp_script_name_parse(const char *name, char **version, char **description) {
    *version = NULL;
    *description = NULL;
    if (name[0] != 'V' && name[0] != 'U')
        return RP_SCRIPT_NAME_OTHER;
    const char *separator = strstr(name, "__");
    if (separator == NULL || !g_str_has_suffix(separator, ".sql"))
        return RP_SCRIPT_NAME_BAD;
    g_autofree char *version_text = g_strndup(name + 1, (gsize)(separator - name) - 1);
    g_autofree char *text = g_strndup(separator + 2, strlen(separator) - strlen("__") - strlen(".sql"));
    if (text[0] == '\0')
        return RP_SCRIPT_NAME_BAD;
    *version = rp_version_parse(version_text);
    if (*version == NULL)
        return RP_SCRIPT_NAME_BAD;
    *description = g_strdelimit(g_steal_pointer(&text), "_", ' ');
    return name[0] == 'V' ? RP_SCRIPT_NAME_VERSIONED : RP_SCRIPT_NAME_UNDO;
}
