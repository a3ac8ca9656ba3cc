/* What `redis2pg check` says about Redis: each test provokes a finding. Settings and users are those of a
 * private server, since other tests run beside on the shared one. */
#include "findings.h"

#include "sandbox/sandbox.h"

#include <glib/gstdio.h>

typedef struct {
    RpCase *test_case;
    RpSandbox *sandbox;
    redisContext *redis;
    char *mapping;
} Source;

static void source_init(Source *source, const char *const *settings) {
    const RpSandboxOptions options = {
        .is_without_postgres = TRUE, .redis_databases = 1, .extra_redis_settings = settings};
    g_autoptr(GError) error = NULL;
    source->sandbox = rp_sandbox_start(&options, &error);
    cr_assert(source->sandbox != NULL, "%s", error != NULL ? error->message : "");
    source->test_case = rp_case_new();
    source->redis = redisConnectUnix(rp_sandbox_get_redis_socket(source->sandbox));
    source->mapping = rp_source_path("mappings/shop.yaml");
}

static void source_clear(Source *source) {
    redisFree(source->redis);
    rp_case_free(source->test_case);
    rp_sandbox_stop(source->sandbox);
    g_free(source->mapping);
}

/* Sends commands that are separated by semicolons, their words by blanks. */
static void send_all(Source *source, const char *text) {
    g_auto(GStrv) commands = g_strsplit(text, ";", -1);
    for (char **command = commands; *command != NULL; command++) {
        g_autofree char *line = g_strstrip(g_strdup(*command));
        int n_words;
        g_auto(GStrv) words = NULL;
        if (line[0] == '\0')
            continue;
        cr_assert(g_shell_parse_argv(line, &n_words, &words, NULL));
        redisReply *reply = redisCommandArgv(source->redis, n_words, (const char **)words, NULL);
        cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s: %s", *command,
                  reply != NULL ? reply->str : "lost");
        freeReplyObject(reply);
    }
}

static json_t *look_at(Source *source, const char *user, int *status) {
    g_autofree char *url =
        g_strdup_printf("unix://%s%s%s?db=0", user != NULL ? user : "", user != NULL ? ":x@" : "",
                        rp_sandbox_get_redis_socket(source->sandbox));
    return look(source->test_case, source->mapping, url, NULL, status);
}

