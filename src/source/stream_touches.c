/* What commands of the stream touch.
 *
 * 1. A place lies between two units: a command, or MULTI to EXEC. What a unit touches is told with the place
 *    before it, and reach names the place after it only when all of it was told.
 * 2. Where the database is not known, a key is touched in ours.
 * 3. Of a command whose keys cannot be named nothing is guessed: it is a barrier, or the capture ends. */
#include "source/stream_touches.h"

#include "source/connection.h"
#include "source/held_words.h"
#include "source/key_walk.h"
#include "source/stream_parser.h"

#define MAX_NAME_BYTES   64
#define MAX_HELD_BYTES   (4 * 1024 * 1024) /* keys of one command; beyond, they are told before its end */
#define UNKNOWN_DATABASE (-1)

struct RpStreamTouches {
    RpStreamParser parser;
    RpCaptureTaker taker;
    RpKeyAsker asker;
    int database; /* ours */

    RpStreamPlace place; /* after the last unit */
    gint selected;       /* the database at the command that is read */
    gboolean is_in_multi;
    gboolean is_told; /* of place, by reach */

    /* Of the command that is read: */
    char name[MAX_NAME_BYTES + 1];
    const RpCommandShape *shape; /* NULL: it has to be asked about */
    RpKeyWalk walk;
    RpHeldWords held; /* keys; of a command that is asked about all of its words */
};

const RpStreamPlace *rp_stream_touches_get_place(const RpStreamTouches *touches) {
    return &touches->place;
}

G_GNUC_PRINTF(3, 4)
static gboolean refuse(const RpStreamTouches *touches, GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *why = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
                "Redis: replication stream: %s, before byte %" G_GUINT64_FORMAT ": %s", touches->name,
                touches->parser.offset + 1, why);
    return FALSE;
}

static gboolean doubt(const RpStreamTouches *touches, const char *why, GError **error) {
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL,
                "Redis: replication stream: byte %" G_GUINT64_FORMAT ": %s: %s", touches->parser.offset,
                touches->name, why);
    return FALSE;
}

/* ---- telling ---- */

static gboolean tell(RpStreamTouches *touches, RpSpan key, gint64 expires_at_ms, GError **error) {
    const RpTouch touch = {.key = key, .expires_at_ms = expires_at_ms, .before = touches->place};
    return touches->taker.touch(&touch, touches->taker.data, error);
}

static gboolean tell_barrier(RpStreamTouches *touches, const char *what, GError **error) {
    return touches->taker.barrier(what, &touches->place, touches->taker.data, error);
}

static gboolean is_ours(const RpStreamTouches *touches, gint64 database) {
    return database == UNKNOWN_DATABASE || database == touches->database;
}

/* Tells the keys that are held. */
static gboolean tell_held(RpStreamTouches *touches, gint64 expires_at_ms, GError **error) {
    g_autofree RpSpan *keys = rp_held_words_list(&touches->held);
    for (guint i = 0; i < touches->held.sizes->len; i++)
        if (!tell(touches, keys[i], expires_at_ms, error))
            return FALSE;
    return TRUE;
}

/* ---- what commands mean ---- */

static gboolean select_database(RpStreamTouches *touches, gint64 database, GError **error) {
    if (database < 0 || database > G_MAXINT)
        return doubt(touches, "there is no such database", error);
    touches->selected = (gint)database;
    return TRUE;
}

