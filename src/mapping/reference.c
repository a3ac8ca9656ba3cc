/* Parsing of references. */
#include "mapping/reference.h"

static gboolean parse_capture(const char *name, const RpPattern *pattern, RpReference *reference,
                              char **problem) {
    const int capture = rp_pattern_find_capture(pattern, name);
    if (capture < 0) {
        *problem =
            g_strdup_printf("the key pattern \"%s\" captures no \"%s\"", rp_pattern_get_text(pattern), name);
        return FALSE;
    }
    *reference = (RpReference){RP_REFERENCE_CAPTURE, (guint)capture};
    return TRUE;
}

gboolean rp_reference_parse(const char *text, const RpPattern *pattern, GPtrArray *fields,
                            RpReference *reference, char **problem) {
    if (text[0] == '\0') {
        *problem = g_strdup("an empty reference");
        return FALSE;
    }
    if (strcmp(text, "$key") == 0) {
        *reference = (RpReference){RP_REFERENCE_KEY, 0};
        return TRUE;
    }
    if (g_str_has_prefix(text, "$key."))
        return parse_capture(text + strlen("$key."), pattern, reference, problem);
    if (text[0] == '$') {
        *problem = g_strdup_printf("\"%s\" is no reference: $key and $key.NAME are", text);
        return FALSE;
    }
    guint index;
    if (!g_ptr_array_find_with_equal_func(fields, text, g_str_equal, &index)) {
        index = fields->len;
        g_ptr_array_add(fields, g_strdup(text));
    }
    *reference = (RpReference){RP_REFERENCE_FIELD, index};
    return TRUE;
}
