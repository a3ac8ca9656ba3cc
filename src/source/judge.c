/* Judging a Redis: one small function a topic, listed at the end. */
#include "source/judge.h"

#include "source/info.h"

#include <string.h>

#define PLACE               "Redis"
#define OLDEST_MAJOR        5
#define NEARLY_FULL_PERCENT 90
#define MIB                 (1024 * 1024)

static const char *say(const RpRedisFacts *facts, const char *field) {
    return rp_redis_info_text(facts->info, field);
}

static guint64 count(const RpRedisFacts *facts, const char *field) {
    return rp_redis_info_number(facts->info, field);
}

static gboolean is(const RpRedisFacts *facts, const char *field, const char *value) {
    return strcmp(say(facts, field), value) == 0;
}

/* NULL where it is not known. */
static const char *setting(const RpRedisFacts *facts, const char *name) {
    return facts->settings != NULL ? g_hash_table_lookup(facts->settings, name) : NULL;
}

/* ---- what it is ---- */

guint rp_redis_major_version(GHashTable *info) {
    return (guint)g_ascii_strtoull(rp_redis_info_text(info, "redis_version"), NULL, 10);
}

static void judge_version(const RpRedisFacts *facts, RpFindings *findings) {
    const guint major = rp_redis_major_version(facts->info);
    if (major > 0 && major < OLDEST_MAJOR)
        rp_findings_add(findings, RP_SEVERITY_ERROR, "redis_too_old", PLACE,
                        "use Redis 5 or later, or Valkey", "version %s is older than Redis 5",
                        say(facts, "redis_version"));
}

static void judge_loading(const RpRedisFacts *facts, RpFindings *findings) {
    if (is(facts, "loading", "1"))
        rp_findings_add(findings, RP_SEVERITY_ERROR, "redis_loading", PLACE, "wait until it is done",
                        "it is loading its data from disk, and gives no keys meanwhile");
}

static void judge_role(const RpRedisFacts *facts, RpFindings *findings) {
    if (is(facts, "role", "slave"))
        rp_findings_add(
            findings, RP_SEVERITY_NOTE, "redis_is_replica", PLACE, NULL,
            "this is a replica of %s:%s (its link is %s): it can lag behind, and what is written to "
            "the master after a key was read is not seen",
            say(facts, "master_host"), say(facts, "master_port"), say(facts, "master_link_status"));
}

static void judge_cluster(const RpRedisFacts *facts, RpFindings *findings) {
    if (is(facts, "cluster_enabled", "1"))
        rp_findings_add(findings, RP_SEVERITY_WARNING, "redis_cluster", PLACE,
                        "run redis2pg once for each master of the cluster",
                        "this is one node of a cluster: only the keys of its own slots are read");
}

/* ---- memory ---- */

static void judge_eviction(const RpRedisFacts *facts, RpFindings *findings) {
    if (count(facts, "maxmemory") == 0 || is(facts, "maxmemory_policy", "") ||
        is(facts, "maxmemory_policy", "noeviction"))
        return;
    rp_findings_add(
        findings, RP_SEVERITY_WARNING, "redis_evicts_keys", PLACE, "CONFIG SET maxmemory-policy noeviction",
        "maxmemory-policy is %s: Redis drops keys by itself when its memory is full, and a key that "
        "is dropped before it was read is lost",
        say(facts, "maxmemory_policy"));
}

static void judge_memory(const RpRedisFacts *facts, RpFindings *findings) {
    const guint64 limit = count(facts, "maxmemory");
    const guint64 used = count(facts, "used_memory");
    if (limit == 0 || used / NEARLY_FULL_PERCENT < limit / 100)
        return;
    g_autofree char *shown_used = g_format_size_full(used, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *shown_limit = g_format_size_full(limit, G_FORMAT_SIZE_IEC_UNITS);
    rp_findings_add(findings, RP_SEVERITY_WARNING, "redis_memory_full", PLACE,
                    "CONFIG SET maxmemory to more, or take keys out",
                    "%s of maxmemory %s are in use: Redis is about to refuse writes or to drop keys",
                    shown_used, shown_limit);
}

/* ---- persistence ---- */

static void judge_persistence(const RpRedisFacts *facts, RpFindings *findings) {
    const char *save = setting(facts, "save");
    if (save == NULL || save[0] != '\0' || !is(facts, "aof_enabled", "0"))
        return;
    rp_findings_add(
        findings, RP_SEVERITY_WARNING, "redis_not_persistent", PLACE,
        "CONFIG SET appendonly yes, or BGSAVE before the migration",
        "neither snapshots (save) nor the append-only file are on: when Redis ends, all keys that "
        "are not migrated are lost");
}

static void judge_persistence_errors(const RpRedisFacts *facts, RpFindings *findings) {
    static const struct {
        const char *field, *what;
    } statuses[] = {
        {"rdb_last_bgsave_status", "the last snapshot"},
        {"aof_last_write_status", "the last write to the append-only file"},
        {"aof_last_bgrewrite_status", "the last rewrite of the append-only file"},
    };
    const char *stops = setting(facts, "stop-writes-on-bgsave-error");
    for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
        if (!is(facts, statuses[i].field, "err"))
            continue;
        const gboolean refuses = i == 1 || (i == 0 && g_strcmp0(stops, "yes") == 0);
        rp_findings_add(findings, RP_SEVERITY_WARNING, "redis_persistence_fails", PLACE,
                        "look into the log of Redis: mostly the disk is full or the folder cannot be written",
                        "%s failed%s", statuses[i].what,
                        refuses ? ", and Redis refuses writes while that stands (MISCONF)" : "");
    }
}

/* ---- replication, for sync ---- */

#define BRIDGE_SECONDS 60
#define ROOMY_SECONDS  600
/* The looks themselves come in as bytes too. */
#define IDLE_PER_SECOND 128

