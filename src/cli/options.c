/* Option tables to GOptionContext, and the precedence option, environment, file, default. */
#include "cli/options.h"

#include "base/error.h"
#include "base/suggest.h"
#include "cli/commands.h"
#include "cli/config.h"

#include <string.h>

static RpGlobals globals = {.is_redis_named = TRUE};

const RpOption RP_GLOBAL_OPTIONS[] = {
    {.name = "redis",
     .kind = RP_OPTION_TEXT,
     .target = &globals.redis_url,
     .argument = "URL",
     .environment = "REDIS2PG_REDIS_URL",
     .fallback = "redis://127.0.0.1:6379/0",
     .is_secret = TRUE,
     .help = "Redis: redis://[user:password@]host:port/db or unix:///path.sock?db=N"},
    {.name = "postgres",
     .kind = RP_OPTION_TEXT,
     .target = &globals.postgres_conninfo,
     .argument = "CONNINFO",
     .environment = "REDIS2PG_POSTGRES_URL",
     .fallback = "",
     .is_secret = TRUE,
     .help = "PostgreSQL: a URL or key=value pairs, as libpq takes them; PG* variables work too"},
    {.name = "mapping",
     .kind = RP_OPTION_TEXT,
     .target = &globals.mapping_path,
     .argument = "FILE",
     .environment = "REDIS2PG_MAPPING",
     .help = "a mapping file, or a folder of them"},
    {.name = "config",
     .kind = RP_OPTION_TEXT,
     .target = &globals.config_path,
     .argument = "FILE",
     .environment = "REDIS2PG_CONFIG",
     .help = "YAML file with the same names as the long options"},
    {.name = "json",
     .kind = RP_OPTION_FLAG,
     .target = &globals.is_json,
     .help = "the result as one JSON document on stdout"},
    {.name = "log-format",
     .kind = RP_OPTION_TEXT,
     .target = &globals.log_format,
     .argument = "text|json",
     .fallback = "text",
     .help = "form of the log lines on stderr"},
    {.name = "log-level",
     .kind = RP_OPTION_TEXT,
     .target = &globals.log_level,
     .argument = "error|warning|info|debug",
     .fallback = "info",
     .help = "which log lines are written"},
    {.name = "quiet",
     .kind = RP_OPTION_FLAG,
     .target = &globals.is_quiet,
     .help = "no progress, and no log lines below warning"},
    {.name = "progress",
     .kind = RP_OPTION_TEXT,
     .target = &globals.progress,
     .argument = "auto|bar|log|none",
     .fallback = "auto",
     .help = "progress on stderr; auto: a bar on a terminal, else a line now and then"},
    {0},
};

RpGlobals *rp_cli_globals(void) {
    return &globals;
}

/* An option and what the command line gave for it. */
typedef struct {
    const RpOption *option;
    gboolean flag;
    char *text;
    char **list;
    char *description; /* for help */
} Given;

static guint count_options(const RpOption *options) {
    guint n = 0;
    while (options != NULL && options[n].name != NULL)
        n++;
    return n;
}

static GArray *list_given(const RpCommand *command) {
    GArray *given = g_array_new(FALSE, TRUE, sizeof(Given));
    const RpOption *tables[] = {command->options, RP_GLOBAL_OPTIONS};
    for (guint t = 0; t < G_N_ELEMENTS(tables); t++)
        for (guint i = 0; i < count_options(tables[t]); i++) {
            const Given item = {.option = &tables[t][i]};
            g_array_append_val(given, item);
        }
    return given;
}

/* ---- values ---- */

static gboolean set_number(const RpOption *option, const char *text, const char *origin, GError **error) {
    gint64 number;
    if (!g_ascii_string_to_signed(text, 10, option->minimum, option->maximum, &number, NULL)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "%s: --%s takes a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                    ", not \"%s\"",
                    origin, option->name, option->minimum, option->maximum, text);
        return FALSE;
    }
    *(gint64 *)option->target = number;
    return TRUE;
}

static gboolean set_flag(const RpOption *option, const char *text, const char *origin, GError **error) {
    static const char *const words[] = {"false", "no", "0", "true", "yes", "1"};
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(text, words[i]) == 0) {
            *(gboolean *)option->target = i >= 3;
            return TRUE;
        }
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "%s: --%s is true or false, not \"%s\"",
                origin, option->name, text);
    return FALSE;
}