Test(check_redis, settings_that_endanger_a_migration_are_said) {
    static const struct {
        const char *before, *after, *severity, *code, *part;
        int status;
    } settings[] = {
        {"CONFIG SET maxmemory 1gb; CONFIG SET maxmemory-policy allkeys-lru",
         "CONFIG SET maxmemory 0; CONFIG SET maxmemory-policy noeviction", "warning", "redis_evicts_keys",
         "allkeys-lru", 1},
        {"CONFIG SET maxmemory 800kb", "CONFIG SET maxmemory 0", "warning", "redis_memory_full", "800.0", 1},
        {"CONFIG SET save ''", "CONFIG SET save '3600 1'", "warning", "redis_not_persistent", "append-only",
         1},
        {"CONFIG SET save ''; CONFIG SET appendonly yes",
         "CONFIG SET appendonly no; CONFIG SET save '3600 1'", "note", "redis_backlog", "", 0},
        {"REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "note", "redis_is_replica", "127.0.0.1:1", 0},
        {"CONFIG SET client-output-buffer-limit 'replica 1048576 0 0'",
         "CONFIG SET client-output-buffer-limit 'replica 268435456 67108864 60'", "note",
         "redis_output_buffer_small", "1048576", 0},
        {"", "", "note", "redis_backlog", "not allocated before", 0},
    };
    Source source;
    source_init(&source, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        int status;
        send_all(&source, settings[i].before);
        g_autoptr(json_t) document = look_at(&source, NULL, &status);
        send_all(&source, settings[i].after);
        assert_found(document, settings[i].severity, settings[i].code, settings[i].part);
        cr_assert(eq(int, status, settings[i].status), "%s", settings[i].before);
    }
    source_clear(&source);
}

Test(check_redis, a_snapshot_that_failed_is_said) {
    Source source;
    source_init(&source, NULL);
    /* A folder stands where the snapshot is to go. */
    g_autofree char *path = g_build_filename(rp_sandbox_get_folder(source.sandbox), "dump.rdb", NULL);
    cr_assert(eq(int, g_mkdir(path, 0755), 0));
    send_all(&source, "SET a b; BGSAVE");
    gboolean has_failed = FALSE;
    for (guint i = 0; i < 100 && !has_failed; i++) {
        redisReply *reply = redisCommand(source.redis, "INFO persistence");
        has_failed = strstr(reply->str, "rdb_last_bgsave_status:err") != NULL;
        freeReplyObject(reply);
        g_usleep(50000);
    }
    g_autoptr(json_t) document = look_at(&source, NULL, NULL);
    assert_found(document, "warning", "redis_persistence_fails", "MISCONF");
    source_clear(&source);
}

Test(check_redis, a_node_of_a_cluster_is_a_warning) {
    static const char *const cluster[] = {"cluster-enabled=yes", NULL};
    Source source;
    source_init(&source, cluster);
    g_autoptr(json_t) document = look_at(&source, NULL, NULL);
    assert_found(document, "warning", "redis_cluster", "one node");
    source_clear(&source);
}

typedef struct {
    redisContext *redis;
    gint is_over;
} Writer;

/* Writes until it is told to stop, as long as check may take to begin to watch. */
static gpointer write_on(gpointer data) {
    enum { VALUE = 4096 };
    Writer *writer = data;
    g_autofree char *value = g_strnfill(VALUE, 'v');
    while (!g_atomic_int_get(&writer->is_over)) {
        freeReplyObject(redisCommand(writer->redis, "SET k %s", value));
        g_usleep(1000);
    }
    return NULL;
}

/* A connection that says PSYNC makes Redis keep a backlog; somebody writes while check watches. */
Test(check_redis, a_backlog_that_lasts_too_short_is_a_warning) {
    Source source;
    source_init(&source, NULL);
    redisContext *replica = redisConnectUnix(rp_sandbox_get_redis_socket(source.sandbox));
    freeReplyObject(redisCommand(replica, "PSYNC ? -1"));
    send_all(&source, "CONFIG SET repl-backlog-size 16384");
    Writer writer = {source.redis, FALSE};
    GThread *thread = g_thread_new("writer", write_on, &writer);
    g_auto(RpOutcome) out = {0};
    rp_case_run(source.test_case, &out, "check", "--json", "--mapping", source.mapping, "--redis",
                rp_sandbox_get_redis_url(source.sandbox), "--sample", "0", NULL);
    g_atomic_int_set(&writer.is_over, TRUE);
    g_thread_join(thread);
    rp_outcome_assert_status(&out, 1);
    g_autoptr(json_t) document = rp_outcome_json(&out);
    assert_found(document, "warning", "redis_backlog_small", "CONFIG SET repl-backlog-size");
    redisFree(replica);
    source_clear(&source);
}

/* With DRYRUN and without; a user of Redis 6 or 7 may mostly not call it. */
Test(check_redis, what_a_user_may_not_do_is_said_as_an_acl_rule) {
    static const struct {
        const char *rules, *severity, *code, *part;
        int status;
    } users[] = {
        {"~* +@all", "note", "redis_backlog", "", 0},
        {"~* +@all -hrandfield -hmget", "error", "missing_privilege", "ACL SETUSER u +hrandfield +hmget", 2},
        {"~* +@all -hrandfield -hmget -acl", "error", "missing_privilege", "ACL SETUSER u +hrandfield +hmget",
         2},
        {"~order:* ~customer:* +@all", "error", "missing_privilege", "ACL SETUSER u ~payment:*", 2},
        {"~order:* ~customer:* +@all -acl", "error", "missing_privilege", "ACL SETUSER u ~payment:*", 2},
        {"~order:* ~customer:* ~payment:* +@all -acl", "note", "redis_backlog", "", 0},
        {"~* +@all -get -lrange -xrange", "note", "redis_backlog", "", 0}, /* the shop has hashes only */
        {"~* +@all -psync -replconf", "note", "missing_privilege", "ACL SETUSER u +psync +replconf", 0},
        {"~* +@all -psync", "note", "redis_notifications", "notify-keyspace-events KEA", 0},
        {"~* +@all -config", "note", "redis_settings_unknown", "CONFIG GET is refused", 0},
        {"~* +@all -info -acl", "error", "missing_privilege", "ACL SETUSER u +info", 2},
        {"~* +@all -scan", "error", "missing_privilege", "ACL SETUSER u +scan", 2},
        {"~* +ping +scan", "error", "missing_privilege", "ACL SETUSER u +info +dbsize +type +exists", 2},
    };
    Source source;
    source_init(&source, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(users); i++) {
        int status;
        g_autofree char *create = g_strdup_printf("ACL SETUSER u reset on '>x' %s", users[i].rules);
        send_all(&source, create);
        g_autoptr(json_t) document = look_at(&source, "u", &status);
        assert_found(document, users[i].severity, users[i].code, users[i].part);
        cr_assert(eq(int, status, users[i].status), "%s", users[i].rules);
    }
    source_clear(&source);
}

Test(check_redis, a_command_under_another_name_is_said) {
    static const char *const renamed[] = {"rename-command=HMGET other", NULL};
    Source source;
    source_init(&source, renamed);
    g_autoptr(json_t) document = look_at(&source, NULL, NULL);
    assert_found(document, "error", "redis_command_missing", "HMGET");
    source_clear(&source);
}
