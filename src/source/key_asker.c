/* COMMAND GETKEYS on the side. */
#include "source/key_asker.h"

#include <string.h>

#define NO_KEYS "ERR The command has no key arguments"

void rp_key_questions_init(RpKeyQuestions *questions, const RpRedisAddress *address,
                           const RpPatience *patience) {
    *questions = (RpKeyQuestions){
        .address = address,
        .wait = {patience->timeout_seconds, patience->is_cancelled},
    };
}

void rp_key_questions_clear(RpKeyQuestions *questions) {
    g_clear_pointer(&questions->reply, freeReplyObject);
    g_clear_pointer(&questions->redis, redisFree);
}

static gboolean lose(RpKeyQuestions *questions, GError *trouble, GError **error) {
    const gboolean is_protocol = questions->redis->err == REDIS_ERR_PROTOCOL;
    if (trouble != NULL)
        g_propagate_prefixed_error(error, trouble, "Redis: COMMAND GETKEYS: ");
    else
        g_set_error(error, RP_SOURCE_ERROR, is_protocol ? RP_SOURCE_ERROR_PROTOCOL : RP_SOURCE_ERROR_LOST,
                    "Redis: COMMAND GETKEYS: %s", questions->redis->errstr);
    g_clear_pointer(&questions->redis, redisFree);
    return FALSE;
}

/* What Redis does not know to be without keys, nobody knows. Its words may repeat ours, so they are not
 * shown. */
static gboolean take_refusal(const char *text, GError **error) {
    if (g_str_has_prefix(text, NO_KEYS))
        return TRUE;
    const RpSourceError meaning = rp_redis_reply_classify(text);
    if (meaning == RP_SOURCE_ERROR_RETRY)
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "Redis: COMMAND GETKEYS: not now");
    else if (g_str_has_prefix(text, "NOPERM"))
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
                    "redis2pg does not know this command and may not ask Redis for its keys: grant "
                    "+command|getkeys to the user, or use --capture notify");
    else
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED,
                    "neither redis2pg nor COMMAND GETKEYS of the server knows its keys: keep it from being "
                    "called while sync runs, or use --capture notify");
    return FALSE;
}

static gboolean take_keys(const redisReply *reply, GArray *keys, GError **error) {
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        const redisReply *key = reply->element[i];
        const RpSpan span = {key->str, key->type == REDIS_REPLY_STRING ? (gsize)key->len : 0};
        if (key->type == REDIS_REPLY_STRING)
            g_array_append_val(keys, span);
    }
    if (keys->len > 0)
        return TRUE;
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL,
                "Redis: COMMAND GETKEYS: the answer is not of the kind that the command has");
    return FALSE;
}

static gboolean ask(const RpSpan *words, guint n_words, GArray *keys, gpointer data, GError **error) {
    RpKeyQuestions *questions = data;
    GError *trouble = NULL;
    if (n_words < 2) /* it has no arguments; GETKEYS wants some */
        return TRUE;
    if (questions->redis == NULL)
        questions->redis = rp_redis_enter(questions->address, &questions->wait, error);
    if (questions->redis == NULL)
        return FALSE;
    g_autofree const char **argv = g_new(const char *, n_words + 2);
    g_autofree gsize *sizes = g_new(gsize, n_words + 2);
    argv[0] = "COMMAND";
    argv[1] = "GETKEYS";
    sizes[0] = strlen(argv[0]);
    sizes[1] = strlen(argv[1]);
    for (guint i = 0; i < n_words; i++) {
        argv[i + 2] = words[i].data;
        sizes[i + 2] = words[i].size;
    }
    g_clear_pointer(&questions->reply, freeReplyObject);
    questions->reply =
        rp_ask_once(questions->redis, &questions->wait, (int)n_words + 2, argv, sizes, &trouble);
    if (questions->reply == NULL)
        return lose(questions, trouble, error);
    return questions->reply->type == REDIS_REPLY_ERROR ? take_refusal(questions->reply->str, error)
                                                       : take_keys(questions->reply, keys, error);
}

RpKeyAsker rp_key_questions_asker(RpKeyQuestions *questions) {
    return (RpKeyAsker){ask, questions};
}
