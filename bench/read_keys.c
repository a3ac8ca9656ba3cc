/* Reads the shop's hashes and the sets of its links over one pipelined connection, and drops them: what a
 * reading costs that does nothing else. While the keys of one page are taken, the next page is asked for.
 *
 *     bench-read-keys SOCKET     prints the number of hashes and sets, and of bytes in them */
#include <glib.h>
#include <hiredis/hiredis.h>
#include <string.h>

#define PAGE_KEYS "1000"

typedef struct {
    redisContext *redis;
    guint64 n_hashes;
    guint64 n_sets;
    guint64 n_bytes;
} Reading;

static redisReply *take(Reading *reading) {
    void *reply = NULL;
    if (redisGetReply(reading->redis, &reply) != REDIS_OK || ((redisReply *)reply)->type == REDIS_REPLY_ERROR)
        g_error("Redis: %s", reply != NULL ? ((redisReply *)reply)->str : reading->redis->errstr);
    return reply;
}

static void ask_page(Reading *reading, const char *cursor) {
    redisAppendCommand(reading->redis, "SCAN %s COUNT " PAGE_KEYS, cursor);
}

static gboolean is_set(const redisReply *key) {
    return g_str_has_prefix(key->str, "customer:") && g_str_has_suffix(key->str, ":orders");
}

static gboolean is_hash(const redisReply *key) {
    return g_str_has_prefix(key->str, "order:") || g_str_has_prefix(key->str, "payment:") ||
           (g_str_has_prefix(key->str, "customer:") && !is_set(key));
}

static guint ask_keys(Reading *reading, const redisReply *page) {
    guint n_asked = 0;
    for (size_t i = 0; i < page->element[1]->elements; i++) {
        const redisReply *key = page->element[1]->element[i];
        if (!is_hash(key) && !is_set(key))
            continue;
        redisAppendCommand(reading->redis, is_set(key) ? "SMEMBERS %b" : "HGETALL %b", key->str, key->len);
        *(is_set(key) ? &reading->n_sets : &reading->n_hashes) += 1;
        n_asked++;
    }
    return n_asked;
}

static void take_keys(Reading *reading, guint n_keys) {
    for (guint i = 0; i < n_keys; i++) {
        redisReply *values = take(reading);
        for (size_t value = 0; value < values->elements; value++)
            reading->n_bytes += values->element[value]->len;
        freeReplyObject(values);
    }
}

static void read_all(Reading *reading) {
    ask_page(reading, "0");
    for (gboolean is_last = FALSE; !is_last;) {
        redisReply *page = take(reading);
        is_last = strcmp(page->element[0]->str, "0") == 0;
        const guint n_asked = ask_keys(reading, page);
        if (!is_last)
            ask_page(reading, page->element[0]->str);
        take_keys(reading, n_asked);
        freeReplyObject(page);
    }
}

int main(int argc, char **argv) {
    if (argc != 2)
        g_error("usage: bench-read-keys SOCKET");
    Reading reading = {.redis = redisConnectUnix(argv[1])};
    if (reading.redis == NULL || reading.redis->err != 0)
        g_error("Redis: %s", reading.redis != NULL ? reading.redis->errstr : "no connection");
    read_all(&reading);
    g_print("%" G_GUINT64_FORMAT " hashes, %" G_GUINT64_FORMAT " sets, %" G_GUINT64_FORMAT " bytes\n",
            reading.n_hashes, reading.n_sets, reading.n_bytes);
    redisFree(reading.redis);
    return 0;
}
