/* What stands in replies, each in its shape: the rest is refused as odd. */
#include "source/reply.h"

typedef struct {
    gsize offset;
    gsize size;
} KeySpan;

/* Whether a string belongs at that place. */
static gboolean has_place(const RpReplyTarget *target, const RpReplyPlace *place) {
    const guint depth = place->depth;
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
        return (depth == 1 && place->index == 0) || (depth == 2 && place->parent_index == 1);
    case RP_REPLY_ENTRIES:
        return (depth == 2 && place->index == 0) || (depth == 3 && place->parent_index == 1);
    }
    g_assert_not_reached();
}

/* Whether there may be that many elements. */
static gboolean is_asked_for(const RpReplyTarget *target, int n_elements) {
    return target->max_elements == 0 || (guint)n_elements <= target->max_elements;
}

/* Whether an array belongs at that place, and may have that many elements. */
static gboolean has_place_for(const RpReplyTarget *target, const RpReplyPlace *place, int n_elements) {
    const guint depth = place->depth;
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
        return depth == 0 ? n_elements == 2 : depth == 1 && place->index == 1;
    case RP_REPLY_SCORES:
        return depth == 0 ? n_elements == 2 : depth == 1 && place->index == 1 && n_elements % 2 == 0;
    case RP_REPLY_ENTRIES:
        return (depth == 0 && is_asked_for(target, n_elements)) || (depth == 1 && n_elements == 2) ||
               (depth == 2 && place->index == 1 && n_elements % 2 == 0);
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

static gboolean read_cursor(RpSpan text, guint64 *cursor) {
    const char *at = text.data;
    const char *end = text.data + text.size;
    return read_number(&at, end, cursor) && at == end;
}

static void take_scan_string(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text) {
    if (place->depth == 1) { /* the cursor: first of the outer two */
        target->page->has_cursor = read_cursor(text, &target->page->next_cursor);
        return;
    }
    const KeySpan span = {target->page->bytes.size, text.size};
    rp_buffer_append(&target->page->bytes, text.data, text.size);
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
static void take_value(RpReplyTarget *target, RpSpan text) {
    weigh(target, text.size);
    if (target->is_too_large)
        return;
    RpRecord *newest = &g_array_index(target->records->index, RpRecord, target->records->index->len - 1);
    target->n_record_bytes += text.size;
    if (target->n_record_bytes > target->max_bytes || text.size > G_MAXUINT32) {
        rp_records_drop_values(target->records);
        newest->outcome = RP_READ_TOO_LARGE;
    } else if (newest->outcome == RP_READ_OK) {
        rp_records_add_value(target->records, text);
    }
}

static void take_field(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text) {
    if ((guint)place->index >= target->fields->len) /* asked for because HMGET wants one */
        return;
    take_value(target, rp_span(g_ptr_array_index(target->fields, (guint)place->index)));
    take_value(target, text);
}

static void take_element(RpReplyTarget *target, gint64 index, RpSpan text) {
    target->n_bytes += target->key.size; /* each record has it */
    if (target->is_too_large)
        return;
    rp_reply_begin_record(target)->index = index;
    take_value(target, text);
}

static void take_member(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text) {
    if (place->depth == 1) {
        target->has_position = read_cursor(text, &target->cursor);
        target->is_odd = !target->has_position;
    } else if (target->shape == RP_REPLY_MEMBERS || place->index % 2 == 0)
        take_element(target, -1, text);
    else if (!target->is_too_large)
        take_value(target, text);
}

/* redis: stream.h, streamID: two 64-bit numbers, written ms-seq. Entries come in their order; one that came
 * before would be read again and again. */
static gboolean read_id(RpReplyTarget *target, RpSpan text) {
    const guint64 *least = target->has_position ? target->last_id : target->first_id;
    const char *at = text.data, *end = text.data + text.size;
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

static void take_entry(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text) {
    if (place->depth == 2 && !read_id(target, text)) {
        target->is_odd = TRUE;
    } else if (place->depth == 2) {
        take_element(target, -1, text);
    } else if (!target->is_too_large) {
        take_value(target, text);
    }
}

static void take_string(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text) {
    switch (target->shape) {
    case RP_REPLY_NUMBER:
        return;
    case RP_REPLY_PAGE:
        take_scan_string(target, place, text);
        return;
    case RP_REPLY_VALUES:
        take_value(target, text);
        return;
    case RP_REPLY_FIELDS:
        take_field(target, place, text);
        return;
    case RP_REPLY_ITEMS:
        take_element(target, target->head.index + place->index, text);
        return;
    case RP_REPLY_MEMBERS:
    case RP_REPLY_SCORES:
        take_member(target, place, text);
        return;
    case RP_REPLY_ENTRIES:
        take_entry(target, place, text);
        return;
    }
}

void rp_reply_take_string(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text) {
    if (target->is_odd || !has_place(target, place))
        target->is_odd = TRUE;
    else
        take_string(target, place, text);
}

void rp_reply_take_error(RpReplyTarget *target, const RpReplyPlace *place, RpSpan text) {
    if (place->depth == 0)
        target->error_text = g_strndup(text.data, text.size);
    else
        target->is_odd = TRUE;
}

void rp_reply_take_array(RpReplyTarget *target, const RpReplyPlace *place, gint n_elements) {
    if (!has_place_for(target, place, n_elements))
        target->is_odd = TRUE;
    const gboolean has_cursor = target->shape == RP_REPLY_MEMBERS || target->shape == RP_REPLY_SCORES;
    if (place->depth == (has_cursor ? 1 : 0))
        target->n_announced = (guint64)n_elements / (target->shape == RP_REPLY_SCORES ? 2 : 1);
}

void rp_reply_take_integer(RpReplyTarget *target, const RpReplyPlace *place, gint64 value) {
    target->integer = value;
    if (target->shape != RP_REPLY_NUMBER || place->depth > 0)
        target->is_odd = TRUE;
}

void rp_reply_take_nil(RpReplyTarget *target, const RpReplyPlace *place) {
    target->is_nil = place->depth == 0;
    if (!target->is_nil && target->shape != RP_REPLY_FIELDS)
        target->is_odd = TRUE;
}

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
