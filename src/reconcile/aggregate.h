/* Exact aggregates of a column's values: of the rows that Redis has and of those that PostgreSQL has, by the
 * same code and in whatever order the rows come. smallint, integer, bigint and numeric have a sum; date,
 * time, timestamp, timestamptz, real and double precision have a minimum and a maximum, by PostgreSQL's order
 * (NaN above all numbers). A sum of floating-point numbers is not made: it depends on the order. */
#pragma once

#include "base/span.h"
#include "model/table.h"

#include <glib.h>

G_BEGIN_DECLS

/* Owned by one thread; of bounded size, whatever is added (numeric: at most 300 KB, else 100 bytes). */
typedef struct RpAggregate RpAggregate;

/* NULL for a column whose kind has no aggregate. */
RpAggregate *rp_aggregate_new(const RpColumn *column);
void rp_aggregate_free(RpAggregate *aggregate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpAggregate, rp_aggregate_free)

/* Adds a value that is not null: its bytes in PostgreSQL's binary format, without the size before them. What
 * is no value of the kind, whatever it is, is counted as malformed and left out. */
void rp_aggregate_add(RpAggregate *aggregate, RpSpan wire);

/* Adds what other has seen; both are of the same column. other stays as it is. */
void rp_aggregate_merge(RpAggregate *into, const RpAggregate *other);

/* How many bytes that were no value rp_aggregate_add was given. */
guint64 rp_aggregate_n_malformed(const RpAggregate *aggregate);

/* Whether two aggregates of the same column have equal results, as `=` says: the display scale of a sum does
 * not count, 1.0 is 1.00. FALSE when anything malformed was added to one of them. */
gboolean rp_aggregate_is_equal(const RpAggregate *a, const RpAggregate *b);

/* One result ("sum") or two ("min" and "max"). */
guint rp_aggregate_n_results(const RpAggregate *aggregate);
const char *rp_aggregate_name(const RpAggregate *aggregate, guint result);

/* The result as PostgreSQL's text output gives it with DateStyle ISO, TimeZone UTC and extra_float_digits 1:
 * "-12.50" (with the largest display scale of all values), "2025-01-01 00:00:00+00", "0044-03-15 BC",
 * "infinity", "NaN". -0 is shown as 0, which PostgreSQL does only where it met 0 first. NULL when no value
 * was added. The caller frees the text. */
char *rp_aggregate_show(const RpAggregate *aggregate, guint result);

G_END_DECLS
