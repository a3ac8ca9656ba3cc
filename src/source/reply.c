/* hiredis' callbacks, called with pointers into its read buffer. */
#include "source/reply.h"

typedef struct {
    gsize offset;
    gsize size;
} KeySpan;

static guint depth_of(const redisReadTask *task) {
    guint depth = 0;
    for (const redisReadTask *parent = task->parent; parent != NULL; parent = parent->parent)
        depth++;
    return depth;
}

/* Whether a string belongs at that place. */
static gboolean has_place(const RpReplyTarget *target, const redisReadTask *task) {
    const guint depth = depth_of(task);
    switch (target->shape) {
    case RP_REPLY_NUMBER:
        return FALSE;
    case RP_REPLY_VALUES:
        return depth == (target->head.type == RP_RECORD_HASH ? 1 : 0);
    case RP_REPLY_FIELDS:
    case RP_REPLY_ITEMS:
        return depth == 1;
    case RP_REPLY_PAGE:
    case RP_REPLY_MEMBERS:
    case RP_REPLY_SCORES:
        return (depth == 1 && task->idx == 0) || (depth == 2 && task->parent->idx == 1);
    case RP_REPLY_ENTRIES:
        return (depth == 2 && task->idx == 0) || (depth == 3 && task->parent->idx == 1);
    }
    g_assert_not_reached();
}

/* Whether there may be that many elements. */
static gboolean is_asked_for(const RpReplyTarget *target, int n_elements) {
    return target->max_elements == 0 || (guint)n_elements <= target->max_elements;
}

/* Whether an array belongs at that place, and may have that many elements. */
static gboolean has_place_for(const RpReplyTarget *target, const redisReadTask *task, int n_elements) {
    const guint depth = depth_of(task);
    switch (target->shape) {
    case RP_REPLY_NUMBER:
        return FALSE;
    case RP_REPLY_VALUES:
        return depth == 0 && target->head.type == RP_RECORD_HASH && n_elements % 2 == 0;
    case RP_REPLY_FIELDS:
        return depth == 0 && (guint)n_elements == MAX(target->fields->len, 1);
    case RP_REPLY_ITEMS:
        return depth == 0 && is_asked_for(target, n_elements);
    case RP_REPLY_PAGE:
    case RP_REPLY_MEMBERS:
        return depth == 0 ? n_elements == 2 : depth == 1 && task->idx == 1;
    case RP_REPLY_SCORES:
        return depth == 0 ? n_elements == 2 : depth == 1 && task->idx == 1 && n_elements % 2 == 0;
    case RP_REPLY_ENTRIES:
        return (depth == 0 && is_asked_for(target, n_elements)) || (depth == 1 && n_elements == 2) ||
               (depth == 2 && task->idx == 1 && n_elements % 2 == 0);
    }
    g_assert_not_reached();
}

/* Reads a 64-bit number of nothing but digits, and moves past it. */
static gboolean read_number(const char **at, const char *end, guint64 *number) {
    const char *start = *at;
    *number = 0;
    for (; *at < end && g_ascii_isdigit(**at); (*at)++) {
        const guint64 digit = (guint64)(**at - '0');
        if (*number > (G_MAXUINT64 - digit) / 10)
            return FALSE;
        *number = *number * 10 + digit;
    }
    return *at > start;
}

static gboolean read_cursor(const char *text, gsize size, guint64 *cursor) {
    const char *at = text;
    return read_number(&at, text + size, cursor) && at == text + size;
}

static void take_scan_string(RpReplyTarget *target, const redisReadTask *task, char *text, gsize size) {
    if (depth_of(task) == 1) { /* the cursor: first of the outer two */
        target->page->has_cursor = read_cursor(text, size, &target->page->next_cursor);
        return;
    }
    const KeySpan span = {target->page->bytes.size, size};
    rp_buffer_append(&target->page->bytes, text, size);
    g_array_append_val(target->page->spans, span);
}

/* ---- records ---- */

RpRecord *rp_reply_begin_record(RpReplyTarget *target) {
    RpRecord *record =
        rp_records_begin(target->records, target->head.entity, (RpRecordType)target->head.type, target->key);
    record->ttl_ms = target->head.ttl_ms;
    record->expires_at_ms = target->head.expires_at_ms;
    target->n_begun++;
    target->n_record_bytes = 0;
    return record;
}

/* Values weigh by what the record and the mapper need for each, too. */
static void weigh(RpReplyTarget *target, gsize size) {
    target->n_bytes += size;
    target->n_values++;
    if (!target->is_smallest && (target->n_bytes > target->max_bytes ||
                                 target->n_values * (sizeof(guint32) + sizeof(RpSpan)) > target->max_bytes))
        target->is_too_large = TRUE;
}

