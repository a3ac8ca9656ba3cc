/* A queue with an end. */
#include "pipeline/queue.h"

struct RpQueue {
    GMutex mutex;
    GCond changed;
    GQueue items;
    gboolean is_closed;
};

RpQueue *rp_queue_new(void) {
    RpQueue *queue = g_new0(RpQueue, 1);
    g_mutex_init(&queue->mutex);
    g_cond_init(&queue->changed);
    g_queue_init(&queue->items);
    return queue;
}

void rp_queue_free(RpQueue *queue) {
    if (queue == NULL)
        return;
    g_queue_clear(&queue->items);
    g_mutex_clear(&queue->mutex);
    g_cond_clear(&queue->changed);
    g_free(queue);
}

void rp_queue_push(RpQueue *queue, gpointer item) {
    g_mutex_lock(&queue->mutex);
    g_queue_push_tail(&queue->items, item);
    g_cond_broadcast(&queue->changed);
    g_mutex_unlock(&queue->mutex);
}

gpointer rp_queue_pop(RpQueue *queue) {
    g_mutex_lock(&queue->mutex);
    while (queue->items.length == 0 && !queue->is_closed)
        g_cond_wait(&queue->changed, &queue->mutex);
    gpointer item = g_queue_pop_head(&queue->items);
    g_mutex_unlock(&queue->mutex);
    return item;
}

void rp_queue_close(RpQueue *queue) {
    g_mutex_lock(&queue->mutex);
    queue->is_closed = TRUE;
    g_cond_broadcast(&queue->changed);
    g_mutex_unlock(&queue->mutex);
}

gboolean rp_queue_wait_for(RpQueue *queue, guint n) {
    g_mutex_lock(&queue->mutex);
    while (queue->items.length < n && !queue->is_closed)
        g_cond_wait(&queue->changed, &queue->mutex);
    const gboolean is_there = queue->items.length >= n;
    g_mutex_unlock(&queue->mutex);
    return is_there;
}
