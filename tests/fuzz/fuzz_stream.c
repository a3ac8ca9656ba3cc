/* A replication stream: a digit for the database that is selected at its beginning, one for the size of the
 * pieces, and after a newline the stream's bytes, which are given whole, and once more in pieces. */
#include "source/stream_touches.h"

#include "input.h"

static const gint DATABASES[] = {0, 5, -1};

typedef struct {
    GString *text;
    guint64 reached;
} Log;

static gboolean touch(const RpTouch *touched, gpointer data, GError **error) {
    Log *log = data;
    (void)error;
    g_assert(touched->before.offset >= log->reached || log->reached == 0);
    g_assert(touched->expires_at_ms >= 0 || touched->expires_at_ms == RP_EXPIRY_UNTOLD);
    g_string_append_printf(log->text, "%zu:", touched->key.size);
    g_string_append_len(log->text, touched->key.data, (gssize)touched->key.size);
    g_string_append_c(log->text, ',');
    return TRUE;
}

static gboolean barrier(const char *what, const RpStreamPlace *before, gpointer data, GError **error) {
    Log *log = data;
    (void)error;
    (void)before;
    g_string_append_printf(log->text, "barrier %s,", what);
    return TRUE;
}

static gboolean reach(const RpStreamPlace *place, gpointer data, GError **error) {
    Log *log = data;
    (void)error;
    g_assert(place->offset > log->reached && place->database >= -1);
    log->reached = place->offset;
    return TRUE;
}

/* Every word is a key but the first; of a command that begins with x nobody knows. */
static gboolean ask(const RpSpan *words, guint n_words, GArray *keys, gpointer data, GError **error) {
    (void)data;
    for (guint i = 1; i < n_words; i++)
        g_array_append_val(keys, words[i]);
    if (words[0].data[0] != 'x')
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "nobody knows it");
    return FALSE;
}

/* What was told, the place, and whether it went well. */
static char *follow(RpSpan stream, gint database, gsize piece_bytes) {
    Log log = {g_string_new(NULL), 0};
    const RpStreamPlace begin = {"0123456789012345678901234567890123456789", 100, database};
    const RpCaptureTaker taker = {touch, barrier, reach, &log};
    const RpKeyAsker asker = {ask, NULL};
    g_autoptr(RpStreamTouches) touches = rp_stream_touches_new(&begin, 0, &taker, &asker);
    g_autoptr(GError) error = NULL;
    for (gsize at = 0; at < stream.size && error == NULL; at += piece_bytes) {
        const RpSpan piece = {stream.data + at, MIN(piece_bytes, stream.size - at)};
        const gboolean is_fine = rp_stream_touches_feed(touches, piece, &error);
        g_assert(is_fine == (error == NULL));
    }
    const RpStreamPlace *place = rp_stream_touches_get_place(touches);
    g_assert(place->offset <= 100 + stream.size);
    g_string_append_printf(log.text, "; %" G_GUINT64_FORMAT " %d %s", place->offset, place->database,
                           error != NULL ? error->message : "");
    return g_string_free(log.text, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    const gint database = DATABASES[input_choose(&input, G_N_ELEMENTS(DATABASES))];
    const gsize piece_bytes = 1 + input_choose(&input, 100);
    input_line(&input);
    const RpSpan stream = input_rest(&input);
    g_autofree char *whole = follow(stream, database, MAX(stream.size, 1));
    g_autofree char *pieces = follow(stream, database, piece_bytes);
    g_assert_cmpstr(whole, ==, pieces);
    return 0;
}
