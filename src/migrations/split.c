/* SQL text cut into its statements. */
#include "migrations/split.h"

#include <string.h>

/* Where the scan stands, and what it knows about the statement at hand. */
typedef struct {
    const char *at;
    const char *counted_to; /* lines are counted up to here */
    guint line;
    guint paren_depth;
    guint begin_depth; /* of BEGIN ATOMIC … END, and CASE … END within */
    guint n_words;
    char routine[4]; /* first letters of the leading CREATE [OR REPLACE] FUNCTION|PROCEDURE words */
    gboolean is_open;
    RpStatement statement;
} Scan;

static gboolean is_word_start(char c) {
    return g_ascii_isalpha(c) || c == '_' || ((guchar)c & 0x80) != 0;
}

static gboolean is_word_part(char c) {
    return is_word_start(c) || g_ascii_isdigit(c) || c == '$';
}

static gboolean word_is(RpSpan word, const char *name) {
    return word.size == strlen(name) && g_ascii_strncasecmp(word.data, name, word.size) == 0;
}

static const char *after_line_comment(const char *at) {
    return at + strcspn(at, "\r\n");
}

static const char *after_block_comment(const char *at) {
    guint depth = 0;
    while (*at != '\0') {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at += 2;
        } else if (at[0] == '*' && at[1] == '/') {
            at += 2;
            if (--depth == 0)
                return at;
        } else {
            at++;
        }
    }
    return at;
}

/* From an opening quote to after the closing one; a doubled quote is part of the text. */
static const char *after_quoted(const char *at, gboolean has_escapes) {
    const char quote = *at++;
    for (; *at != '\0'; at++) {
        if (has_escapes && *at == '\\' && at[1] != '\0') {
            at++;
        } else if (*at == quote) {
            if (at[1] != quote)
                return at + 1;
            at++;
        }
    }
    return at;
}

/* A quoted text goes on after white space with a newline in it, and an E'' text keeps its escapes then.
 * Returns the quote where it does, or NULL. */
static const char *continued_quote(const char *at) {
    gboolean is_on_new_line = FALSE;
    for (;;) {
        if (at[0] == '-' && at[1] == '-') {
            at = after_line_comment(at);
        } else if (*at != '\0' && strchr(" \t\n\r\f\v", *at) != NULL) {
            is_on_new_line |= *at == '\n' || *at == '\r';
            at++;
        } else {
            return *at == '\'' && is_on_new_line ? at : NULL;
        }
    }
}

static const char *after_escaped_text(const char *at) {
    for (const char *quote = at; quote != NULL; quote = continued_quote(at))
        at = after_quoted(quote, TRUE);
    return at;
}

/* $tag$ … $tag$, or just after the dollar when it opens no quote. */
static const char *after_dollar(const char *at) {
    const char *tag_end = at + 1;
    if (is_word_start(*tag_end))
        while (is_word_part(*tag_end) && *tag_end != '$')
            tag_end++;
    if (*tag_end != '$')
        return at + 1;
    g_autofree char *tag = g_strndup(at, (gsize)(tag_end - at) + 1);
    const char *closing = strstr(tag_end + 1, tag);
    return closing != NULL ? closing + strlen(tag) : at + strlen(at);
}

static void open_statement(Scan *scan) {
    if (scan->is_open)
        return;
    for (; scan->counted_to < scan->at; scan->counted_to++)
        scan->line += *scan->counted_to == '\n';
    scan->statement = (RpStatement){.text = {scan->at, 0}, .line = scan->line};
    scan->paren_depth = scan->begin_depth = scan->n_words = 0;
    memset(scan->routine, 0, sizeof scan->routine);
    scan->is_open = TRUE;
}

static void close_statement(Scan *scan, GArray *statements) {
    if (!scan->is_open)
        return;
    scan->statement.text.size = (gsize)(scan->at - scan->statement.text.data);
    while (g_ascii_isspace(scan->statement.text.data[scan->statement.text.size - 1]))
        scan->statement.text.size--;
    g_array_append_val(statements, scan->statement);
    scan->is_open = FALSE;
}

