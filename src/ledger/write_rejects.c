/* The rejects of a batch, as binary COPY tuples.
 *
 * 1. Every reject is stored with its record, so that it can be mapped again; of the elements of one array
 * only the first reject has it, for all of them, in whatever portions of the batch they come.
 * 2. What is refused again is as old as it was: its time goes along. Of what was just read the server sets
 * the time, by the clock that it goes by elsewhere in the ledger. */
#include "ledger/write_rejects.h"

#include "mapping/timestamp.h"
#include "sink/copy.h"

#define COPY_SQL(more)                                                                                       \
    "COPY redis2pg.rejects (run, pass, batch, entity, key, stage, code, column_name,"                        \
    " constraint_name, message, value, element, raw" more ") FROM STDIN (FORMAT binary)"

#define N_FIELDS 13

static void add_text(RpBuffer *tuples, const char *text) {
    if (text == NULL) {
        rp_buffer_append_u32(tuples, G_MAXUINT32);
        return;
    }
    rp_buffer_append_u32(tuples, (guint32)strlen(text));
    rp_buffer_append(tuples, text, strlen(text));
}

static void add_bytes(RpBuffer *tuples, RpSpan bytes) {
    rp_buffer_append_u32(tuples, (guint32)bytes.size);
    rp_buffer_append(tuples, bytes.data, bytes.size);
}

/* Which element of its key a reject is about; NULL for the whole key. The caller frees it. */
static char *element_of(const RpEntity *entity, const RpBatch *batch, const RpReject *reject) {
    const RpRecord *record = rp_records_get(&batch->records, reject->record);
    const gboolean is_of_record = reject->stage == RP_STAGE_MAP && reject->column == NULL;
    RpSpan id;
    if (record->index >= 0)
        return g_strdup_printf("%" G_GINT64_FORMAT, record->index);
    if (record->type == RP_RECORD_STREAM && rp_records_values(&batch->records, reject->record, &id, 1) > 0)
        return rp_span_show(id, RP_REJECT_VALUE_BYTES);
    if (entity->scope.has_each && !is_of_record)
        return g_strdup_printf("%u", reject->element);
    return NULL;
}

/* Whether the record is to be stored with the reject: of an array's elements only the first has it. */
static gboolean takes_raw(const RpEntity *entity, const RpBatch *batch, const RpReject *reject,
                          GHashTable *stored) {
    return !entity->scope.has_each || ((gint64)reject->record != batch->stored_record &&
                                       g_hash_table_add(stored, GUINT_TO_POINTER(reject->record)));
}

/* What the rejects of a batch go through. */
typedef struct {
    guint64 run;
    const RpMapping *mapping;
    const RpBatch *batch;
    RpBuffer tuples;
    RpBuffer raw;
    GHashTable *stored; /* set of records that a reject holds already */
    gboolean has_times; /* the records were read some time ago */
} Output;

static void add_time(Output *output, guint32 record) {
    const RpReplay *replay = rp_replays_find(output->batch->replays, record);
    g_assert(replay != NULL);
    rp_buffer_append_u32(&output->tuples, 8);
    rp_buffer_append_u64(&output->tuples, (guint64)(replay->read_at_us - RP_POSTGRES_EPOCH_US));
}

/* The records of a batch are all replayed as they were kept, or none is. */
static gboolean is_of_kept(const RpBatch *batch) {
    return batch->replays->len > 0 && g_array_index(batch->replays, RpReplay, 0).read_at_us != 0;
}

static void add_reject(Output *output, const RpReject *reject) {
    const RpBatch *batch = output->batch;
    RpBuffer *tuples = &output->tuples;
    const RpEntity *entity = g_ptr_array_index(output->mapping->entities, reject->entity);
    g_autofree char *element = element_of(entity, batch, reject);
    rp_buffer_append_u16(tuples, output->has_times ? N_FIELDS + 1 : N_FIELDS);
    rp_buffer_append_u32(tuples, 8);
    rp_buffer_append_u64(tuples, output->run);
    rp_buffer_append_u32(tuples, 4);
    rp_buffer_append_u32(tuples, batch->pass);
    rp_buffer_append_u32(tuples, 8);
    rp_buffer_append_u64(tuples, batch->number);
    add_text(tuples, entity->name);
    add_bytes(tuples, rp_records_key(&batch->records, reject->record));
    add_text(tuples, rp_stage_name(reject->stage));
    add_text(tuples, rp_reject_code_name(reject->code));
    add_text(tuples, reject->column);
    add_text(tuples, reject->constraint);
    add_text(tuples, reject->message);
    add_text(tuples, reject->value);
    add_text(tuples, element);
    output->raw.size = 0;
    if (takes_raw(entity, batch, reject, output->stored))
        rp_records_append_raw(&batch->records, reject->record, &output->raw);
    add_bytes(tuples, (RpSpan){output->raw.data, output->raw.size});
    if (output->has_times)
        add_time(output, reject->record);
}

gboolean rp_ledger_write_rejects(PGconn *connection, guint64 run, const RpMapping *mapping,
                                 const RpBatch *batch, GError **error) {
    if (rp_batch_n_rejects(batch) == 0)
        return TRUE;
    Output output = {.run = run,
                     .mapping = mapping,
                     .batch = batch,
                     .has_times = is_of_kept(batch),
                     .stored = g_hash_table_new(g_direct_hash, g_direct_equal)};
    for (guint i = 0; i < batch->rejects->len; i++) {
        const RpReject *reject = &g_array_index(batch->rejects, RpReject, i);
        if (!reject->is_parked)
            add_reject(&output, reject);
    }
    const RpSpan tuples = {output.tuples.data, output.tuples.size};
    const gboolean is_fine = rp_copy_binary(
        connection, output.has_times ? COPY_SQL(", read_at") : COPY_SQL(""), &tuples, 1, error);
    rp_buffer_clear(&output.tuples);
    rp_buffer_clear(&output.raw);
    g_hash_table_unref(output.stored);
    return is_fine;
}
