/* Generated data: the same twice, faulty as told, and good in all else.
 * What is wrong with a row is judged here by rules of the test's own, so that a fault that cascades or a
 * good row that is not good shows. */
#include "base/error.h"
#include "demo/locate.h"
#include "demo/shop.h"
#include "demo/verdict.h"
#include "sandbox/sandbox.h"
#include "source/connection.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#define SPEC_5_PERCENT                                                                                       \
    ((RpShopSpec){.customers = 1000, .orders = 5000, .payments = 4000, .seed = 1, .fault_percent = 5})

static RpSandbox *sandbox;

static void start_redis(void) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions options = {.is_without_postgres = TRUE, .redis_databases = 4};
    sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
}

static void stop_redis(void) {
    rp_sandbox_stop(sandbox);
}

static redisContext *enter(int database) {
    g_autoptr(GError) error = NULL;
    g_autofree char *url = g_strdup_printf("unix://%s?db=%d", rp_sandbox_get_redis_socket(sandbox), database);
    g_autoptr(RpRedisAddress) address = rp_redis_address_parse(url, &error);
    redisContext *redis = rp_redis_connect(address, 30, &error);
    cr_assert(redis != NULL, "%s", error != NULL ? error->message : "");
    return redis;
}

static redisReply *command(redisContext *redis, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(redis, format, arguments);
    va_end(arguments);
    cr_assert(reply != NULL && reply->type != REDIS_REPLY_ERROR);
    return reply;
}

static RpShopReport generate(redisContext *redis, const RpShopSpec *spec) {
    g_autoptr(GError) error = NULL;
    RpShopReport report;
    const gboolean is_done = rp_shop_generate(redis, spec, &report, NULL, NULL, &error);
    cr_assert(is_done, "%s", error != NULL ? error->message : "");
    return report;
}

/* ---- The keyspace, read back ---- */

typedef GHashTable Fields; /* char * -> GBytes */

typedef struct {
    GHashTable *rows[RP_SHOP_N_ENTITIES]; /* id -> Fields, or NULL for a key of another type */
    GHashTable *sets;                     /* customer id -> set of order ids */
    GHashTable *queued;
    GHashTable *paid;
    char *digest;
} Keyspace;

static Fields *fields_of(const redisReply *reply) {
    Fields *fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    for (gsize i = 0; i + 1 < reply->elements; i += 2)
        g_hash_table_insert(fields, g_strdup(reply->element[i]->str),
                            g_bytes_new(reply->element[i + 1]->str, reply->element[i + 1]->len));
    return fields;
}

static GHashTable *members_of(const redisReply *reply) {
    GHashTable *members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (gsize i = 0; i < reply->elements; i++)
        g_hash_table_add(members, g_strdup(reply->element[i]->str));
    return members;
}

static int compare_texts(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *keys_of(redisContext *redis) {
    g_autoptr(redisReply) reply = command(redis, "KEYS *");
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < reply->elements; i++)
        g_ptr_array_add(keys, g_strdup(reply->element[i]->str));
    g_ptr_array_sort(keys, compare_texts);
    return keys;
}

static void digest_reply(GChecksum *checksum, const char *key, const redisReply *reply) {
    g_checksum_update(checksum, (const guchar *)key, (gssize)strlen(key) + 1);
    for (gsize i = 0; i < reply->elements; i++) {
        const guint64 size = reply->element[i]->len;
        g_checksum_update(checksum, (const guchar *)&size, sizeof size);
        g_checksum_update(checksum, (const guchar *)reply->element[i]->str, (gssize)size);
    }
}

/* A hash or set as a list that does not depend on Redis' order. */
static redisReply *read_sorted(redisContext *redis, const char *key, const char *type) {
    if (strcmp(type, "set") == 0)
        return command(redis, "SORT %s ALPHA", key);
    if (strcmp(type, "list") == 0)
        return command(redis, "LRANGE %s 0 -1", key);
    return command(redis, "HGETALL %s", key);
}

static void digest_hash(GChecksum *checksum, const char *key, Fields *fields) {
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(fields), (GCompareFunc)strcmp);
    g_checksum_update(checksum, (const guchar *)key, (gssize)strlen(key) + 1);
    for (GList *name = names; name != NULL; name = name->next) {
        gsize size;
        const guchar *value = g_bytes_get_data(g_hash_table_lookup(fields, name->data), &size);
        g_checksum_update(checksum, name->data, (gssize)strlen(name->data) + 1);
        g_checksum_update(checksum, (const guchar *)&size, sizeof size);
        g_checksum_update(checksum, value, (gssize)size);
    }
}

