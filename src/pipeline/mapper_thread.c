/* The mapper threads: batches of records to batches of tuples. */
#include "base/event.h"
#include "mapping/mapper.h"
#include "pipeline/crew.h"

static void map_portion(RpMapper *mapper, RpBatch *batch) {
    rp_mapper_map(mapper, batch);
    rp_event_note(RP_EVENT_BATCH_MAPPED);
}

/* A batch that gives more rows than it may hold is mapped and written portion by portion: in between it is
 * the writer's, and comes back. Its portions may be many: a stop does not wait for them, since the next run
 * reads its keys again. */
static void map_batch(RpCrew *crew, RpMapper *mapper, guint number, RpBatch *batch) {
    map_portion(mapper, batch);
    while (!batch->is_whole) {
        batch->mapper = number;
        rp_queue_push(crew->to_write, batch);
        batch = rp_queue_pop(g_ptr_array_index(crew->to_go_on, number));
        if (g_atomic_int_get(&crew->is_cancelled) || g_atomic_int_get(&crew->is_stopping)) {
            rp_queue_push(crew->pool, batch);
            return;
        }
        rp_batch_next_portion(batch);
        map_portion(mapper, batch);
    }
    rp_queue_push(crew->to_write, batch);
}

gpointer rp_mapper_thread(gpointer data) {
    RpCrew *crew = data;
    const RpLoadOptions *options = crew->options;
    const guint number = (guint)g_atomic_int_add(&crew->n_mappers, 1);
    g_autoptr(RpMapper) mapper =
        rp_mapper_new(options->mapping, &crew->occasion, options->batch_rows, options->batch_bytes);
    RpBatch *batch;
    while ((batch = rp_queue_pop(crew->to_map)) != NULL) {
        if (g_atomic_int_get(&crew->is_cancelled))
            rp_queue_push(crew->pool, batch);
        else
            map_batch(crew, mapper, number, batch);
    }
    return NULL;
}
