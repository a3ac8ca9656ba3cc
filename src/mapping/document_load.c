/* Reading YAML files, and refusing what would make libyaml slow. */
#include "mapping/document-private.h"

#include "base/span.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_ANCHORS 1000
#define MAX_TAGS    10 /* directives, and whatever else says %TAG */

static void add_syntax_finding(RpFindings *findings, const char *name, const yaml_parser_t *parser) {
    /* What is wrong with bytes has no mark of its own. */
    const yaml_mark_t mark = parser->error == YAML_READER_ERROR ? parser->mark : parser->problem_mark;
    g_autofree char *place = g_strdup_printf("%s:%zu:%zu", name, mark.line + 1, mark.column + 1);
    rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", place, NULL, "no YAML: %s%s%s",
                    parser->context != NULL ? parser->context : "", parser->context != NULL ? ", " : "",
                    parser->problem != NULL ? parser->problem : "unreadable");
}

/* What was met of a file so far that makes libyaml slow. */
typedef struct {
    int depth;
    guint n_anchors;
} Burden;

static const char *add_event(Burden *burden, const yaml_event_t *event) {
    const yaml_char_t *anchor = NULL;
    if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT) {
        burden->depth--;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        burden->depth++;
        anchor = event->data.sequence_start.anchor;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        burden->depth++;
        anchor = event->data.mapping_start.anchor;
    } else if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
    }
    burden->n_anchors += anchor != NULL;
    if (burden->depth > RP_YAML_MAX_DEPTH)
        return "lists and maps are nested deeper than " G_STRINGIFY(RP_YAML_MAX_DEPTH);
    return burden->n_anchors > MAX_ANCHORS ? "more than " G_STRINGIFY(MAX_ANCHORS) " anchors" : NULL;
}

static gboolean has_more_than(RpSpan text, RpSpan part, guint limit) {
    const char *end = text.data + text.size;
    const char *at = text.data;
    for (guint n = 0; n <= limit; n++) {
        at = memmem(at, (gsize)(end - at), part.data, part.size);
        if (at == NULL)
            return FALSE;
        at += part.size;
    }
    return TRUE;
}

/* libyaml compares each %TAG line with those before it, and gives no event for them. Lines end in five ways,
 * so all that look like one are counted; UTF-16 of both orders has NULs between the letters. */
static gboolean has_many_tags(RpSpan text) {
    return has_more_than(text, RP_SPAN_OF("%TAG"), MAX_TAGS) ||
           has_more_than(text, RP_SPAN_OF("%\0T\0A\0G"), MAX_TAGS);
}

/* libyaml's time grows with the square of the nesting, and of the number of anchors: what no mapping needs is
 * refused by a look at the events, which can stop. Other mistakes are left to the loading. */
