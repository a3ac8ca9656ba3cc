/* Which troubles pass by themselves. It stands here because both servers are known here. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether the same work may succeed later: a server that is away, starts, is busy or lacks something, a
 * connection that was lost, a deadlock or a serialization failure; also a step that was told to fail. Never
 * an error of data, a refusal, or an answer that makes no sense. */
gboolean rp_trouble_passes(const GError *error);

/* Whether a statement over rows may have failed for one of them: an error of data, or one that a trigger or a
 * policy raised. Never one that a row has no part in: of the session, the server, or its inner workings. */
gboolean rp_trouble_may_be_of_rows(const GError *error);

G_END_DECLS
