/* Sampling keys with SCAN. */
#include "pipeline/sample.h"

#include "model/batch.h"
#include "source/fetch.h"

#define PAGE_KEYS 1000

static gboolean note_server(redisContext *redis, const RpRedisAddress *address, RpFindings *findings,
                            GError **error) {
    g_autofree char *place = rp_redis_address_show(address);
    g_autofree char *version = rp_redis_info_field(redis, "server", "redis_version", error);
    if (version == NULL)
        return FALSE;
    const char *const argv[] = {"DBSIZE"};
    g_autoptr(redisReply) size = rp_redis_command(redis, 1, argv, NULL, error);
    if (size == NULL)
        return FALSE;
    rp_findings_add(findings, RP_SEVERITY_NOTE, "redis_reachable", "Redis", NULL,
                    "version %s at %s, %lld keys", version, place, size->integer);
    return TRUE;
}

/* Counts the page's unmapped keys in batch, which serves as a bag of patterns. */
static void look_at_page(const RpMapping *mapping, const RpKeyPage *page, RpBatch *batch) {
    for (guint i = 0; i < rp_key_page_size(page); i++) {
        const RpSpan key = rp_key_page_get(page, i);
        batch->keys.scanned++;
        if (rp_mapping_cover(mapping, key) != RP_COVER_NONE)
            continue;
        g_autofree char *shape = rp_pattern_shape(key);
        rp_batch_add_unmapped(batch, shape, key);
    }
}

static void note_unmapped(const RpBatch *batch, RpFindings *findings) {
    GHashTableIter iterator;
    gpointer pattern, value;
    g_hash_table_iter_init(&iterator, batch->unmapped);
    while (g_hash_table_iter_next(&iterator, &pattern, &value)) {
        const RpUnmapped *unmapped = value;
        g_autofree char *remedy =
            g_strdup_printf("map them with an entity, or leave them behind on purpose: ignore: [\"%s\"]",
                            (const char *)pattern);
        rp_findings_add(findings, RP_SEVERITY_WARNING, "unmapped_keys", "Redis", remedy,
                        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                        " keys looked at are of the shape %s (for example %s), which nothing covers",
                        unmapped->keys, batch->keys.scanned, (const char *)pattern, unmapped->example);
    }
}

static gboolean scan(RpFetch *fetch, const RpMapping *mapping, guint64 n_keys, RpKeyPage *page,
                     RpBatch *batch, GError **error) {
    guint64 cursor = 0;
    do {
        rp_fetch_send_scan(fetch, cursor, NULL, (guint)MIN(n_keys, PAGE_KEYS));
        if (!rp_fetch_receive_page(fetch, page, error))
            return FALSE;
        look_at_page(mapping, page, batch);
        cursor = page->next_cursor;
    } while (cursor != 0 && batch->keys.scanned < n_keys);
    return TRUE;
}

gboolean rp_sample_keys(const RpRedisAddress *address, const RpMapping *mapping, guint64 n_keys,
                        RpFindings *findings, GError **error) {
    static const gint never = 0;
    g_autoptr(RpFetch) fetch = rp_fetch_new(address, 64 * 1024 * 1024, &never, error);
    redisContext *aside = fetch != NULL ? rp_fetch_aside(fetch, error) : NULL;
    if (aside == NULL || !note_server(aside, address, findings, error))
        return FALSE;
    if (mapping == NULL || n_keys == 0)
        return TRUE;
    g_autoptr(RpBatch) batch = rp_batch_new(mapping->entities->len);
    RpKeyPage page;
    rp_key_page_init(&page);
    const gboolean is_fine = scan(fetch, mapping, n_keys, &page, batch, error);
    rp_key_page_clear(&page);
    if (is_fine)
        note_unmapped(batch, findings);
    return is_fine;
}
