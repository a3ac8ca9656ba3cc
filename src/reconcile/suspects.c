/* Pairing by sorting: what belongs together stands together then. */
#include "reconcile/suspects.h"

#include <stdlib.h>
#include <string.h>

/* Rows of one identity stand in this order. */
typedef enum {
    OF_SOURCE,
    OF_REFUSED, /* the row that a refused record would give */
    OF_TARGET,
} Side;

typedef struct {
    RpDigest digest;
    guint64 element;
    gsize name; /* offset in names: size, then bytes, then hashes of columns */
    gboolean has_columns;
    guint32 unit;
    Side side;
} Row;

void rp_suspects_init(RpSuspects *suspects) {
    *suspects = (RpSuspects){.rows = g_array_new(FALSE, FALSE, sizeof(Row))};
}

void rp_suspects_clear(RpSuspects *suspects) {
    g_clear_pointer(&suspects->rows, g_array_unref);
    rp_buffer_clear(&suspects->names);
}

void rp_suspects_reset(RpSuspects *suspects) {
    g_array_set_size(suspects->rows, 0);
    suspects->names.size = 0;
}

static void add(RpSuspects *suspects, const RpSuspect *suspect, Side side) {
    const Row row = {.digest = suspect->digest,
                     .element = suspect->element,
                     .name = suspects->names.size,
                     .has_columns = suspect->columns != NULL,
                     .unit = suspect->unit,
                     .side = side};
    rp_buffer_append_u32(&suspects->names, (guint32)suspect->name.size);
    rp_buffer_append(&suspects->names, suspect->name.data, suspect->name.size);
    if (suspect->columns != NULL)
        rp_buffer_append(&suspects->names, suspect->columns, suspect->n_columns * sizeof(guint64));
    g_array_append_val(suspects->rows, row);
}

void rp_suspects_add_source(RpSuspects *suspects, const RpSuspect *suspect) {
    add(suspects, suspect, OF_SOURCE);
}

void rp_suspects_add_target(RpSuspects *suspects, const RpSuspect *suspect) {
    add(suspects, suspect, OF_TARGET);
}

void rp_suspects_add_refused(RpSuspects *suspects, guint unit, const RpHash *identity) {
    add(suspects, &(const RpSuspect){.unit = unit, .digest = {.identity = *identity}}, OF_REFUSED);
}

guint rp_suspects_get_size(const RpSuspects *suspects) {
    return suspects->rows->len;
}

static RpSpan name_of(const RpSuspects *suspects, const Row *row) {
    guint32 size;
    memcpy(&size, suspects->names.data + row->name, sizeof size);
    return (RpSpan){suspects->names.data + row->name + sizeof size, GUINT32_FROM_BE(size)};
}

/* By identity, the source's rows first; then in an order that does not depend on that of reading. Readings of
 * one thing stay in theirs. */
static gint compare_rows(gconstpointer a, gconstpointer b, gpointer suspects) {
    const Row *left = a, *right = b;
    if (left->digest.identity.low != right->digest.identity.low)
        return left->digest.identity.low < right->digest.identity.low ? -1 : 1;
    if (left->digest.identity.high != right->digest.identity.high)
        return left->digest.identity.high < right->digest.identity.high ? -1 : 1;
    if (left->side != right->side)
        return left->side < right->side ? -1 : 1;
    if (left->unit != right->unit)
        return left->unit < right->unit ? -1 : 1;
    if (left->element != right->element)
        return left->element < right->element ? -1 : 1;
    const RpSpan left_name = name_of(suspects, left), right_name = name_of(suspects, right);
    const int order = memcmp(left_name.data, right_name.data, MIN(left_name.size, right_name.size));
    return order != 0 ? order : (left_name.size > right_name.size) - (left_name.size < right_name.size);
}

/* ---- one identity ---- */

typedef struct {
    const RpSuspects *suspects;
    guint64 *n_source;
    guint64 *n_equal;
    RpSuspicionTake take;
    gpointer data;
} Settling;

static const char *columns_of(const Settling *settling, const Row *row) {
    const RpSpan name = name_of(settling->suspects, row);
    return row->has_columns ? name.data + name.size : NULL;
}

static RpSuspicion suspicion_of(const Settling *settling, RpDifferenceKind kind, const Row *row) {
    return (RpSuspicion){.kind = kind,
                         .unit = row->unit,
                         .identity = row->digest.identity,
                         .name = name_of(settling->suspects, row)};
}

static void suspect_different(const Settling *settling, const Row *source, const Row *target) {
    RpSuspicion suspicion = suspicion_of(settling, RP_DIFFERENCE_DIFFERENT, source);
    suspicion.source_columns = columns_of(settling, source);
    suspicion.target_columns = columns_of(settling, target);
    settling->take(&suspicion, settling->data);
}

static void suspect_extra(const Settling *settling, const Row *target, gboolean is_refused) {
    RpSuspicion suspicion = suspicion_of(settling, RP_DIFFERENCE_EXTRA, target);
    suspicion.is_refused = is_refused;
    settling->take(&suspicion, settling->data);
}

