/* `redis2pg schema`: versioned SQL, up and down. */
#include "cli/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/suggest.h"
#include "migrations/migrations.h"
#include "sink/connection.h"

static char *to_version;

static const RpOption OPTIONS[] = {
    {.name = "to",
     .kind = RP_OPTION_TEXT,
     .target = &to_version,
     .argument = "VERSION",
     .help = "undo: all versions newer than this one; 0 for all (default: the newest applied one)"},
    {.name = NULL},
};

/* What an action works on, and what it prints. */
typedef struct {
    PGconn *connection;
    const RpMigrationSet *set;
    gboolean is_json;
    int *status;
} Request;

typedef struct {
    const char *name;
    gboolean (*execute)(const Request *request, GError **error);
} Action;

/* ---- JSON ---- */

static json_t *state_json(const RpMigrationState *state) {
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:i, s:s?}", "version", state->version, "description", state->description,
                  "script", state->script, "checksum", (int)state->checksum, "applied_at", state->applied_at);
    if (state->applied_by != NULL)
        json_object_set_new(object, "applied_by", json_string(state->applied_by));
    if (state->standing == RP_MIGRATION_CHANGED)
        json_object_set_new(object, "applied_checksum", json_integer(state->applied_checksum));
    if (state->overtaken_by != NULL)
        json_object_set_new(object, "overtaken_by", json_string(state->overtaken_by));
    return object;
}

static json_t *states_json(const GPtrArray *states) {
    json_t *array = json_array();
    for (guint i = 0; i < states->len; i++)
        json_array_append_new(array, state_json(states->pdata[i]));
    return array;
}

/* One array for each standing. */
static json_t *standings_json(const GPtrArray *states) {
    json_t *object = json_object();
    for (guint standing = RP_MIGRATION_APPLIED; standing <= RP_MIGRATION_MISSING; standing++)
        json_object_set_new(object, rp_migration_standing_name((RpMigrationStanding)standing), json_array());
    for (guint i = 0; i < states->len; i++) {
        const RpMigrationState *state = states->pdata[i];
        json_array_append_new(json_object_get(object, rp_migration_standing_name(state->standing)),
                              state_json(state));
    }
    return object;
}

static void print_json(json_t *document) {
    json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
}

/* ---- text ---- */

enum { N_COLUMNS = 5 };

static void print_row(const char *const cells[N_COLUMNS], const glong widths[N_COLUMNS]) {
    g_autoptr(GString) line = g_string_new(NULL);
    for (guint i = 0; i < N_COLUMNS; i++) {
        g_string_append(line, cells[i]);
        for (glong width = g_utf8_strlen(cells[i], -1); width < widths[i] + 2; width++)
            g_string_append_c(line, ' ');
    }
    puts(g_strchomp(line->str));
}

static void fill_row(const RpMigrationState *state, const char *cells[N_COLUMNS]) {
    cells[0] = state->version;
    cells[1] = rp_migration_standing_name(state->standing);
    cells[2] = state->applied_at != NULL ? state->applied_at : "-";
    cells[3] = state->script;
    cells[4] = state->description;
}

static void print_table(const GPtrArray *states) {
    const char *cells[N_COLUMNS] = {"version", "state", "applied at", "file", "description"};
    glong widths[N_COLUMNS] = {0};
    for (guint i = 0; i < N_COLUMNS; i++)
        widths[i] = g_utf8_strlen(cells[i], -1);
    for (guint row = 0; row < states->len; row++) {
        const char *row_cells[N_COLUMNS];
        fill_row(states->pdata[row], row_cells);
        for (guint i = 0; i < N_COLUMNS; i++)
            widths[i] = MAX(widths[i], g_utf8_strlen(row_cells[i], -1));
    }
    print_row(cells, widths);
    for (guint row = 0; row < states->len; row++) {
        fill_row(states->pdata[row], cells);
        print_row(cells, widths);
    }
}

static void print_states(const GPtrArray *states, const char *none) {
    if (states->len > 0)
        print_table(states);
    else
        puts(none);
}

/* ---- actions ---- */

static gboolean show_status(const Request *request, GError **error) {
    g_autoptr(GPtrArray) states = rp_migrations_status(request->connection, request->set, NULL, error);
    if (states == NULL)
        return FALSE;
    if (request->is_json)
        print_json(standings_json(states));
    else
        print_states(states, "no versions");
    for (guint i = 0; i < states->len; i++) {
        g_autofree char *fault = rp_migration_state_fault(states->pdata[i]);
        if (fault == NULL)
            continue;
        *request->status = 1;
        if (!request->is_json)
            puts(fault);
    }
    return TRUE;
}

