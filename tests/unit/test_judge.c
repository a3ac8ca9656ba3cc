/* What INFO and CONFIG GET say about a Redis, as findings. The INFO texts are cut from servers of versions 4
 * to 8; each adds what the case is about to those lines. */
#include "source/info.h"
#include "source/judge.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char CALM[] =
    "# Server\r\nredis_version:7.0.15\r\nrun_id:ab\r\n\r\n# Memory\r\nused_memory:1000\r\n"
    "maxmemory:0\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\nloading:0\r\n"
    "rdb_last_bgsave_status:ok\r\naof_enabled:0\r\naof_last_write_status:ok\r\n"
    "role:master\r\nmaster_repl_offset:0\r\nrepl_backlog_active:0\r\n"
    "repl_backlog_size:1048576\r\ncluster_enabled:0\r\n";

typedef struct {
    const char *info;     /* after the calm ones: a later line wins */
    const char *later;    /* more lines of the second look, half a second after; NULL: it is like the first */
    const char *settings; /* "name=value;…"; NULL: CONFIG GET is refused */
    const char *codes;    /* "severity code" of all findings, joined by ", " */
    const char *says;     /* in the text or the remedy of one of them; may be NULL */
    gboolean may_not_follow;
} Case;

static GHashTable *parse_settings(const char *text) {
    if (text == NULL)
        return NULL;
    GHashTable *settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) pairs = g_strsplit(text, ";", -1);
    for (char **pair = pairs; *pair != NULL; pair++) {
        g_auto(GStrv) parts = g_strsplit(*pair, "=", 2);
        if (parts[0] != NULL && parts[1] != NULL)
            g_hash_table_insert(settings, g_strdup(parts[0]), g_strdup(parts[1]));
    }
    return settings;
}

static void assert_case(const Case *expected) {
    g_autofree char *first = g_strconcat(CALM, expected->info, NULL);
    g_autofree char *second = g_strconcat(first, expected->later, NULL);
    g_autoptr(GHashTable) info = rp_redis_info_parse(first);
    g_autoptr(GHashTable) later = rp_redis_info_parse(second);
    g_autoptr(GHashTable) settings = parse_settings(expected->settings);
    g_autoptr(RpFindings) findings = rp_findings_new();
    const RpRedisFacts facts = {info, later, 500, settings, expected->may_not_follow};
    rp_redis_judge(&facts, findings);
    g_autoptr(GString) codes = g_string_new(NULL);
    g_autoptr(GString) texts = g_string_new(NULL);
    for (guint i = 0; i < findings->items->len; i++) {
        const RpFinding *finding = g_ptr_array_index(findings->items, i);
        g_string_append_printf(codes, "%s%s %s", i > 0 ? ", " : "", rp_severity_name(finding->severity),
                               finding->code);
        g_string_append_printf(texts, "%s\n%s\n", finding->text,
                               finding->remedy != NULL ? finding->remedy : "");
    }
    cr_assert(eq(str, codes->str, (char *)expected->codes), "%s", expected->info);
    if (expected->says != NULL)
        cr_assert(strstr(texts->str, expected->says) != NULL, "\"%s\" is not said in\n%s", expected->says,
                  texts->str);
}

#define CALM_NOTE "note redis_backlog"
#define SAVES     "save=3600 1"

