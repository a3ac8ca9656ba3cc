/* What a user of a real Redis may not do, found without doing it. */
#include "sandbox/sandbox.h"
#include "source/probe.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static RpSandbox *sandbox;
static redisContext *administrator;

static void start(void) {
    const RpSandboxOptions options = {.is_without_postgres = TRUE};
    g_autoptr(GError) error = NULL;
    sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    administrator = redisConnectUnix(rp_sandbox_get_redis_socket(sandbox));
}

static void stop(void) {
    redisFree(administrator);
    rp_sandbox_stop(sandbox);
}

TestSuite(probe, .init = start, .fini = stop);

/* The remedies of all findings, joined by "; ". */
static char *probe_as(const char *rules, const RpRedisNeed *need) {
    g_autofree char *create = g_strdup_printf("ACL SETUSER u reset on >x %s", rules);
    g_auto(GStrv) words = g_strsplit(create, " ", -1);
    freeReplyObject(redisCommandArgv(administrator, (int)g_strv_length(words), (const char **)words, NULL));
    g_autoptr(redisContext) redis = redisConnectUnix(rp_sandbox_get_redis_socket(sandbox));
    freeReplyObject(redisCommand(redis, "AUTH u x"));
    g_autoptr(RpFindings) findings = rp_findings_new();
    rp_redis_probe(redis, "u", 7, need, 1, findings);
    cr_assert(eq(int, redis->err, 0));
    GString *remedies = g_string_new(NULL);
    for (guint i = 0; i < findings->items->len; i++)
        g_string_append_printf(remedies, "%s%s", i > 0 ? "; " : "",
                               ((const RpFinding *)g_ptr_array_index(findings->items, i))->remedy);
    return g_string_free(remedies, FALSE);
}

static void assert_probe_of(const char *rules, const RpRedisNeed *need, const char *expected) {
    g_autofree char *by_dryrun = probe_as(rules, need);
    g_autofree char *without_acl = g_strconcat(rules, " -acl", NULL);
    g_autofree char *by_calling = probe_as(without_acl, need);
    cr_assert(eq(str, by_dryrun, (char *)expected), "%s", rules);
    cr_assert(eq(str, by_calling, (char *)expected), "%s", rules);
}

static void assert_probe(const char *rules, RpRecordType type, const char *match, const char *expected) {
    assert_probe_of(rules, &(RpRedisNeed){type, match, TRUE, TRUE}, expected);
}

Test(probe, times_are_asked_for_only_where_they_are_read) {
    static const char RULES[] = "~* +@all -pttl -pexpiretime";
    assert_probe_of(RULES, &(RpRedisNeed){RP_RECORD_HASH, NULL, FALSE, FALSE}, "");
    assert_probe_of(RULES, &(RpRedisNeed){RP_RECORD_HASH, NULL, TRUE, FALSE}, "ACL SETUSER u +pttl");
    assert_probe_of(RULES, &(RpRedisNeed){RP_RECORD_HASH, NULL, FALSE, TRUE},
                    "ACL SETUSER u +pttl +pexpiretime");
}

Test(probe, commands_are_tried_by_the_types_that_are_mapped) {
    static const struct {
        RpRecordType type;
        const char *rules, *remedy;
    } types[] = {
        {RP_RECORD_HASH, "-hgetall -hrandfield -hmget", "+hrandfield +hmget"},
        {RP_RECORD_STRING, "-get -getrange", "+get +getrange"},
        {RP_RECORD_LIST, "-lrange", "+lrange"},
        {RP_RECORD_SET, "-sscan", "+sscan"},
        {RP_RECORD_ZSET, "-zscan", "+zscan"},
        {RP_RECORD_STREAM, "-xrange", "+xrange"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        for (guint mapped = 0; mapped < G_N_ELEMENTS(types); mapped++) {
            g_autofree char *rules = g_strconcat("~* +@all ", types[i].rules, NULL);
            g_autofree char *remedy = g_strconcat("ACL SETUSER u ", types[i].remedy, NULL);
            assert_probe(rules, types[mapped].type, NULL, i == mapped ? remedy : "");
        }
}

Test(probe, keys_are_tried_as_the_mapping_names_them) {
    static const struct {
        const char *rules, *match, *remedy;
    } keys[] = {
        {"~order:* +@all", "order:*", ""},
        {"~order:* +@all", "orders:*", "ACL SETUSER u ~orders:*"},
        {"~order:* +@all", NULL, "ACL SETUSER u ~*"},
        {"~a\\*b:* +@all", "a\\*b:*", ""},
        {"%R~order:* +@all", "order:*", ""},
        {"~order:* +@all", "command:*", "ACL SETUSER u ~command:*"},
        {"~order:* +@all", "permissions to run :*", "ACL SETUSER u ~permissions to run :*"},
        {"~order:* +@all -type", "user:*", "ACL SETUSER u +type; ACL SETUSER u ~user:*"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        assert_probe(keys[i].rules, RP_RECORD_HASH, keys[i].match, keys[i].remedy);
}

Test(probe, nothing_is_left_behind) {
    assert_probe("~* +@all", RP_RECORD_STREAM, "s:*", "");
    redisReply *reply = redisCommand(administrator, "DBSIZE");
    cr_assert(eq(i64, reply->integer, 0));
    freeReplyObject(reply);
}
