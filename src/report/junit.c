/* JUnit XML, in the form that Jenkins, GitLab and the readers of GitHub Actions agree on. */
#include "report/junit.h"

#include "base/error.h"
#include "report/xml.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Cases by what came of them, and their time. */
typedef struct {
    guint n_cases;
    guint n_outcomes[RP_JUNIT_SKIPPED + 1];
    double seconds;
} Tally;

typedef struct {
    char *name;
    Tally tally;
    GString *cases;
} Suite;

struct RpJunit {
    char *name;
    GPtrArray *suites; /* of Suite */
};

static void suite_free(gpointer data) {
    Suite *suite = data;
    g_free(suite->name);
    g_string_free(suite->cases, TRUE);
    g_free(suite);
}

RpJunit *rp_junit_new(const char *name) {
    RpJunit *junit = g_new0(RpJunit, 1);
    junit->name = g_strdup(name);
    junit->suites = g_ptr_array_new_with_free_func(suite_free);
    return junit;
}

void rp_junit_free(RpJunit *junit) {
    if (junit == NULL)
        return;
    g_free(junit->name);
    g_ptr_array_unref(junit->suites);
    g_free(junit);
}

void rp_junit_begin_suite(RpJunit *junit, const char *name) {
    Suite *suite = g_new0(Suite, 1);
    suite->name = g_strdup(name);
    suite->cases = g_string_new(NULL);
    g_ptr_array_add(junit->suites, suite);
}

/* The decimal point does not depend on the locale. */
static void append_seconds(GString *xml, double seconds) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    rp_xml_append_attribute(xml, "time", g_ascii_formatd(text, sizeof text, "%.3f", seconds));
}

static void append_number(GString *xml, const char *name, guint number) {
    g_string_append_printf(xml, " %s=\"%u\"", name, number);
}

static void append_outcome(GString *xml, const RpJunitCase *outcome) {
    static const char *const elements[] = {NULL, "failure", "error", "skipped"};
    const char *element = elements[outcome->outcome];
    if (element == NULL)
        return;
    g_string_append_printf(xml, "      <%s", element);
    rp_xml_append_attribute(xml, "message", outcome->message);
    g_string_append(xml, ">");
    rp_xml_append(xml, outcome->text);
    g_string_append_printf(xml, "</%s>\n", element);
}

void rp_junit_add(RpJunit *junit, const RpJunitCase *outcome) {
    g_assert(junit->suites->len > 0);
    Suite *suite = junit->suites->pdata[junit->suites->len - 1];
    suite->tally.n_cases++;
    suite->tally.n_outcomes[outcome->outcome]++;
    suite->tally.seconds += outcome->seconds;
    g_string_append(suite->cases, "    <testcase");
    rp_xml_append_attribute(suite->cases, "name", outcome->name);
    rp_xml_append_attribute(suite->cases, "classname",
                            outcome->class_name != NULL ? outcome->class_name : suite->name);
    rp_xml_append_attribute(suite->cases, "file", outcome->file);
    if (outcome->line > 0)
        append_number(suite->cases, "line", outcome->line);
    append_seconds(suite->cases, outcome->seconds);
    if (outcome->outcome == RP_JUNIT_PASSED) {
        g_string_append(suite->cases, "/>\n");
        return;
    }
    g_string_append(suite->cases, ">\n");
    append_outcome(suite->cases, outcome);
    g_string_append(suite->cases, "    </testcase>\n");
}

/* Opens an element that has a name and a tally. */
static void append_opening(GString *xml, const char *element, const char *name, const Tally *tally) {
    g_string_append_printf(xml, "<%s", element);
    rp_xml_append_attribute(xml, "name", name);
    append_number(xml, "tests", tally->n_cases);
    append_number(xml, "failures", tally->n_outcomes[RP_JUNIT_FAILED]);
    append_number(xml, "errors", tally->n_outcomes[RP_JUNIT_ERROR]);
    append_number(xml, "skipped", tally->n_outcomes[RP_JUNIT_SKIPPED]);
    append_seconds(xml, tally->seconds);
    g_string_append(xml, ">\n");
}

char *rp_junit_text(const RpJunit *junit) {
    Tally total = {0};
    for (guint i = 0; i < junit->suites->len; i++) {
        const Tally *tally = &((const Suite *)junit->suites->pdata[i])->tally;
        total.n_cases += tally->n_cases;
        total.seconds += tally->seconds;
        for (guint k = 0; k < G_N_ELEMENTS(total.n_outcomes); k++)
            total.n_outcomes[k] += tally->n_outcomes[k];
    }
    GString *xml = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    append_opening(xml, "testsuites", junit->name, &total);
    for (guint i = 0; i < junit->suites->len; i++) {
        const Suite *suite = junit->suites->pdata[i];
        g_string_append(xml, "  ");
        append_opening(xml, "testsuite", suite->name, &suite->tally);
        g_string_append(xml, suite->cases->str);
        g_string_append(xml, "  </testsuite>\n");
    }
    g_string_append(xml, "</testsuites>\n");
    return g_string_free(xml, FALSE);
}

/* Why what stands at path must not be replaced; NULL: it may be, or nothing is there. */
static const char *find_obstacle(const char *path) {
    GStatBuf status;
    if (path[0] == '\0')
        return "the path is empty";
    if (g_stat(path, &status) != 0)
        return NULL;
    if (!S_ISREG(status.st_mode))
        return "it is no regular file";
    FILE *file = g_fopen(path, "rb");
    if (file == NULL)
        return g_strerror(errno);
    const int first = fgetc(file);
    fclose(file);
    return first == '<' || first == EOF ? NULL : "what is there is no XML, and would be lost";
}

gboolean rp_junit_check_path(const char *path, GError **error) {
    const char *obstacle = find_obstacle(path);
    g_autofree char *trial = g_strconcat(path, ".XXXXXX", NULL);
    const int fd = obstacle == NULL ? g_mkstemp(trial) : -1;
    if (fd >= 0) {
        close(fd);
        g_unlink(trial);
        return TRUE;
    }
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s cannot be written: %s",
                path[0] != '\0' ? path : "the JUnit XML", obstacle != NULL ? obstacle : g_strerror(errno));
    return FALSE;
}

gboolean rp_junit_remove(const char *path, GError **error) {
    if (g_unlink(path) == 0 || errno == ENOENT)
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s cannot be replaced: %s", path,
                g_strerror(errno));
    return FALSE;
}

gboolean rp_junit_write(const RpJunit *junit, const char *path, GError **error) {
    g_autofree char *text = rp_junit_text(junit);
    g_autoptr(GError) trouble = NULL;
    if (g_file_set_contents(path, text, -1, &trouble))
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s cannot be written: %s", path,
                trouble->message);
    return FALSE;
}
