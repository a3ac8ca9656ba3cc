/* `reconcile` and links: sets that repeat a foreign key. */
#include "reconciling.h"

#define HEAD(owner_, member_)                                                                                \
    "redis2pg: 1\nentities:\n"                                                                               \
    "  people: {keys: 'p:{id}', type: hash, table: people, key: [id], columns: {id: " owner_                 \
    ", name: name}}\n"                                                                                       \
    "  cars: {keys: 'c:{id}', type: hash, table: cars, key: [id], columns: {id: " member_                    \
    ", owner: owner}}\n"
#define LINKS                                                                                                \
    "links:\n  owned: {keys: 'p:{id}:cars', type: set, member: {entity: cars, column: id}, owner: {entity: " \
    "people, column: id}}\n"
#define PLAIN HEAD("$key.id", "$key.id") LINKS

static char *new_case(RpCase *test_case, const char *mapping, const char *reference) {
    g_autofree char *sql = g_strdup_printf("CREATE TABLE people (id text PRIMARY KEY, name text);"
                                           "CREATE TABLE cars (id text PRIMARY KEY, owner text %s)",
                                           reference);
    rp_case_sql(test_case, sql);
    rp_case_redis(test_case, "HSET p:anna name Anna");
    rp_case_redis(test_case, "HSET p:bert name Bert");
    rp_case_redis(test_case, "HSET c:vw owner anna");
    rp_case_redis(test_case, "HSET c:bmw owner anna");
    rp_case_redis(test_case, "HSET c:nobodys name x");
    rp_case_redis(test_case, "HSET c:fiat owner bert");
    rp_case_redis(test_case, "SADD p:anna:cars vw bmw");
    rp_case_redis(test_case, "SADD p:bert:cars fiat");
    return rp_file_write(mapping);
}

/* "owned: checked 3, dangling 1, unlisted 0; dangling anna x". The caller frees it. */
static char *show_link(json_t *document) {
    json_t *link = rp_json_at(document, "links.0");
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s: %d, %d, %d", rp_json_text(link, "link"), (int)rp_json_number(link, "checked"),
                    (int)rp_json_number(link, "dangling"), (int)rp_json_number(link, "unlisted"));
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    size_t i;
    json_t *example;
    json_array_foreach(rp_json_at(link, "examples"), i, example)
        g_ptr_array_add(lines, g_strdup_printf("; %s %s %s", rp_json_text(example, "kind"),
                                               text_or_null(json_object_get(example, "owner")),
                                               text_or_null(json_object_get(example, "member"))));
    if (lines->len > 0)
        qsort(lines->pdata, lines->len, sizeof(char *), compare_lines);
    for (guint j = 0; j < lines->len; j++)
        g_string_append(text, g_ptr_array_index(lines, j));
    return g_string_free(text, FALSE);
}

static void assert_link(RpCase *test_case, const char *mapping, int status, const char *expected) {
    g_autoptr(json_t) document = reconcile(test_case, mapping, status, NULL);
    g_autofree char *shown = show_link(document);
    cr_assert(eq(str, shown, (char *)expected));
}

Test(reconcile_links, members_without_rows_and_rows_without_members) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_case(test_case, PLAIN, "REFERENCES people");
    load_equal(test_case, mapping);
    assert_link(test_case, mapping, 0, "owned: 3, 0, 0");
    rp_case_redis(test_case, "SADD p:anna:cars ghost fiat");
    assert_link(test_case, mapping, 1, "owned: 5, 2, 0; dangling anna fiat; dangling anna ghost");
    rp_case_redis(test_case, "SREM p:anna:cars ghost fiat bmw");
    assert_link(test_case, mapping, 1, "owned: 2, 0, 1; unlisted anna bmw");
    rp_case_redis(test_case, "PEXPIRE p:bert:cars 1");
    while (rp_case_redis_number(test_case, "EXISTS p:bert:cars") > 0)
        g_usleep(1000);
    assert_link(test_case, mapping, 1, "owned: 1, 0, 2; unlisted anna bmw; unlisted bert fiat");
    rp_case_redis(test_case, "SET p:bert:cars no-set");
    assert_link(test_case, mapping, 1,
                "owned: 2, 1, 2; dangling p:bert:cars null; unlisted anna bmw; unlisted bert fiat");
    rp_file_drop(mapping);
}

