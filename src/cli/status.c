/* `redis2pg status`: the live state of a run or a sync, as the ledger has it. */
#include "cli/commands.h"
#include "cli/prepare.h"
#include "ledger/following.h"
#include "ledger/set_aside.h"
#include "ledger/summary.h"
#include "migrations/migrations.h"

static const char *text_of(const json_t *state, const char *name) {
    const char *text = json_string_value(json_object_get(state, name));
    return text != NULL ? text : "-";
}

static json_int_t number_of(const json_t *state, const char *name) {
    return json_integer_value(json_object_get(state, name));
}

static void print_sync(const json_t *state) {
    g_print("Source        %s, captured by %s\n", text_of(state, "source"), text_of(state, "capture"));
    g_print("Lag           %" JSON_INTEGER_FORMAT " ms, %" JSON_INTEGER_FORMAT " bytes\n",
            number_of(state, "lag_ms"), number_of(state, "lag_bytes"));
    g_print("Waiting       %" JSON_INTEGER_FORMAT " keys\n", number_of(state, "keys_waiting"));
    g_print("Changes       %.1f a second\n", json_number_value(json_object_get(state, "changes_per_second")));
    g_print("Last commit   %s\n", text_of(state, "last_commit"));
    g_print("Checkpoint    %s, offset %" JSON_INTEGER_FORMAT "\n", text_of(state, "checkpoint_at"),
            number_of(state, "offset"));
    if (json_is_string(json_object_get(state, "rescan_reason")))
        g_print("All keys have to be read: %s\n", text_of(state, "rescan_reason"));
    if (json_is_true(json_object_get(state, "pause_requested")))
        g_print("A pause was asked for: redis2pg sync --continue goes on\n");
}

static void print_state(const RpGlobals *globals, json_t *state) {
    if (globals->is_json) {
        rp_print_json(json_incref(state));
        return;
    }
    g_print("State         %s (run %" JSON_INTEGER_FORMAT ")\n", text_of(state, "state"),
            number_of(state, "run"));
    if (json_is_string(json_object_get(state, "source")))
        print_sync(state);
    g_print("Parked        %" JSON_INTEGER_FORMAT " keys\n", number_of(state, "parked"));
    const json_t *set_aside = json_object_get(state, "set_aside");
    if (json_is_object(set_aside))
        g_print("Set aside     %" JSON_INTEGER_FORMAT " keys and indexes, by run %" JSON_INTEGER_FORMAT
                ": they are put back when it ends, by `run --resume`, or by `rollback`\n",
                number_of(set_aside, "definitions"), number_of(set_aside, "run"));
}

/* Of a bulk load: keys that its tables lack. */
static gboolean add_set_aside(PGconn *connection, json_t *state, GError **error) {
    guint64 run;
    guint n_definitions;
    if (!rp_set_aside_find(connection, &run, &n_definitions, error))
        return FALSE;
    if (json_is_object(state))
        json_object_set_new(state, "set_aside",
                            run == 0 ? json_null()
                                     : json_pack("{sI sI}", "run", (json_int_t)run, "definitions",
                                                 (json_int_t)n_definitions));
    return TRUE;
}

/* NULL with error. Nothing has run where there is no ledger: a JSON null. */
static json_t *describe(const RpGlobals *globals, GError **error) {
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, error);
    gboolean exists;
    if (connection == NULL || !rp_ledger_exists(connection, &exists, error))
        return NULL;
    if (!exists)
        return json_null();
    g_autofree char *text =
        rp_migrations_apply_ledger(connection, error) ? rp_following_describe(connection, error) : NULL;
    json_t *state = text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    if (state == NULL || add_set_aside(connection, state, error))
        return state;
    json_decref(state);
    return NULL;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    (void)words;
    if (!rp_expect_words(&RP_COMMAND_STATUS, n_words, 0, 0, error))
        return FALSE;
    json_t *state = describe(globals, error);
    if (state == NULL)
        return FALSE;
    if (json_is_object(state) && !json_is_null(json_object_get(state, "run")))
        print_state(globals, state);
    else
        g_print("%s\n", globals->is_json ? "{\"run\": null, \"state\": \"stopped\", \"lag_bytes\": null, "
                                           "\"lag_ms\": null, \"keys_waiting\": 0, \"parked\": 0, "
                                           "\"changes_per_second\": 0, \"last_commit\": null}"
                                         : "Nothing has run on this database");
    json_decref(state);
    *status = 0;
    return TRUE;
}

const RpCommand RP_COMMAND_STATUS = {
    .name = "status",
    .summary = "Shows the live state of a run or a sync.\n"
               "It reads the ledger, which a sync writes to about every second: how far behind it is, what "
               "waits,\n"
               "and whether it runs at all.",
    .example = "redis2pg status --postgres 'dbname=shop'",
    .execute = execute,
};
