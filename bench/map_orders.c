/* Times the mapper alone: reads orders of the shop out of Redis once, and maps them again and again. Prints
 * the nanoseconds that each round took for an order, a line each. bench/map runs it. */
#include "mapping/mapper.h"
#include "sink/binding.h"
#include "source/fetch.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_KEYS  1000
#define MAX_VALUE  (64 * 1024 * 1024)
#define BATCH_ROWS 10000

/* Fails the measurement, which cannot go on. */
static void expect(gboolean is_fine, GError **error, const char *what) {
    if (is_fine)
        return;
    fprintf(stderr, "map_orders: %s: %s\n", what, *error != NULL ? (*error)->message : "not as expected");
    exit(2);
}

static guint number_of(const RpMapping *mapping, const char *name) {
    for (guint i = 0; i < mapping->entities->len; i++)
        if (mapping->entities->pdata[i] == rp_mapping_find_entity(mapping, name))
            return i;
    g_assert_not_reached();
}

static void read_page(RpFetch *fetch, const RpRead *read, const RpKeyPage *page, RpRecords *records,
                      GError **error) {
    for (guint i = 0; i < rp_key_page_size(page); i++)
        rp_fetch_send_read(fetch, read, &(RpWindow){0}, rp_key_page_get(page, i));
    for (guint i = 0; i < rp_key_page_size(page); i++) {
        gboolean is_complete;
        RpWindow window = {0};
        expect(rp_fetch_receive_read(fetch, read, &window, rp_key_page_get(page, i), records, &is_complete,
                                     error),
               error, "reading an order");
    }
}

static void read_orders(const RpRedisAddress *address, const RpMapping *mapping, guint number,
                        RpBatch *batch) {
    static const gint never = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(RpFetch) fetch = rp_fetch_new(address, &(RpPatience){MAX_VALUE, 60, 0, &never, NULL}, &error);
    expect(fetch != NULL, &error, "connecting to Redis");
    const RpEntity *entity = g_ptr_array_index(mapping->entities, number);
    const RpRead read = {.entity = number, .type = entity->scope.type, .fields = entity->scope.fields};
    g_autofree char *match = rp_pattern_scan_match(entity->keys);
    RpKeyPage page;
    rp_key_page_init(&page);
    do {
        rp_fetch_send_scan(fetch, page.next_cursor, match, PAGE_KEYS);
        expect(rp_fetch_receive_page(fetch, &page, &error), &error, "scanning");
        read_page(fetch, &read, &page, &batch->records, &error);
    } while (page.next_cursor != 0 && batch->records.index->len < BATCH_ROWS);
    rp_key_page_clear(&page);
}

static void empty(RpBatch *batch, guint number) {
    rp_tuples_reset(&batch->tuples[number], G_MAXSIZE);
    batch->counts[number] = (RpCounts){0};
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: map_orders MAPPING ROUNDS REPEATS (servers by REDIS2PG_* variables)\n");
        return 2;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(RpFindings) findings = rp_findings_new();
    g_autoptr(RpMapping) mapping = rp_mapping_load(argv[1], findings);
    PGconn *postgres = rp_postgres_connect(g_getenv("REDIS2PG_POSTGRES_URL"), &error);
    expect(postgres != NULL, &error, "connecting to PostgreSQL");
    g_autoptr(RpBinding) binding = rp_binding_new(postgres, mapping, NULL, findings, &error);
    expect(binding != NULL && rp_findings_check(findings, &error), &error, "binding the mapping");
    g_autoptr(RpRedisAddress) address = rp_redis_address_parse(g_getenv("REDIS2PG_REDIS_URL"), &error);
    expect(address != NULL, &error, "the address of Redis");
    const guint number = number_of(mapping, "orders");
    g_autoptr(RpBatch) batch = rp_batch_new(mapping->entities->len);
    read_orders(address, mapping, number, batch);
    const guint n_orders = batch->records.index->len;
    g_autoptr(RpMapper) mapper =
        rp_mapper_new(mapping, &(RpOccasion){0, g_get_real_time()}, G_MAXUINT, G_MAXSIZE);
    for (int round = 0; round < atoi(argv[2]); round++) {
        const gint64 start = g_get_monotonic_time();
        for (int repeat = 0; repeat < atoi(argv[3]); repeat++) {
            empty(batch, number);
            rp_mapper_map(mapper, batch);
        }
        expect(batch->tuples[number].rows->len == n_orders && n_orders > 0, &error, "an order was rejected");
        printf("%.1f\n", (double)(g_get_monotonic_time() - start) * 1000 / n_orders / atoi(argv[3]));
    }
    PQfinish(postgres);
    return 0;
}