static void print_verdict(const GPtrArray *states, const GPtrArray *findings, gboolean is_json) {
    const char *verdict = findings->len == 0 ? "ok" : "findings";
    if (!is_json) {
        print_states(states, "no versions");
        for (guint i = 0; i < findings->len; i++)
            puts(findings->pdata[i]);
        puts(verdict);
        return;
    }
    json_t *document = standings_json(states);
    json_t *texts = json_array();
    for (guint i = 0; i < findings->len; i++)
        json_array_append_new(texts, json_string(findings->pdata[i]));
    json_object_set_new(document, "status", json_string(verdict));
    json_object_set_new(document, "findings", texts);
    print_json(document);
}

static gboolean verify(const Request *request, GError **error) {
    g_autoptr(GPtrArray) states = rp_migrations_status(request->connection, request->set, NULL, error);
    if (states == NULL)
        return FALSE;
    g_autoptr(GPtrArray) findings = rp_migrations_verify(states);
    print_verdict(states, findings, request->is_json);
    *request->status = findings->len > 0;
    return TRUE;
}

static gboolean apply(const Request *request, GError **error) {
    g_autoptr(GPtrArray) applied = NULL;
    if (!rp_migrations_apply(request->connection, request->set, NULL, &applied, error))
        return FALSE;
    if (request->is_json)
        print_json(json_pack("{s:o}", "applied", states_json(applied)));
    else
        print_states(applied, "nothing to apply");
    return TRUE;
}

static void print_undone(const GPtrArray *undone) {
    for (guint i = 0; i < undone->len; i++) {
        const RpMigrationState *state = undone->pdata[i];
        printf("undone %s %s\n", state->version, state->description);
    }
    if (undone->len == 0)
        puts("nothing to undo");
}

static gboolean undo(const Request *request, GError **error) {
    g_autoptr(GPtrArray) undone = NULL;
    if (!rp_migrations_undo(request->connection, request->set, NULL, to_version, &undone, error))
        return FALSE;
    if (request->is_json)
        print_json(json_pack("{s:o}", "undone", states_json(undone)));
    else
        print_undone(undone);
    return TRUE;
}

static const Action ACTIONS[] = {
    {"status", show_status}, {"apply", apply}, {"undo", undo}, {"verify", verify}};

static const Action *find_action(const char *name, GError **error) {
    const char *names[G_N_ELEMENTS(ACTIONS) + 1] = {NULL};
    for (guint i = 0; i < G_N_ELEMENTS(ACTIONS); i++) {
        if (strcmp(name, ACTIONS[i].name) == 0)
            return &ACTIONS[i];
        names[i] = ACTIONS[i].name;
    }
    g_autofree char *hint = rp_suggest_hint(name, names);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "schema knows no \"%s\"%s", name, hint);
    return NULL;
}

static const Action *read_words(int n_words, char **words, GError **error) {
    const Action *action = n_words > 0 ? find_action(words[0], error) : NULL;
    if (n_words > 0 && action == NULL)
        return NULL;
    if (n_words != 2) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "schema takes %s",
                    RP_COMMAND_SCHEMA.arguments);
        return NULL;
    }
    if (to_version != NULL && action->execute != undo) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--to belongs to schema undo, not to schema %s", action->name);
        return NULL;
    }
    return action;
}

static gboolean execute(const RpGlobals *globals, int n_words, char **words, int *status, GError **error) {
    const Action *action = read_words(n_words, words, error);
    if (action == NULL)
        return FALSE;
    g_autoptr(RpMigrationSet) set = rp_migration_set_load_folder(words[1], error);
    if (set == NULL)
        return FALSE;
    g_autoptr(PGconn) connection = rp_postgres_connect(globals->postgres_conninfo, error);
    if (connection == NULL)
        return FALSE;
    *status = 0;
    const Request request = {
        .connection = connection, .set = set, .is_json = globals->is_json, .status = status};
    return action->execute(&request, error);
}

const RpCommand RP_COMMAND_SCHEMA = {
    .name = "schema",
    .arguments = "status|apply|undo|verify DIR",
    .summary = "Apply, undo and verify versioned SQL: V001__name.sql, U001__name.sql",
    .example = "redis2pg --postgres dbname=shop schema apply schema/shop",
    .options = OPTIONS,
    .execute = execute,
};
