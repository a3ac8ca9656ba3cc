/* The table of events, their counters, and the faults that a build for tests injects. */
#include "base/event.h"

#include "base/error.h"
#include "base/log.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

G_DEFINE_QUARK(rp_fault_error, rp_fault_error)

static struct {
    const char *name;
    gboolean can_fail;
    guint64 count; /* atomic */
} events[RP_N_EVENTS] = {
    [RP_EVENT_RUN_OPENED] = {"run_opened", FALSE, 0},
    [RP_EVENT_RUN_CONTINUED] = {"run_continued", FALSE, 0},
    [RP_EVENT_SET_ASIDE] = {"set_aside", TRUE, 0},
    [RP_EVENT_PAGE_READ] = {"page_read", TRUE, 0},
    [RP_EVENT_BATCH_FILLED] = {"batch_filled", FALSE, 0},
    [RP_EVENT_BATCH_MAPPED] = {"batch_mapped", FALSE, 0},
    [RP_EVENT_BATCH_BEGUN] = {"batch_begun", TRUE, 0},
    [RP_EVENT_ROWS_STAGED] = {"rows_staged", TRUE, 0},
    [RP_EVENT_ROWS_LOADED] = {"rows_loaded", TRUE, 0},
    [RP_EVENT_ROWS_CHECKED] = {"rows_checked", TRUE, 0},
    [RP_EVENT_ROWS_MERGED] = {"rows_merged", TRUE, 0},
    [RP_EVENT_ROWS_DEPARTED] = {"rows_departed", TRUE, 0},
    [RP_EVENT_ROWS_PARKED] = {"rows_parked", TRUE, 0},
    [RP_EVENT_ROWS_TRIED] = {"rows_tried", TRUE, 0},
    [RP_EVENT_ROWS_UNDONE] = {"rows_undone", TRUE, 0},
    [RP_EVENT_REJECTS_SETTLED] = {"rejects_settled", TRUE, 0},
    [RP_EVENT_BATCH_ACCOUNTED] = {"batch_accounted", TRUE, 0},
    [RP_EVENT_BEFORE_COMMIT] = {"before_commit", TRUE, 0},
    [RP_EVENT_AFTER_COMMIT] = {"after_commit", TRUE, 0},
    [RP_EVENT_PASS_ENDED] = {"pass_ended", FALSE, 0},
    [RP_EVENT_ROWS_TAKEN_OUT] = {"rows_taken_out", TRUE, 0},
    [RP_EVENT_RESTORED_ONE] = {"restored_one", TRUE, 0},
    [RP_EVENT_RESTORED_ALL] = {"restored_all", FALSE, 0},
    [RP_EVENT_BEFORE_CLOSE] = {"before_close", TRUE, 0},
    [RP_EVENT_RUN_CLOSED] = {"run_closed", FALSE, 0},
    [RP_EVENT_STREAM_ATTACHED] = {"stream_attached", TRUE, 0},
    [RP_EVENT_STREAM_READ] = {"stream_read", TRUE, 0},
    [RP_EVENT_STREAM_LOST] = {"stream_lost", FALSE, 0},
    [RP_EVENT_TOUCHED_READ] = {"touched_read", FALSE, 0},
    [RP_EVENT_REDIS_LOST] = {"redis_lost", FALSE, 0},
    [RP_EVENT_REDIS_BACK] = {"redis_back", FALSE, 0},
    [RP_EVENT_POSTGRES_LOST] = {"postgres_lost", FALSE, 0},
    [RP_EVENT_POSTGRES_BACK] = {"postgres_back", FALSE, 0},
    [RP_EVENT_BATCH_REPEATED] = {"batch_repeated", FALSE, 0},
    [RP_EVENT_COMMIT_SETTLED] = {"commit_settled", FALSE, 0},
    [RP_EVENT_CUTOVER_STOPPED] = {"cutover_stopped", FALSE, 0},
    [RP_EVENT_CUTOVER_DRAINED] = {"cutover_drained", FALSE, 0},
};

const char *rp_event_name(RpEvent event) {
    return event < RP_N_EVENTS ? events[event].name : NULL;
}

gboolean rp_event_can_fail(RpEvent event) {
    return events[event].can_fail;
}

