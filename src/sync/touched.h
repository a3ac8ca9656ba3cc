/* The keys that were touched and wait to be read again: each stands once however often it is touched, in the
 * order of its first touch. What is beyond the memory for it goes to temporary files. */
#pragma once

#include "base/buffer.h"
#include "source/capture.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct RpTouched RpTouched;

/* Keys that were taken, to be read now. */
typedef struct {
    RpBuffer bytes;
    GArray *index;    /* of RpTouchedKey; see rp_touched_keys_get */
    gint64 oldest_us; /* when the first of them was touched, in monotonic time */
    guint64 n_gaps;   /* that there had been */
} RpTouchedKeys;

typedef struct {
    gsize offset; /* in bytes */
    gsize size;
    gint64 expires_at_ms; /* as RpTouch has it: what the source last said of it while the key waited */
    guint64 before;       /* offset of the place before its first touch, and the database there */
    gint database;
} RpTouchedKey;

RpTouchedKeys *rp_touched_keys_new(void);
void rp_touched_keys_free(RpTouchedKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpTouchedKeys, rp_touched_keys_free)
/* Borrowed until keys are taken into it again. */
RpSpan rp_touched_keys_get(const RpTouchedKeys *keys, guint position);

/* All functions may be called from any thread. memory_bytes: what keys and their index may take, about. */
RpTouched *rp_touched_new(gsize memory_bytes);
void rp_touched_free(RpTouched *touched);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpTouched, rp_touched_free)

/* Adds a key, unless it waits already. Never waits for whoever takes. FALSE when the keys no longer fit onto
 * the disk ($TMPDIR): this one is not in the set then. */
gboolean rp_touched_add(RpTouched *touched, const RpTouch *touch, GError **error);

/* The same of a key that is to be tried again, whatever the stream says. */
gboolean rp_touched_add_again(RpTouched *touched, RpSpan key, GError **error);

/* All that stands in the stream before the place was added. */
void rp_touched_reach(RpTouched *touched, const RpStreamPlace *place);

/* Notes a gap: changes happened, or may have happened, that no key tells; all keys have to be read again.
 * While a gap is open nothing is taken. begins_at: another history of the source begins there, and nothing
 * that waits is worth anything; NULL: what waits stays. */
void rp_touched_open_gap(RpTouched *touched, const char *reason, const RpStreamPlace *begins_at);

/* Why there is a gap, and how many there have been; NULL: none is open. *place: all that is touched after it
 * is in the set. The caller frees the text. */
char *rp_touched_find_gap(RpTouched *touched, guint64 *number, RpStreamPlace *place);

/* All keys were read since: closes it, unless another was opened after that number. */
void rp_touched_close_gap(RpTouched *touched, guint64 number);

/* Takes up to n_most keys, those that wait longest; a key that is touched from then on waits again. *place:
 * when these keys and all that were taken before are written, all before it is. No key and no place when
 * there is a gap. */
gboolean rp_touched_take(RpTouched *touched, guint n_most, RpTouchedKeys *keys, RpStreamPlace *place,
                         GError **error);

/* Puts taken keys that were not written back before all others, as if they had not been taken. Those that
 * were taken last come back first. Nothing when a gap was opened since: all keys are read then. */
void rp_touched_give_back(RpTouched *touched, const RpTouchedKeys *keys);

/* Keys that wait. One that waits in a file, and was touched again since, counts twice. */
guint64 rp_touched_count(RpTouched *touched);

/* Keys that were ever added, those that waited already among them. */
guint64 rp_touched_count_touches(RpTouched *touched);

/* How far the stream was told, and when the key that waits longest was touched (monotonic time in
 * microseconds; 0: none waits). */
void rp_touched_look(RpTouched *touched, RpStreamPlace *reached, gint64 *oldest_us);

/* Waits until so many keys wait, or until that monotonic time, or until it is woken; FALSE: the time is over.
 */
gboolean rp_touched_wait(RpTouched *touched, guint64 n_keys, gint64 until_us);

/* Wakes whoever waits. */
void rp_touched_wake(RpTouched *touched);

G_END_DECLS
