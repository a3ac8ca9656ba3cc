/* Checks as cases. */
#include "report/junit_report.h"

#include "report/check.h"
#include "report/document.h"
#include "report/field.h"
#include "report/junit.h"

char *rp_junit_report(const json_t *document) {
    g_autofree char *name = g_strdup_printf("redis2pg %s", rp_field_text(document, "kind"));
    g_autoptr(RpJunit) junit = rp_junit_new(name);
    g_autoptr(GPtrArray) checks = rp_checks_of(document);
    rp_junit_begin_suite(junit, name);
    for (guint i = 0; i < checks->len; i++) {
        const RpCheck *check = g_ptr_array_index(checks, i);
        const RpJunitCase outcome = {
            .name = check->name,
            .class_name = check->group,
            .seconds = i == 0 ? rp_field_real(rp_document_result(document), "seconds") : 0,
            .outcome = check->is_skipped ? RP_JUNIT_SKIPPED
                       : check->holds    ? RP_JUNIT_PASSED
                                         : RP_JUNIT_FAILED,
            .message = check->message,
        };
        rp_junit_add(junit, &outcome);
    }
    return rp_junit_text(junit);
}
