/* A trial on a sample of the keys, before anything is written: what nothing covers, what no column reads, and
 * what the mapping would refuse. */
#pragma once

#include "mapping/mapping.h"
#include "source/connection.h"

#include <glib.h>

G_BEGIN_DECLS

/* Looks at about n_keys keys of Redis, reads those that entities want (of lists, sets, sorted sets and
 * streams the first elements), and maps them. Adds to findings: `unmapped_keys`, `unread_fields`,
 * `would_reject` and a note of what was tried. What only PostgreSQL can judge (foreign keys, unique values,
 * checks) is not tried. The mapping must be loaded; where it was bound without errors, is_bound says so, and
 * only then rows are mapped. FALSE with RP_SOURCE_ERROR when Redis could not be asked. */
gboolean rp_trial(const RpRedisAddress *address, const RpMapping *mapping, gboolean is_bound, guint64 n_keys,
                  RpFindings *findings, GError **error);

G_END_DECLS