static gboolean refuse_costly(const char *name, const char *text, gsize size, RpFindings *findings) {
    if (has_many_tags((RpSpan){text, size})) {
        rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", name, NULL,
                        "%%TAG stands in it more than %d times", MAX_TAGS);
        return FALSE;
    }
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        g_error("out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    Burden burden = {0};
    const char *problem = NULL;
    yaml_event_t event = {0};
    for (gboolean is_end = FALSE; !is_end && problem == NULL && yaml_parser_parse(&parser, &event);) {
        is_end = event.type == YAML_STREAM_END_EVENT;
        problem = add_event(&burden, &event);
        if (problem != NULL) {
            g_autofree char *place =
                g_strdup_printf("%s:%zu:%zu", name, event.start_mark.line + 1, event.start_mark.column + 1);
            rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", place, NULL, "%s", problem);
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return problem == NULL;
}

/* Texts are handed out as C strings: one with a NUL in it ("\0" in quotes) would be cut short. */
static gboolean refuse_nul(RpYamlFile *file, RpFindings *findings) {
    for (yaml_node_t *node = file->document.nodes.start; node < file->document.nodes.top; node++) {
        if (node->type != YAML_SCALAR_NODE ||
            strlen((const char *)node->data.scalar.value) == node->data.scalar.length)
            continue;
        g_autofree char *place =
            g_strdup_printf("%s:%zu:%zu", file->name, node->start_mark.line + 1, node->start_mark.column + 1);
        rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", place, NULL, "a NUL stands in this text");
        return FALSE;
    }
    return TRUE;
}

/* Whether it is worth the parser's while; else a finding says why. */
static gboolean check_text(const char *name, const char *text, gsize size, RpFindings *findings) {
    if (size <= RP_YAML_MAX_BYTES)
        return refuse_costly(name, text, size, findings);
    rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", name, NULL,
                    "%" G_GSIZE_FORMAT " bytes are more than a YAML file may have here (%d)", size,
                    RP_YAML_MAX_BYTES);
    return FALSE;
}

/* The next document; NULL after a finding. One without nodes is the end of the file. */
static RpYamlFile *load_next(yaml_parser_t *parser, const char *name, RpFindings *findings) {
    g_autoptr(RpYamlFile) file = g_new0(RpYamlFile, 1);
    file->name = g_strdup(name);
    file->has_document = yaml_parser_load(parser, &file->document) != 0;
    if (!file->has_document) {
        add_syntax_finding(findings, name, parser);
        return NULL;
    }
    return refuse_nul(file, findings) ? g_steal_pointer(&file) : NULL;
}

static gboolean is_end(const RpYamlFile *file) {
    return yaml_document_get_root_node((yaml_document_t *)&file->document) == NULL;
}

GPtrArray *rp_yaml_parse_all(const char *name, const char *text, gsize size, RpFindings *findings) {
    if (!check_text(name, text, size, findings))
        return NULL;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        g_error("out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)rp_yaml_free);
    RpYamlFile *file;
    while ((file = load_next(&parser, name, findings)) != NULL && !is_end(file))
        g_ptr_array_add(files, file);
    yaml_parser_delete(&parser);
    if (file == NULL)
        return NULL;
    if (files->len == 0)
        g_ptr_array_add(files, file);
    else
        rp_yaml_free(file);
    return g_steal_pointer(&files);
}

RpYamlFile *rp_yaml_parse(const char *name, const char *text, gsize size, RpFindings *findings) {
    g_autoptr(GPtrArray) files = rp_yaml_parse_all(name, text, size, findings);
    if (files == NULL)
        return NULL;
    if (files->len == 1)
        return g_ptr_array_steal_index(files, 0);
    g_autofree char *place = rp_yaml_place(rp_yaml_root(g_ptr_array_index(files, 1)));
    rp_findings_add(findings, RP_SEVERITY_ERROR, "yaml_syntax", place, "one document a file",
                    "a second document begins here");
    return NULL;
}

static const char *refusal_of(const char *path) {
    GStatBuf status;
    if (g_stat(path, &status) != 0)
        return NULL; /* reading it says why */
    if (!S_ISREG(status.st_mode))
        return "it is no regular file";
    return status.st_size > RP_YAML_MAX_BYTES ? "it is larger than 1 MiB" : NULL;
}

char *rp_yaml_read(const char *path, gsize *size, RpFindings *findings) {
    char *text = NULL;
    g_autoptr(GError) error = NULL;
    const char *refusal = refusal_of(path);
    if (refusal == NULL && g_file_get_contents(path, &text, size, &error))
        return text;
    rp_findings_add(findings, RP_SEVERITY_ERROR, "unreadable_file", path, NULL, "%s",
                    refusal != NULL ? refusal : error->message);
    return NULL;
}

RpYamlFile *rp_yaml_load(const char *path, RpFindings *findings) {
    gsize size;
    g_autofree char *text = rp_yaml_read(path, &size, findings);
    return text != NULL ? rp_yaml_parse(path, text, size, findings) : NULL;
}
