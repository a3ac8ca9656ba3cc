/* The mapper threads: batches of records to batches of tuples. */
#include "mapping/mapper.h"
#include "pipeline/crew.h"

gpointer rp_mapper_thread(gpointer data) {
    RpCrew *crew = data;
    g_autoptr(RpMapper) mapper = rp_mapper_new(crew->options->mapping);
    RpBatch *batch;
    while ((batch = rp_queue_pop(crew->to_map)) != NULL) {
        if (g_atomic_int_get(&crew->is_cancelled)) {
            rp_queue_push(crew->pool, batch);
            continue;
        }
        rp_mapper_map(mapper, batch);
        rp_queue_push(crew->to_write, batch);
    }
    return NULL;
}
