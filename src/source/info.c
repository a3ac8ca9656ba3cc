/* Taking INFO apart. */
#include "source/info.h"

#include <string.h>

GHashTable *rp_redis_info_parse(const char *text) {
    GHashTable *info = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        const char *colon = strchr(*line, ':');
        if (colon == NULL || (*line)[0] == '#')
            continue;
        g_hash_table_replace(info, g_strndup(*line, (gsize)(colon - *line)),
                             g_strchomp(g_utf8_make_valid(colon + 1, -1)));
    }
    return info;
}

GHashTable *rp_redis_info_read(redisContext *redis, GError **error) {
    const char *const argv[] = {"INFO"};
    g_autoptr(redisReply) reply = rp_redis_command_for(redis, NULL, REDIS_REPLY_STRING, 1, argv, NULL, error);
    return reply != NULL ? rp_redis_info_parse(reply->str) : NULL;
}

const char *rp_redis_info_text(GHashTable *info, const char *field) {
    const char *value = g_hash_table_lookup(info, field);
    return value != NULL ? value : "";
}

guint64 rp_redis_info_number(GHashTable *info, const char *field) {
    guint64 number = 0;
    return g_ascii_string_to_unsigned(rp_redis_info_text(info, field), 10, 0, G_MAXUINT64, &number, NULL)
               ? number
               : 0;
}

char *rp_redis_info_field(redisContext *redis, const char *section, const char *field, GError **error) {
    return rp_redis_info_field_for(redis, NULL, section, field, error);
}

char *rp_redis_info_field_for(redisContext *redis, const RpRedisWait *wait, const char *section,
                              const char *field, GError **error) {
    const char *const argv[] = {"INFO", section};
    g_autoptr(redisReply) reply = rp_redis_command_for(redis, wait, REDIS_REPLY_STRING, 2, argv, NULL, error);
    if (reply == NULL)
        return NULL;
    g_auto(GStrv) lines = g_strsplit(reply->str, "\r\n", -1);
    const gsize field_size = strlen(field);
    for (char **line = lines; *line != NULL; line++)
        if (strncmp(*line, field, field_size) == 0 && (*line)[field_size] == ':')
            return g_strdup(*line + field_size + 1);
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "Redis: INFO %s has no %s", section, field);
    return NULL;
}
