/* The talk of the demo, and its calls of other commands as child processes. */
#include "cli/demo_story.h"

#include "base/error.h"
#include "demo/child.h"

#include <stdarg.h>
#include <stdio.h>

#define N_STEPS 7

void rp_demo_say(const RpDemo *demo, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!demo->globals->is_json)
        vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

void rp_demo_begin_step(RpDemo *demo, const char *title) {
    rp_demo_say(demo, "\n== %u/%d  %s\n", ++demo->n_steps, N_STEPS, title);
}

gboolean rp_demo_call(RpDemo *demo, char **output, GError **error, ...) {
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    va_list arguments;
    va_start(arguments, error);
    for (char *word = va_arg(arguments, char *); word != NULL; word = va_arg(arguments, char *))
        g_ptr_array_add(words, word);
    va_end(arguments);
    g_ptr_array_add(words, NULL);
    if (output == NULL) {
        g_autofree char *line = g_strjoinv(" ", (char **)words->pdata);
        rp_demo_say(demo, "$ redis2pg %s\n", line);
    }
    g_ptr_array_set_size(words, (int)words->len - 1);
    if (demo->globals->is_quiet)
        g_ptr_array_add(words, (gpointer) "--quiet");
    if (demo->globals->progress != NULL) {
        g_ptr_array_add(words, (gpointer) "--progress");
        g_ptr_array_add(words, demo->globals->progress);
    }
    if (output != NULL)
        g_ptr_array_add(words, (gpointer) "--json");
    g_ptr_array_add(words, NULL);
    int status = 0;
    if (!rp_child_run((char **)words->pdata, demo->environment, output, &status, error))
        return FALSE;
    demo->status = status > 1 ? status : 0;
    return demo->status == 0;
}

json_t *rp_demo_parse_output(const char *command, const char *output, GError **error) {
    json_error_t where;
    json_t *json = json_loads(output, 0, &where);
    if (json == NULL)
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "redis2pg %s --json printed no JSON document: %s", command, where.text);
    return json;
}
