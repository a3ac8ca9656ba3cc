/* Rows as hashes: of the identity, which says where a row belongs, and of all that is compared. */
#pragma once

#include "model/tuples.h"
#include "reconcile/unit.h"
#include "sink/copy_out.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint64 low;
    guint64 high;
} RpHash;

static inline gboolean rp_hash_equal(const RpHash *a, const RpHash *b) {
    return a->low == b->low && a->high == b->high;
}

/* Identities as keys of a GHashTable. */
guint rp_hash_of_hash(gconstpointer hash);
gboolean rp_hash_is_same(gconstpointer a, gconstpointer b);

typedef struct {
    RpHash identity; /* of the key columns, and of the table: the leader's number */
    RpHash row;      /* of all columns */
} RpDigest;

/* Hashes with a seed of its own (XXH3, 128 bits): data that collides on purpose cannot be made without
 * knowing it. One for each thread; those of one reconciliation share the seed. */
typedef struct RpDigester RpDigester;

RpDigester *rp_digester_new(guint64 seed);
void rp_digester_free(RpDigester *digester);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpDigester, rp_digester_free)

/* A hash of plain bytes, without a seed. */
guint64 rp_digest_bytes(RpSpan bytes);

/* A seed that nobody can foresee. */
guint64 rp_digester_seed(void);

/* values: of the unit's columns in their order, data NULL for null. is_stored: they come from PostgreSQL. */
void rp_digester_digest(RpDigester *digester, const RpUnit *unit, const RpSpan *values, gboolean is_stored,
                        RpDigest *digest);

/* The identity alone, of the key columns' values: those that come first. */
void rp_digester_identify(RpDigester *digester, const RpUnit *unit, const RpSpan *values, gboolean is_stored,
                          RpHash *identity);

/* A hash of a Redis key that a unit reads. */
void rp_digester_hash_key(RpDigester *digester, guint unit, RpSpan key, RpHash *hashed);

/* The same as rp_digester_digest, of each column by itself; hashes: room for unit->columns->len. */
void rp_digester_digest_columns(RpDigester *digester, const RpUnit *unit, const RpSpan *values,
                                gboolean is_stored, guint64 *hashes);

/* The values of the unit's columns in a row that the mapper, or the staging table, gives. values: room for
 * unit->columns->len. Borrowed from the tuples. */
void rp_digester_source_values(const RpUnit *unit, const RpTuples *tuples, guint ordinal, RpSpan *values);

/* The same of a tuple that rp_unit_copy_sql gives. FALSE when it has another number of fields. */
gboolean rp_digester_target_values(const RpUnit *unit, RpSpan tuple, RpSpan *values);

G_END_DECLS
