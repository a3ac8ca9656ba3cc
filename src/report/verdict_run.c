/* The verdict on a run, a dry run, a replay or a repair. */
#include "report/field.h"
#include "report/table.h"
#include "report/verdict-private.h"

/* What all of it needs to know. */
typedef struct {
    const json_t *run;
    guint64 number;
    guint64 n_read;
    guint64 n_rejects;
    guint64 n_unmapped;
    gboolean is_dry;
    gboolean is_replay;
    gboolean is_repair;
} Facts;

static char *describe_findings(const Facts *facts) {
    g_autofree char *rejects = rp_text_number(facts->n_rejects);
    g_autofree char *rows = rp_verdict_count(facts->n_read, "row");
    g_autofree char *keys = rp_verdict_count(facts->n_unmapped, "key");
    if (facts->n_rejects == 0)
        return g_strdup_printf("Every row %s, but nothing covers %s",
                               facts->is_dry ? "would arrive" : "arrived", keys);
    return g_strdup_printf("%s of %s %s rejected", rejects, rows,
                           facts->is_dry           ? "would be"
                           : facts->n_rejects == 1 ? "was"
                                                   : "were");
}

static const char *describe_success(const Facts *facts) {
    return facts->is_dry      ? "It would work: every row passes"
           : facts->is_replay ? "Every record passed"
           : facts->is_repair ? "What differed is repaired"
                              : "Every row arrived";
}

static void say_what_happened(RpVerdict *verdict, const Facts *facts) {
    static const char *const names[] = {"inserted", "updated",  "unchanged", "deleted", "rejected",
                                        "filtered", "vanished", "parked",    NULL};
    g_autofree char *rows = rp_verdict_count(facts->n_read, "row");
    g_autofree char *counts = rp_verdict_list(rp_field_list(facts->run, "entities"), names);
    g_autofree char *seconds = rp_field_show_seconds(rp_field_real(facts->run, "seconds"));
    rp_verdict_say(verdict, "%s read in %s: %s.", rows, seconds, counts);
    if (facts->is_dry)
        rp_verdict_say(verdict, "This was a dry run: nothing was written.");
    if (rp_field_has_text(facts->run, "error"))
        rp_verdict_say(verdict, "Why it ended: %s.", rp_field_text(facts->run, "error"));
}

static void say_what_to_do(RpVerdict *verdict, const Facts *facts) {
    if (facts->n_unmapped > 0)
        rp_verdict_say(verdict,
                       "Decide on the keys that nothing covers: give each pattern below an entity, or "
                       "name it under `ignore` in the mapping.");
    if (facts->n_rejects > 0 && facts->is_dry)
        rp_verdict_say(verdict,
                       "Look at the rejects below, and mend the data or the mapping before the run.");
    else if (facts->n_rejects > 0)
        rp_verdict_say(
            verdict,
            "Look at the rejects below, mend the data or the mapping, then: `redis2pg rejects replay "
            "--run %" G_GUINT64_FORMAT "`.",
            facts->number);
    else if (facts->is_dry)
        rp_verdict_say(verdict, "To do it: `redis2pg run`.");
    else if (facts->n_unmapped == 0)
        rp_verdict_say(verdict, "Nothing is left to do. To compare both sides: `redis2pg reconcile`.");
}

static void conclude(RpVerdict *verdict, const Facts *facts) {
    const gboolean is_fine = facts->n_rejects == 0 && facts->n_unmapped == 0;
    verdict->status = is_fine ? "fine" : "findings";
    verdict->headline = is_fine ? g_strdup(describe_success(facts)) : describe_findings(facts);
    say_what_to_do(verdict, facts);
}

static void conclude_early(RpVerdict *verdict, const Facts *facts, const char *status) {
    const char *noun = facts->is_replay   ? "replay"
                       : facts->is_repair ? "repair"
                       : facts->is_dry    ? "dry run"
                                          : "run";
    if (g_str_equal(status, "rolled_back")) {
        verdict->status = "undone";
        verdict->headline = g_strdup_printf("This %s was rolled back", noun);
        rp_verdict_say(verdict, "The numbers below are those from before the rollback.");
        return;
    }
    const gboolean is_interrupted = g_str_equal(status, "interrupted"), is_open = g_str_equal(status, "open");
    verdict->status = is_interrupted ? "interrupted" : is_open ? "open" : "failed";
    verdict->headline = g_strdup_printf("The %s %s", noun,
                                        is_interrupted ? "was interrupted"
                                        : is_open      ? "has not ended"
                                                       : "failed");
    if (!facts->is_dry)
        rp_verdict_say(verdict, "What is committed stands. To go on: `redis2pg %s`.",
                       facts->is_replay   ? "rejects replay"
                       : facts->is_repair ? "reconcile --repair"
                                          : "run --resume");
}

void rp_verdict_of_run(RpVerdict *verdict, const char *kind, const json_t *run) {
    const char *status = rp_field_text(run, "status");
    const Facts facts = {.run = run,
                         .number = rp_field_number(run, "run"),
                         .n_read = rp_field_sum(rp_field_list(run, "entities"), "read"),
                         .n_rejects = rp_field_number(json_object_get(run, "rejects"), "total"),
                         .n_unmapped = rp_field_number(json_object_get(run, "keys"), "unmapped"),
                         .is_dry = g_str_equal(kind, "dry_run") || rp_field_is_true(run, "dry_run"),
                         .is_replay = g_str_equal(kind, "replay"),
                         .is_repair = g_str_equal(kind, "repair")};
    say_what_happened(verdict, &facts);
    const gboolean is_done = g_str_has_prefix(status, "completed") || g_str_equal(status, "dry_run");
    if (is_done && !rp_field_is_true(run, "balanced")) {
        verdict->status = "failed";
        verdict->headline = g_strdup("The account does not balance");
        rp_verdict_say(verdict,
                       "Rows are unaccounted for, which is a defect of redis2pg: do not cut over on this.");
    } else if (is_done) {
        conclude(verdict, &facts);
    } else {
        conclude_early(verdict, &facts, status);
    }
}