static void read_key(redisContext *redis, Keyspace *keyspace, const char *key, GChecksum *checksum) {
    static const char *const PREFIXES[] = {"customer:", "order:", "payment:"};
    g_autoptr(redisReply) type = command(redis, "TYPE %s", key);
    if (strcmp(type->str, "hash") == 0 || strcmp(type->str, "string") == 0) {
        const gboolean is_hash = strcmp(type->str, "hash") == 0;
        g_autoptr(redisReply) reply = is_hash ? command(redis, "HGETALL %s", key) : NULL;
        Fields *fields = is_hash ? fields_of(reply) : NULL;
        g_checksum_update(checksum, (const guchar *)type->str, -1);
        if (is_hash)
            digest_hash(checksum, key, fields);
        for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++)
            if (g_str_has_prefix(key, PREFIXES[i]))
                g_hash_table_insert(keyspace->rows[i], g_strdup(key + strlen(PREFIXES[i])), fields);
        return;
    }
    g_autoptr(redisReply) reply = read_sorted(redis, key, type->str);
    digest_reply(checksum, key, reply);
    if (strcmp(key, "test_queue") == 0)
        keyspace->queued = members_of(reply);
    else if (strcmp(key, "paid_orders") == 0)
        keyspace->paid = members_of(reply);
    else {
        cr_assert(g_str_has_suffix(key, ":orders"));
        char *customer = g_strndup(key + strlen("customer:"), strlen(key) - strlen("customer::orders"));
        g_hash_table_insert(keyspace->sets, customer, members_of(reply));
    }
}

static void fields_free(gpointer fields) {
    if (fields != NULL)
        g_hash_table_unref(fields);
}

static void keyspace_read(Keyspace *keyspace, redisContext *redis) {
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GPtrArray) keys = keys_of(redis);
    *keyspace = (Keyspace){0};
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++)
        keyspace->rows[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, fields_free);
    keyspace->sets =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
    for (guint i = 0; i < keys->len; i++)
        read_key(redis, keyspace, keys->pdata[i], checksum);
    keyspace->digest = g_strdup(g_checksum_get_string(checksum));
}

static void keyspace_clear(Keyspace *keyspace) {
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++)
        g_hash_table_unref(keyspace->rows[i]);
    g_hash_table_unref(keyspace->sets);
    g_clear_pointer(&keyspace->queued, g_hash_table_unref);
    g_clear_pointer(&keyspace->paid, g_hash_table_unref);
    g_free(keyspace->digest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Keyspace, keyspace_clear)

/* ---- What is wrong with a row, by the shop's rules ---- */

typedef struct {
    Keyspace *keyspace;
    RpShopEntity entity;
    const char *id;
    Fields *fields;
    GPtrArray *codes; /* of this row; borrowed literals */
} Judge;

/* NULL where the field is absent. Anything but text is judged and gives NULL too. */
static char *text_of(Judge *judge, const char *field) {
    GBytes *bytes = g_hash_table_lookup(judge->fields, field);
    if (bytes == NULL)
        return NULL;
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    if (size > 0 && !g_utf8_validate(data, (gssize)size, NULL)) {
        g_ptr_array_add(judge->codes, (gpointer) "invalid_encoding");
        return NULL;
    }
    return g_strndup(data, size);
}

static void expect(Judge *judge, gboolean holds, const char *code) {
    if (!holds)
        g_ptr_array_add(judge->codes, (gpointer)code);
}

static void expect_present(Judge *judge, const char *field, const char *code) {
    expect(judge, g_hash_table_contains(judge->fields, field), code);
}

static void expect_match(Judge *judge, const char *field, const char *regex, const char *code) {
    g_autofree char *text = text_of(judge, field);
    expect(judge, text == NULL || text[0] == '\0' || g_regex_match_simple(regex, text, 0, 0), code);
}

static void expect_time(Judge *judge, const char *field) {
    g_autofree char *text = text_of(judge, field);
    if (text == NULL || text[0] == '\0')
        return;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    expect(judge, time != NULL && strlen(text) == 26, "invalid_timestamp");
}

static void expect_object(Judge *judge, const char *field) {
    g_autofree char *text = text_of(judge, field);
    json_t *json = text != NULL ? json_loads(text, 0, NULL) : NULL;
    expect(judge, text == NULL || json_is_object(json), "invalid_json");
    json_decref(json);
}