static const Case cases[] = {
    {"", NULL, SAVES, CALM_NOTE, "not known", FALSE},
    {"", NULL, NULL, CALM_NOTE ", note redis_settings_unknown", "CONFIG GET is refused", FALSE},
    /* versions */
    {"redis_version:4.0.14\r\n", NULL, SAVES, "error redis_too_old, " CALM_NOTE, "version 4.0.14", FALSE},
    {"redis_version:5.0.0\r\n", NULL, SAVES, CALM_NOTE, NULL, FALSE},
    {"redis_version:10.0.0\r\n", NULL, SAVES, CALM_NOTE, NULL, FALSE},
    {"redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n", NULL, SAVES, CALM_NOTE, NULL,
     FALSE},
    {"redis_version:\r\n", NULL, SAVES, CALM_NOTE, NULL, FALSE},
    /* what it is */
    {"loading:1\r\n", NULL, SAVES, "error redis_loading, " CALM_NOTE, NULL, FALSE},
    {"role:slave\r\nmaster_host:db1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n", NULL, SAVES,
     "note redis_is_replica, " CALM_NOTE, "db1:6379 (its link is down)", FALSE},
    {"cluster_enabled:1\r\n", NULL, SAVES, "warning redis_cluster, " CALM_NOTE, NULL, FALSE},
    /* memory */
    {"maxmemory:2000\r\nmaxmemory_policy:allkeys-lru\r\n", NULL, SAVES,
     "warning redis_evicts_keys, " CALM_NOTE, "CONFIG SET maxmemory-policy noeviction", FALSE},
    {"maxmemory_policy:allkeys-lru\r\n", NULL, SAVES, CALM_NOTE, NULL, FALSE},
    {"maxmemory:2000\r\n", NULL, SAVES, CALM_NOTE, NULL, FALSE},
    {"maxmemory:10000000\r\nused_memory:8999000\r\n", NULL, SAVES, CALM_NOTE, NULL, FALSE},
    {"maxmemory:10000000\r\nused_memory:9000000\r\n", NULL, SAVES, "warning redis_memory_full, " CALM_NOTE,
     NULL, FALSE},
    {"maxmemory:10000000\r\nused_memory:18446744073709551615\r\n", NULL, SAVES,
     "warning redis_memory_full, " CALM_NOTE, NULL, FALSE},
    {"maxmemory:99999999999999999999999\r\nused_memory:x\r\n", NULL, SAVES, CALM_NOTE, NULL, FALSE},
    /* persistence */
    {"", NULL, "save=", "warning redis_not_persistent, " CALM_NOTE, NULL, FALSE},
    {"aof_enabled:1\r\n", NULL, "save=", CALM_NOTE, NULL, FALSE},
    {"rdb_last_bgsave_status:err\r\n", NULL, SAVES ";stop-writes-on-bgsave-error=yes",
     "warning redis_persistence_fails, " CALM_NOTE, "MISCONF", FALSE},
    {"rdb_last_bgsave_status:err\r\n", NULL, SAVES ";stop-writes-on-bgsave-error=no",
     "warning redis_persistence_fails, " CALM_NOTE, "the last snapshot failed", FALSE},
    {"aof_enabled:1\r\naof_last_write_status:err\r\naof_last_bgrewrite_status:err\r\n", NULL, SAVES,
     "warning redis_persistence_fails, warning redis_persistence_fails, " CALM_NOTE, "MISCONF", FALSE},
    /* the backlog: 1 MiB at 8 KiB in half a second lasts 64 s, at 10 KiB 51 s */
    {"repl_backlog_active:1\r\nmaster_repl_offset:500\r\n", "master_repl_offset:8692\r\n", SAVES, CALM_NOTE,
     "about 64 s at the 16.0", FALSE},
    {"repl_backlog_active:1\r\nmaster_repl_offset:500\r\n", "master_repl_offset:10740\r\n",
     SAVES ";repl-backlog-ttl=3600", "warning redis_backlog_small", "about 51 s", FALSE},
    {"repl_backlog_active:1\r\nmaster_repl_offset:500\r\n", "master_repl_offset:10740\r\n",
     SAVES ";repl-backlog-ttl=3600", "warning redis_backlog_small", "repl-backlog-size 12288000", FALSE},
    {"repl_backlog_active:1\r\n", NULL, SAVES ";repl-backlog-ttl=3600", CALM_NOTE, "freed 3600 s after",
     FALSE},
    {"repl_backlog_active:1\r\nmaster_repl_offset:500\r\n", "master_repl_offset:3\r\n", SAVES, CALM_NOTE,
     "not known", FALSE},
    {"total_net_input_bytes:5\r\nmaster_repl_offset:500\r\n",
     "total_net_input_bytes:5242885\r\nmaster_repl_offset:999999999\r\n", SAVES, CALM_NOTE, "at least 0 s",
     FALSE},
    {"repl_backlog_size:0\r\n", NULL, SAVES, "", NULL, FALSE},
    /* buffers and notifications */
    {"", NULL,
     SAVES ";client-output-buffer-limit=normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
     CALM_NOTE, NULL, FALSE},
    {"", NULL, SAVES ";client-output-buffer-limit=normal 0 0 0 replica 0 0 0", CALM_NOTE, NULL, FALSE},
    {"", NULL, SAVES ";client-output-buffer-limit=normal 0 0 0 slave 1048576 0 0",
     CALM_NOTE ", note redis_output_buffer_small", "1048576 bytes at once", FALSE},
    {"", NULL, SAVES ";client-output-buffer-limit=slave 1", CALM_NOTE, NULL, FALSE},
    {"", NULL, SAVES ";notify-keyspace-events=", CALM_NOTE, NULL, FALSE},
    {"", NULL, SAVES ";notify-keyspace-events=", CALM_NOTE ", note redis_notifications",
     "CONFIG SET notify-keyspace-events KEA", TRUE},
};

Test(judge, what_redis_says_becomes_findings) {
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_case(&cases[i]);
}

Test(info, fields_are_text_or_numbers_and_nothing_else) {
    g_autoptr(GHashTable) info =
        rp_redis_info_parse("# Comment: none\r\na:1\r\nb:x:y\nc:\r\nno colon\r\nd:-1\r\ne:\xff\xfe\r\na:2");
    cr_assert(eq(u64, rp_redis_info_number(info, "a"), 2));
    cr_assert(eq(str, (char *)rp_redis_info_text(info, "b"), "x:y"));
    cr_assert(eq(u64, rp_redis_info_number(info, "b"), 0));
    cr_assert(eq(str, (char *)rp_redis_info_text(info, "c"), ""));
    cr_assert(eq(u64, rp_redis_info_number(info, "d"), 0));
    cr_assert(g_utf8_validate(rp_redis_info_text(info, "e"), -1, NULL));
    cr_assert(eq(str, (char *)rp_redis_info_text(info, "absent"), ""));
    cr_assert(eq(u32, g_hash_table_size(info), 5));
}