/* Without a backlog the offset counts commands, not bytes (redis: replication.c, replicationFeedSlaves), so
 * what the sockets took in stands for it. */
static gdouble written_per_second(const RpRedisFacts *facts, gboolean is_active) {
    const char *field = is_active ? "master_repl_offset" : "total_net_input_bytes";
    const guint64 before = rp_redis_info_number(facts->info, field);
    const guint64 after = facts->later != NULL ? rp_redis_info_number(facts->later, field) : before;
    if (facts->elapsed_ms <= 0 || after <= before)
        return 0;
    return (gdouble)(after - before) * 1000 / (gdouble)facts->elapsed_ms;
}

/* What the size means at the rate; the caller frees it. */
static char *describe_backlog(guint64 size, gdouble per_second, gboolean is_active) {
    g_autofree char *shown = g_format_size_full(size, G_FORMAT_SIZE_IEC_UNITS);
    const char *waits = is_active ? "" : " (not allocated before a replica connects)";
    if (per_second < IDLE_PER_SECOND)
        return g_strdup_printf(
            "the replication backlog is %s%s; hardly anything was written while it was watched, so how "
            "long an outage it bridges is not known",
            shown, waits);
    g_autofree char *rate = g_format_size_full((guint64)per_second, G_FORMAT_SIZE_IEC_UNITS);
    return g_strdup_printf(
        "the replication backlog is %s%s and bridges an outage of %s %.0f s at the %s a second "
        "that %s while it was watched",
        shown, waits, is_active ? "about" : "at least", (gdouble)size / per_second, rate,
        is_active ? "were written" : "came in, reads included,");
}

static void judge_backlog(const RpRedisFacts *facts, RpFindings *findings) {
    const guint64 size = count(facts, "repl_backlog_size");
    const gboolean is_active = is(facts, "repl_backlog_active", "1");
    const gdouble per_second = written_per_second(facts, is_active);
    const char *ttl = setting(facts, "repl-backlog-ttl");
    if (size == 0)
        return;
    g_autofree char *text = describe_backlog(size, per_second, is_active);
    g_autofree char *freed = ttl != NULL && strcmp(ttl, "0") != 0
                                 ? g_strdup_printf("; it is freed %s s after the last replica has gone", ttl)
                                 : g_strdup("");
    if (is_active && per_second * BRIDGE_SECONDS > (gdouble)size) {
        g_autofree char *remedy =
            g_strdup_printf("CONFIG SET repl-backlog-size %.0f", per_second * ROOMY_SECONDS);
        rp_findings_add(findings, RP_SEVERITY_WARNING, "redis_backlog_small", PLACE, remedy, "%s%s", text,
                        freed);
    } else
        rp_findings_add(findings, RP_SEVERITY_NOTE, "redis_backlog", PLACE, NULL, "%s%s", text, freed);
}

/* "normal 0 0 0 slave 268435456 67108864 60 pubsub …": class, hard limit, soft limit, seconds. */
static void judge_output_buffer(const RpRedisFacts *facts, RpFindings *findings) {
    enum { HARD = 256, SOFT = 64 };
    const char *limits = setting(facts, "client-output-buffer-limit");
    g_auto(GStrv) words = g_strsplit(limits != NULL ? limits : "", " ", -1);
    for (guint i = 0; i + 2 < g_strv_length(words); i++) {
        if (strcmp(words[i], "slave") != 0 && strcmp(words[i], "replica") != 0)
            continue;
        const guint64 hard = g_ascii_strtoull(words[i + 1], NULL, 10) / MIB;
        const guint64 soft = g_ascii_strtoull(words[i + 2], NULL, 10) / MIB;
        if ((strcmp(words[i + 1], "0") != 0 && hard < HARD) ||
            (strcmp(words[i + 2], "0") != 0 && soft < SOFT))
            rp_findings_add(
                findings, RP_SEVERITY_NOTE, "redis_output_buffer_small", PLACE,
                "CONFIG SET client-output-buffer-limit \"replica 268435456 67108864 60\"",
                "client-output-buffer-limit for replicas is %s bytes at once and %s bytes for a time: a "
                "burst of writes can cut off who follows the replication stream",
                words[i + 1], words[i + 2]);
        return;
    }
}

/* Of interest only where the replication stream is out of reach. */
static void judge_notifications(const RpRedisFacts *facts, RpFindings *findings) {
    const char *events = setting(facts, "notify-keyspace-events");
    if (facts->may_not_follow && events != NULL)
        rp_findings_add(
            findings, RP_SEVERITY_NOTE, "redis_notifications", PLACE,
            strchr(events, 'A') != NULL ? NULL : "CONFIG SET notify-keyspace-events KEA",
            "the replication stream may not be followed; keyspace notifications, the other way to see "
            "changes, are set to \"%s\"",
            events);
}

static void judge_settings(const RpRedisFacts *facts, RpFindings *findings) {
    if (facts->settings == NULL)
        rp_findings_add(
            findings, RP_SEVERITY_NOTE, "redis_settings_unknown", PLACE, NULL,
            "CONFIG GET is refused, as managed services do: whether snapshots are on and how large "
            "buffers may grow was not looked at");
}

void rp_redis_judge(const RpRedisFacts *facts, RpFindings *findings) {
    static void (*const JUDGES[])(const RpRedisFacts *, RpFindings *) = {
        judge_version,  judge_loading,       judge_role,          judge_cluster,
        judge_eviction, judge_memory,        judge_persistence,   judge_persistence_errors,
        judge_backlog,  judge_output_buffer, judge_notifications, judge_settings,
    };
    for (guint i = 0; i < G_N_ELEMENTS(JUDGES); i++)
        JUDGES[i](facts, findings);
}
