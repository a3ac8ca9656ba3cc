/* hiredis' callbacks, called with pointers into its read buffer. */
#include "source/reply.h"

typedef struct {
    gsize offset;
    gsize size;
} KeySpan;

static void take_scan_string(RpReplyTarget *target, const redisReadTask *task, char *text, gsize size) {
    if (task->parent != NULL && task->parent->parent == NULL) { /* the cursor: first of the outer two */
        g_autofree char *cursor = g_strndup(text, size);
        target->page->has_cursor = TRUE;
        target->page->next_cursor = g_ascii_strtoull(cursor, NULL, 10);
        return;
    }
    const KeySpan span = {target->page->bytes.size, size};
    rp_buffer_append(&target->page->bytes, text, size);
    g_array_append_val(target->page->spans, span);
}

static void take_value(RpReplyTarget *target, char *text, gsize size) {
    target->n_bytes += size;
    target->n_elements++;
    /* Many small values weigh by what the record and the mapper need for each. */
    if (target->n_bytes > target->max_bytes || size > G_MAXUINT32 ||
        target->n_elements * (sizeof(guint32) + sizeof(RpSpan)) > target->max_bytes)
        target->is_too_large = TRUE;
    if (!target->is_too_large)
        rp_records_add_value(target->records, (RpSpan){text, size});
}

static void *on_string(const redisReadTask *task, char *text, size_t size) {
    RpReplyTarget *target = task->privdata;
    if (task->type == REDIS_REPLY_ERROR) {
        if (target->error_text == NULL)
            target->error_text = g_strndup(text, size);
    } else if (target->page != NULL) {
        take_scan_string(target, task, text, size);
    } else if (target->records != NULL) {
        take_value(target, text, size);
    }
    return target;
}

static void *on_array(const redisReadTask *task, int n_elements) {
    (void)n_elements;
    return task->privdata;
}

static void *on_integer(const redisReadTask *task, long long value) {
    RpReplyTarget *target = task->privdata;
    target->integer = value;
    return target;
}

static void *on_nil(const redisReadTask *task) {
    RpReplyTarget *target = task->privdata;
    target->is_nil = TRUE;
    return target;
}

static void on_free(void *object) {
    (void)object; /* nothing was made */
}

redisReplyObjectFunctions RP_REPLY_FUNCTIONS = {on_string, on_array, on_integer, on_nil, on_free};

void rp_key_page_init(RpKeyPage *page) {
    *page = (RpKeyPage){.spans = g_array_new(FALSE, FALSE, sizeof(KeySpan))};
}

void rp_key_page_clear(RpKeyPage *page) {
    rp_buffer_clear(&page->bytes);
    g_clear_pointer(&page->spans, g_array_unref);
}

guint rp_key_page_size(const RpKeyPage *page) {
    return page->spans->len;
}

RpSpan rp_key_page_get(const RpKeyPage *page, guint position) {
    const KeySpan *span = &g_array_index(page->spans, KeySpan, position);
    return (RpSpan){page->bytes.data + span->offset, span->size};
}
