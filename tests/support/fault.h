/* Programs with faults in them: killed, stopped or failing at the nth of a named event (base/event.h). */
#pragma once

#include "harness.h"

#include "base/event.h"

#ifndef RP_FAULT_INJECTION
#error "this test takes a build with -Dfault_injection=true"
#endif

G_BEGIN_DECLS

/* "kill:before_commit:3". The caller frees it. */
char *rp_fault_text(const char *action, RpEvent event, guint64 number);

/* rp_case_run and rp_case_spawn with REDIS2PG_FAULT in the program's environment; NULL for none. */
void rp_fault_run(RpCase *test_case, const char *fault, RpOutcome *out, const char *const *words);
RpProcess *rp_fault_spawn(RpCase *test_case, const char *fault, const char *const *words);

/* How often an event happened, by the log of a program that ran with --log-level debug. */
guint64 rp_fault_count(const RpOutcome *out, RpEvent event);

G_END_DECLS
