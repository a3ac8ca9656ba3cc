/* Options as tables: one row declares an option's name, environment, default, help and secrecy. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    RP_OPTION_FLAG,   /* target is a gboolean */
    RP_OPTION_TEXT,   /* target is a char *, owned by the option table */
    RP_OPTION_NUMBER, /* target is a gint64; minimum and maximum hold */
    RP_OPTION_LIST,   /* target is a char **, NULL when never given; repeatable */
} RpOptionKind;

typedef struct {
    const char *name; /* long name without dashes; the key in a --config file too */
    RpOptionKind kind;
    void *target;
    const char *argument;    /* what help shows after the name: "URL"; NULL for flags */
    const char *environment; /* variable that gives the value when the option is absent, or NULL */
    const char *fallback;    /* default as text, or NULL */
    const char *help;
    gint64 minimum;
    gint64 maximum;
    gboolean is_secret; /* its value must not be shown */
    const char
        *goes_with; /* the command's first words that it may be given with ("list export"); NULL: any */
} RpOption;

/* The options that every command takes. Valid after rp_cli_parse. */
typedef struct {
    char *redis_url;
    gboolean is_redis_named; /* it is not the default */
    char *postgres_conninfo;
    char *mapping_path; /* NULL: none */
    char *config_path;
    gboolean is_json;
    char *log_format;
    char *log_level;
    gboolean is_quiet;
    char *progress;
} RpGlobals;

/* A command: one file of cli/ each, listed in cli/main.c. */
typedef struct {
    const char *name;
    const char *arguments; /* after the name in the usage line: "status|apply|undo|verify DIR" */
    const char *summary;
    const char *example;
    const RpOption *options; /* ends with a row whose name is NULL; may be NULL */
    /* Does the work. words are the arguments that are no options. TRUE: *status is 0, or 1 for "done, with
     * findings" (CLI.md's exit statuses). FALSE: error is set, and main turns it into an exit status. */
    gboolean (*execute)(const RpGlobals *globals, int n_words, char **words, int *status, GError **error);
} RpCommand;

extern const RpOption RP_GLOBAL_OPTIONS[];

/* Reads argv (all of it) for one command: global options and the command's own, in any order; then fills
 * what is absent from the environment, the --config file and the defaults. words (NULL-terminated, borrowed
 * from argv) gets what is no option. Error: RP_USAGE_ERROR, with the nearest name for an unknown option.
 * *is_help is set when help was asked for (and printed). */
gboolean rp_cli_parse(const RpCommand *command, RpGlobals *globals, int argc, char **argv, GPtrArray *words,
                      gboolean *is_help, GError **error);

/* The shared values that RP_GLOBAL_OPTIONS writes to. */
RpGlobals *rp_cli_globals(void);

G_END_DECLS
