/* The verdict on a reconciliation. */
#include "report/field.h"
#include "report/table.h"
#include "report/verdict-private.h"

typedef struct {
    guint64 n_source, n_target;
    guint64 n_missing, n_unexplained, n_extra, n_different;
    guint64 n_aggregates;            /* that differ */
    guint64 n_refused, n_unrecorded; /* records of Redis that give no row */
    guint64 n_dangling, n_unlisted, n_orphans;
    gboolean is_counts; /* no row was compared with another */
} Facts;

static guint64 count_unequal(const json_t *entities) {
    guint64 n = 0;
    for (size_t e = 0; e < json_array_size(entities); e++) {
        const json_t *aggregates = rp_field_list(json_array_get(entities, e), "aggregates");
        for (size_t a = 0; a < json_array_size(aggregates); a++)
            n += !rp_field_is_true(json_array_get(aggregates, a), "equal");
    }
    return n;
}

/* Missing rows without an open reject; a result without that number says so by what is explained. */
static guint64 count_unexplained(const json_t *entities) {
    guint64 n = 0;
    for (size_t e = 0; e < json_array_size(entities); e++) {
        const json_t *entity = json_array_get(entities, e);
        const guint64 missing = rp_field_number(entity, "missing"),
                      explained = rp_field_number(entity, "explained");
        n += json_object_get(entity, "unexplained") != NULL ? rp_field_number(entity, "unexplained")
                                                            : missing - MIN(missing, explained);
    }
    return n;
}

static Facts read_facts(const json_t *reconcile) {
    const json_t *entities = rp_field_list(reconcile, "entities"), *links = rp_field_list(reconcile, "links");
    return (Facts){.n_source = rp_field_sum(entities, "source_rows"),
                   .n_target = rp_field_sum(entities, "target_rows"),
                   .n_missing = rp_field_sum(entities, "missing"),
                   .n_unexplained = count_unexplained(entities),
                   .n_extra = rp_field_sum(entities, "extra"),
                   .n_different = rp_field_sum(entities, "different"),
                   .n_refused = rp_field_sum(entities, "rejected"),
                   .n_unrecorded = rp_field_sum(entities, "unrecorded"),
                   .n_aggregates = count_unequal(entities),
                   .n_dangling = rp_field_sum(links, "dangling"),
                   .n_unlisted = rp_field_sum(links, "unlisted"),
                   .n_orphans = rp_field_sum(rp_field_list(reconcile, "orphans"), "rows"),
                   .is_counts = g_str_equal(rp_field_text(reconcile, "level"), "counts")};
}

/* Of numbers that agree nothing is said about the rows behind them. */
static const char *headline_of_counts(const Facts *facts, gboolean is_equal) {
    return is_equal                  ? "Redis and PostgreSQL agree in number"
           : facts->n_orphans > 0    ? "The numbers agree, but some rows refer to nothing"
           : facts->n_aggregates > 0 ? "The rows agree in number, but not in sum"
                                     : "The numbers agree, but there are findings";
}

static char *headline_of(const Facts *facts, gboolean is_equal) {
    const guint64 n_rows = facts->n_unexplained + facts->n_extra + facts->n_different;
    g_autofree char *rows = rp_verdict_count(n_rows, "row");
    g_autofree char *missing = rp_verdict_count(facts->n_missing, "row");
    if (n_rows > 0)
        return g_strdup_printf("%s %s between Redis and PostgreSQL", rows,
                               n_rows == 1 ? "differs" : "differ");
    if (facts->n_missing > 0)
        return g_strdup_printf("%s %s missing, each with an open reject", missing,
                               facts->n_missing == 1 ? "is" : "are");
    if (facts->is_counts)
        return g_strdup(headline_of_counts(facts, is_equal));
    return g_strdup(is_equal                  ? "Redis and PostgreSQL agree"
                    : facts->n_orphans > 0    ? "The rows agree, but some refer to nothing"
                    : facts->n_dangling > 0   ? "The rows agree, but links lead nowhere"
                    : facts->n_aggregates > 0 ? "The rows agree in number, but not in sum"
                                              : "The rows agree, but there are findings");
}

