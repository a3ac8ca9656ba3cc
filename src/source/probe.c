/* Trying commands. A table says what to try; the answers are sorted by what would mend them. */
#include "source/probe.h"

#include <string.h>

#define MAX_WORDS 6

/* Beside an RpRecordType: for what a command is needed. */
#define ANY_TYPE    (-1)
#define WITH_TTL    (-2)
#define WITH_EXPIRY (-3)

/* Stands in the table for the key to try. */
static const char KEY[] = "{key}";

typedef struct {
    int type;     /* the RpRecordType for which it is needed, or one of the above */
    guint since;  /* the major version from which it is sent, */
    guint before; /* and the one from which it is not; 0: none */
    const char *words[MAX_WORDS + 1];
} Probe;

static const Probe SERVER_PROBES[] = {
    {ANY_TYPE, 0, 0, {"INFO"}},
    {ANY_TYPE, 0, 0, {"DBSIZE"}},
    {ANY_TYPE, 0, 0, {"SCAN", "0", "COUNT", "1"}},
};

static const Probe KEY_PROBES[] = {
    {ANY_TYPE, 0, 0, {"TYPE", KEY}},
    {ANY_TYPE, 0, 0, {"EXISTS", KEY}},
    {WITH_TTL, 0, 0, {"PTTL", KEY}},
    {WITH_EXPIRY, 7, 0, {"PEXPIRETIME", KEY}},
    {RP_RECORD_HASH, 7, 0, {"HRANDFIELD", KEY, "1", "WITHVALUES"}},
    {RP_RECORD_HASH, 0, 7, {"HGETALL", KEY}},
    {RP_RECORD_HASH, 0, 0, {"HMGET", KEY, "field"}},
    {RP_RECORD_STRING, 0, 0, {"GET", KEY}},
    {RP_RECORD_STRING, 0, 0, {"GETRANGE", KEY, "0", "0"}},
    {RP_RECORD_LIST, 0, 0, {"LRANGE", KEY, "0", "0"}},
    {RP_RECORD_SET, 0, 0, {"SSCAN", KEY, "0"}},
    {RP_RECORD_ZSET, 0, 0, {"ZSCAN", KEY, "0"}},
    {RP_RECORD_STREAM, 0, 0, {"XRANGE", KEY, "-", "+", "COUNT", "1"}},
};

/* Tried by DRYRUN only: a real PSYNC would turn the connection into a replica's. */
static const Probe FOLLOW_PROBES[] = {
    {ANY_TYPE, 0, 0, {"PSYNC", "?", "-1"}},
    {ANY_TYPE, 0, 0, {"REPLCONF", "capa", "eof"}},
};

typedef enum {
    VERDICT_ALLOWED, /* or refused for a reason that is no privilege: LOADING, MOVED, … */
    VERDICT_NO_COMMAND,
    VERDICT_NO_KEY,
    VERDICT_UNKNOWN,
} Verdict;

typedef struct {
    redisContext *redis;
    const char *user;
    gboolean has_dryrun;
    GPtrArray *commands; /* of char *: "+hgetall" */
    GPtrArray *keys;     /* of char *: "~order:*" */
    GPtrArray *unknown;  /* of const char * */
} Trial;

/* "this user has no permissions to run the 'get' command" and "… to access one of the keys …": the wording
 * changes from version to version, these words stay (redis: acl.c). What follows them may name a key. */
static Verdict judge_refusal(const char *text) {
    const char *to = strstr(text, "permissions to ");
    return to != NULL && g_str_has_prefix(to, "permissions to run ") ? VERDICT_NO_COMMAND : VERDICT_NO_KEY;
}

static Verdict judge_answer(const redisReply *reply, gboolean is_dryrun) {
    if (reply == NULL)
        return VERDICT_ALLOWED;
    if (reply->type == REDIS_REPLY_ERROR) {
        if (g_str_has_prefix(reply->str, "NOPERM"))
            return judge_refusal(reply->str);
        return g_str_has_prefix(reply->str, "ERR unknown command") ||
                       (is_dryrun && strstr(reply->str, "not found") != NULL)
                   ? VERDICT_UNKNOWN
                   : VERDICT_ALLOWED;
    }
    /* DRYRUN says no in a reply that is no error. */
    return is_dryrun && reply->type == REDIS_REPLY_STRING ? judge_refusal(reply->str) : VERDICT_ALLOWED;
}

static Verdict try_words(const Trial *trial, const char *const *words, const char *key) {
    const char *argv[3 + MAX_WORDS] = {"ACL", "DRYRUN", trial->user};
    const guint first = trial->has_dryrun ? 3 : 0;
    guint n = first;
    for (; *words != NULL; words++)
        argv[n++] = *words == KEY ? key : *words;
    /* hiredis takes const char ** only because its prototype predates the const that it keeps. */
    g_autoptr(redisReply) reply = redisCommandArgv(trial->redis, (int)n, argv, NULL);
    return judge_answer(reply, trial->has_dryrun);
}

