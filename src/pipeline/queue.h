/* A queue of pointers between threads that can be closed. It has no limit of its own: batches come from a
 * fixed pool, which is itself such a queue. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpQueue RpQueue;

RpQueue *rp_queue_new(void);
/* The queue must be empty or its items owned elsewhere. */
void rp_queue_free(RpQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpQueue, rp_queue_free)

void rp_queue_push(RpQueue *queue, gpointer item);

/* Waits for an item; NULL once the queue is closed and empty. */
gpointer rp_queue_pop(RpQueue *queue);

/* Nothing comes after what is in it; wakes whoever waits. Pushing stays allowed (for giving back). */
void rp_queue_close(RpQueue *queue);

/* Waits until the queue holds n items or is closed; FALSE when it was closed. */
gboolean rp_queue_wait_for(RpQueue *queue, guint n);

G_END_DECLS
