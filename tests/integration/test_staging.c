/* Text that PostgreSQL casts while a row is staged. */
#include "hosts.h"

Test(staging, casts_text_to_types_without_a_converter) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TABLE hosts (name text PRIMARY KEY, address inet, uptime interval(0), place "
                "point, peers inet[], flags bit(3), ports int4range, note text)");
    static const char MAPPING[] =
        HOSTS("      address: address\n      uptime: uptime\n      place: place\n      peers: peers\n"
              "      flags: flags\n      ports: ports\n      note: note\n");
    rp_case_redis(test_case,
                  "HSET host:a address 10.0.0.1/24 uptime PT36H1.6S place (1,2) peers %s flags 101 "
                  "ports [1,5] note n",
                  "{10.0.0.2,::1}");
    rp_case_redis(test_case, "HSET host:b address ::1");
    g_autoptr(json_t) run = load(test_case, 0, MAPPING);
    rp_assert_account(run, "hosts", "read 2, inserted 2");
    static const char EXPECTED[] = "a|10.0.0.1/24|36:00:02|(1,2)|{10.0.0.2,::1}|101|[1,6)|n\n"
                                   "b|::1|null|null|null|null|null|null";
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name", EXPECTED);
    g_autoptr(json_t) again = load(test_case, 0, MAPPING);
    rp_assert_account(again, "hosts", "read 2, unchanged 2");
    rp_case_redis(test_case, "HSET host:b place (0,0)");
    g_autoptr(json_t) changed = load(test_case, 0, MAPPING);
    rp_assert_account(changed, "hosts", "read 2, updated 1, unchanged 1");
}

Test(staging, casts_to_the_type_of_an_extension) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    if (rp_case_sql_number(test_case, "SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'") ==
        0)
        cr_skip_test("citext is not installed");
    rp_case_sql(test_case, "CREATE EXTENSION citext; CREATE TABLE hosts (name citext PRIMARY KEY, alias "
                           "citext UNIQUE)");
    rp_case_redis(test_case, "HSET host:Web alias One");
    rp_case_redis(test_case, "HSET host:db alias two");
    g_autoptr(json_t) run = load(test_case, 0, HOSTS("      alias: alias\n"));
    rp_assert_account(run, "hosts", "read 2, inserted 2");
    rp_case_redis(test_case, "HSET host:db alias Two");
    g_autoptr(json_t) other_case = load(test_case, 0, HOSTS("      alias: alias\n"));
    rp_assert_account(other_case, "hosts", "read 2, updated 1, unchanged 1");
    rp_case_redis(test_case, "HSET host:db alias ONE");
    g_autoptr(json_t) collision = load(test_case, 1, HOSTS("      alias: alias\n"));
    rp_assert_account(collision, "hosts", "read 2, unchanged 1, rejected 1");
    rp_case_assert_rows(test_case, REJECTS_SQL, "host:db|stage|duplicate_key|alias|ONE");
}

/* Values that PostgreSQL calls equal, and that are not the same. */
Test(staging, writes_what_changed_though_it_compares_as_equal) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(
        test_case,
        "CREATE DOMAIN span AS interval; CREATE TYPE pair AS (a interval, b text);"
        "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "CREATE TABLE hosts (name text PRIMARY KEY, uptime interval, spans interval[], age span,"
        " place point, twin pair, label text COLLATE blind, tags text[] COLLATE blind, price numeric)");
    static const char MAPPING[] = HOSTS(
        "      uptime: uptime\n      spans: spans\n      age: age\n      place: place\n      twin: twin\n"
        "      label: label\n      tags: tags\n      price: price\n");
    static const char *const CHANGES[][2] = {
        {"uptime", "1 mon"},   {"spans", "{1 mon}"}, {"age", "1 mon"},     {"place", "(1.0000001,2)"},
        {"twin", "(1 mon,x)"}, {"label", "FOO"},     {"tags", "[\"FOO\"]"}};
    rp_case_redis(test_case,
                  "HSET host:a uptime %s spans %s age %s place (1,2) twin %s label foo tags %s price 1.0",
                  "30 days", "{30 days}", "30 days", "(30 days,x)", "[\"foo\"]");
    g_autoptr(json_t) run = load(test_case, 0, MAPPING);
    rp_assert_account(run, "hosts", "read 1, inserted 1");
    for (guint i = 0; i < G_N_ELEMENTS(CHANGES); i++) {
        rp_case_redis(test_case, "HSET host:a %s %s", CHANGES[i][0], CHANGES[i][1]);
        g_autoptr(json_t) changed = load(test_case, 0, MAPPING);
        rp_assert_account(changed, "hosts", "read 1, updated 1");
    }
    rp_case_redis(test_case, "HSET host:a price 1.00"); /* the same number */
    g_autoptr(json_t) same = load(test_case, 0, MAPPING);
    rp_assert_account(same, "hosts", "read 1, unchanged 1");
}

