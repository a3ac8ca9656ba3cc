/* Progress on stderr: a bar on a terminal, or a line every few seconds. */
#pragma once

#include "pipeline/load.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpProgress RpProgress;

/* Whether it is a mode that rp_progress_new takes, asked before anything is touched. RP_USAGE_ERROR. */
gboolean rp_progress_check(const char *mode, GError **error);

/* mode is auto, bar, log or none. RP_USAGE_ERROR for another. */
RpProgress *rp_progress_new(const char *mode, gboolean is_quiet, GError **error);
/* Wipes the bar. */
void rp_progress_free(RpProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpProgress, rp_progress_free)

/* An RpLoadObserver; data is the RpProgress. */
void rp_progress_observe(const RpLoadProgress *load, gpointer data);

/* Shows a line of progress that tells no share: on a terminal in place of the last one, else now and then. */
void rp_progress_say(RpProgress *progress, double seconds, const char *text);

G_END_DECLS