static void expect_amount(Judge *judge, const char *field, const char *code_when_negative) {
    g_autofree char *text = text_of(judge, field);
    if (text == NULL)
        return;
    if (!g_regex_match_simple("^-?[0-9]+\\.[0-9]+$", text, 0, 0))
        g_ptr_array_add(judge->codes, (gpointer) "invalid_decimal");
    else if (!g_regex_match_simple("\\.[0-9]{2}$", text, 0, 0))
        g_ptr_array_add(judge->codes, (gpointer) "scale_exceeded");
    else if (text[0] == '-')
        g_ptr_array_add(judge->codes, (gpointer)code_when_negative);
}

static void expect_currency(Judge *judge) {
    g_autofree char *text = text_of(judge, "currency");
    expect(judge, text == NULL || strlen(text) <= 3, "too_long");
    expect(judge, text == NULL || strlen(text) > 3 || g_regex_match_simple("^[A-Z]{3}$", text, 0, 0),
           "format_mismatch");
}

/* A reference must be to a row that a run would write; is_good is decided parents first. */
static void expect_reference(Judge *judge, const char *field, GHashTable *good) {
    g_autofree char *text = text_of(judge, field);
    expect(judge, text != NULL, "missing_field");
    expect(judge, text == NULL || g_hash_table_contains(good, text), "missing_reference");
}

static void judge_customer(Judge *judge) {
    expect_present(judge, "created_at", "missing_field");
    expect_match(judge, "email", "@", "format_mismatch");
    expect_object(judge, "profile_data");
    expect_time(judge, "created_at");
    expect(judge, strlen(judge->id) <= 255, "too_long");
}

static void judge_order(Judge *judge, GHashTable *good_customers) {
    g_autofree char *id = text_of(judge, "order_id");
    g_autofree char *quantity = text_of(judge, "quantity");
    g_autofree char *created = text_of(judge, "created_at");
    g_autofree char *expires = text_of(judge, "expires_at");
    expect(judge, g_strcmp0(id, judge->id) == 0, "rule_failed");
    expect(judge, strlen(judge->id) <= 255, "too_long");
    expect_reference(judge, "customer_id", good_customers);
    expect_match(judge, "job_type", "^(functional|load|security|ui|api|regression)$", "invalid_value");
    if (g_regex_match_simple("^-?[0-9]+$", quantity, 0, 0))
        expect(judge, g_ascii_strtoll(quantity, NULL, 10) >= 1 && g_ascii_strtoll(quantity, NULL, 10) <= 1000,
               "out_of_range");
    else
        g_ptr_array_add(judge->codes, (gpointer) "invalid_integer");
    expect_match(judge, "priority", "^(low|normal|high|urgent)$", "invalid_value");
    expect_object(judge, "parameters");
    expect_object(judge, "metadata");
    expect_match(judge, "notification_webhook", "^https?://", "format_mismatch");
    expect_match(judge, "invoice_url", "^https?://", "format_mismatch");
    expect_present(judge, "total_amount", "missing_field");
    expect_amount(judge, "total_amount", "out_of_range");
    expect_currency(judge);
    expect_match(judge, "status", "^(pending|paid|processing|completed|failed|cancell?ed|refunded|expired)$",
                 "invalid_value");
    expect_time(judge, "created_at");
    if (created != NULL && !g_str_has_prefix(created, "2025-02-30"))
        expect(judge, strcmp(expires, created) > 0 || strstr(created, "T25") != NULL, "rule_failed");
}

static void judge_payment(Judge *judge, GHashTable *good_orders, GHashTable *seen) {
    g_autofree char *id = text_of(judge, "payment_id");
    g_autofree char *transaction = text_of(judge, "transaction_id");
    expect(judge, strlen(judge->id) <= 255, "too_long");
    if (strcmp(id, judge->id) != 0) {
        cr_expect(g_hash_table_contains(judge->keyspace->rows[RP_SHOP_PAYMENTS], id));
        g_ptr_array_add(judge->codes, (gpointer) "duplicate_key");
    }
    expect(judge, transaction == NULL || g_hash_table_add(seen, g_strdup(transaction)), "duplicate_key");
    expect_reference(judge, "order_id", good_orders);
    expect_match(judge, "status", "^(pending|completed|failed|refunded)$", "invalid_value");
    expect_amount(judge, "amount", "check_failed");
    expect_present(judge, "currency", "not_null");
    expect_currency(judge);
    expect_time(judge, "created_at");
    expect_time(judge, "processed_at");
}

