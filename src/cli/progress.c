/* The bar and the lines. */
#include "cli/progress.h"

#include "base/error.h"
#include "base/log.h"
#include "report/table.h"

#include <string.h>
#include <unistd.h>

#define BAR_CELLS   24
#define LOG_SECONDS 5.0

typedef enum {
    MODE_NONE,
    MODE_BAR,
    MODE_LOG,
} Mode;

struct RpProgress {
    Mode mode;
    double last_log;
};

RpProgress *rp_progress_new(const char *mode, gboolean is_quiet, GError **error) {
    static const char *const names[] = {"none", "bar", "log", "auto"};
    guint chosen = 0;
    while (chosen < G_N_ELEMENTS(names) && strcmp(names[chosen], mode) != 0)
        chosen++;
    if (chosen == G_N_ELEMENTS(names)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--progress is auto, bar, log or none, not \"%s\"", mode);
        return NULL;
    }
    RpProgress *progress = g_new0(RpProgress, 1);
    if (chosen == G_N_ELEMENTS(names) - 1)
        progress->mode = isatty(STDERR_FILENO) ? MODE_BAR : MODE_LOG;
    else
        progress->mode = (Mode)chosen;
    if (is_quiet)
        progress->mode = MODE_NONE;
    return progress;
}

gboolean rp_progress_check(const char *mode, GError **error) {
    g_autoptr(RpProgress) progress = rp_progress_new(mode, TRUE, error);
    return progress != NULL;
}

void rp_progress_free(RpProgress *progress) {
    if (progress == NULL)
        return;
    if (progress->mode == MODE_BAR)
        rp_log_draw("\r\033[K");
    g_free(progress);
}

static double share_of(const RpLoadProgress *load) {
    if (load->keys_expected == 0)
        return 0;
    return MIN(1.0, (double)load->keys_read / (double)load->keys_expected);
}

static char *time_left(const RpLoadProgress *load) {
    const double share = share_of(load);
    if (share <= 0.001 || load->seconds < 0.5)
        return g_strdup("time left unknown");
    const guint seconds = (guint)(load->seconds * (1 - share) / share + 0.5);
    return g_strdup_printf("%u:%02u left", seconds / 60, seconds % 60);
}

static char *describe(const RpLoadProgress *load) {
    const double seconds = MAX(load->seconds, 0.001);
    g_autofree char *rows = rp_text_number(load->rows_committed);
    g_autofree char *keys_rate = rp_text_number((guint64)((double)load->keys_read / seconds));
    g_autofree char *rows_rate = rp_text_number((guint64)((double)load->rows_committed / seconds));
    g_autofree char *left = time_left(load);
    return g_strdup_printf("%s rows, %s keys/s%s, %s rows/s, %" G_GUINT64_FORMAT " rejects, %s", rows,
                           keys_rate, load->is_held_back ? " (held back)" : "", rows_rate, load->rejects,
                           left);
}

static void draw_bar(const RpLoadProgress *load, const char *text) {
    GString *line = g_string_new("\r\033[K[");
    const int filled = (int)(share_of(load) * BAR_CELLS);
    for (int i = 0; i < BAR_CELLS; i++)
        g_string_append_c(line, i < filled ? '#' : '.');
    g_string_append_printf(line, "] %3d %%  %s", (int)(share_of(load) * 100), text);
    rp_log_draw(line->str);
    g_string_free(line, TRUE);
}

void rp_progress_observe(const RpLoadProgress *load, gpointer data) {
    RpProgress *progress = data;
    if (progress->mode == MODE_NONE ||
        (progress->mode == MODE_LOG && load->seconds - progress->last_log < LOG_SECONDS))
        return;
    g_autofree char *text = describe(load);
    if (progress->mode == MODE_BAR) {
        draw_bar(load, text);
        return;
    }
    progress->last_log = load->seconds;
    rp_log(RP_LOG_INFO, "%d %%: %s", (int)(share_of(load) * 100), text);
}

void rp_progress_say(RpProgress *progress, double seconds, const char *text) {
    if (progress->mode == MODE_BAR) {
        g_autofree char *line = g_strdup_printf("\r\033[K%s", text);
        rp_log_draw(line);
    } else if (progress->mode == MODE_LOG && seconds - progress->last_log >= LOG_SECONDS) {
        progress->last_log = seconds;
        rp_log(RP_LOG_INFO, "%s", text);
    }
}