static gboolean swap_databases(RpStreamTouches *touches, GError **error) {
    const gint64 *databases = touches->walk.numbers;
    if (databases[0] != touches->database && databases[1] != touches->database)
        return TRUE;
    g_autofree char *what =
        g_strdup_printf("SWAPDB %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, databases[0], databases[1]);
    return tell_barrier(touches, what, error);
}

/* COPY writes its second key, which may be in another database. */
static gboolean tell_copy(RpStreamTouches *touches, GError **error) {
    const gint64 target = touches->walk.has_database ? touches->walk.database : touches->selected;
    g_autofree RpSpan *keys = rp_held_words_list(&touches->held);
    if (touches->held.sizes->len != 2)
        return doubt(touches, "two keys are expected", error);
    return (!is_ours(touches, touches->selected) || tell(touches, keys[0], RP_EXPIRY_UNTOLD, error)) &&
           (!is_ours(touches, target) || tell(touches, keys[1], RP_EXPIRY_UNTOLD, error));
}

static gboolean perform(RpStreamTouches *touches, GError **error) {
    const gint64 now_ms = g_get_real_time() / 1000;
    switch (touches->shape->meaning) {
    case RP_COMMAND_TOUCHES:
        return tell_held(touches, rp_key_walk_get_expiry(&touches->walk, now_ms), error);
    case RP_COMMAND_SELECT:
        return select_database(touches, touches->walk.numbers[0], error);
    case RP_COMMAND_MULTI:
        touches->is_in_multi = TRUE;
        return TRUE;
    case RP_COMMAND_EXEC:
        touches->is_in_multi = FALSE;
        return TRUE;
    case RP_COMMAND_MOVE:
        return (!is_ours(touches, touches->selected) && !is_ours(touches, touches->walk.numbers[0])) ||
               tell_held(touches, RP_EXPIRY_UNTOLD, error);
    case RP_COMMAND_COPY:
        return tell_copy(touches, error);
    case RP_COMMAND_FLUSHDB:
        return !is_ours(touches, touches->selected) || tell_barrier(touches, "FLUSHDB", error);
    case RP_COMMAND_FLUSHALL:
        return tell_barrier(touches, "FLUSHALL", error);
    case RP_COMMAND_SWAPDB:
        return swap_databases(touches, error);
    case RP_COMMAND_SCRIPT:
        return refuse(touches, error,
                      "scripts are replicated as text, which does not say what they touch: CONFIG SET "
                      "lua-replicate-commands yes (Redis 5 and 6), or --capture notify");
    }
    g_assert_not_reached();
}

/* ---- a command that the table does not have ---- */

static gboolean perform_unknown(RpStreamTouches *touches, GError **error) {
    g_autofree RpSpan *words = rp_held_words_list(&touches->held);
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(RpSpan));
    if (!touches->asker.ask(words, touches->held.sizes->len, keys, touches->asker.data, error)) {
        g_prefix_error(error, "replication stream: %s, before byte %" G_GUINT64_FORMAT ": ", touches->name,
                       touches->parser.offset + 1);
        return FALSE;
    }
    if (keys->len == 0) { /* it writes, or it would not be there */
        g_autofree char *what = g_strdup_printf("%s, which names no keys", touches->name);
        return tell_barrier(touches, what, error);
    }
    for (guint i = 0; i < keys->len; i++)
        if (!tell(touches, g_array_index(keys, RpSpan, i), RP_EXPIRY_UNTOLD, error))
            return FALSE;
    return TRUE;
}

/* ---- the parser's calls ---- */

static gboolean begin_name(RpStreamTouches *touches, const RpStreamArgument *argument, gboolean *is_wanted,
                           GError **error) {
    touches->shape = NULL;
    rp_held_words_drop(&touches->held);
    g_strlcpy(touches->name, "a command", sizeof touches->name);
    *is_wanted = TRUE;
    return (argument->size > 0 && argument->size <= MAX_NAME_BYTES) ||
           doubt(touches, "its name is longer than any, or missing", error);
}

/* The keys of another database are passed over, except where a command works in two. */
static gboolean is_key_wanted(const RpStreamTouches *touches) {
    return touches->shape->meaning == RP_COMMAND_MOVE || touches->shape->meaning == RP_COMMAND_COPY ||
           is_ours(touches, touches->selected);
}

static gboolean begin_key(RpStreamTouches *touches, const RpStreamArgument *argument, gboolean *is_wanted,
                          GError **error) {
    *is_wanted = is_key_wanted(touches);
    if (!*is_wanted)
        return TRUE;
    if (argument->size > RP_STREAM_MAX_KEY)
        return refuse(touches, error,
                      "a key of %" G_GUINT64_FORMAT " bytes; keys of more than %d are not followed",
                      argument->size, RP_STREAM_MAX_KEY);
    if (rp_held_words_measure(&touches->held) > MAX_HELD_BYTES) {
        if (!tell_held(touches, RP_EXPIRY_UNTOLD, error))
            return FALSE;
        rp_held_words_drop(&touches->held);
    }
    return TRUE;
}