typedef struct {
    GHashTable *by_code[RP_SHOP_N_ENTITIES]; /* code -> count */
    GHashTable *good[RP_SHOP_N_ENTITIES];    /* ids */
} Verdict;

static void verdict_clear(Verdict *verdict) {
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        g_hash_table_unref(verdict->by_code[i]);
        g_hash_table_unref(verdict->good[i]);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verdict, verdict_clear)

static guint count_of(GHashTable *by_code, const char *code) {
    return GPOINTER_TO_UINT(g_hash_table_lookup(by_code, code));
}

static void judge_row(Judge *judge, Verdict *verdict, GHashTable *transactions) {
    g_ptr_array_set_size(judge->codes, 0);
    if (judge->fields == NULL)
        g_ptr_array_add(judge->codes, (gpointer) "wrong_type");
    else if (judge->entity == RP_SHOP_CUSTOMERS)
        judge_customer(judge);
    else if (judge->entity == RP_SHOP_ORDERS)
        judge_order(judge, verdict->good[RP_SHOP_CUSTOMERS]);
    else
        judge_payment(judge, verdict->good[RP_SHOP_ORDERS], transactions);
    cr_expect(judge->codes->len <= 1, "%s %s: %s and %s", rp_shop_entity_name(judge->entity), judge->id,
              judge->codes->len > 1 ? (const char *)judge->codes->pdata[0] : "",
              judge->codes->len > 1 ? (const char *)judge->codes->pdata[1] : "");
    GHashTable *by_code = verdict->by_code[judge->entity];
    if (judge->codes->len == 0)
        g_hash_table_add(verdict->good[judge->entity], (gpointer)judge->id);
    else
        g_hash_table_insert(by_code, judge->codes->pdata[0],
                            GUINT_TO_POINTER(count_of(by_code, judge->codes->pdata[0]) + 1));
}

static void judge_all(Keyspace *keyspace, Verdict *verdict) {
    g_autoptr(GPtrArray) codes = g_ptr_array_new();
    g_autoptr(GHashTable) transactions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        Judge judge = {.keyspace = keyspace, .entity = (RpShopEntity)i, .codes = codes};
        verdict->by_code[i] = g_hash_table_new(g_str_hash, g_str_equal);
        verdict->good[i] = g_hash_table_new(g_str_hash, g_str_equal);
        GHashTableIter rows;
        g_hash_table_iter_init(&rows, keyspace->rows[i]);
        gpointer id, fields;
        while (g_hash_table_iter_next(&rows, &id, &fields)) {
            judge.id = id;
            judge.fields = fields;
            judge_row(&judge, verdict, transactions);
        }
    }
}

/* Orders that their customer's set leaves out, and members of sets that are no order. */
static void count_set_faults(Keyspace *keyspace, guint *n_unlisted, guint *n_dangling) {
    GHashTableIter iterator, members;
    gpointer id, value, member;
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    *n_unlisted = *n_dangling = 0;
    g_hash_table_iter_init(&iterator, keyspace->sets);
    while (g_hash_table_iter_next(&iterator, &id, &value)) {
        g_hash_table_iter_init(&members, value);
        while (g_hash_table_iter_next(&members, &member, NULL)) {
            Fields *order = g_hash_table_lookup(keyspace->rows[RP_SHOP_ORDERS], member);
            GBytes *owner = order != NULL ? g_hash_table_lookup(order, "customer_id") : NULL;
            if (owner != NULL)
                cr_expect(strncmp(g_bytes_get_data(owner, NULL), id, g_bytes_get_size(owner)) == 0);
            if (!g_hash_table_contains(keyspace->rows[RP_SHOP_ORDERS], member))
                *n_dangling += 1;
            g_hash_table_add(listed, member);
        }
    }
    g_hash_table_iter_init(&iterator, keyspace->rows[RP_SHOP_ORDERS]);
    while (g_hash_table_iter_next(&iterator, &id, NULL))
        if (!g_hash_table_contains(listed, id))
            *n_unlisted += 1;
}

static guint64 planted(const RpShopReport *report, RpShopPlant plant) {
    guint64 n_rows = 0;
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++)
        if (RP_SHOP_FAULTS[kind].plant == plant)
            n_rows += report->planted[kind];
    return n_rows;
}

