/* Going through the list in portions: the ledger is asked about many keys at once. */
#include "reconcile/differences.h"

#include "model/reject.h"
#include "reconcile/explain.h"

#include <string.h>

#define MOST_DOUBTFUL   10000u /* rows that PostgreSQL is asked to compare, one by one */
#define MOST_LIST_BYTES (G_GUINT64_CONSTANT(8) << 30)

gboolean rp_differences_init(RpDifferences *differences, const RpUnits *units, const char *source,
                             GError **error) {
    *differences = (RpDifferences){.units = units, .source = g_strdup(source)};
    differences->n = g_new0(guint64, units->units->len * RP_N_DIFFERENCE_KINDS);
    differences->n_explained = g_new0(guint64, units->units->len);
    differences->n_refused = g_new0(guint64, units->units->len);
    differences->list = rp_spool_new(MOST_LIST_BYTES, error);
    return differences->list != NULL;
}

void rp_differences_clear(RpDifferences *differences) {
    g_clear_pointer(&differences->source, g_free);
    g_clear_pointer(&differences->n, g_free);
    g_clear_pointer(&differences->n_explained, g_free);
    g_clear_pointer(&differences->n_refused, g_free);
    g_clear_pointer(&differences->list, rp_spool_free);
}

/* What a list's entry says beside the unit. */
#define KIND_BITS  0xffu
#define TWIN_BIT   0x100u
#define REFUSE_BIT 0x200u

void rp_differences_add(RpDifferences *differences, const RpSuspicion *suspicion) {
    const guint32 word = (guint32)suspicion->kind | (suspicion->is_twin ? TWIN_BIT : 0) |
                         (suspicion->is_refused ? REFUSE_BIT : 0);
    differences->n[suspicion->unit * RP_N_DIFFERENCE_KINDS + suspicion->kind]++;
    differences->n_refused[suspicion->unit] += suspicion->is_refused ? 1 : 0;
    rp_spool_add(differences->list, suspicion->unit, word,
                 (RpSpan){(const char *)&suspicion->identity, sizeof suspicion->identity}, suspicion->name);
}

RpSuspicion rp_differences_entry(const RpSpoolEntry *entry) {
    RpSuspicion suspicion = {.kind = (RpDifferenceKind)(entry->bucket & KIND_BITS),
                             .unit = entry->unit,
                             .is_twin = (entry->bucket & TWIN_BIT) != 0,
                             .is_refused = (entry->bucket & REFUSE_BIT) != 0};
    memcpy(&suspicion.identity, entry->data.data, sizeof suspicion.identity);
    suspicion.name =
        (RpSpan){entry->data.data + sizeof suspicion.identity, entry->data.size - sizeof suspicion.identity};
    return suspicion;
}

/* ---- what is on record ---- */

/* Keys of one unit that wait to be asked about. */
typedef struct {
    PGconn *connection;
    const char *source;
    guint unit;
    RpBuffer bytes;
    gsize offsets[RP_EXPLAIN_MOST + 1];
    guint n_keys;
    guint64 counts[RP_EXPLAIN_MOST];
    /* Open rejects of a unit's key that may have many missing rows, less those that were counted already. */
    GHashTable *left; /* GBytes (number of the unit, key) -> guint64 * */
} Asking;

static Asking *asking_new(PGconn *connection, const char *source) {
    Asking *asking = g_new0(Asking, 1);
    asking->connection = connection;
    asking->source = source;
    asking->left = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, g_free);
    return asking;
}

static void asking_free(Asking *asking) {
    rp_buffer_clear(&asking->bytes);
    g_hash_table_unref(asking->left);
    g_free(asking);
}

static RpSpan key_at(const Asking *asking, guint position) {
    return (RpSpan){asking->bytes.data + asking->offsets[position],
                    asking->offsets[position + 1] - asking->offsets[position]};
}

static void add_key(Asking *asking, RpSpan key) {
    asking->offsets[asking->n_keys] = asking->bytes.size;
    rp_buffer_append(&asking->bytes, key.data, key.size);
    asking->offsets[++asking->n_keys] = asking->bytes.size;
}