/* A value of the newest record. When they are too large together, none is kept. */
static void take_value(RpReplyTarget *target, char *text, gsize size) {
    weigh(target, size);
    if (target->is_too_large)
        return;
    RpRecord *newest = &g_array_index(target->records->index, RpRecord, target->records->index->len - 1);
    target->n_record_bytes += size;
    if (target->n_record_bytes > target->max_bytes || size > G_MAXUINT32) {
        rp_records_drop_values(target->records);
        newest->outcome = RP_READ_TOO_LARGE;
    } else if (newest->outcome == RP_READ_OK) {
        rp_records_add_value(target->records, (RpSpan){text, size});
    }
}

static void take_field(RpReplyTarget *target, const redisReadTask *task, char *text, gsize size) {
    if ((guint)task->idx >= target->fields->len) /* asked for because HMGET wants one */
        return;
    char *name = g_ptr_array_index(target->fields, (guint)task->idx);
    take_value(target, name, strlen(name));
    take_value(target, text, size);
}

static void take_element(RpReplyTarget *target, gint64 index, char *text, gsize size) {
    target->n_bytes += target->key.size; /* each record has it */
    if (target->is_too_large)
        return;
    rp_reply_begin_record(target)->index = index;
    take_value(target, text, size);
}

static void take_member(RpReplyTarget *target, const redisReadTask *task, char *text, gsize size) {
    if (depth_of(task) == 1) {
        target->has_position = read_cursor(text, size, &target->cursor);
        target->is_odd = !target->has_position;
    } else if (target->shape == RP_REPLY_MEMBERS || task->idx % 2 == 0)
        take_element(target, -1, text, size);
    else if (!target->is_too_large)
        take_value(target, text, size);
}

/* redis: stream.h, streamID: two 64-bit numbers, written ms-seq. Entries come in their order; one that came
 * before would be read again and again. */
static gboolean read_id(RpReplyTarget *target, const char *text, gsize size) {
    const guint64 *least = target->has_position ? target->last_id : target->first_id;
    const char *at = text, *end = text + size;
    guint64 id[2];
    if (!read_number(&at, end, &id[0]) || at == end || *at++ != '-' || !read_number(&at, end, &id[1]) ||
        at != end)
        return FALSE;
    if (id[0] < least[0] ||
        (id[0] == least[0] && (id[1] < least[1] || (target->has_position && id[1] == least[1]))))
        return FALSE;
    memcpy(target->last_id, id, sizeof id);
    target->has_position = TRUE;
    return TRUE;
}

static void take_entry(RpReplyTarget *target, const redisReadTask *task, char *text, gsize size) {
    if (depth_of(task) == 2 && !read_id(target, text, size)) {
        target->is_odd = TRUE;
    } else if (depth_of(task) == 2) {
        take_element(target, -1, text, size);
    } else if (!target->is_too_large) {
        take_value(target, text, size);
    }
}

static void take_string(RpReplyTarget *target, const redisReadTask *task, char *text, gsize size) {
    switch (target->shape) {
    case RP_REPLY_NUMBER:
        return;
    case RP_REPLY_PAGE:
        take_scan_string(target, task, text, size);
        return;
    case RP_REPLY_VALUES:
        take_value(target, text, size);
        return;
    case RP_REPLY_FIELDS:
        take_field(target, task, text, size);
        return;
    case RP_REPLY_ITEMS:
        take_element(target, target->head.index + task->idx, text, size);
        return;
    case RP_REPLY_MEMBERS:
    case RP_REPLY_SCORES:
        take_member(target, task, text, size);
        return;
    case RP_REPLY_ENTRIES:
        take_entry(target, task, text, size);
        return;
    }
}

static void *on_string(const redisReadTask *task, char *text, size_t size) {
    RpReplyTarget *target = task->privdata;
    if (task->type == REDIS_REPLY_ERROR && task->parent == NULL)
        target->error_text = g_strndup(text, size);
    else if (target->is_odd || task->type == REDIS_REPLY_ERROR || !has_place(target, task))
        target->is_odd = TRUE;
    else
        take_string(target, task, text, size);
    return target;
}

static void *on_array(const redisReadTask *task, int n_elements) {
    RpReplyTarget *target = task->privdata;
    if (!has_place_for(target, task, n_elements))
        target->is_odd = TRUE;
    const gboolean has_cursor = target->shape == RP_REPLY_MEMBERS || target->shape == RP_REPLY_SCORES;
    if (depth_of(task) == (has_cursor ? 1 : 0))
        target->n_announced = (guint64)n_elements / (target->shape == RP_REPLY_SCORES ? 2 : 1);
    return target;
}

static void *on_integer(const redisReadTask *task, long long value) {
    RpReplyTarget *target = task->privdata;
    target->integer = value;
    if (target->shape != RP_REPLY_NUMBER || task->parent != NULL)
        target->is_odd = TRUE;
    return target;
}

static void *on_nil(const redisReadTask *task) {
    RpReplyTarget *target = task->privdata;
    target->is_nil = task->parent == NULL;
    if (!target->is_nil && target->shape != RP_REPLY_FIELDS)
        target->is_odd = TRUE;
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
