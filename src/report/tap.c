/* Lines of TAP. */
#include "report/tap.h"

#include <string.h>

void rp_tap_append_plan(GString *tap, guint n_tests) {
    g_string_append_printf(tap, "TAP version 14\n1..%u\n", n_tests);
}

/* A number sign would begin a directive, a line end a line; the rest of what is no text becomes blanks. */
static void append_name(GString *tap, const char *name) {
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        const gunichar code = g_utf8_get_char(at);
        if (code == '#' || code == '\\')
            g_string_append_c(tap, '\\');
        if (g_unichar_iscntrl(code))
            g_string_append_c(tap, ' ');
        else
            g_string_append_unichar(tap, code);
    }
}

void rp_tap_append_test(GString *tap, gboolean is_ok, guint number, const char *name) {
    g_string_append_printf(tap, "%s %u - ", is_ok ? "ok" : "not ok", number);
    append_name(tap, name);
    g_string_append_c(tap, '\n');
}

void rp_tap_append_bail_out(GString *tap, const char *reason) {
    g_string_append(tap, "Bail out! ");
    append_name(tap, reason);
    g_string_append_c(tap, '\n');
}

/* Bytes that a reader of YAML would refuse, or fold, are escaped (YAML 1.1, 5.1 and 5.4). */
static void append_escaped(GString *yaml, gunichar code) {
    if (code == '"' || code == '\\')
        g_string_append_printf(yaml, "\\%c", (char)code);
    else if (code == '\n')
        g_string_append(yaml, "\\n");
    else if (code == '\t')
        g_string_append(yaml, "\\t");
    else if (code == '\r')
        g_string_append(yaml, "\\r");
    else if (code < 0x20 || (code >= 0x7f && code <= 0xa0) || code == 0x2028 || code == 0x2029 ||
             code == 0xfeff || code == 0xfffe || code == 0xffff)
        g_string_append_printf(yaml, "\\u%04x", code);
    else
        g_string_append_unichar(yaml, code);
}

void rp_tap_append_quoted(GString *yaml, const char *text) {
    if (text == NULL) {
        g_string_append(yaml, "null");
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(yaml, '"');
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at))
        append_escaped(yaml, g_utf8_get_char(at));
    g_string_append_c(yaml, '"');
}
