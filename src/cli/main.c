/* The program: finds the command, reads its options, and turns what came of it into an exit status. */
#include "base/error.h"
#include "base/event.h"
#include "base/log.h"
#include "base/suggest.h"
#include "cli/commands.h"
#include "cli/exit_status.h"

#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void print_usage(void) {
    g_print("Usage: redis2pg [GLOBAL OPTIONS] COMMAND [OPTIONS]\n\n"
            "Moves data out of Redis into PostgreSQL tables with constraints, and accounts for every key.\n\n"
            "Commands:\n");
    for (guint i = 0; RP_COMMANDS[i] != NULL; i++) {
        g_autofree char *first_line =
            g_strndup(RP_COMMANDS[i]->summary, strcspn(RP_COMMANDS[i]->summary, "\n"));
        g_print("  %-10s %s\n", RP_COMMANDS[i]->name, first_line);
    }
    g_print("\nOptions of each: redis2pg COMMAND --help\n"
            "Example:\n  redis2pg demo\n");
}

/* Whether the option named by arg ("--redis") takes the next argument as its value. */
static gboolean takes_next(const char *arg) {
    if (!g_str_has_prefix(arg, "--") || strchr(arg, '=') != NULL)
        return FALSE;
    for (const RpOption *option = RP_GLOBAL_OPTIONS; option->name != NULL; option++)
        if (strcmp(option->name, arg + 2) == 0)
            return option->kind != RP_OPTION_FLAG;
    return FALSE;
}

/* The position of the command word: the first argument that is no option and no option's value; 0: none. */
static int find_command_word(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            return i;
        if (takes_next(argv[i]))
            i++;
    }
    return 0;
}

static const RpCommand *find_command(const char *name, GError **error) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; RP_COMMANDS[i] != NULL; i++) {
        if (strcmp(RP_COMMANDS[i]->name, name) == 0)
            return RP_COMMANDS[i];
        g_ptr_array_add(names, (gpointer)RP_COMMANDS[i]->name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *hint = rp_suggest_hint(name, (const char *const *)names->pdata);
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                "there is no command \"%s\"%s (see redis2pg --help)", name, hint);
    return NULL;
}

static gboolean configure_log(const RpGlobals *globals, GError **error) {
    RpLogLevel level;
    const gboolean is_json = strcmp(globals->log_format, "json") == 0;
    if (!is_json && strcmp(globals->log_format, "text") != 0) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "--log-format is text or json, not \"%s\"",
                    globals->log_format);
        return FALSE;
    }
    if (!rp_log_level_parse(globals->log_level, &level)) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "--log-level is error, warning, info or debug, not \"%s\"", globals->log_level);
        return FALSE;
    }
    if (globals->is_quiet)
        level = MIN(level, RP_LOG_WARNING);
    rp_log_configure(is_json ? RP_LOG_JSON : RP_LOG_TEXT, level);
    return TRUE;
}

static gboolean run_command(int argc, char **argv, int *status, GError **error) {
    const int word = find_command_word(argc, argv);
    for (int i = 1; i < (word > 0 ? word : argc); i++) {
        if (strcmp(argv[i], "--version") == 0) {
            g_print("redis2pg %s\n", REDIS2PG_VERSION);
            return TRUE;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_usage();
            return TRUE;
        }
    }
    if (word == 0) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "a command is missing (see redis2pg --help)");
        return FALSE;
    }
    const RpCommand *command = find_command(argv[word], error);
    if (command == NULL)
        return FALSE;
    memmove(&argv[word], &argv[word + 1], sizeof(char *) * (gsize)(argc - word));
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    RpGlobals globals;
    gboolean is_help;
    if (!rp_cli_parse(command, &globals, argc - 1, argv, words, &is_help, error))
        return FALSE;
    if (is_help)
        return TRUE;
    return configure_log(&globals, error) &&
           command->execute(&globals, (int)words->len - 1, (char **)words->pdata, status, error);
}

/* A stream that the caller has closed would be the number of the next socket, and what is printed would go to
 * a server. */
static void fill_standard_streams(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv) {
    fill_standard_streams();
    setlocale(LC_CTYPE, "C.UTF-8");
    /* Batch buffers live in mappings of their own: they grow without copies and go back when they are freed.
     */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_ARENA_MAX, 2);
    signal(SIGPIPE, SIG_IGN); /* a server that went away is an error of the call, not the end */
    g_autoptr(GError) error = NULL;
    int status = RP_EXIT_OK;
    if (rp_event_arm(g_getenv("REDIS2PG_FAULT"), &error) && run_command(argc, argv, &status, &error)) {
        if (fflush(stdout) == 0 && !ferror(stdout))
            return status;
        g_set_error(
            &error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
            "the result could not be written to stdout; what the command did stands (redis2pg runs list)");
    }
    rp_log(RP_LOG_ERROR, "%s", error->message);
    return (int)rp_exit_status(error);
}