static void assert_as_reported(redisContext *redis, const RpShopReport *report) {
    g_auto(Keyspace) keyspace;
    g_auto(Verdict) verdict;
    keyspace_read(&keyspace, redis);
    judge_all(&keyspace, &verdict);
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        cr_expect(eq(u64, g_hash_table_size(keyspace.rows[i]), report->entities[i].hashes));
        cr_expect(eq(u64, g_hash_table_size(verdict.good[i]), report->entities[i].good));
        for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++) {
            const char *code = RP_SHOP_FAULTS[kind].code;
            if (code != NULL)
                cr_expect(count_of(verdict.by_code[i], code) ==
                              rp_shop_report_rejects(report, (RpShopEntity)i, code),
                          "%s %s: %u rows, %u reported", rp_shop_entity_name((RpShopEntity)i), code,
                          count_of(verdict.by_code[i], code),
                          (guint)rp_shop_report_rejects(report, (RpShopEntity)i, code));
        }
    }
    guint n_unlisted, n_dangling;
    count_set_faults(&keyspace, &n_unlisted, &n_dangling);
    cr_expect(eq(u64, n_unlisted, planted(report, RP_SHOP_PLANT_UNLISTED)));
    cr_expect(eq(u64, n_dangling, planted(report, RP_SHOP_PLANT_DANGLING)));
}

/* ---- The tests ---- */

TestSuite(shop, .init = start_redis, .fini = stop_redis, .timeout = 120);

Test(shop, the_same_seed_gives_the_same_data) {
    const RpShopSpec spec = {
        .customers = 100, .orders = 500, .payments = 400, .seed = 7, .fault_percent = 10};
    RpShopSpec other = spec;
    other.seed = 8;
    char *digests[3];
    for (int database = 0; database < 3; database++) {
        g_autoptr(redisContext) redis = enter(database);
        g_auto(Keyspace) keyspace;
        generate(redis, database < 2 ? &spec : &other);
        keyspace_read(&keyspace, redis);
        digests[database] = g_strdup(keyspace.digest);
    }
    cr_expect(eq(str, digests[0], digests[1]));
    cr_expect(ne(str, digests[0], digests[2]));
    for (int i = 0; i < 3; i++)
        g_free(digests[i]);
}

Test(shop, every_fault_shows_once_and_nothing_else_is_wrong) {
    g_autoptr(redisContext) redis = enter(0);
    const RpShopSpec spec = SPEC_5_PERCENT;
    const RpShopReport report = generate(redis, &spec);
    guint64 n_faulty = 0;
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++) {
        cr_expect(report.planted[kind] >= 500 / RP_SHOP_N_FAULTS, "%s", RP_SHOP_FAULTS[kind].name);
        n_faulty += report.planted[kind];
    }
    cr_expect(eq(u64, n_faulty, 500));
    assert_as_reported(redis, &report);
}

typedef struct {
    RpShopSpec spec;
    guint64 n_faulty;
} Case;

ParameterizedTestParameters(shop, counts_and_shares_are_as_asked_for) {
    static Case cases[] = {
        {{100, 500, 400, 1, 0}, 0},
        {{100, 500, 400, 1, 0.01}, RP_SHOP_N_FAULTS}, /* one of each, however small the share */
        {{100, 500, 400, 2, 20}, 200},
        {{100, 500, 400, 3, 100}, 500}, /* half of each entity at most */
        {{10, 20, 300, 4, 30}, 99},     /* more payments than orders; entities that run out of room */
        {{3, 0, 0, 5, 50}, 1},
        {{1, 1, 1, 6, 100}, 0},
        {{0, 0, 0, 7, 1}, 0},
    };
    return cr_make_param_array(Case, cases, G_N_ELEMENTS(cases));
}

ParameterizedTest(Case *c, shop, counts_and_shares_are_as_asked_for) {
    g_autoptr(redisContext) redis = enter(0);
    const RpShopReport report = generate(redis, &c->spec);
    cr_expect(eq(u64, report.entities[0].faulty + report.entities[1].faulty + report.entities[2].faulty,
                 c->n_faulty));
    assert_as_reported(redis, &report);
}