guint64 rp_event_count(RpEvent event) {
    return __atomic_load_n(&events[event].count, __ATOMIC_RELAXED);
}

#ifdef RP_FAULT_INJECTION

typedef enum {
    FAULT_KILL,
    FAULT_STOP,
    FAULT_INTERRUPT,
    FAULT_FAIL,
} FaultAction;

static const char *const ACTION_NAMES[] = {"kill", "stop", "interrupt", "fail", NULL};

typedef struct {
    FaultAction action;
    RpEvent event;
    guint64 number;
} Fault;

static GArray *faults; /* of Fault */

static gboolean find_event(const char *name, RpEvent *event) {
    for (guint i = 0; i < RP_N_EVENTS; i++)
        if (strcmp(events[i].name, name) == 0) {
            *event = (RpEvent)i;
            return TRUE;
        }
    return FALSE;
}

static gboolean find_action(const char *name, FaultAction *action) {
    for (guint i = 0; ACTION_NAMES[i] != NULL; i++)
        if (strcmp(ACTION_NAMES[i], name) == 0) {
            *action = (FaultAction)i;
            return TRUE;
        }
    return FALSE;
}

static gboolean parse_fault(const char *text, Fault *fault) {
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    const guint n_parts = g_strv_length(parts);
    fault->number = 1;
    return (n_parts == 2 || n_parts == 3) && find_action(parts[0], &fault->action) &&
           find_event(parts[1], &fault->event) &&
           (n_parts == 2 || g_ascii_string_to_unsigned(parts[2], 10, 1, G_MAXUINT64, &fault->number, NULL)) &&
           (fault->action != FAULT_FAIL || events[fault->event].can_fail);
}

gboolean rp_event_arm(const char *text, GError **error) {
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "", ",", -1);
    g_clear_pointer(&faults, g_array_unref);
    faults = g_array_new(FALSE, FALSE, sizeof(Fault));
    for (char **part = parts; *part != NULL; part++) {
        Fault fault;
        if (!parse_fault(*part, &fault)) {
            g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                        "REDIS2PG_FAULT: \"%s\" is no ACTION:EVENT:N", *part);
            return FALSE;
        }
        g_array_append_val(faults, fault);
    }
    return TRUE;
}

/* TRUE when the event is to fail. */
static gboolean inject(RpEvent event, guint64 number) {
    gboolean is_failing = FALSE;
    for (guint i = 0; faults != NULL && i < faults->len; i++) {
        const Fault *fault = &g_array_index(faults, Fault, i);
        if (fault->event != event || fault->number != number)
            continue;
        rp_log(RP_LOG_WARNING, "fault injected: %s at %s %" G_GUINT64_FORMAT, ACTION_NAMES[fault->action],
               events[event].name, number);
        switch (fault->action) {
        case FAULT_KILL:
            kill(getpid(), SIGKILL);
            break;
        case FAULT_STOP:
            kill(getpid(), SIGSTOP);
            break;
        case FAULT_INTERRUPT:
            kill(getpid(), SIGINT);
            break;
        case FAULT_FAIL:
            is_failing = TRUE;
            break;
        }
    }
    return is_failing;
}

#else

gboolean rp_event_arm(const char *text, GError **error) {
    if (text == NULL)
        return TRUE;
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "REDIS2PG_FAULT is set, and this build has no fault injection (meson setup "
                "-Dfault_injection=true)");
    return FALSE;
}

static gboolean inject(RpEvent event, guint64 number) {
    (void)event;
    (void)number;
    return FALSE;
}

#endif

static gboolean happen(RpEvent event) {
    const guint64 number = __atomic_add_fetch(&events[event].count, 1, __ATOMIC_RELAXED);
    rp_log(RP_LOG_DEBUG, "event %s %" G_GUINT64_FORMAT, events[event].name, number);
    return inject(event, number);
}

void rp_event_note(RpEvent event) {
    happen(event);
}

gboolean rp_event_pass(RpEvent event, GError **error) {
    g_assert(events[event].can_fail);
    if (!happen(event))
        return TRUE;
    g_set_error(error, RP_FAULT_ERROR, RP_FAULT_ERROR_INJECTED, "fault injected at %s", events[event].name);
    return FALSE;
}
