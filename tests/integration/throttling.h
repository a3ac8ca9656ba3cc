/* The shop of nine customers, as throttled runs load it, and a proxy before its Redis. */
#pragma once

#include "proxy.h"
#include "shop.h"

static inline gint64 count_keys(RpCase *test_case) {
    return rp_case_redis_number(test_case, "DBSIZE");
}

static inline double seconds_of(json_t *document) {
    return json_number_value(rp_json_at(document, "seconds"));
}

static inline void assert_shop_is_there(RpCase *test_case, json_t *run) {
    rp_assert_account(run, "customers", "read 9, inserted 9");
    rp_assert_account(run, "orders", "read 36, inserted 36");
    rp_assert_account(run, "payments", "read 27, inserted 27");
    cr_assert(eq(i64, rp_json_number(run, "keys.scanned"), count_keys(test_case)));
}

typedef struct {
    RpCase *test_case;
    RpProxy *proxy;
    char *url;
} Slow;

static inline Slow slow_new(void) {
    Slow slow = {.test_case = rp_case_new()};
    rp_case_fill(slow.test_case, 9, "0");
    slow.proxy = rp_proxy_new(slow.test_case->redis->unix_sock.path);
    slow.url = g_strdup_printf("unix://%s?db=%u", rp_proxy_get_socket(slow.proxy), slow.test_case->number);
    return slow;
}

static inline void slow_clear(Slow *slow) {
    rp_proxy_free(slow->proxy);
    g_free(slow->url);
    rp_case_free(slow->test_case);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Slow, slow_clear)