static gboolean begin_unknown(RpStreamTouches *touches, const RpStreamArgument *argument, gboolean *is_wanted,
                              GError **error) {
    *is_wanted = is_ours(touches, touches->selected);
    const guint64 room = RP_STREAM_MAX_UNKNOWN - touches->held.bytes.size;
    return !*is_wanted ||
           (argument->size <= room && argument->n_arguments <= RP_STREAM_MAX_UNKNOWN / sizeof(RpSpan)) ||
           refuse(touches, error, "it is not known, and too large to ask Redis about its keys");
}

static gboolean begin_argument(const RpStreamArgument *argument, gboolean *is_wanted, gpointer data,
                               GError **error) {
    RpStreamTouches *touches = data;
    if (argument->index == 0)
        return begin_name(touches, argument, is_wanted, error);
    if (touches->shape == NULL)
        return begin_unknown(touches, argument, is_wanted, error);
    switch (rp_key_walk_use(&touches->walk, argument->index)) {
    case RP_ARGUMENT_VALUE:
        return TRUE;
    case RP_ARGUMENT_KEY:
        return begin_key(touches, argument, is_wanted, error);
    case RP_ARGUMENT_WORD:
        *is_wanted = argument->size <= RP_KEY_WALK_MAX_WORD;
        if (!*is_wanted)
            rp_key_walk_take(&touches->walk, argument->index, RP_SPAN_OF(""));
        return TRUE;
    }
    g_assert_not_reached();
}

static void take_name(RpStreamTouches *touches, const RpStreamArgument *argument, RpSpan name) {
    g_autofree char *shown = rp_span_show(name, MAX_NAME_BYTES);
    g_strlcpy(touches->name, shown, sizeof touches->name);
    touches->shape = rp_command_shape_find(name);
    if (touches->shape != NULL)
        rp_key_walk_begin(&touches->walk, touches->shape, argument->n_arguments);
    else
        rp_held_words_add(&touches->held, name);
}

static gboolean take_argument(const RpStreamArgument *argument, RpSpan bytes, gpointer data, GError **error) {
    RpStreamTouches *touches = data;
    (void)error;
    if (argument->index == 0)
        take_name(touches, argument, bytes);
    else if (touches->shape == NULL || rp_key_walk_is_key(&touches->walk))
        rp_held_words_add(&touches->held, bytes);
    else
        rp_key_walk_take(&touches->walk, argument->index, bytes);
    return TRUE;
}

static gboolean end_command(guint64 offset, gpointer data, GError **error) {
    RpStreamTouches *touches = data;
    if (touches->shape == NULL) {
        if (is_ours(touches, touches->selected) && !perform_unknown(touches, error))
            return FALSE;
    } else {
        if (!rp_key_walk_is_sound(&touches->walk))
            return doubt(touches, "its arguments make no sense", error);
        if (!perform(touches, error))
            return FALSE;
    }
    if (touches->is_in_multi)
        return TRUE;
    touches->place.offset = offset;
    touches->place.database = touches->selected;
    touches->is_told = FALSE;
    return TRUE;
}

RpStreamTouches *rp_stream_touches_new(const RpStreamPlace *begin, int database, const RpCaptureTaker *taker,
                                       const RpKeyAsker *asker) {
    RpStreamTouches *touches = g_new0(RpStreamTouches, 1);
    const RpStreamListener listener = {begin_argument, take_argument, end_command, touches};
    touches->taker = *taker;
    touches->asker = *asker;
    touches->database = database;
    touches->place = *begin;
    touches->selected = begin->database;
    touches->is_told = TRUE;
    rp_held_words_init(&touches->held);
    rp_stream_parser_init(&touches->parser, begin->offset, &listener);
    return touches;
}

void rp_stream_touches_free(RpStreamTouches *touches) {
    if (touches == NULL)
        return;
    rp_stream_parser_clear(&touches->parser);
    rp_held_words_clear(&touches->held);
    g_free(touches);
}

gboolean rp_stream_touches_feed(RpStreamTouches *touches, RpSpan piece, GError **error) {
    if (!rp_stream_parser_feed(&touches->parser, piece, error))
        return FALSE;
    if (touches->is_told)
        return TRUE;
    touches->is_told = TRUE;
    return touches->taker.reach(&touches->place, touches->taker.data, error);
}
