/* The commands that read keys, word by word. */
#include "source/commands.h"

#define MAX_WORDS 6

/* A command of few words, of which one is a key. */
typedef struct {
    const char *words[MAX_WORDS];
    gsize sizes[MAX_WORDS];
    int n_words;
    char numbers[4][48]; /* what words made of numbers stand in */
    guint n_numbers;
} Command;

static void add_word(Command *command, RpSpan word) {
    command->words[command->n_words] = word.data;
    command->sizes[command->n_words++] = word.size;
}

static void add_text(Command *command, const char *word) {
    add_word(command, rp_span(word));
}

/* Every hash that is read has one. */
static void add_number(Command *command, guint64 number) {
    char *const end = command->numbers[command->n_numbers++] + sizeof command->numbers[0];
    char *at = end;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    add_word(command, (RpSpan){at, (gsize)(end - at)});
}

static void add_id(Command *command, const guint64 id[2]) {
    char *text = command->numbers[command->n_numbers++];
    g_snprintf(text, sizeof command->numbers[0], "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, id[0], id[1]);
    add_text(command, text);
}

static void send_command(RpChannel *channel, const Command *command) {
    rp_channel_send(channel, command->n_words, command->words, command->sizes);
}

void rp_command_send_about(RpChannel *channel, const char *word, RpSpan key) {
    Command command = {0};
    add_text(&command, word);
    add_word(&command, key);
    send_command(channel, &command);
}

/* HRANDFIELD with a count over the number of fields gives all of them, in HGETALL's way and order, and takes
 * no longer; of a hash with more it gives no more than was asked for (redis: t_hash.c,
 * hrandfieldWithCountCommand). HLEN first would cost half as much again. */
void rp_command_send_hash(RpChannel *channel, guint max_fields, RpSpan key) {
    if (max_fields == 0) {
        rp_command_send_about(channel, "HGETALL", key);
        return;
    }
    Command command = {0};
    add_text(&command, "HRANDFIELD");
    add_word(&command, key);
    add_number(&command, max_fields);
    add_text(&command, "WITHVALUES");
    send_command(channel, &command);
}

/* HMGET wants a field; what stands in the one without a name is taken by nobody then. */
void rp_command_send_fields(RpChannel *channel, const GPtrArray *fields, RpSpan key) {
    const guint n_words = MAX(fields->len, 1) + 2;
    g_autofree const char **words = g_new(const char *, n_words);
    g_autofree gsize *sizes = g_new(gsize, n_words);
    words[0] = "HMGET";
    sizes[0] = strlen("HMGET");
    words[1] = key.data;
    sizes[1] = key.size;
    words[2] = "";
    sizes[2] = 0;
    for (guint i = 0; i < fields->len; i++) {
        words[i + 2] = g_ptr_array_index(fields, i);
        sizes[i + 2] = strlen(words[i + 2]);
    }
    rp_channel_send(channel, (int)n_words, words, sizes);
}

void rp_command_send_window(RpChannel *channel, RpRecordType type, const RpWindow *window, RpSpan key) {
    static const char *const commands[] = {
        [RP_RECORD_LIST] = "LRANGE",
        [RP_RECORD_SET] = "SSCAN",
        [RP_RECORD_ZSET] = "ZSCAN",
        [RP_RECORD_STREAM] = "XRANGE",
    };
    Command command = {0};
    add_text(&command, commands[type]);
    add_word(&command, key);
    if (type == RP_RECORD_LIST) {
        add_number(&command, window->n_before);
        add_number(&command, window->n_before + window->count - 1);
    } else if (type == RP_RECORD_STREAM) {
        add_id(&command, window->id);
        add_text(&command, "+");
        add_text(&command, "COUNT");
        add_number(&command, window->count);
    } else {
        add_number(&command, window->cursor);
        add_text(&command, "COUNT");
        add_number(&command, window->count);
    }
    send_command(channel, &command);
}

void rp_command_send_scan(RpChannel *channel, guint64 cursor, const char *match, guint count) {
    Command command = {0};
    add_text(&command, "SCAN");
    add_number(&command, cursor);
    add_text(&command, "COUNT");
    add_number(&command, count);
    if (match != NULL) {
        add_text(&command, "MATCH");
        add_text(&command, match);
    }
    send_command(channel, &command);
}