/* Gives an option a value that stands as text in origin ("the environment variable X"). */
static gboolean set_text(const RpOption *option, const char *text, const char *origin, GError **error) {
    switch (option->kind) {
    case RP_OPTION_FLAG:
        return set_flag(option, text, origin, error);
    case RP_OPTION_TEXT:
        *(char **)option->target = g_strdup(text);
        return TRUE;
    case RP_OPTION_NUMBER:
        return set_number(option, text, origin, error);
    case RP_OPTION_LIST:
        *(char ***)option->target = g_strsplit(text, ",", -1);
        return TRUE;
    }
    g_assert_not_reached();
}

static gboolean is_given(const Given *given) {
    return given->flag || given->text != NULL || given->list != NULL;
}

static gboolean apply_given(Given *given, GError **error) {
    const RpOption *option = given->option;
    if (option->kind == RP_OPTION_LIST)
        *(char ***)option->target = g_steal_pointer(&given->list);
    else if (option->kind == RP_OPTION_FLAG)
        *(gboolean *)option->target = TRUE;
    else
        return set_text(option, given->text, "command line", error);
    return TRUE;
}

static gboolean apply_absent(const Given *given, const RpConfig *config, GError **error) {
    const RpOption *option = given->option;
    const char *environment = option->environment != NULL ? g_getenv(option->environment) : NULL;
    if (environment != NULL && environment[0] != '\0')
        return set_text(option, environment, option->environment, error);
    const char *configured = config != NULL ? rp_config_get(config, option->name) : NULL;
    if (configured != NULL)
        return set_text(option, configured, rp_config_get_path(config), error);
    if (option->target == (void *)&globals.redis_url)
        globals.is_redis_named = FALSE;
    return option->fallback == NULL || set_text(option, option->fallback, "default", error);
}

/* An option that does nothing is a mistake on the command line. A file or the environment may serve several
 * words.
 */
static gboolean check_word(const RpCommand *command, const Given *given, const char *word, GError **error) {
    if (given->option->goes_with == NULL || word == NULL || !is_given(given))
        return TRUE;
    g_auto(GStrv) fitting = g_strsplit(given->option->goes_with, " ", -1);
    if (g_strv_contains((const char *const *)fitting, word))
        return TRUE;
    g_autofree char *listed = g_strjoinv(", ", fitting);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--%s does not go with %s %s (but with: %s)",
                given->option->name, command->name, word, listed);
    return FALSE;
}

/* ---- the configuration file ---- */

static void add_names(GPtrArray *names, const RpOption *options) {
    for (guint i = 0; i < count_options(options); i++)
        g_ptr_array_add(names, (gpointer)options[i].name);
}

/* One file may serve several commands: the names of all are known in it. */
static gboolean check_names(const RpConfig *config, GError **error) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    add_names(names, RP_GLOBAL_OPTIONS);
    for (guint i = 0; RP_COMMANDS[i] != NULL; i++)
        add_names(names, RP_COMMANDS[i]->options);
    g_ptr_array_add(names, NULL);
    return rp_config_check_names(config, (const char *const *)names->pdata, error);
}

static gboolean load_config(GArray *given, RpConfig **config, GError **error) {
    const char *path = g_getenv("REDIS2PG_CONFIG");
    for (guint i = 0; i < given->len; i++) {
        const Given *item = &g_array_index(given, Given, i);
        if (item->option->target == (void *)&globals.config_path && item->text != NULL)
            path = item->text;
    }
    if (path == NULL || path[0] == '\0')
        return TRUE;
    *config = rp_config_load(path, error);
    return *config != NULL;
}

/* ---- GOptionContext ---- */

/* What help says of an option: its text, its default, and the variable that gives it. */
static char *describe(const RpOption *option) {
    GString *text = g_string_new(option->help);
    if (option->fallback != NULL && option->fallback[0] != '\0')
        g_string_append_printf(text, " (default %s)", option->fallback);
    if (option->environment != NULL)
        g_string_append_printf(text, " [$%s]", option->environment);
    return g_string_free(text, FALSE);
}