/* Several units may read one key; each has rejects of its own. */
static GBytes *name_key(const RpUnit *unit, RpSpan key) {
    GByteArray *bytes = g_byte_array_sized_new((guint)(sizeof unit->number + key.size));
    g_byte_array_append(bytes, (const guint8 *)&unit->number, sizeof unit->number);
    g_byte_array_append(bytes, (const guint8 *)key.data, (guint)key.size);
    return g_byte_array_free_to_bytes(bytes);
}

/* Each reject explains one row of its key. */
static gboolean takes_one(Asking *asking, const RpUnit *unit, guint position) {
    if (asking->counts[position] == 0 || !rp_unit_has_many(unit))
        return asking->counts[position] > 0;
    g_autoptr(GBytes) bytes = name_key(unit, key_at(asking, position));
    guint64 *left = g_hash_table_lookup(asking->left, bytes);
    if (left == NULL) {
        left = g_memdup2(&asking->counts[position], sizeof *left);
        g_hash_table_insert(asking->left, g_steal_pointer(&bytes), left);
    }
    if (*left == 0)
        return FALSE;
    (*left)--;
    return TRUE;
}

static gboolean ask(Asking *asking, const RpUnit *unit, GError **error) {
    g_autofree RpSpan *keys = g_new(RpSpan, asking->n_keys);
    for (guint i = 0; i < asking->n_keys; i++)
        keys[i] = key_at(asking, i);
    memset(asking->counts, 0, sizeof asking->counts);
    return asking->source == NULL || unit->link != NULL || asking->n_keys == 0 ||
           rp_explain_keys(asking->connection, unit->entity->name, asking->source, keys, asking->n_keys,
                           asking->counts, error);
}

static void empty(Asking *asking) {
    asking->n_keys = 0;
    asking->bytes.size = 0;
}

/* ---- missing rows ---- */

typedef struct {
    RpDifferences *differences;
    guint64 limit;
    guint64 *n_listed;   /* by unit; without the doubtful ones */
    guint64 *n_doubtful; /* by unit: their bytes may tell apart what is equal */
    GPtrArray *listed;
    GPtrArray
        *portion; /* of RpListed: the missing ones that are asked about; NULL where they are not listed */
} Listing;

static gboolean is_loose(const RpUnit *unit) {
    for (guint i = 0; i < unit->columns->len; i++)
        if (rp_unit_column(unit, i)->is_loose)
            return TRUE;
    return FALSE;
}

static RpListed *list(Listing *listing, const RpSuspicion *suspicion) {
    const RpUnit *unit = rp_units_get(listing->differences->units, suspicion->unit);
    const gboolean is_doubtful = suspicion->kind == RP_DIFFERENCE_DIFFERENT && is_loose(unit);
    guint64 *n_listed = &(is_doubtful ? listing->n_doubtful : listing->n_listed)[suspicion->unit];
    if (*n_listed >= (is_doubtful ? MAX(MOST_DOUBTFUL, listing->limit) : listing->limit))
        return NULL;
    (*n_listed)++;
    RpListed *listed = g_new0(RpListed, 1);
    *listed = (RpListed){.difference = rp_difference_new(suspicion->kind),
                         .unit = unit,
                         .identity = suspicion->identity,
                         .name = g_memdup2(suspicion->name.data, suspicion->name.size),
                         .name_size = suspicion->name.size};
    if (suspicion->kind != RP_DIFFERENCE_EXTRA) {
        listed->difference->source_key =
            unit->hides_key ? g_strdup(RP_MASK) : rp_span_show(suspicion->name, RP_SHOWN_KEY_BYTES);
        if (!unit->hides_key && !rp_span_is_text(suspicion->name))
            listed->difference->source_key_hex = rp_span_hex(suspicion->name);
    }
    g_ptr_array_add(listing->listed, listed);
    return listed;
}

