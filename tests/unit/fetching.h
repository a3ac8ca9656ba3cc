/* A private Redis and a fetch on it, whose limit is LIMIT: to be defined before. */
#pragma once

#include "sandbox/sandbox.h"
#include "source/fetch.h"

#include <criterion/criterion.h>
#include <glib.h>

static RpSandbox *sandbox;
static RpRedisAddress *address;
static redisContext *redis;
static RpFetch *fetch;
static RpRecords records;
static gint is_cancelled;

static void start(void) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions options = {.is_without_postgres = TRUE, .redis_databases = 2};
    sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    address = rp_redis_address_parse(rp_sandbox_get_redis_url(sandbox), &error);
    redis = rp_redis_connect(address, 30, &error);
    cr_assert(redis != NULL, "%s", error != NULL ? error->message : "");
    fetch = rp_fetch_new(address, &(RpPatience){LIMIT, 60, 0, &is_cancelled, NULL}, &error);
    cr_assert(fetch != NULL, "%s", error != NULL ? error->message : "");
    rp_records_init(&records);
}

static void stop(void) {
    rp_records_clear(&records);
    rp_fetch_free(fetch);
    redisFree(redis);
    rp_redis_address_free(address);
    rp_sandbox_stop(sandbox);
}

static void command(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(redis, format, arguments);
    va_end(arguments);
    cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s: %s", format,
              reply != NULL ? reply->str : "");
    freeReplyObject(reply);
}
