/* The parts of the demo's story: one telling, the talk, and the commands that it calls as a user would. */
#pragma once

#include "cli/options.h"
#include "demo/shop.h"
#include "sandbox/sandbox.h"

#include <jansson.h>

G_BEGIN_DECLS

/* One telling of the story. */
typedef struct {
    const RpGlobals *globals;
    RpShopSpec spec;
    RpShopReport report;
    RpSandbox *sandbox;
    char *mapping;
    char *schema;
    char **environment;        /* of the children */
    const char *report_folder; /* or NULL */
    guint n_steps;
    json_t *run;            /* the run's JSON */
    json_t *rejects;        /* {"orders": {"out_of_range": 3}} */
    json_t *reconciliation; /* its JSON */
    json_t *differences;
    int status; /* of the child that ended the story early; 0 otherwise */
} RpDemo;

/* Prints, unless the result is JSON. */
void rp_demo_say(const RpDemo *demo, const char *format, ...) G_GNUC_PRINTF(2, 3);
void rp_demo_begin_step(RpDemo *demo, const char *title);

/* Runs `redis2pg words…`, the words ending in NULL; its JSON goes to *output unless that is NULL. A status
 * over 1 ends the story: it is kept, and FALSE comes back without an error, for the child has told its own.
 */
gboolean rp_demo_call(RpDemo *demo, char **output, GError **error, ...) G_GNUC_NULL_TERMINATED;

/* The JSON document that a command printed; NULL with an error when it printed none. */
json_t *rp_demo_parse_output(const char *command, const char *output, GError **error);

/* Shows the rejects beside what was planted, and notes the differences (demo_look.c). */
gboolean rp_demo_look_at_rejects(RpDemo *demo, GError **error);

/* Compares Redis with PostgreSQL, and notes what does not hold (demo_look.c). */
gboolean rp_demo_prove(RpDemo *demo, GError **error);

/* Asks PostgreSQL a few questions (demo_look.c). */
gboolean rp_demo_ask(RpDemo *demo, GError **error);

/* Says whether the run found what was planted (demo_look.c). */
void rp_demo_say_verdict(const RpDemo *demo);

G_END_DECLS
