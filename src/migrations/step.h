/* One version's step up or down: its file and its row of the history, together or not at all. */
#pragma once

#include <glib.h>
#include <libpq-fe.h>

#include "migrations/history.h"
#include "migrations/set.h"

G_BEGIN_DECLS

/* Runs the migration's file and writes its row. Nothing stays behind when it fails, unless the file is one
 * that runs outside transactions. The caller holds the migration lock. */
gboolean rp_step_apply(PGconn *connection, RpHistory *history, const RpMigration *migration, GError **error);

/* Runs the migration's undo file, which must exist, and deletes its row. */
gboolean rp_step_undo(PGconn *connection, RpHistory *history, const RpMigration *migration, GError **error);

G_END_DECLS
