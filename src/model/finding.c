/* Collected findings. */
#include "model/finding.h"

#include "base/span.h"

#include "base/error.h"

#include <stdarg.h>

const char *rp_severity_name(RpSeverity severity) {
    static const char *const names[] = {"error", "warning", "note"};
    return names[severity];
}

static void finding_free(gpointer data) {
    RpFinding *finding = data;
    g_free(finding->code);
    g_free(finding->place);
    g_free(finding->text);
    g_free(finding->remedy);
    g_free(finding);
}

RpFindings *rp_findings_new(void) {
    RpFindings *findings = g_new0(RpFindings, 1);
    findings->items = g_ptr_array_new_with_free_func(finding_free);
    return findings;
}

void rp_findings_free(RpFindings *findings) {
    if (findings == NULL)
        return;
    g_ptr_array_unref(findings->items);
    g_free(findings);
}

/* Names of files and keys may be any bytes: what is no text is shown as redis-cli shows it. Takes text. */
static char *as_text(char *text) {
    if (text == NULL || g_utf8_validate(text, -1, NULL))
        return text;
    char *shown = rp_span_show(rp_span(text), G_MAXSIZE);
    g_free(text);
    return shown;
}

void rp_findings_add(RpFindings *findings, RpSeverity severity, const char *code, const char *place,
                     const char *remedy, const char *format, ...) {
    RpFinding *finding = g_new0(RpFinding, 1);
    finding->severity = severity;
    finding->code = g_strdup(code);
    finding->place = as_text(g_strdup(place));
    finding->remedy = as_text(g_strdup(remedy));
    va_list arguments;
    va_start(arguments, format);
    finding->text = as_text(g_strdup_vprintf(format, arguments));
    va_end(arguments);
    g_ptr_array_add(findings->items, finding);
}

guint rp_findings_count(const RpFindings *findings, RpSeverity severity) {
    guint count = 0;
    for (guint i = 0; i < findings->items->len; i++)
        count += ((const RpFinding *)g_ptr_array_index(findings->items, i))->severity == severity;
    return count;
}

gboolean rp_findings_check(const RpFindings *findings, GError **error) {
    if (rp_findings_count(findings, RP_SEVERITY_ERROR) == 0)
        return TRUE;
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < findings->items->len; i++) {
        const RpFinding *finding = g_ptr_array_index(findings->items, i);
        if (finding->severity != RP_SEVERITY_ERROR)
            continue;
        g_string_append_printf(lines, "%s%s: %s", lines->len > 0 ? "\n" : "", finding->place, finding->text);
        if (finding->remedy != NULL)
            g_string_append_printf(lines, " (%s)", finding->remedy);
    }
    g_set_error_literal(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, lines->str);
    g_string_free(lines, TRUE);
    return FALSE;
}