Test(staging, rejects_exactly_the_texts_that_do_not_cast) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TABLE hosts (name text PRIMARY KEY, address inet, flags bit(3), query tsquery)");
    for (guint i = 0; i < 40; i++)
        rp_case_redis(test_case, "HSET host:%u address 10.0.0.%u flags 101 query a", i, i);
    rp_case_redis(test_case, "HSET host:7 address 10.0.0.256");
    rp_case_redis(test_case, "HSET host:8 flags 1010"); /* an explicit cast would cut it */
    rp_case_redis(test_case, "HSET host:9 query %s", "a &");
    rp_case_redis(test_case, "HSET host:9a address %s", "");
    static const char MAPPING[] = HOSTS("      address: address\n      flags: flags\n      query: query\n");
    g_autoptr(json_t) run = load(test_case, 1, MAPPING);
    rp_assert_account(run, "hosts", "read 41, inserted 37, rejected 4");
    static const char REJECTS[] = "host:7|stage|invalid_value|address|10.0.0.256\n"
                                  "host:8|stage|invalid_value|flags|1010\n"
                                  "host:9|stage|invalid_value|query|a &\n"
                                  "host:9a|stage|invalid_value|address|";
    rp_case_assert_rows(test_case, REJECTS_SQL, REJECTS);
    rp_case_assert_rows(test_case, "SELECT message FROM redis2pg.rejects WHERE key = 'host:7'",
                        "address is not what PostgreSQL reads as inet");
    g_autoptr(json_t) again = load(test_case, 1, MAPPING);
    rp_assert_account(again, "hosts", "read 41, unchanged 37, rejected 4");
}

Test(staging, masks_a_sensitive_text_that_does_not_cast) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE hosts (name text PRIMARY KEY, address inet)");
    rp_case_redis(test_case, "HSET host:a address secret");
    g_autoptr(json_t) run = load(test_case, 1, HOSTS("      address: {from: address, sensitive: true}\n"));
    rp_assert_account(run, "hosts", "read 1, rejected 1");
    rp_case_assert_rows(test_case, REJECTS_SQL, "host:a|stage|invalid_value|address|***");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects WHERE message LIKE '%secret%'",
                        "0");
}

/* Some types look their texts up, and say that there is no such thing. */
Test(staging, a_text_that_a_type_refuses_in_its_own_way_is_refused_like_any_other) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE hosts (name text PRIMARY KEY, role regrole, class regclass)");
    rp_case_redis(test_case, "HSET host:a role secret");
    rp_case_redis(test_case, "HSET host:b class secret");
    rp_case_redis(test_case, "HSET host:c role pg_monitor class pg_class");
    g_autoptr(json_t) run =
        load(test_case, 1, HOSTS("      role: {from: role, sensitive: true}\n      class: class\n"));
    rp_assert_account(run, "hosts", "read 3, inserted 1, rejected 2");
    rp_case_assert_rows(test_case, REJECTS_SQL,
                        "host:a|stage|invalid_value|role|***\nhost:b|stage|invalid_value|class|secret");
    g_autoptr(json_t) loose =
        load(test_case, 0,
             HOSTS("      role: {from: role, on_invalid: null}\n"
                   "      class: {from: class, default: pg_proc, on_invalid: default}\n"));
    rp_assert_account(loose, "hosts", "read 3, inserted 2, unchanged 1");
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name",
                        "a|null|pg_proc\nb|null|pg_proc\nc|pg_monitor|pg_class");
}

Test(staging, puts_null_or_the_default_where_a_text_does_not_cast) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE hosts (name text PRIMARY KEY, address inet, uptime interval)");
    rp_case_redis(test_case, "HSET host:a address nowhere uptime never");
    rp_case_redis(test_case, "HSET host:b address 10.0.0.1");
    g_autoptr(json_t) run =
        load(test_case, 0,
             HOSTS("      address: {from: address, on_invalid: null}\n"
                   "      uptime: {from: uptime, default: \"1 day\", on_invalid: default}\n"));
    rp_assert_account(run, "hosts", "read 2, inserted 2");
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name", "a|null|1 day\nb|10.0.0.1|1 day");
}

/* As it is where redis2pg converts: the default is for what is absent. */
Test(staging, null_for_what_is_refused_and_the_default_for_what_is_absent) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE hosts (name text PRIMARY KEY, address inet, port int)");
    rp_case_redis(test_case, "HSET host:a address nowhere port none");
    rp_case_redis(test_case, "HSET host:b x 1");
    rp_case_redis(test_case, "HSET host:c address ::1 port 1");
    g_autoptr(json_t) run = load(test_case, 0,
                                 HOSTS("      address: {from: address, default: 1.1.1.1, on_invalid: null}\n"
                                       "      port: {from: port, default: 80, on_invalid: null}\n"));
    rp_assert_account(run, "hosts", "read 3, inserted 3");
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name", "a|null|null\nb|1.1.1.1|80\nc|::1|1");
}

Test(staging, a_default_that_does_not_cast_is_said_before_anything_is_read) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE hosts (name text PRIMARY KEY, address inet)");
    assert_refused(test_case, HOSTS("      address: {from: address, default: nowhere}\n"),
                   "default \"nowhere\" of column \"address\"");
}

Test(staging, a_type_whose_cast_cuts_text_is_refused) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE hosts (name text PRIMARY KEY, short name, letter \"char\")");
    assert_refused(test_case, HOSTS("      short: short\n"),
                   "column \"short\" is name: PostgreSQL would cut");
    assert_refused(test_case, HOSTS("      letter: letter\n"), "column \"letter\" is \"char\"");
}
