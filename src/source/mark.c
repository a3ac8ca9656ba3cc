/* Undoing half a reply. */
#include "source/mark.h"

void rp_reply_mark(const RpReplyTarget *target, RpReplyMark *mark) {
    *mark = (RpReplyMark){.target = *target};
    if (target->records != NULL) {
        const GArray *index = target->records->index;
        mark->n_records = index->len;
        mark->record_bytes = target->records->bytes.size;
        if (index->len > 0)
            mark->newest = g_array_index(index, RpRecord, index->len - 1);
    }
    if (target->page != NULL) {
        mark->n_keys = target->page->spans->len;
        mark->key_bytes = target->page->bytes.size;
        mark->page = *target->page;
    }
}

void rp_reply_restore(RpReplyTarget *target, const RpReplyMark *mark) {
    g_free(target->error_text);
    *target = mark->target;
    if (target->records != NULL) {
        GArray *index = target->records->index;
        g_array_set_size(index, mark->n_records);
        target->records->bytes.size = mark->record_bytes;
        if (index->len > 0)
            g_array_index(index, RpRecord, index->len - 1) = mark->newest;
    }
    if (target->page != NULL) {
        g_array_set_size(target->page->spans, mark->n_keys);
        target->page->bytes.size = mark->key_bytes;
        target->page->next_cursor = mark->page.next_cursor;
        target->page->has_cursor = mark->page.has_cursor;
    }
}