static gboolean explain_portion(Listing *listing, Asking *asking, GError **error) {
    const RpUnit *unit = rp_units_get(listing->differences->units, asking->unit);
    if (!ask(asking, unit, error))
        return FALSE;
    for (guint i = 0; i < asking->n_keys; i++) {
        RpListed *listed = g_ptr_array_index(listing->portion, i);
        const gboolean is_explained = takes_one(asking, unit, i);
        listing->differences->n_explained[asking->unit] += is_explained ? 1 : 0;
        if (listed != NULL)
            listed->difference->is_explained = is_explained;
    }
    empty(asking);
    g_ptr_array_set_size(listing->portion, 0);
    return TRUE;
}

static gboolean walk(Listing *listing, Asking *asking, GError **error) {
    RpSpool *spool = listing->differences->list;
    RpSpoolEntry entry;
    gboolean is_end = FALSE;
    if (!rp_spool_rewind(spool, error))
        return FALSE;
    while (rp_spool_next(spool, &entry, &is_end, error)) {
        if (is_end)
            return explain_portion(listing, asking, error);
        const RpSuspicion suspicion = rp_differences_entry(&entry);
        RpListed *listed = list(listing, &suspicion);
        if (suspicion.kind != RP_DIFFERENCE_MISSING)
            continue;
        if ((suspicion.unit != asking->unit || asking->n_keys == RP_EXPLAIN_MOST) &&
            !explain_portion(listing, asking, error))
            return FALSE;
        asking->unit = suspicion.unit;
        add_key(asking, suspicion.name);
        g_ptr_array_add(listing->portion, listed);
    }
    return FALSE;
}

GPtrArray *rp_differences_explain(RpDifferences *differences, PGconn *connection, guint64 limit,
                                  GError **error) {
    g_autoptr(GPtrArray) listed = g_ptr_array_new_with_free_func(rp_listed_free);
    g_autoptr(GPtrArray) portion = g_ptr_array_new();
    g_autofree guint64 *n_listed = g_new0(guint64, differences->units->units->len);
    g_autofree guint64 *n_doubtful = g_new0(guint64, differences->units->units->len);
    Listing listing = {differences, limit, n_listed, n_doubtful, listed, portion};
    Asking *asking = asking_new(connection, differences->source);
    const gboolean is_fine = walk(&listing, asking, error);
    asking_free(asking);
    return is_fine ? g_steal_pointer(&listed) : NULL;
}

/* ---- refused records ---- */

static gboolean check_portion(const RpUnits *units, Asking *asking, guint64 *unrecorded, GError **error) {
    const RpUnit *unit = rp_units_get(units, asking->unit);
    if (!ask(asking, unit, error))
        return FALSE;
    for (guint i = 0; i < asking->n_keys; i++)
        unrecorded[asking->unit] += takes_one(asking, unit, i) ? 0 : 1;
    empty(asking);
    return TRUE;
}

static gboolean check_all(const RpUnits *units, RpSpool *spool, Asking *asking, guint64 *unrecorded,
                          GError **error) {
    RpSpoolEntry entry;
    gboolean is_end = FALSE;
    if (!rp_spool_rewind(spool, error))
        return FALSE;
    while (rp_spool_next(spool, &entry, &is_end, error)) {
        if (is_end)
            return check_portion(units, asking, unrecorded, error);
        if ((entry.unit != asking->unit || asking->n_keys == RP_EXPLAIN_MOST) &&
            !check_portion(units, asking, unrecorded, error))
            return FALSE;
        asking->unit = entry.unit;
        add_key(asking, (RpSpan){entry.data.data + sizeof(RpHash), entry.data.size - sizeof(RpHash)});
    }
    return FALSE;
}

gboolean rp_differences_check_refused(const RpDifferences *differences, RpSpool *spool, PGconn *connection,
                                      guint64 *unrecorded, GError **error) {
    Asking *asking = asking_new(connection, differences->source);
    const gboolean is_fine = check_all(differences->units, spool, asking, unrecorded, error);
    asking_free(asking);
    return is_fine;
}
