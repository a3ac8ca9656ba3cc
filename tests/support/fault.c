/* Runs redis2pg with REDIS2PG_FAULT, and reads its log for events. */
#include "fault.h"

#include <string.h>

char *rp_fault_text(const char *action, RpEvent event, guint64 number) {
    return g_strdup_printf("%s:%s:%" G_GUINT64_FORMAT, action, rp_event_name(event), number);
}

RpProcess *rp_fault_spawn(RpCase *test_case, const char *fault, const char *const *words) {
    g_auto(GStrv) environment = g_get_environ();
    if (fault != NULL)
        environment = g_environ_setenv(environment, "REDIS2PG_FAULT", fault, TRUE);
    return rp_case_spawn_in(test_case, environment, words);
}

void rp_fault_run(RpCase *test_case, const char *fault, RpOutcome *out, const char *const *words) {
    rp_process_wait(rp_fault_spawn(test_case, fault, words), out);
}

guint64 rp_fault_count(const RpOutcome *out, RpEvent event) {
    g_autofree char *mark = g_strdup_printf("event %s ", rp_event_name(event));
    guint64 count = 0;
    /* Threads write their lines in any order. */
    for (const char *line = out->errors; (line = strstr(line, mark)) != NULL; line++)
        count = MAX(count, g_ascii_strtoull(line + strlen(mark), NULL, 10));
    return count;
}