static void say_rows(RpVerdict *verdict, const json_t *reconcile, const Facts *facts) {
    g_autofree char *source = rp_verdict_count(facts->n_source, "row");
    g_autofree char *target = rp_verdict_count(facts->n_target, "row");
    g_autofree char *seconds = rp_field_show_seconds(rp_field_real(reconcile, "seconds"));
    rp_verdict_say(verdict, "%s from Redis and %s of PostgreSQL compared in %s, at level %s.", source, target,
                   seconds, rp_field_text(reconcile, "level"));
    if (facts->is_counts)
        rp_verdict_say(verdict,
                       "Only numbers were compared: equal numbers do not prove equal rows. To compare "
                       "every value: `redis2pg reconcile --level fields`.");
    if (facts->n_missing + facts->n_extra + facts->n_different == 0)
        return;
    g_autofree char *missing = rp_text_number(facts->n_missing);
    g_autofree char *unexplained = rp_text_number(facts->n_unexplained);
    g_autofree char *extra = rp_text_number(facts->n_extra);
    g_autofree char *different = rp_text_number(facts->n_different);
    rp_verdict_say(
        verdict,
        "%s missing in PostgreSQL, of which %s without an open reject; %s there and not in Redis; %s "
        "with other values.",
        missing, unexplained, extra, different);
}

/* Equal rows do not mean that nothing is left behind. */
static void say_refused(RpVerdict *verdict, const Facts *facts) {
    if (facts->n_refused == 0)
        return;
    g_autofree char *refused = rp_verdict_count(facts->n_refused, "record");
    g_autofree char *unrecorded = rp_text_number(facts->n_unrecorded);
    rp_verdict_say(
        verdict,
        "%s of Redis %s refused by the mapping and not among these rows; %s of them without an open "
        "reject on record.",
        refused, facts->n_refused == 1 ? "is" : "are", facts->n_unrecorded == 0 ? "none" : unrecorded);
}

static void say_others(RpVerdict *verdict, const Facts *facts) {
    g_autofree char *aggregates = rp_verdict_count(facts->n_aggregates, "aggregate");
    g_autofree char *orphans = rp_verdict_count(facts->n_orphans, "row");
    g_autofree char *dangling = rp_verdict_count(facts->n_dangling, "member");
    g_autofree char *unlisted = rp_verdict_count(facts->n_unlisted, "row");
    if (facts->n_aggregates > 0)
        rp_verdict_say(verdict, "%s differ%s.", aggregates, facts->n_aggregates == 1 ? "s" : "");
    if (facts->n_orphans > 0)
        rp_verdict_say(verdict, "%s in PostgreSQL refer%s to a row that is not there.", orphans,
                       facts->n_orphans == 1 ? "s" : "");
    if (facts->n_dangling + facts->n_unlisted > 0)
        rp_verdict_say(verdict, "Links: %s without a row, %s that no link lists.", dangling, unlisted);
}

static void say_repair(RpVerdict *verdict, const json_t *repair) {
    static const char *const names[] = {"written", "deleted", "left", NULL};
    g_autofree char *counts = rp_verdict_list(repair, names);
    rp_verdict_say(verdict,
                   "Repaired by run %" G_GUINT64_FORMAT
                   ": %s. To undo it: `redis2pg rollback %" G_GUINT64_FORMAT "`.",
                   rp_field_number(repair, "run"), counts, rp_field_number(repair, "run"));
}

static void say_what_to_do(RpVerdict *verdict, const json_t *reconcile, const Facts *facts) {
    const json_t *repair = json_object_get(reconcile, "repair");
    if (rp_field_is_true(reconcile, "is_live"))
        rp_verdict_say(verdict,
                       "Redis changed meanwhile. What differed was looked at again, up to "
                       "%" G_GUINT64_FORMAT " times, before it was reported.",
                       MAX(rp_field_number(reconcile, "rounds"), 1));
    if (json_is_object(repair))
        say_repair(verdict, repair);
    else if (facts->n_unexplained + facts->n_different > 0)
        rp_verdict_say(verdict, "To write what is missing or differs: `redis2pg reconcile --repair`.");
    if (!json_is_object(repair) && facts->n_extra > 0)
        rp_verdict_say(
            verdict, "Extra rows stay, unless they are to go: `redis2pg reconcile --repair --delete-extra`.");
    if (facts->n_unrecorded > 0)
        rp_verdict_say(verdict, "To have what the mapping refuses on record: `redis2pg run`.");
    if (facts->n_missing > facts->n_unexplained)
        rp_verdict_say(verdict, "Rejects explain missing rows: mend the data or the mapping, then `redis2pg "
                                "rejects replay`.");
}

void rp_verdict_of_reconcile(RpVerdict *verdict, const json_t *reconcile) {
    const Facts facts = read_facts(reconcile);
    const gboolean is_equal = g_str_equal(rp_field_text(reconcile, "status"), "equal");
    verdict->status = is_equal ? "fine" : "findings";
    verdict->headline = headline_of(&facts, is_equal);
    say_rows(verdict, reconcile, &facts);
    say_refused(verdict, &facts);
    say_others(verdict, &facts);
    say_what_to_do(verdict, reconcile, &facts);
    if (is_equal && !facts.is_counts)
        rp_verdict_say(verdict, "Nothing is left to do.");
}