Test(shop, orders_live_for_seven_days) {
    g_autoptr(redisContext) redis = enter(0);
    const RpShopSpec spec = {.customers = 2, .orders = 20, .payments = 0, .seed = 1};
    generate(redis, &spec);
    for (guint64 i = 0; i < spec.orders; i++) {
        g_autofree char *id = rp_shop_id(spec.seed, RP_SHOP_ORDERS, i);
        g_autoptr(redisReply) ttl = command(redis, "TTL order:%s", id);
        cr_expect(ttl->integer > 604800 - 60 && ttl->integer <= 604800);
    }
}

Test(shop, lists_of_work_and_of_paid_orders_name_orders) {
    g_autoptr(redisContext) redis = enter(0);
    const RpShopSpec spec = {.customers = 100, .orders = 500, .payments = 400, .seed = 1};
    generate(redis, &spec);
    g_auto(Keyspace) keyspace;
    keyspace_read(&keyspace, redis);
    GHashTable *lists[] = {keyspace.queued, keyspace.paid};
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        cr_assert(lists[i] != NULL);
        GHashTableIter members;
        gpointer id;
        g_hash_table_iter_init(&members, lists[i]);
        while (g_hash_table_iter_next(&members, &id, NULL))
            cr_expect(g_hash_table_contains(keyspace.rows[RP_SHOP_ORDERS], id));
    }
    cr_expect(g_hash_table_size(keyspace.paid) > 250);
}

Test(shop, payments_name_orders_of_their_own) {
    g_autoptr(redisContext) redis = enter(0);
    const RpShopSpec spec = {.customers = 10, .orders = 300, .payments = 300, .seed = 1};
    generate(redis, &spec);
    g_auto(Keyspace) keyspace;
    keyspace_read(&keyspace, redis);
    g_autoptr(GHashTable) orders = g_hash_table_new(g_bytes_hash, g_bytes_equal);
    GHashTableIter rows;
    gpointer fields;
    g_hash_table_iter_init(&rows, keyspace.rows[RP_SHOP_PAYMENTS]);
    while (g_hash_table_iter_next(&rows, NULL, &fields))
        cr_expect(g_hash_table_add(orders, g_hash_table_lookup(fields, "order_id")));
}

static void count_calls(guint64 n_done, guint64 n_total, gpointer user_data) {
    guint64 *last = user_data;
    cr_expect(n_done >= *last && n_done <= n_total);
    *last = n_done;
}

Test(shop, progress_ends_at_the_total) {
    g_autoptr(redisContext) redis = enter(0);
    const RpShopSpec spec = {.customers = 100, .orders = 2000, .payments = 1000, .seed = 1};
    RpShopReport report;
    guint64 last = 0;
    cr_assert(rp_shop_generate(redis, &spec, &report, count_calls, &last, NULL));
    cr_expect(eq(u64, last, 3100));
}

Test(shop, an_error_of_redis_is_told) {
    g_autoptr(redisContext) redis = enter(0);
    g_autoptr(redisReply) reply = command(redis, "SET paid_orders occupied");
    const RpShopSpec spec = {.customers = 10, .orders = 50, .payments = 50, .seed = 1};
    RpShopReport report;
    g_autoptr(GError) error = NULL;
    cr_assert(not(rp_shop_generate(redis, &spec, &report, NULL, NULL, &error)));
    cr_expect(g_error_matches(error, RP_SOURCE_ERROR, RP_SOURCE_ERROR_WRONG_TYPE));
}

Test(shop_plain, a_spec_that_cannot_be_is_refused) {
    const RpShopSpec specs[] = {
        {.orders = 1},
        {.customers = 1, .payments = 1},
        {.fault_percent = -1},
        {.fault_percent = 100.5},
        {.customers = (guint64)G_MAXUINT32 + 1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(specs); i++) {
        g_autoptr(GError) error = NULL;
        RpShopReport report;
        cr_expect(not(rp_shop_forecast(&specs[i], &report, &error)));
        cr_expect(g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID));
    }
}

Test(shop_plain, ids_do_not_collide) {
    for (guint entity = 0; entity < RP_SHOP_N_ENTITIES; entity++) {
        g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (guint64 i = 0; i < 100000; i++)
            cr_assert(g_hash_table_add(ids, rp_shop_id(1, (RpShopEntity)entity, i)));
    }
}