static void suspect_missing(const Settling *settling, const Row *source, gboolean is_twin) {
    RpSuspicion suspicion = suspicion_of(settling, RP_DIFFERENCE_MISSING, source);
    suspicion.is_twin = is_twin;
    settling->take(&suspicion, settling->data);
}

static gboolean is_same_thing(const Settling *settling, const Row *a, const Row *b) {
    return a->unit == b->unit && a->element == b->element &&
           rp_span_equal(name_of(settling->suspects, a), name_of(settling->suspects, b));
}

static guint hash_row(gconstpointer row) {
    return (guint)((const Row *)row)->digest.row.low;
}

static gboolean is_row_equal(gconstpointer a, gconstpointer b) {
    return rp_hash_equal(&((const Row *)a)->digest.row, &((const Row *)b)->digest.row);
}

/* Of readings of one thing, which stand together, the last stays. Then two keys that give the very same row
 * give one row. Gives how many rows are left. One identity may have very many. */
static guint drop_repeated(const Settling *settling, Row *rows, guint n_rows) {
    guint n_things = 0, n_kept = 0;
    for (guint i = 0; i < n_rows; i++) {
        const gboolean is_repeated = n_things > 0 && is_same_thing(settling, &rows[n_things - 1], &rows[i]);
        n_things += is_repeated ? 0 : 1;
        rows[n_things - 1] = rows[i];
    }
    if (n_things < 2)
        return n_things;
    g_autoptr(GHashTable) seen = g_hash_table_new(hash_row, is_row_equal);
    for (guint i = 0; i < n_things; i++) {
        if (g_hash_table_contains(seen, &rows[i]))
            continue;
        rows[n_kept] = rows[i];
        g_hash_table_add(seen, &rows[n_kept++]);
    }
    return n_kept;
}

static guint find_equal(const Row *rows, guint n_rows, const Row *target) {
    for (guint i = 0; i < n_rows; i++)
        if (rp_hash_equal(&rows[i].digest.row, &target->digest.row))
            return i;
    return n_rows;
}

/* The rows of one identity, by side. */
typedef struct {
    Row *sources;
    guint n_sources;
    guint n_refused;
    Row *targets;
    guint n_targets; /* without a unique constraint in force there may be several */
} Meeting;

/* Rows of both sides that are equal meet, and are gone from the meeting. */
static void meet_equal(const Settling *settling, Meeting *meeting) {
    guint n_left = 0;
    for (guint i = 0; i < meeting->n_targets; i++) {
        const guint equal = find_equal(meeting->sources, meeting->n_sources, &meeting->targets[i]);
        if (equal == meeting->n_sources) {
            meeting->targets[n_left++] = meeting->targets[i];
            continue;
        }
        settling->n_equal[meeting->sources[equal].unit]++;
        meeting->n_sources--;
        memmove(&meeting->sources[equal], &meeting->sources[equal + 1],
                (meeting->n_sources - equal) * sizeof(Row));
    }
    meeting->n_targets = n_left;
}

static void settle(const Settling *settling, Meeting *meeting) {
    const gboolean has_target = meeting->n_targets > 0;
    meeting->n_sources = drop_repeated(settling, meeting->sources, meeting->n_sources);
    for (guint i = 0; i < meeting->n_sources; i++)
        settling->n_source[meeting->sources[i].unit]++;
    meet_equal(settling, meeting);
    for (guint i = 0; i < meeting->n_targets; i++) {
        if (i < meeting->n_sources)
            suspect_different(settling, &meeting->sources[i], &meeting->targets[i]);
        else
            suspect_extra(settling, &meeting->targets[i], meeting->n_refused > 0);
    }
    for (guint i = meeting->n_targets; i < meeting->n_sources; i++)
        suspect_missing(settling, &meeting->sources[i], has_target);
}

/* Gives where the next identity begins. */
static guint meet(Row *rows, guint n_rows, guint from, Meeting *meeting) {
    guint n[3] = {0}, end = from;
    while (end < n_rows && rp_hash_equal(&rows[end].digest.identity, &rows[from].digest.identity))
        n[rows[end++].side]++;
    *meeting = (Meeting){&rows[from], n[OF_SOURCE], n[OF_REFUSED], &rows[end - n[OF_TARGET]], n[OF_TARGET]};
    return end;
}

void rp_suspects_settle(RpSuspects *suspects, guint64 *n_source, guint64 *n_equal, RpSuspicionTake take,
                        gpointer data) {
    const Settling settling = {suspects, n_source, n_equal, take, data};
    Row *rows = (Row *)(void *)suspects->rows->data;
    const guint n_rows = suspects->rows->len;
    g_qsort_with_data(rows, (gint)n_rows, sizeof(Row), compare_rows, suspects);
    for (guint from = 0; from < n_rows;) {
        Meeting meeting;
        from = meet(rows, n_rows, from, &meeting);
        settle(&settling, &meeting);
    }
}