static GOptionEntry entry_for(Given *item) {
    static const GOptionArg kinds[] = {
        [RP_OPTION_FLAG] = G_OPTION_ARG_NONE,
        [RP_OPTION_TEXT] = G_OPTION_ARG_STRING,
        [RP_OPTION_NUMBER] = G_OPTION_ARG_STRING,
        [RP_OPTION_LIST] = G_OPTION_ARG_STRING_ARRAY,
    };
    const RpOption *option = item->option;
    item->description = describe(option);
    return (GOptionEntry){.long_name = option->name,
                          .description = item->description,
                          .arg_description = option->argument,
                          .arg = kinds[option->kind],
                          .arg_data = option->kind == RP_OPTION_FLAG   ? (void *)&item->flag
                                      : option->kind == RP_OPTION_LIST ? (void *)&item->list
                                                                       : (void *)&item->text};
}

static void add_group(GOptionContext *context, const char *title, GArray *given, guint from, guint to) {
    g_autofree GOptionEntry *entries = g_new0(GOptionEntry, to - from + 1);
    for (guint i = from; i < to; i++)
        entries[i - from] = entry_for(&g_array_index(given, Given, i));
    GOptionGroup *group = g_option_group_new(title, title, "", NULL, NULL);
    g_option_group_add_entries(group, entries);
    g_option_context_add_group(context, group);
}

/* GOption says "Unknown option --foo": the nearest known one is added. */
static void explain_unknown(GArray *given, GError *error) {
    const char *dashes = strstr(error->message, "--");
    if (error->code != G_OPTION_ERROR_UNKNOWN_OPTION || dashes == NULL)
        return;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < given->len; i++)
        g_ptr_array_add(names, (gpointer)g_array_index(given, Given, i).option->name);
    g_ptr_array_add(names, NULL);
    /* What follows the name may be a secret. */
    g_autofree char *word = g_strndup(dashes + 2, strcspn(dashes + 2, "= "));
    const char *nearest = rp_suggest_nearest(word, (const char *const *)names->pdata);
    g_autofree char *hint =
        nearest != NULL ? g_strdup_printf(" (did you mean --%s?)", nearest) : g_strdup("");
    g_free(error->message);
    error->message = g_strdup_printf("unknown option --%s%s", word, hint);
}

static gboolean parse_line(const RpCommand *command, GArray *given, int argc, char **argv, GPtrArray *words,
                           gboolean *is_help, GError **error) {
    g_autofree char *usage =
        g_strdup_printf("%s %s", command->name, command->arguments != NULL ? command->arguments : "");
    GOptionContext *context = g_option_context_new(g_strchomp(usage));
    const GOptionEntry help[] = {{"help", 'h', 0, G_OPTION_ARG_NONE, is_help, "this text", NULL}, {0}};
    const guint n_own = count_options(command->options);
    g_autofree char *example = g_strdup_printf("Example:\n  %s", command->example);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_summary(context, command->summary);
    g_option_context_set_description(context, example);
    g_option_context_add_main_entries(context, help, NULL);
    if (n_own > 0)
        add_group(context, "Options of this command:", given, 0, n_own);
    add_group(context, "Options of every command:", given, n_own, given->len);
    g_autoptr(GError) trouble = NULL;
    const gboolean is_fine = g_option_context_parse(context, &argc, &argv, &trouble);
    if (!is_fine) {
        explain_unknown(given, trouble);
        g_set_error_literal(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, trouble->message);
    } else if (*is_help) {
        g_autofree char *text = g_option_context_get_help(context, FALSE, NULL);
        g_print("%s", text);
    }
    g_option_context_free(context);
    for (int i = 1; is_fine && i < argc; i++)
        if (strcmp(argv[i], "--") != 0)
            g_ptr_array_add(words, argv[i]);
    g_ptr_array_add(words, NULL);
    return is_fine;
}

gboolean rp_cli_parse(const RpCommand *command, RpGlobals *out, int argc, char **argv, GPtrArray *words,
                      gboolean *is_help, GError **error) {
    g_autoptr(GArray) given = list_given(command);
    g_autoptr(RpConfig) config = NULL;
    *is_help = FALSE;
    gboolean is_fine = parse_line(command, given, argc, argv, words, is_help, error);
    if (is_fine && !*is_help)
        is_fine = load_config(given, &config, error) && (config == NULL || check_names(config, error));
    for (guint i = 0; i < given->len; i++) {
        Given *item = &g_array_index(given, Given, i);
        if (is_fine && !*is_help)
            is_fine = check_word(command, item, words->pdata[0], error);
        if (is_fine && !*is_help)
            is_fine = is_given(item) ? apply_given(item, error) : apply_absent(item, config, error);
        g_free(item->text);
        g_free(item->description);
        g_strfreev(item->list);
    }
    *out = globals;
    return is_fine;
}