Test(shop_plain, every_code_that_a_run_can_give_is_planted) {
    static const char *const CODES[] = {
        "wrong_type",   "missing_field",  "invalid_integer",  "invalid_decimal",   "invalid_timestamp",
        "invalid_json", "invalid_value",  "invalid_encoding", "out_of_range",      "too_long",
        "rule_failed",  "scale_exceeded", "format_mismatch",  "missing_reference", "duplicate_key",
        "not_null",     "check_failed",
    };
    const RpShopSpec spec = SPEC_5_PERCENT;
    RpShopReport report;
    cr_assert(rp_shop_forecast(&spec, &report, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(CODES); i++) {
        guint64 n_rejects = 0;
        for (guint entity = 0; entity < RP_SHOP_N_ENTITIES; entity++)
            n_rejects += rp_shop_report_rejects(&report, (RpShopEntity)entity, CODES[i]);
        cr_expect(n_rejects > 0, "%s", CODES[i]);
    }
}

Test(shop_plain, the_report_adds_up) {
    const RpShopSpec spec = SPEC_5_PERCENT;
    RpShopReport report;
    cr_assert(rp_shop_forecast(&spec, &report, NULL));
    json_t *json = rp_shop_report_json(&report);
    g_autofree char *text = rp_shop_report_show(&report);
    json_int_t total = 0;
    const char *code;
    json_t *count;
    json_object_foreach(json_object_get(json_object_get(json, "rejects"), "by_code"), code, count) total +=
        json_integer_value(count);
    cr_expect(eq(i64, total, json_integer_value(json_object_get(json_object_get(json, "rejects"), "total"))));
    cr_expect(eq(i64, json_integer_value(json_object_get(json, "hashes")), 10000));
    cr_expect(eq(i64, json_integer_value(json_object_get(json, "faulty")), 500));
    cr_expect(eq(sz, json_array_size(json_object_get(json, "faults")), RP_SHOP_N_FAULTS));
    for (guint kind = 0; kind < RP_SHOP_N_FAULTS; kind++)
        cr_expect(strstr(text, RP_SHOP_FAULTS[kind].name) != NULL);
    json_decref(json);
}

/* The JSON of a run that found what the report says. */
static json_t *run_as_planted(json_t *planted) {
    json_t *run = json_pack("{s:b, s:[]}", "balanced", 1, "entities");
    gsize i;
    json_t *entity;
    json_array_foreach(json_object_get(planted, "entities"), i, entity) {
        json_t *one = json_deep_copy(entity);
        json_object_set(one, "inserted", json_object_get(entity, "good"));
        json_array_append_new(json_object_get(run, "entities"), one);
    }
    return run;
}

static gsize count_differences(const RpShopReport *report, json_t *run, json_t *rejects) {
    json_t *differences = rp_shop_differences(report, run, rejects);
    const gsize n_differences = json_array_size(differences);
    json_decref(differences);
    return n_differences;
}

Test(shop_plain, the_verdict_sees_every_count) {
    const RpShopSpec spec = SPEC_5_PERCENT;
    RpShopReport report;
    cr_assert(rp_shop_forecast(&spec, &report, NULL));
    json_t *planted = rp_shop_report_json(&report);
    json_t *run = run_as_planted(planted);
    json_t *rejects = json_object_get(json_object_get(planted, "rejects"), "by_entity");
    cr_expect(eq(sz, count_differences(&report, run, rejects), 0));

    json_t *orders = json_object_get(rejects, "orders");
    json_object_set_new(orders, "too_long", json_integer(1));  /* fewer than planted */
    json_object_set_new(orders, "too_large", json_integer(1)); /* planted nowhere */
    cr_expect(eq(sz, count_differences(&report, run, rejects), 2));
    json_object_set_new(json_array_get(json_object_get(run, "entities"), 2), "inserted", json_integer(0));
    json_object_set_new(run, "balanced", json_false());
    cr_expect(eq(sz, count_differences(&report, run, rejects), 4));

    json_t *nothing = json_object();
    cr_expect(count_differences(&report, nothing, nothing) > 9);
    json_decref(nothing);
    json_decref(run);
    json_decref(planted);
}

Test(shop_plain, the_mapping_is_found_from_everywhere) {
    g_autoptr(GError) error = NULL;
    g_autofree char *mapping = rp_demo_locate("mappings/shop.yaml", &error);
    cr_assert(mapping != NULL, "%s", error != NULL ? error->message : "");
    cr_expect(g_file_test(mapping, G_FILE_TEST_IS_REGULAR));
    g_autofree char *none = rp_demo_locate("mappings/none.yaml", &error);
    cr_expect(none == NULL && g_error_matches(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID));
}
