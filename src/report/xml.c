/* Escaping for XML 1.0. */
#include "report/xml.h"

/* XML 1.0, production 2. */
static gboolean is_char(gunichar code) {
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0xD7FF) ||
           (code >= 0xE000 && code <= 0xFFFD) || (code >= 0x10000 && code <= 0x10FFFF);
}

/* What stands for a character that must not stand for itself; NULL: it may. */
static const char *entity_of(gunichar code) {
    switch (code) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\r':
        return "&#13;"; /* a parser would make a line feed of it */
    default:
        return NULL;
    }
}

void rp_xml_append(GString *xml, const char *text) {
    g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;
    for (const char *at = valid; at != NULL && *at != '\0'; at = g_utf8_next_char(at)) {
        const gunichar code = g_utf8_get_char(at);
        const char *entity = entity_of(code);
        if (entity != NULL)
            g_string_append(xml, entity);
        else if (is_char(code))
            g_string_append_unichar(xml, code);
    }
}

/* Parsers turn bare tabs and line ends of an attribute into blanks (XML 1.0, 3.3.3). */
void rp_xml_append_attribute(GString *xml, const char *name, const char *text) {
    if (text == NULL)
        return;
    g_autoptr(GString) value = g_string_new(NULL);
    rp_xml_append(value, text);
    g_string_replace(value, "\n", "&#10;", 0);
    g_string_replace(value, "\t", "&#9;", 0);
    g_string_append_printf(xml, " %s=\"%s\"", name, value->str);
}
