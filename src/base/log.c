/* Log lines on stderr: one line, one write. */
#include "base/log.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static const char *const LEVEL_NAMES[] = {"error", "warning", "info", "debug"};

static RpLogFormat log_format = RP_LOG_TEXT;
static RpLogLevel log_level = RP_LOG_INFO;
static GMutex log_mutex;
static gboolean is_bar_drawn;
static GString *held; /* NULL: lines are written at once */

#define MAX_HELD_BYTES (64 * 1024)

void rp_log_configure(RpLogFormat format, RpLogLevel level) {
    log_format = format;
    log_level = level;
}

gboolean rp_log_level_parse(const char *name, RpLogLevel *level) {
    for (guint i = 0; i < G_N_ELEMENTS(LEVEL_NAMES); i++)
        if (strcmp(name, LEVEL_NAMES[i]) == 0) {
            *level = (RpLogLevel)i;
            return TRUE;
        }
    return FALSE;
}

static void write_all(const char *text, gsize size) {
    while (size > 0) {
        const gssize written = write(STDERR_FILENO, text, size);
        if (written <= 0)
            return; /* nobody reads our log: there is nowhere to say so */
        text += written;
        size -= (gsize)written;
    }
}

static char *json_line(RpLogLevel level, const char *message) {
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
    g_autofree char *valid = g_utf8_make_valid(message, -1);
    json_t *object = json_pack("{ssssss}", "time", time, "level", LEVEL_NAMES[level], "message", valid);
    char *dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    char *line = g_strconcat(dumped, "\n", NULL);
    free(dumped);
    return line;
}

/* With the mutex held. */
static void write_line(const char *line) {
    if (is_bar_drawn)
        write_all("\r\033[K", 4);
    is_bar_drawn = FALSE;
    write_all(line, strlen(line));
}

/* With the mutex held. The oldest lines give way. */
static void keep_line(const char *line) {
    g_string_append(held, line);
    while (held->len > MAX_HELD_BYTES) {
        const char *end = strchr(held->str, '\n');
        g_string_erase(held, 0, end != NULL ? end - held->str + 1 : -1);
    }
}

void rp_log(RpLogLevel level, const char *format, ...) {
    if (level > log_level)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);

    g_autofree char *line = NULL;
    if (log_format == RP_LOG_JSON)
        line = json_line(level, message);
    else if (level == RP_LOG_INFO)
        line = g_strconcat("redis2pg: ", message, "\n", NULL);
    else
        line = g_strconcat("redis2pg: ", LEVEL_NAMES[level], ": ", message, "\n", NULL);

    g_mutex_lock(&log_mutex);
    if (held != NULL)
        keep_line(line);
    else
        write_line(line);
    g_mutex_unlock(&log_mutex);
}

void rp_log_hold(void) {
    g_mutex_lock(&log_mutex);
    if (held == NULL)
        held = g_string_new(NULL);
    g_mutex_unlock(&log_mutex);
}

void rp_log_release(gboolean is_shown) {
    g_mutex_lock(&log_mutex);
    g_autoptr(GString) lines = g_steal_pointer(&held);
    if (is_shown && lines != NULL && lines->len > 0)
        write_line(lines->str);
    g_mutex_unlock(&log_mutex);
}

void rp_log_draw(const char *text) {
    g_mutex_lock(&log_mutex);
    write_all(text, strlen(text));
    is_bar_drawn = text[0] != '\0' && !g_str_has_suffix(text, "\n") && !g_str_has_suffix(text, "\033[K");
    g_mutex_unlock(&log_mutex);
}
