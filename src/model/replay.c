/* Which replayed rejects were refused again. Both lists may be long: neither is searched for each of the
 * other. */
#include "model/replay.h"

/* A record and, of its array, an element, in one number. */
static guint64 place_of(guint32 record, guint32 element) {
    return (guint64)record << 32 | element;
}

typedef struct {
    GArray *records;      /* of guint32: that some reject is about, in order */
    GHashTable *elements; /* set of guint64: places that some reject is about */
    GHashTable *wholes;   /* set of records that are refused whole */
} Refused;

static gint compare_records(gconstpointer a, gconstpointer b) {
    const guint32 first = *(const guint32 *)a, second = *(const guint32 *)b;
    return (first > second) - (first < second);
}

/* The mapper refuses whole records without naming a column. */
static gboolean is_about_whole(const RpReject *reject) {
    return reject->stage == RP_STAGE_MAP && reject->column == NULL;
}

static void refused_init(Refused *refused, const GArray *rejects) {
    refused->records = g_array_sized_new(FALSE, FALSE, sizeof(guint32), rejects->len);
    refused->elements = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    refused->wholes = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < rejects->len; i++) {
        const RpReject *reject = &g_array_index(rejects, RpReject, i);
        const guint64 place = place_of(reject->record, reject->element);
        g_array_append_val(refused->records, reject->record);
        g_hash_table_add(refused->elements, g_memdup2(&place, sizeof place));
        if (is_about_whole(reject))
            g_hash_table_add(refused->wholes, GUINT_TO_POINTER(reject->record));
    }
    g_array_sort(refused->records, compare_records);
}

static void refused_clear(Refused *refused) {
    g_array_unref(refused->records);
    g_hash_table_unref(refused->elements);
    g_hash_table_unref(refused->wholes);
}

/* Whether a reject is about one of the records from first on. */
static gboolean is_among(const GArray *records, guint32 first, guint32 n_records) {
    guint low = 0, high = records->len;
    while (low < high) {
        const guint middle = low + (high - low) / 2;
        if (g_array_index(records, guint32, middle) < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < records->len && g_array_index(records, guint32, low) - first < n_records;
}

static gboolean is_refused(const Refused *refused, const RpReplay *replay) {
    if (replay->element < 0)
        return is_among(refused->records, replay->record, replay->n_records);
    const guint64 place = place_of(replay->record, (guint32)replay->element);
    return g_hash_table_contains(refused->elements, &place) ||
           g_hash_table_contains(refused->wholes, GUINT_TO_POINTER(replay->record));
}

GArray *rp_replays_judge(const GArray *replays, const GArray *rejects) {
    GArray *failed = g_array_sized_new(FALSE, FALSE, sizeof(gboolean), replays->len);
    Refused refused;
    refused_init(&refused, rejects);
    for (guint i = 0; i < replays->len; i++) {
        const RpReplay *replay = &g_array_index(replays, RpReplay, i);
        const gboolean has_failed = replay->has_failed || is_refused(&refused, replay);
        g_array_append_val(failed, has_failed);
    }
    refused_clear(&refused);
    return failed;
}

void rp_replays_note_failures(GArray *replays, const GArray *rejects) {
    if (replays->len == 0)
        return;
    g_autoptr(GArray) failed = rp_replays_judge(replays, rejects);
    for (guint i = 0; i < replays->len; i++)
        g_array_index(replays, RpReplay, i).has_failed = g_array_index(failed, gboolean, i);
}

const RpReplay *rp_replays_find(const GArray *replays, guint32 record) {
    guint low = 0, high = replays->len;
    while (low < high) {
        const guint middle = low + (high - low) / 2;
        const RpReplay *replay = &g_array_index(replays, RpReplay, middle);
        if (replay->record + replay->n_records <= record)
            low = middle + 1;
        else
            high = middle;
    }
    const RpReplay *found = low < replays->len ? &g_array_index(replays, RpReplay, low) : NULL;
    return found != NULL && found->record <= record ? found : NULL;
}