static gboolean creates_routine(const Scan *scan) {
    const char *letters = scan->routine;
    const char kind = letters[1] == 'o' && letters[2] == 'r' ? letters[3] : letters[1];
    return letters[0] == 'c' && (kind == 'f' || kind == 'p');
}

/* psqlscan.l: only in the body of a routine do BEGIN and CASE open what END closes. */
static void note_word(Scan *scan, RpSpan word) {
    static const char *const ROUTINE_WORDS[] = {"create", "or", "replace", "function", "procedure"};
    if (scan->n_words < G_N_ELEMENTS(scan->statement.words))
        scan->statement.words[scan->n_words] = word;
    if (scan->n_words < sizeof scan->routine)
        for (guint i = 0; i < G_N_ELEMENTS(ROUTINE_WORDS); i++)
            if (word_is(word, ROUTINE_WORDS[i]))
                scan->routine[scan->n_words] = ROUTINE_WORDS[i][0];
    scan->n_words++;
    if (!creates_routine(scan) || scan->paren_depth > 0)
        return;
    if (word_is(word, "begin") || (word_is(word, "case") && scan->begin_depth > 0))
        scan->begin_depth++;
    else if (word_is(word, "end") && scan->begin_depth > 0)
        scan->begin_depth--;
}

static void scan_word(Scan *scan) {
    RpSpan word = {scan->at, 0};
    while (is_word_part(word.data[word.size]))
        word.size++;
    scan->at += word.size;
    if (*scan->at == '\'' && word_is(word, "e"))
        scan->at = after_escaped_text(scan->at);
    else
        note_word(scan, word);
}

static void scan_token(Scan *scan) {
    open_statement(scan);
    const char c = *scan->at;
    if (c == '\'' || c == '"') {
        scan->at = after_quoted(scan->at, FALSE);
    } else if (c == '$') {
        scan->at = after_dollar(scan->at);
    } else if (is_word_start(c)) {
        scan_word(scan);
    } else {
        if (c == '(')
            scan->paren_depth++;
        else if (c == ')' && scan->paren_depth > 0)
            scan->paren_depth--;
        scan->at++;
    }
}

GArray *rp_sql_split(const char *sql) {
    GArray *statements = g_array_new(FALSE, FALSE, sizeof(RpStatement));
    Scan scan = {.at = sql, .counted_to = sql, .line = 1};
    const char *last_token_end = sql;
    while (*scan.at != '\0') {
        if (scan.at[0] == '-' && scan.at[1] == '-') {
            scan.at = after_line_comment(scan.at);
        } else if (scan.at[0] == '/' && scan.at[1] == '*') {
            scan.at = after_block_comment(scan.at);
        } else if (g_ascii_isspace(*scan.at) || *scan.at == '\v') {
            scan.at++;
        } else if (*scan.at == ';' && (!scan.is_open || (scan.paren_depth == 0 && scan.begin_depth == 0))) {
            close_statement(&scan, statements);
            scan.at++;
        } else {
            scan_token(&scan);
            last_token_end = scan.at;
        }
    }
    scan.at = last_token_end;
    close_statement(&scan, statements);
    return statements;
}

static gboolean is_optional_word(RpSpan word) {
    return word_is(word, "work") || word_is(word, "transaction");
}

gboolean rp_statement_is_transaction_control(const RpStatement *statement) {
    const RpSpan *words = statement->words;
    if (word_is(words[0], "rollback"))
        return !word_is(is_optional_word(words[1]) ? words[2] : words[1], "to");
    if (word_is(words[0], "start") || word_is(words[0], "prepare"))
        return word_is(words[1], "transaction");
    return word_is(words[0], "begin") || word_is(words[0], "commit") || word_is(words[0], "end") ||
           word_is(words[0], "abort");
}

guint rp_sql_line_of(RpSpan sql, gulong position) {
    const char *end = sql.data + sql.size;
    guint line = 1;
    for (const char *at = sql.data; at < end && position > 1; at = g_utf8_next_char(at), position--)
        line += *at == '\n';
    return line;
}
