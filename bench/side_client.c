/* A client of Redis beside a load: GETs at a steady rate, and how long each took.
 *
 *     bench-side-client SOCKET RATE     until SIGTERM; prints microseconds, one a line, in the order of time
 *
 * A GET that was due while the one before it was still waited for counts from when it was due: a client that
 * only asks when it is free would not see most of a stall. */
#include <glib.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile sig_atomic_t is_over;

static void on_signal(int number) {
    (void)number;
    is_over = 1;
}

static gint64 now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void sleep_until(gint64 due_ns) {
    const struct timespec due = {.tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static void get(redisContext *redis) {
    redisReply *reply = redisCommand(redis, "GET bench:side");
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
        g_error("Redis: %s", reply != NULL ? reply->str : redis->errstr);
    freeReplyObject(reply);
}

static void ask_steadily(redisContext *redis, gint64 every_ns, GArray *took_ns) {
    gint64 free_ns = now_ns();
    for (gint64 due_ns = free_ns; !is_over; due_ns += every_ns) {
        gint64 since_ns = due_ns;
        if (free_ns < due_ns) {
            sleep_until(due_ns);
            since_ns = now_ns();
        }
        get(redis);
        free_ns = now_ns();
        const gint64 took = free_ns - since_ns;
        g_array_append_val(took_ns, took);
    }
}

int main(int argc, char **argv) {
    const int rate = argc == 3 ? atoi(argv[2]) : 0;
    if (rate < 1) {
        fprintf(stderr, "usage: bench-side-client SOCKET RATE\n");
        return 2;
    }
    redisContext *redis = redisConnectUnix(argv[1]);
    if (redis == NULL || redis->err != 0)
        g_error("Redis: %s", redis != NULL ? redis->errstr : "out of memory");
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    GArray *took_ns = g_array_new(FALSE, FALSE, sizeof(gint64));
    ask_steadily(redis, 1000000000 / rate, took_ns);
    for (guint i = 0; i < took_ns->len; i++)
        printf("%.1f\n", (double)g_array_index(took_ns, gint64, i) / 1000);
    g_array_unref(took_ns);
    redisFree(redis);
    return 0;
}
