/* Log lines on stderr, as text or as one JSON object a line. stdout belongs to results. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_LOG_ERROR,
    RP_LOG_WARNING,
    RP_LOG_INFO,
    RP_LOG_DEBUG,
} RpLogLevel;

typedef enum {
    RP_LOG_TEXT,
    RP_LOG_JSON,
} RpLogFormat;

/* Sets what is written from now on. Call it before threads start; the default is text from INFO up. */
void rp_log_configure(RpLogFormat format, RpLogLevel level);

/* Reads a level's name (error, warning, info, debug). FALSE leaves *level alone. */
gboolean rp_log_level_parse(const char *name, RpLogLevel *level);

/* Writes one line when level is enabled. Safe from every thread: a line is one write(2).
 * The message must be free of secrets and of values from sensitive columns. */
void rp_log(RpLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* From now on lines are kept in memory instead of being written (the newest 64 KiB of them). */
void rp_log_hold(void);
/* Ends that, and writes what was kept, or drops it. */
void rp_log_release(gboolean is_shown);

/* Writes text on stderr as it is, for progress lines; takes the same lock as rp_log, so that a bar that
 * is being drawn (`\r…` without newline) is wiped before a log line is written over it. */
void rp_log_draw(const char *text);

G_END_DECLS
