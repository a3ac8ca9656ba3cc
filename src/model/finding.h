/* Findings: what is wrong, or worth knowing, about a mapping and the servers, before anything is read. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_SEVERITY_ERROR,   /* a run would not start */
    RP_SEVERITY_WARNING, /* a run would start, and something would be lost or refused */
    RP_SEVERITY_NOTE,
} RpSeverity;

const char *rp_severity_name(RpSeverity severity);

typedef struct {
    RpSeverity severity;
    char *code;   /* a fixed word: "unknown_column" */
    char *place;  /* "shop.yaml:13:7", or what else it is about: "Redis", "public.orders" */
    char *text;   /* what is wrong */
    char *remedy; /* what to do; may be NULL */
} RpFinding;

/* Findings in the order in which they were made. */
typedef struct {
    GPtrArray *items; /* of RpFinding */
} RpFindings;

RpFindings *rp_findings_new(void);
void rp_findings_free(RpFindings *findings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpFindings, rp_findings_free)

/* Adds one; place and remedy are copied. Bytes that are no UTF-8 are shown as text. */
void rp_findings_add(RpFindings *findings, RpSeverity severity, const char *code, const char *place,
                     const char *remedy, const char *format, ...) G_GNUC_PRINTF(6, 7);

guint rp_findings_count(const RpFindings *findings, RpSeverity severity);

/* FALSE, with RP_USAGE_ERROR that lists every error a line each, when there are errors. */
gboolean rp_findings_check(const RpFindings *findings, GError **error);

G_END_DECLS