static void add_once(GPtrArray *list, char *text) {
    if (!g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
        g_ptr_array_add(list, text);
    else
        g_free(text);
}

static char *rule_for(const char *command) {
    g_autofree char *lower = g_ascii_strdown(command, -1);
    return g_strconcat("+", lower, NULL);
}

static void try_probe(Trial *trial, const Probe *probe, const char *key, const char *match) {
    switch (try_words(trial, probe->words, key)) {
    case VERDICT_ALLOWED:
        break;
    case VERDICT_NO_COMMAND:
        add_once(trial->commands, rule_for(probe->words[0]));
        break;
    case VERDICT_NO_KEY:
        add_once(trial->keys, g_strconcat("~", match, NULL));
        break;
    case VERDICT_UNKNOWN:
        add_once(trial->unknown, g_strdup(probe->words[0]));
        break;
    }
}

/* A key that fits the glob and hardly exists: its literal part without the escapes, and a name of ours. */
static char *make_key(const char *match) {
    GString *key = g_string_new(NULL);
    for (const char *byte = match; *byte != '\0' && *byte != '*'; byte++) {
        if (*byte == '\\' && byte[1] != '\0')
            byte++;
        g_string_append_c(key, *byte);
    }
    g_string_append(key, "redis2pg-check-no-such-key");
    return g_string_free(key, FALSE);
}

static gboolean is_needed(const Probe *probe, const RpRedisNeed *need) {
    switch (probe->type) {
    case ANY_TYPE:
        return TRUE;
    case WITH_TTL:
        return need->has_ttl || need->has_expiry;
    case WITH_EXPIRY:
        return need->has_expiry;
    default:
        return probe->type == (int)need->type;
    }
}

static void try_need(Trial *trial, guint major, const RpRedisNeed *need) {
    const char *match = need->match != NULL ? need->match : "*";
    g_autofree char *key = make_key(match);
    for (guint i = 0; i < G_N_ELEMENTS(KEY_PROBES); i++) {
        const Probe *probe = &KEY_PROBES[i];
        if (is_needed(probe, need) && major >= probe->since && (probe->before == 0 || major < probe->before))
            try_probe(trial, probe, key, match);
    }
}

static gboolean can_dryrun(redisContext *redis, const char *user) {
    const char *argv[] = {"ACL", "DRYRUN", user, "PING"};
    g_autoptr(redisReply) reply = redisCommandArgv(redis, 4, argv, NULL);
    return reply != NULL && reply->type == REDIS_REPLY_STATUS;
}

static char *join(const GPtrArray *words) {
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", (const char *)words->pdata[i]);
    return g_string_free(text, FALSE);
}

static void note_missing(const Trial *trial, RpFindings *findings) {
    g_autofree char *commands = join(trial->commands);
    g_autofree char *keys = join(trial->keys);
    g_autofree char *unknown = join(trial->unknown);
    g_autofree char *give_commands = g_strdup_printf("ACL SETUSER %s %s", trial->user, commands);
    g_autofree char *give_keys = g_strdup_printf("ACL SETUSER %s %s", trial->user, keys);
    if (trial->commands->len > 0)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "missing_privilege", "Redis", give_commands,
                        "user %s may not call commands that a run needs: %s", trial->user, commands);
    if (trial->keys->len > 0)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "missing_privilege", "Redis", give_keys,
                        "user %s may not read keys that the mapping names: %s", trial->user, keys);
    if (trial->unknown->len > 0)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "redis_command_missing", "Redis",
                        "give these commands their names back (rename-command in redis.conf)",
                        "Redis does not know commands that a run needs: %s", unknown);
}

static gboolean try_following(Trial *trial, RpFindings *findings) {
    if (!trial->has_dryrun)
        return TRUE;
    g_ptr_array_set_size(trial->commands, 0);
    for (guint i = 0; i < G_N_ELEMENTS(FOLLOW_PROBES); i++)
        try_probe(trial, &FOLLOW_PROBES[i], "", "");
    if (trial->commands->len == 0)
        return TRUE;
    g_autofree char *commands = join(trial->commands);
    g_autofree char *give = g_strdup_printf("ACL SETUSER %s %s", trial->user, commands);
    rp_findings_add(
        findings, RP_SEVERITY_NOTE, "missing_privilege", "Redis", give,
        "user %s may not follow the replication stream, which a run does not need and sync does: %s",
        trial->user, commands);
    return FALSE;
}

gboolean rp_redis_probe(redisContext *redis, const char *user, guint major, const RpRedisNeed *needs,
                        guint n_needs, RpFindings *findings) {
    g_autoptr(GPtrArray) commands = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
    const char *name = user != NULL ? user : "default";
    Trial trial = {redis, name, can_dryrun(redis, name), commands, keys, unknown};
    for (guint i = 0; i < G_N_ELEMENTS(SERVER_PROBES); i++)
        try_probe(&trial, &SERVER_PROBES[i], "", "*");
    for (guint i = 0; i < n_needs; i++)
        try_need(&trial, major, &needs[i]);
    note_missing(&trial, findings);
    return try_following(&trial, findings);
}
