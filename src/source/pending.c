/* Unanswered commands. */
#include "source/pending.h"

#include <string.h>

#define FORGET_EVERY 4096
#define FORGET_BYTES (64 * 1024) /* of commands, whose keys may be long */

void rp_pending_init(RpPending *pending) {
    *pending = (RpPending){.ends = g_array_new(FALSE, FALSE, sizeof(gsize))};
}

void rp_pending_clear(RpPending *pending) {
    rp_buffer_clear(&pending->bytes);
    g_clear_pointer(&pending->ends, g_array_unref);
}

/* The sign, the number in decimal, and the end of the line. */
static void append_head(RpBuffer *bytes, char sign, gsize number) {
    char head[24];
    char *at = head + sizeof head;
    *--at = '\n';
    *--at = '\r';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    *--at = sign;
    rp_buffer_append(bytes, at, (gsize)(head + sizeof head - at));
}

void rp_pending_add(RpPending *pending, int argc, const char *const *argv, const gsize *sizes) {
    append_head(&pending->bytes, '*', (gsize)argc);
    for (int i = 0; i < argc; i++) {
        const gsize size = sizes != NULL ? sizes[i] : strlen(argv[i]);
        append_head(&pending->bytes, '$', size);
        rp_buffer_append(&pending->bytes, argv[i], size);
        rp_buffer_append(&pending->bytes, "\r\n", 2);
    }
    g_array_append_val(pending->ends, pending->bytes.size);
}

gboolean rp_pending_has_unanswered(const RpPending *pending) {
    return pending->n_answered < pending->ends->len;
}

gboolean rp_pending_has_unwritten(const RpPending *pending) {
    return pending->n_written < pending->bytes.size;
}

RpSpan rp_pending_get_unwritten(const RpPending *pending) {
    return (RpSpan){pending->bytes.data + pending->n_written, pending->bytes.size - pending->n_written};
}

void rp_pending_note_written(RpPending *pending) {
    pending->n_written = pending->bytes.size;
}

/* Forgets commands that were answered, now and then, since there is always one that was not. */
void rp_pending_note_answered(RpPending *pending) {
    const gsize done = g_array_index(pending->ends, gsize, pending->n_answered++);
    if (pending->n_answered < FORGET_EVERY && done < FORGET_BYTES && rp_pending_has_unanswered(pending))
        return;
    g_array_remove_range(pending->ends, 0, pending->n_answered);
    for (guint i = 0; i < pending->ends->len; i++)
        g_array_index(pending->ends, gsize, i) -= done;
    memmove(pending->bytes.data, pending->bytes.data + done, pending->bytes.size - done);
    pending->bytes.size -= done;
    pending->n_written -= done;
    pending->n_answered = 0;
}

void rp_pending_rewind(RpPending *pending) {
    pending->n_written =
        pending->n_answered == 0 ? 0 : g_array_index(pending->ends, gsize, pending->n_answered - 1);
}
