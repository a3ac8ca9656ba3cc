/* Looking at the server again and again on a connection of its own, whose answers nobody waits for. */
#include "source/notification_looks.h"
#include "base/log.h"
#include "source/info.h"
#include "source/listen.h"
#include "source/notification_flags.h"

#define PERIOD_US        G_USEC_PER_SEC
#define MAX_ANSWER_BYTES (1024 * 1024) /* INFO has some ten KB */
#define MAX_WORDS        3

typedef struct {
    int n_words;
    const char *words[MAX_WORDS];
} Question;

/* Before version 7 INFO takes one section at a time. The flags come last: not everybody may ask for them. */
static const Question QUESTIONS[] = {
    {2, {"INFO", "server"}},   {2, {"INFO", "replication"}},
    {2, {"INFO", "stats"}},    {2, {"INFO", "commandstats"}},
    {2, {"INFO", "keyspace"}}, {3, {"CONFIG", "GET", "notify-keyspace-events"}},
};

struct RpNotificationLooks {
    const RpRedisAddress *address;
    redisContext *redis;
    gboolean has_flags;
    RpNotificationLook before;
    gint64 asked_us;  /* when the look under way was asked for; 0: none is */
    gint64 looked_us; /* when the last one was complete */
    guint n_answers;  /* of the look under way, that came so far, */
    GString *info;    /* those to INFO as one text, */
    char *flags;      /* and the one to CONFIG GET */
    RpNotificationSize size;
};

RpNotificationLooks *rp_notification_looks_new(const RpRedisAddress *address, const RpRedisWait *wait,
                                               GError **error) {
    redisContext *redis = rp_redis_enter(address, wait, error);
    if (redis == NULL)
        return NULL;
    RpNotificationLooks *looks = g_new0(RpNotificationLooks, 1);
    looks->address = address;
    looks->redis = redis;
    looks->info = g_string_new(NULL);
    return looks;
}

void rp_notification_looks_free(RpNotificationLooks *looks) {
    if (looks == NULL)
        return;
    redisFree(looks->redis);
    rp_notification_look_clear(&looks->before);
    g_string_free(looks->info, TRUE);
    g_free(looks->flags);
    g_free(looks);
}

redisContext *rp_notification_looks_get_redis(const RpNotificationLooks *looks) {
    return looks->redis;
}

void rp_notification_looks_count_removal(RpNotificationLooks *looks) {
    looks->size.n_removals++;
}

/* ---- asking ---- */

static gsize count_questions(const RpNotificationLooks *looks) {
    return G_N_ELEMENTS(QUESTIONS) - (looks->has_flags ? 0 : 1);
}

static gboolean prefix(GError **error) {
    g_prefix_error(error, "Redis: looking for what is done without an event: ");
    return FALSE;
}

static gboolean ask(RpNotificationLooks *looks, GError **error) {
    int is_written = 0;
    for (gsize i = 0; i < count_questions(looks); i++) {
        const char *argv[MAX_WORDS];
        memcpy(argv, QUESTIONS[i].words, sizeof argv);
        redisAppendCommandArgv(looks->redis, QUESTIONS[i].n_words, argv, NULL);
    }
    while (!is_written)
        if (redisBufferWrite(looks->redis, &is_written) != REDIS_OK) {
            g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "%s", looks->redis->errstr);
            return prefix(error);
        }
    looks->asked_us = g_get_monotonic_time();
    looks->n_answers = 0;
    g_string_truncate(looks->info, 0);
    g_clear_pointer(&looks->flags, g_free);
    return TRUE;
}

gboolean rp_notification_looks_tend(RpNotificationLooks *looks, guint timeout_seconds, GError **error) {
    const gint64 now = g_get_monotonic_time();
    if (looks->asked_us == 0)
        return now - looks->looked_us < PERIOD_US || ask(looks, error);
    if (now - looks->asked_us < (gint64)timeout_seconds * G_USEC_PER_SEC || rp_listen_has_more(looks->redis))
        return TRUE;
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "no answer within %u s", timeout_seconds);
    return prefix(error);
}

/* ---- what the answers mean ---- */

static gboolean refuse(const RpNotificationLooks *looks, const redisReply *reply, GError **error) {
    const RpSourceError meaning = rp_redis_reply_classify(reply->str);
    const char *user = looks->address->user != NULL ? looks->address->user : "default";
    if (meaning == RP_SOURCE_ERROR_REFUSED)
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_REFUSED, "%s: ACL SETUSER %s +info +config|get",
                    reply->str, user);
    else
        g_set_error(error, RP_SOURCE_ERROR, (int)meaning, "%s", reply->str);
    return prefix(error);
}

