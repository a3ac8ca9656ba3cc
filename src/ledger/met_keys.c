/* Listing the keys of a batch: neighbouring records of one key belong together. */
#include "ledger/met_keys.h"

#include <string.h>

static guint key_hash(gconstpointer data) {
    const RpMetKey *key = data;
    return g_str_hash(key->digest) ^ key->entity;
}

static gboolean key_equal(gconstpointer a, gconstpointer b) {
    const RpMetKey *first = a, *second = b;
    return first->entity == second->entity && strcmp(first->digest, second->digest) == 0;
}

static void key_free(gpointer data) {
    RpMetKey *key = data;
    g_free(key->blocked);
    g_free(key);
}

static gboolean is_same_key(const RpRecords *records, guint32 a, guint32 b) {
    return rp_records_get(records, a)->entity == rp_records_get(records, b)->entity &&
           rp_span_equal(rp_records_key(records, a), rp_records_key(records, b));
}

static void write_digest(RpMetKey *key, GChecksum *md5, RpSpan name) {
    g_checksum_reset(md5);
    g_checksum_update(md5, (const guchar *)name.data, (gssize)name.size);
    g_strlcpy(key->digest, g_checksum_get_string(md5), sizeof key->digest);
}

/* A key that was met before is the same one, read again: the last reading counts. */
static guint32 add_key(RpMetKeys *met, GHashTable *known, GChecksum *md5, const RpBatch *batch,
                       guint32 record, guint32 n_records) {
    RpMetKey *key = g_new0(RpMetKey, 1);
    key->entity = rp_records_get(&batch->records, record)->entity;
    write_digest(key, md5, rp_records_key(&batch->records, record));
    gpointer number;
    if (g_hash_table_lookup_extended(known, key, NULL, &number)) {
        g_free(key);
        key = rp_met_keys_get(met, GPOINTER_TO_UINT(number));
        key->is_again = TRUE;
    } else {
        number = GUINT_TO_POINTER(met->keys->len);
        g_ptr_array_add(met->keys, key);
        g_hash_table_insert(known, key, number);
    }
    key->record = record;
    key->n_records = n_records;
    key->is_gone = rp_records_get(&batch->records, record)->outcome == RP_READ_VANISHED;
    key->is_unclear = FALSE;
    key->begins_before = record == batch->part.first && batch->part.begins_within_key;
    key->goes_on = record + n_records == batch->part.end && batch->part.ends_within_key;
    for (guint32 i = 0; i < n_records; i++) {
        const guint8 outcome = rp_records_get(&batch->records, record + i)->outcome;
        key->is_unclear |= outcome == RP_READ_WRONG_TYPE || outcome == RP_READ_TOO_LARGE;
    }
    return GPOINTER_TO_UINT(number);
}

static void note_refusals(RpMetKeys *met, const RpBatch *batch) {
    for (guint i = 0; i < batch->rejects->len; i++) {
        const RpReject *reject = &g_array_index(batch->rejects, RpReject, i);
        RpMetKey *key = rp_met_keys_of(met, reject->record);
        if (reject->stage == RP_STAGE_MAP && reject->record >= key->record)
            key->is_unclear = TRUE;
    }
}

void rp_met_keys_list(RpMetKeys *met, const RpBatch *batch) {
    g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
    g_autoptr(GHashTable) known = g_hash_table_new(key_hash, key_equal);
    rp_met_keys_clear(met);
    met->keys = g_ptr_array_new_with_free_func(key_free);
    met->n_records = batch->records.index->len;
    met->numbers = g_new0(guint32, MAX(met->n_records, 1));
    for (guint32 record = batch->part.first, end; record < batch->part.end; record = end) {
        for (end = record + 1; end < batch->part.end && is_same_key(&batch->records, record, end); end++)
            ;
        const guint32 number = add_key(met, known, md5, batch, record, end - record);
        for (guint32 i = record; i < end; i++)
            met->numbers[i] = number;
    }
    note_refusals(met, batch);
}

void rp_met_keys_clear(RpMetKeys *met) {
    g_clear_pointer(&met->keys, g_ptr_array_unref);
    g_clear_pointer(&met->numbers, g_free);
}

void rp_array_add(GString *array, const char *element) {
    g_string_append(array, array->len == 0 ? "{\"" : ",\"");
    for (; *element != '\0'; element++) {
        if (*element == '"' || *element == '\\')
            g_string_append_c(array, '\\');
        g_string_append_c(array, *element);
    }
    g_string_append_c(array, '"');
}

const char *rp_array_end(GString *array) {
    g_string_append(array, array->len == 0 ? "{}" : "}");
    return array->str;
}
