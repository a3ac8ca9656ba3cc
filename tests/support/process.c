/* Runs the program under test, reads both of its outputs, and does not wait for ever. */
#include "harness-private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Far more than any of them takes: only what hangs is ended, not what is slow on a busy machine. */
#define LIMIT_SECONDS      180
#define STOP_LIMIT_SECONDS 120

struct _RpProcess {
    GPid pid;
    int output_fd;
    int errors_fd;
    gint64 limit;
    char *words; /* for messages */
};

static char **build_arguments(const RpCase *test_case, const char *const *words) {
    GPtrArray *arguments = g_ptr_array_new();
    const char *binary = g_getenv("REDIS2PG_BINARY");
    cr_assert(binary != NULL, "REDIS2PG_BINARY is not set: run the tests with meson test");
    g_ptr_array_add(arguments, g_strdup(binary));
    g_ptr_array_add(arguments, g_strdup("--redis"));
    g_ptr_array_add(arguments, g_strdup(test_case->redis_url));
    g_ptr_array_add(arguments, g_strdup("--postgres"));
    g_ptr_array_add(arguments, g_strdup(test_case->conninfo));
    for (; *words != NULL; words++)
        g_ptr_array_add(arguments, g_strdup(*words));
    g_ptr_array_add(arguments, NULL);
    return (char **)g_ptr_array_free(arguments, FALSE);
}

/* The words of a call as an array that ends in NULL; the words stay the caller's. */
static GPtrArray *collect_words(const char *word, va_list words) {
    GPtrArray *collected = g_ptr_array_new();
    for (; word != NULL; word = va_arg(words, const char *))
        g_ptr_array_add(collected, (gpointer)word);
    g_ptr_array_add(collected, NULL);
    return collected;
}

RpProcess *rp_case_spawn_in(RpCase *test_case, char **environment, const char *const *words) {
    g_auto(GStrv) arguments = build_arguments(test_case, words);
    g_autoptr(GError) error = NULL;
    RpProcess *process = g_new0(RpProcess, 1);
    const gboolean is_spawned =
        g_spawn_async_with_pipes(NULL, arguments, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                 &process->pid, NULL, &process->output_fd, &process->errors_fd, &error);
    cr_assert(is_spawned, "%s", error != NULL ? error->message : "");
    process->limit = g_get_monotonic_time() + LIMIT_SECONDS * G_USEC_PER_SEC;
    process->words = g_strjoinv(" ", arguments);
    return process;
}

RpProcess *rp_case_spawn(RpCase *test_case, const char *word, ...) {
    va_list words;
    va_start(words, word);
    g_autoptr(GPtrArray) collected = collect_words(word, words);
    va_end(words);
    return rp_case_spawn_in(test_case, NULL, (const char *const *)collected->pdata);
}

void rp_process_signal(RpProcess *process, int number) {
    kill(process->pid, number);
}

void rp_process_await_stopped(RpProcess *process) {
    const gint64 limit = g_get_monotonic_time() + STOP_LIMIT_SECONDS * G_USEC_PER_SEC;
    siginfo_t info = {0};
    while (waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0) {
        cr_assert(g_get_monotonic_time() < limit, "%s: does not stop", process->words);
        g_usleep(2000);
    }
    const gboolean is_stopped = info.si_code == CLD_STOPPED;
    if (!is_stopped) {
        RpOutcome out;
        rp_process_wait(process, &out);
        cr_assert(is_stopped, "ended with status %d instead of standing still\n%s%s", out.status, out.output,
                  out.errors);
    }
    /* Taken, so that the next stop can be told from this one. */
    cr_assert(eq(int, waitid(P_PID, (id_t)process->pid, &info, WSTOPPED), 0));
}

static gboolean read_part(struct pollfd *source, GString *text) {
    char part[16384];
    if (source->revents == 0)
        return TRUE;
    const ssize_t size = read(source->fd, part, sizeof part);
    if (size > 0)
        g_string_append_len(text, part, size);
    else if (size == 0 || errno != EINTR)
        source->fd = -1;
    return source->fd >= 0;
}

/* Reads both outputs to their ends. FALSE when the time is up first. */
static gboolean read_outputs(const RpProcess *process, GString *output, GString *errors) {
    struct pollfd sources[] = {{.fd = process->output_fd, .events = POLLIN},
                               {.fd = process->errors_fd, .events = POLLIN}};
    while (sources[0].fd >= 0 || sources[1].fd >= 0) {
        const gint64 left_ms = (process->limit - g_get_monotonic_time()) / 1000;
        if (left_ms <= 0)
            return FALSE;
        if (poll(sources, G_N_ELEMENTS(sources), (int)left_ms) > 0) {
            read_part(&sources[0], output);
            read_part(&sources[1], errors);
        }
    }
    return TRUE;
}

void rp_process_wait(RpProcess *process, RpOutcome *out) {
    GString *output = g_string_new(NULL);
    GString *errors = g_string_new(NULL);
    int status = 0;
    const gboolean is_in_time = read_outputs(process, output, errors);
    if (!is_in_time)
        kill(process->pid, SIGKILL);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
    }
    close(process->output_fd);
    close(process->errors_fd);
    *out = (RpOutcome){.output = g_string_free(output, FALSE), .errors = g_string_free(errors, FALSE)};
    out->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    cr_assert(is_in_time, "%s: not done after %d seconds\n%s%s", process->words, LIMIT_SECONDS, out->output,
              out->errors);
    g_free(process->words);
    g_free(process);
}

void rp_case_run_words(RpCase *test_case, RpOutcome *out, const char *const *words) {
    rp_process_wait(rp_case_spawn_in(test_case, NULL, words), out);
}

void rp_case_run(RpCase *test_case, RpOutcome *out, const char *word, ...) {
    va_list words;
    va_start(words, word);
    g_autoptr(GPtrArray) collected = collect_words(word, words);
    va_end(words);
    rp_case_run_words(test_case, out, (const char *const *)collected->pdata);
}

json_t *rp_outcome_json(const RpOutcome *out) {
    json_error_t error;
    json_t *document = json_loads(out->output, JSON_REJECT_DUPLICATES, &error);
    cr_assert(document != NULL, "stdout is no JSON (%s, line %d), exit status %d\n%s%s", error.text,
              error.line, out->status, out->output, out->errors);
    return document;
}

void rp_outcome_clear(RpOutcome *out) {
    g_clear_pointer(&out->output, g_free);
    g_clear_pointer(&out->errors, g_free);
}

void rp_outcome_assert_status(const RpOutcome *out, int expected) {
    cr_assert(out->status == expected, "exit status %d instead of %d\n%s%s", out->status, expected,
              out->output, out->errors);
}
