/* What became of a key that was not answered as it was asked for. */
#include "source/aside.h"

#include "base/error.h"

#include <string.h>

/* The beginning of a string, as long as the limit allows; it may have become another type meanwhile, or be
 * gone. */
static gboolean keep_string(RpChannel *channel, RpReplyTarget *target, GError **error) {
    g_autofree char *last = g_strdup_printf("%" G_GSIZE_FORMAT, target->max_bytes - 1);
    const char *const argv[4] = {"GETRANGE", target->key.data, "0", last};
    const gsize sizes[4] = {8, target->key.size, 1, strlen(last)};
    g_autoptr(GError) changed = NULL;
    g_autoptr(redisReply) value = rp_channel_ask(channel, REDIS_REPLY_STRING, 4, argv, sizes, &changed);
    if (value != NULL)
        rp_records_add_value(target->records, (RpSpan){value->str, value->len});
    if (value != NULL || g_error_matches(changed, RP_SOURCE_ERROR, RP_SOURCE_ERROR_WRONG_TYPE) ||
        g_error_matches(changed, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED)) /* GETRANGE may be forbidden */
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&changed));
    return FALSE;
}

/* A key of another type than expected is kept with its real type, and with its value if that is a string:
 * a reject has to show what was there. */
static gboolean look_at_wrong_type(RpChannel *channel, RpReplyTarget *target, GError **error) {
    const char *const argv[2] = {"TYPE", target->key.data};
    const gsize sizes[2] = {4, target->key.size};
    g_autoptr(redisReply) type = rp_channel_ask(channel, REDIS_REPLY_STATUS, 2, argv, sizes, error);
    if (type == NULL)
        return FALSE;
    GArray *index = target->records->index;
    RpRecord *record = &g_array_index(index, RpRecord, index->len - 1);
    const gboolean is_gone = strcmp(type->str, "none") == 0;
    record->outcome = is_gone ? RP_READ_VANISHED : RP_READ_WRONG_TYPE;
    if (!is_gone)
        record->type = (guint8)rp_record_type_parse(type->str);
    return is_gone || record->type != RP_RECORD_STRING || keep_string(channel, target, error);
}

gboolean rp_aside_take_refusal(RpChannel *channel, RpReplyTarget *target, GError **error) {
    if (rp_redis_reply_classify(target->error_text) != RP_SOURCE_ERROR_WRONG_TYPE) {
        g_autofree char *shown = rp_span_show(target->key, RP_SHOWN_KEY_BYTES);
        rp_channel_refuse(channel, target, error);
        g_prefix_error(error, "reading key %s: ", shown);
        return FALSE;
    }
    g_clear_pointer(&target->error_text, g_free);
    if (target->n_begun == 0)
        rp_reply_begin_record(target);
    return look_at_wrong_type(channel, target, error);
}

gboolean rp_aside_is_gone(RpChannel *channel, RpSpan key, gboolean *is_gone, GError **error) {
    const char *const argv[2] = {"EXISTS", key.data};
    const gsize sizes[2] = {6, key.size};
    g_autoptr(redisReply) reply = rp_channel_ask(channel, REDIS_REPLY_INTEGER, 2, argv, sizes, error);
    if (reply == NULL)
        return FALSE;
    *is_gone = reply->integer == 0;
    return TRUE;
}
