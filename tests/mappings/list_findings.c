/* Loads mappings with the program's own loader, and lists what it finds:
 *     list-findings FILE_OR_FOLDER…
 * prints a line for each error, `path <tab> code <tab> place <tab> text`, or `path <tab> accepted`. */
#include "mapping/mapping.h"

#include <stdio.h>

static void list(const char *path) {
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping = rp_mapping_load(path, findings);
    for (guint i = 0; i < findings->items->len; i++) {
        const RpFinding *finding = g_ptr_array_index(findings->items, i);
        g_autofree char *text = g_strescape(finding->text, NULL); /* it may quote a line break */
        if (finding->severity == RP_SEVERITY_ERROR)
            printf("%s\t%s\t%s\t%s\n", path, finding->code, finding->place, text);
    }
    if (rp_findings_count(findings, RP_SEVERITY_ERROR) == 0)
        printf("%s\taccepted\n", path);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        list(argv[i]);
    return 0;
}