Test(reconcile_links, of_owners_that_are_gone) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_case(test_case, PLAIN, "REFERENCES people");
    load_status(test_case, mapping, 0);
    rp_case_redis(test_case, "SADD p:nobody:cars vw");
    assert_link(test_case, mapping, 1, "owned: 4, 1, 0; dangling nobody vw");
    rp_file_drop(mapping);
}

Test(reconcile_links, mask_what_is_sensitive) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping =
        new_case(test_case, HEAD("$key.id", "{from: $key.id, sensitive: true}") LINKS, "REFERENCES people");
    load_status(test_case, mapping, 0);
    rp_case_redis(test_case, "SADD p:anna:cars ghost");
    g_auto(RpOutcome) json = {0}, text = {0};
    rp_case_run(test_case, &json, "reconcile", "--json", "--mapping", mapping, NULL);
    rp_case_run(test_case, &text, "reconcile", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&json, 1);
    rp_outcome_assert_status(&text, 1);
    rp_assert_keeps_quiet(json.output, "ghost");
    rp_assert_keeps_quiet(text.output, "ghost");
    rp_assert_says(text.output, "anna");
    rp_file_drop(mapping);
}

static void assert_not_checked(RpCase *test_case, const char *mapping, const char *why) {
    g_autoptr(json_t) document = reconcile(test_case, mapping, 0, NULL);
    rp_assert_says(rp_json_text(document, "links.0.not_checked"), why);
    cr_assert(eq(i64, rp_json_number(document, "links.0.checked"), 0));
}

Test(reconcile_links, that_cannot_be_checked_say_why) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_case(test_case, PLAIN, "");
    load_status(test_case, mapping, 0);
    rp_case_redis(test_case, "SADD p:anna:cars ghost");
    assert_not_checked(test_case, mapping, "no foreign key leads from public.cars to public.people");
    rp_case_sql(
        test_case,
        "ALTER TABLE cars ADD other text REFERENCES people, ADD FOREIGN KEY (owner) REFERENCES people");
    assert_not_checked(test_case, mapping, "more than one foreign key");
    rp_file_drop(mapping);
}

Test(reconcile_links, with_an_end_left_out_by_entity) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_case(test_case, PLAIN, "REFERENCES people");
    load_status(test_case, mapping, 0);
    rp_case_redis(test_case, "SADD p:anna:cars ghost");
    static const char *const ENTITIES[] = {"people", "cars"};
    for (guint i = 0; i < G_N_ELEMENTS(ENTITIES); i++) {
        g_autoptr(json_t) document = reconcile(test_case, mapping, 0, "--entity", ENTITIES[i], NULL);
        cr_assert(eq(sz, json_array_size(rp_json_at(document, "entities")), 1));
        rp_assert_says(rp_json_text(document, "links.0.not_checked"), "--entity");
    }
    g_autoptr(json_t) both = reconcile(test_case, mapping, 1, "--entity", "cars", "--entity", "people", NULL);
    cr_assert(eq(i64, rp_json_number(both, "links.0.dangling"), 1));
    g_autoptr(json_t) counts = reconcile(test_case, mapping, 0, "--level", "counts", NULL);
    rp_assert_says(rp_json_text(counts, "links.0.not_checked"), "counts");
    rp_file_drop(mapping);
}

/* Links and entities may share a name: asking for both ends of the link asks for no entity of its name. */
Test(reconcile_links, that_are_named_like_an_entity_do_not_bring_it_in) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_case(test_case,
                             HEAD("$key.id", "$key.id") "  owned: {keys: 'o:{id}', type: hash, table: owned, "
                                                        "key: [id], columns: {id: $key.id, n: n}}\n" LINKS,
                             "REFERENCES people");
    rp_case_sql(test_case, "CREATE TABLE owned (id text PRIMARY KEY, n integer)");
    load_status(test_case, mapping, 0);
    rp_case_redis(test_case, "HSET o:1 n 1");
    rp_case_redis(test_case, "HSET o:2 n x");
    g_autoptr(json_t) document =
        reconcile(test_case, mapping, 0, "--entity", "people", "--entity", "cars", NULL);
    cr_assert(eq(sz, json_array_size(rp_json_at(document, "entities")), 2));
    g_autofree char *shown = show_link(document);
    cr_assert(eq(str, shown, "owned: 3, 0, 0"));
    rp_file_drop(mapping);
}
