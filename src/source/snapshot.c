/* Dropping a snapshot at the speed at which it comes, in constant memory. */
#include "source/snapshot.h"

#include "source/connection.h"
#include "source/snapshot_head.h"

#define MARKER_WORDS "$EOF:"

static gboolean refuse(const char *what, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "Redis: the snapshot before the stream: %s",
                what);
    return FALSE;
}

static gboolean begin(RpSnapshot *snapshot, GError **error) {
    const char *line = snapshot->line;
    if (line[0] == '-') {
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RETRY,
                    "Redis: it could not make the snapshot that comes before the stream: %s", line + 1);
        return FALSE;
    }
    if (g_str_has_prefix(line, MARKER_WORDS)) {
        if (snapshot->line_size != strlen(MARKER_WORDS) + RP_SNAPSHOT_MARKER_SIZE)
            return refuse("its end marker is not of 40 bytes", error);
        memcpy(snapshot->marker, line + strlen(MARKER_WORDS), RP_SNAPSHOT_MARKER_SIZE);
        snapshot->step = RP_SNAPSHOT_MARKED;
        return TRUE;
    }
    if (line[0] != '$' || !g_ascii_string_to_unsigned(line + 1, 10, 0, G_MAXINT64, &snapshot->n_left, NULL))
        return refuse("$length, or $EOF: and a marker, is expected", error);
    snapshot->step = snapshot->n_left > 0 ? RP_SNAPSHOT_SIZED : RP_SNAPSHOT_OVER;
    return TRUE;
}

static void pass(RpSpan *rest, gsize n_bytes) {
    rest->data += n_bytes;
    rest->size -= n_bytes;
}

/* Newlines keep the connection alive while the snapshot is made. */
static gboolean read_line(RpSnapshot *snapshot, RpSpan *rest, GError **error) {
    while (rest->size > 0) {
        const char byte = *rest->data;
        pass(rest, 1);
        if (byte == '\n' && snapshot->line_size == 0)
            continue;
        if (byte == '\n') {
            if (snapshot->line[snapshot->line_size - 1] == '\r')
                snapshot->line_size--;
            snapshot->line[snapshot->line_size] = '\0';
            return begin(snapshot, error);
        }
        if (byte == '\0' || snapshot->line_size + 1 == sizeof snapshot->line)
            return refuse("its first line has no end", error);
        snapshot->line[snapshot->line_size++] = byte;
    }
    return TRUE;
}

static void look(RpSnapshot *snapshot, const char *bytes, gsize size) {
    const gsize n_bytes = MIN(size, sizeof snapshot->head - snapshot->head_size);
    memcpy(snapshot->head + snapshot->head_size, bytes, n_bytes);
    snapshot->head_size += n_bytes;
}

static void drop_sized(RpSnapshot *snapshot, RpSpan *rest) {
    const gsize n_bytes = (gsize)MIN(snapshot->n_left, rest->size);
    look(snapshot, rest->data, n_bytes);
    pass(rest, n_bytes);
    snapshot->n_left -= n_bytes;
    if (snapshot->n_left == 0)
        snapshot->step = RP_SNAPSHOT_OVER;
}

/* Whether the marker ends where the tail and the beginning of the bytes meet: then how many of the bytes are
 * its. */
static gboolean is_ended_across(RpSnapshot *snapshot, const RpSpan *bytes, gsize *n_bytes) {
    const gsize n_before = snapshot->tail_size;
    const gsize n_new = MIN(bytes->size, (gsize)RP_SNAPSHOT_MARKER_SIZE);
    memcpy(snapshot->tail + n_before, bytes->data, n_new);
    const char *found = memmem(snapshot->tail, n_before + n_new, snapshot->marker, RP_SNAPSHOT_MARKER_SIZE);
    if (found == NULL)
        return FALSE;
    *n_bytes = (gsize)(found - snapshot->tail) + RP_SNAPSHOT_MARKER_SIZE - n_before;
    return TRUE;
}

static void keep_tail(RpSnapshot *snapshot, const RpSpan *bytes) {
    const gsize most = RP_SNAPSHOT_MARKER_SIZE - 1;
    const gsize n_new = MIN(bytes->size, most);
    const gsize n_kept = MIN(snapshot->tail_size, most - n_new);
    memmove(snapshot->tail, snapshot->tail + snapshot->tail_size - n_kept, n_kept);
    memcpy(snapshot->tail + n_kept, bytes->data + bytes->size - n_new, n_new);
    snapshot->tail_size = n_kept + n_new;
}

static void drop_marked(RpSnapshot *snapshot, RpSpan *rest) {
    gsize n_bytes = rest->size;
    const char *found = NULL;
    gboolean is_over = is_ended_across(snapshot, rest, &n_bytes);
    if (!is_over) {
        found = memmem(rest->data, rest->size, snapshot->marker, RP_SNAPSHOT_MARKER_SIZE);
        is_over = found != NULL;
        n_bytes = is_over ? (gsize)(found - rest->data) + RP_SNAPSHOT_MARKER_SIZE : rest->size;
    }
    look(snapshot, rest->data, n_bytes);
    keep_tail(snapshot, rest);
    pass(rest, n_bytes);
    if (is_over)
        snapshot->step = RP_SNAPSHOT_OVER;
}

gboolean rp_snapshot_feed(RpSnapshot *snapshot, RpSpan *rest, GError **error) {
    while (rest->size > 0 && snapshot->step != RP_SNAPSHOT_OVER)
        switch (snapshot->step) {
        case RP_SNAPSHOT_ANNOUNCED:
            if (!read_line(snapshot, rest, error))
                return FALSE;
            break;
        case RP_SNAPSHOT_SIZED:
            drop_sized(snapshot, rest);
            break;
        case RP_SNAPSHOT_MARKED:
            drop_marked(snapshot, rest);
            break;
        case RP_SNAPSHOT_OVER:
            break;
        }
    return TRUE;
}

gint rp_snapshot_get_database(const RpSnapshot *snapshot) {
    return rp_snapshot_head_find_database((RpSpan){snapshot->head, snapshot->head_size});
}