static gboolean take_answer(RpNotificationLooks *looks, const redisReply *reply, GError **error) {
    const Question *question = &QUESTIONS[looks->n_answers];
    if (reply->type == REDIS_REPLY_ERROR)
        return refuse(looks, reply, error);
    looks->n_answers++;
    if (question->n_words == 2 && reply->type == REDIS_REPLY_STRING) {
        g_string_append_len(looks->info, reply->str, (gssize)reply->len);
        g_string_append_c(looks->info, '\n');
        return TRUE;
    }
    if (question->n_words == 3 && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[1]->type == REDIS_REPLY_STRING) {
        looks->flags = g_strdup(reply->element[1]->str);
        return TRUE;
    }
    g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_PROTOCOL, "an answer to %s %s that makes no sense",
                question->words[0], question->words[1]);
    return prefix(error);
}

/* Whether every event is heard from now on, and has been since the look before. */
static gboolean is_sound(const char *run_id, const RpNotificationLook *now, GError **error) {
    if (g_strcmp0(now->run_id, run_id) != 0)
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST, "another process answers");
    else if (now->is_replica)
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_RETRY,
                    "it is a replica: what it takes over from its master anew comes without events. Give the "
                    "master's address");
    else if (now->flags != NULL && !rp_notification_flags_suffice(now->flags))
        g_set_error(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_LOST,
                    "somebody has set notify-keyspace-events to \"%s\", so that events were not sent",
                    now->flags);
    else
        return TRUE;
    return prefix(error);
}

/* The look before is replaced by now, which is taken. */
static char *compare(RpNotificationLooks *looks, RpNotificationLook *now) {
    char *what = rp_notification_look_compare(&looks->before, now);
    g_autofree char *emptied = rp_notification_size_judge(&looks->size, looks->before.n_keys, now->n_keys);
    if (what != NULL) /* it is told once */
        looks->size = (RpNotificationSize){0};
    rp_notification_look_clear(&looks->before);
    looks->before = *now;
    return what != NULL ? what : g_steal_pointer(&emptied);
}

static void complete(RpNotificationLooks *looks, RpNotificationLook *now) {
    g_autoptr(GHashTable) info = rp_redis_info_parse(looks->info->str);
    *now = (RpNotificationLook){.flags = g_steal_pointer(&looks->flags)};
    rp_notification_look_parse(info, looks->address->database, now);
    looks->asked_us = 0;
    looks->looked_us = g_get_monotonic_time();
}

/* Takes the answers that came. */
static gboolean take_answers(RpNotificationLooks *looks, GError **error) {
    if (!rp_listen_fill(looks->redis, error))
        return prefix(error);
    while (looks->n_answers < count_questions(looks)) {
        g_autoptr(redisReply) reply = NULL;
        if (!rp_listen_take(looks->redis, MAX_ANSWER_BYTES, &reply, error))
            return prefix(error);
        if (reply == NULL)
            return TRUE;
        if (!take_answer(looks, reply, error))
            return FALSE;
    }
    return TRUE;
}

gboolean rp_notification_looks_read(RpNotificationLooks *looks, char **what, GError **error) {
    *what = NULL;
    if (!take_answers(looks, error))
        return FALSE;
    if (looks->asked_us == 0 || looks->n_answers < count_questions(looks))
        return TRUE;
    RpNotificationLook now;
    complete(looks, &now);
    if (!is_sound(looks->before.run_id, &now, error)) {
        rp_notification_look_clear(&now);
        return FALSE;
    }
    *what = compare(looks, &now);
    return TRUE;
}

gboolean rp_notification_looks_begin(RpNotificationLooks *looks, const RpRedisWait *wait, const char *run_id,
                                     gboolean has_flags, GError **error) {
    looks->has_flags = has_flags;
    if (!ask(looks, error))
        return FALSE;
    while (looks->n_answers < count_questions(looks)) {
        if (!rp_ask_await(looks->redis, wait, error))
            return prefix(error);
        if (!take_answers(looks, error))
            return FALSE;
    }
    complete(looks, &looks->before);
    if (!looks->before.has_calls)
        rp_log(RP_LOG_WARNING,
               "Redis does not count calls of commands (INFO commandstats): a FLUSHALL, of which no "
               "event is sent, shows only where it leaves the database empty");
    return is_sound(run_id, &looks->before, error);
}
