/* Servers that a test takes away and gives back. They are its own, so that no other test misses them. */
#pragma once

#include "harness.h"
#include "sandbox/sandbox.h"

G_BEGIN_DECLS

/* Both servers, such that what is committed survives a kill -9, as it would with fsync a power cut. Fails the
 * test when they do not start. The caller ends them with rp_sandbox_stop (g_autoptr), after its case. Call it
 * before the test has threads (a proxy is one). */
RpSandbox *rp_blackout_sandbox(void);

/* A case on them. */
RpCase *rp_blackout_case(RpSandbox *sandbox);

/* On return the server and all processes that it started are gone: ended by SIGKILL, or told to end
 * (PostgreSQL drops its sessions, Redis writes its snapshot). Fails the test when that takes more than 30
 * seconds. */
void rp_blackout_kill(RpSandbox *sandbox, RpSandboxServer server);
void rp_blackout_shut_down(RpSandbox *sandbox, RpSandboxServer server);

/* Starts it again, with what it had on disk: PostgreSQL all that was committed; Redis its last snapshot, and
 * nothing when there is none. Then rp_case_reconnect. */
void rp_blackout_end(RpSandbox *sandbox, RpSandboxServer server);

/* Removes Redis's snapshot: the next one starts empty. */
void rp_blackout_forget(RpSandbox *sandbox);

/* The server and its processes stand still, as behind a network that swallows everything; and go on. */
void rp_blackout_suspend(RpSandbox *sandbox, RpSandboxServer server);
void rp_blackout_resume(RpSandbox *sandbox, RpSandboxServer server);

G_END_DECLS
