/* Values that PostgreSQL makes while a row is staged: text that it casts, and what it looks up. */
#include "shop.h"

/* An entity over "PREFIX:{name}" and the table of its own name, whose columns are name and those given. */
#define ENTITY(entity, prefix, columns)                                                                      \
    "  " entity ":\n    keys: \"" prefix ":{name}\"\n    type: hash\n    table: " entity                     \
    "\n    key: [name]\n    columns:\n      name: $key.name\n" columns

#define HOSTS(columns) "redis2pg: 1\nentities:\n" ENTITY("hosts", "host", columns)

/* Runs a mapping of that text. */
static json_t *load(RpCase *test_case, int status, const char *text) {
    char *mapping = rp_file_write(text);
    json_t *run = rp_case_load(test_case, status, "--mapping", mapping, NULL);
    rp_file_drop(mapping);
    return run;
}

/* A mapping of that text is refused before anything is read, with words that hold part. */
static void assert_refused(RpCase *test_case, const char *text, const char *part) {
    char *mapping = rp_file_write(text);
    g_auto(RpOutcome) outcome = {0};
    rp_case_run(test_case, &outcome, "run", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&outcome, 2);
    rp_assert_says(outcome.errors, part);
    rp_file_drop(mapping);
}

static const char REJECTS_SQL[] = "SELECT convert_from(key, 'UTF8'), stage, code, column_name, value FROM "
                                  "redis2pg.rejects ORDER BY key, run";

/* ---- casts ---- */

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

/* ---- look-ups ---- */

#define BY_EMAIL "{table: users, match: {email: email}, take: id}"

static RpCase *new_with_users(const char *hosts) {
    RpCase *test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TABLE users (id int PRIMARY KEY, email varchar(20) UNIQUE, boss int, tenant "
                "int, code char(3), net inet UNIQUE, label text, UNIQUE (tenant, code));"
                "INSERT INTO users VALUES (1, 'a@b', 9, 1, 'x', '10.0.0.1', '17'),"
                " (2, 'c@d', NULL, 1, 'y', NULL, 'none'), (3, NULL, 8, 2, 'x', '::1', '18')");
    rp_case_sql(test_case, hosts);
    return test_case;
}

Test(staging, looks_up_hits_misses_and_nulls) {
    g_autoptr(RpCase) test_case = new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int)");
    rp_case_redis(test_case, "HSET host:hit email a@b");
    rp_case_redis(test_case, "HSET host:miss email z@z");
    rp_case_redis(test_case, "HSET host:null other 1");
    rp_case_redis(test_case, "HSET host:too_long email a-long-address@example.com");
    static const char MAPPING[] = HOSTS("      owner: {lookup: " BY_EMAIL "}\n");
    g_autoptr(json_t) run = load(test_case, 1, MAPPING);
    rp_assert_account(run, "hosts", "read 4, inserted 2, rejected 2");
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name", "hit|1\nnull|null");
    rp_case_assert_rows(test_case, REJECTS_SQL,
                        "host:miss|stage|missing_reference|owner|z@z\n"
                        "host:too_long|map|too_long|owner|a-long-address@example.com");
    rp_case_assert_rows(test_case,
                        "SELECT message, constraint_name FROM redis2pg.rejects WHERE key = 'host:miss'",
                        "owner: no row of public.users has this email|null");
    g_autoptr(json_t) again = load(test_case, 1, MAPPING);
    rp_assert_account(again, "hosts", "read 4, unchanged 2, rejected 2");
}

Test(staging, a_look_up_may_have_a_default_or_do_without) {
    g_autoptr(RpCase) test_case =
        new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int, watcher int, boss int)");
    rp_case_redis(test_case, "HSET host:hit email a@b");
    rp_case_redis(test_case, "HSET host:miss email z@z");
    rp_case_redis(test_case, "HSET host:null other 1");
    rp_case_redis(test_case, "HSET host:of_null email c@d"); /* found, and holds null */
    g_autoptr(json_t) run =
        load(test_case, 0,
             HOSTS("      owner: {lookup: " BY_EMAIL ", default: 7}\n"
                   "      watcher: {lookup: " BY_EMAIL ", on_invalid: null}\n"
                   "      boss: {lookup: {table: users, match: {email: email}, take: boss}, default: 5}\n"));
    rp_assert_account(run, "hosts", "read 4, inserted 4");
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name",
                        "hit|1|1|9\nmiss|7|null|5\nnull|7|null|5\nof_null|2|2|5");
}

Test(staging, on_invalid_acts_where_a_match_does_not_convert) {
    g_autoptr(RpCase) test_case =
        new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int, boss int, third int)");
    rp_case_redis(test_case, "HSET host:a id one code y tenant 1");
    rp_case_redis(test_case, "HSET host:b id 1 code long tenant 1");
    rp_case_redis(test_case, "HSET host:c id 1 code y tenant one");
    g_autoptr(json_t) run = load(
        test_case, 0,
        HOSTS("      owner: {lookup: {table: users, match: {id: id}, take: id}, on_invalid: null}\n"
              "      boss: {lookup: {table: users, match: {id: id}, take: boss}, default: 5, on_invalid: "
              "default}\n"
              "      third: {lookup: {table: users, match: {tenant: tenant, code: code}, take: id}, "
              "on_invalid: "
              "null}\n"));
    rp_assert_account(run, "hosts", "read 3, inserted 3");
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name", "a|null|5|2\nb|1|9|null\nc|1|9|null");
    assert_refused(test_case, HOSTS("      owner: {lookup: " BY_EMAIL ", default: 7, on_invalid: null}\n"),
                   "which stands wherever nothing is found");
}

Test(staging, a_look_up_that_must_give_something_rejects_nothing) {
    g_autoptr(RpCase) test_case =
        new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, boss int, owner int NOT NULL)");
    rp_case_redis(test_case, "HSET host:fine email a@b by a@b");
    rp_case_redis(test_case, "HSET host:no_boss email c@d by a@b"); /* found, and holds null */
    rp_case_redis(test_case, "HSET host:no_owner email a@b");
    g_autoptr(json_t) run =
        load(test_case, 1,
             HOSTS("      boss: {lookup: {table: users, match: {email: email}, take: boss}, required: true}\n"
                   "      owner: {lookup: {table: users, match: {email: by}, take: id}}\n"));
    rp_assert_account(run, "hosts", "read 3, inserted 1, rejected 2");
    rp_case_assert_rows(test_case, REJECTS_SQL,
                        "host:no_boss|stage|missing_field|boss|null\n"
                        "host:no_owner|stage|not_null|owner|null");
}

Test(staging, looks_up_by_several_columns) {
    g_autoptr(RpCase) test_case = new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int)");
    rp_case_redis(test_case, "HSET host:a tenant 1 code y");
    rp_case_redis(test_case, "HSET host:b tenant 2 code x");
    rp_case_redis(test_case, "HSET host:c tenant 2 code y");
    rp_case_redis(test_case, "HSET host:d tenant 2");
    g_autoptr(json_t) run =
        load(test_case, 1,
             HOSTS("      owner: {lookup: {table: users, match: {code: code, tenant: tenant}, take: id}}\n"));
    rp_assert_account(run, "hosts", "read 4, inserted 3, rejected 1");
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name", "a|2\nb|3\nd|null");
    rp_case_assert_rows(test_case, "SELECT value, message FROM redis2pg.rejects",
                        "y  , 2|owner: no row of public.users has this code and tenant");
}

Test(staging, looks_up_by_a_type_that_is_cast) {
    g_autoptr(RpCase) test_case =
        new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int, watcher int)");
    rp_case_redis(test_case, "HSET host:a net 10.0.0.1/32");
    rp_case_redis(test_case, "HSET host:b net 0:0::1");
    rp_case_redis(test_case, "HSET host:c net nowhere");
    rp_case_redis(test_case, "HSET host:d loose nowhere");
    g_autoptr(json_t) run = load(
        test_case, 1,
        HOSTS("      owner: {lookup: {table: users, match: {net: net}, take: id}}\n"
              "      watcher: {lookup: {table: users, match: {net: loose}, take: id}, on_invalid: null}\n"));
    rp_assert_account(run, "hosts", "read 4, inserted 3, rejected 1");
    rp_case_assert_rows(test_case, "SELECT * FROM hosts ORDER BY name", "a|1|null\nb|3|null\nd|null|null");
    rp_case_assert_rows(test_case, REJECTS_SQL, "host:c|stage|invalid_value|owner|nowhere");
}

/* What is taken is not cut to fit, and what does not cast is a reject of its own. */
Test(staging, what_is_taken_must_fit) {
    g_autoptr(RpCase) test_case = new_with_users(
        "CREATE TABLE hosts (name text PRIMARY KEY, short varchar(3), number int);"
        "UPDATE users SET label = '5' WHERE id = 3; UPDATE users SET email = 'a' WHERE id = 3");
    rp_case_redis(test_case, "HSET host:fine id 3");
    rp_case_redis(test_case, "HSET host:short id 1");
    rp_case_redis(test_case, "HSET host:short2 id 2");
    static const char BY_ID[] =
        HOSTS("      short: {lookup: {table: users, match: {id: id}, take: email}, default: no}\n");
    g_autoptr(json_t) run = load(test_case, 0, BY_ID);
    rp_assert_account(run, "hosts", "read 3, inserted 3");
    rp_case_sql(test_case, "UPDATE users SET email = 'abcd' WHERE id = 1");
    g_autoptr(json_t) too_long = load(test_case, 1, BY_ID);
    rp_assert_account(too_long, "hosts", "read 3, unchanged 2, rejected 1");
    rp_case_assert_rows(test_case, "SELECT code, message FROM redis2pg.rejects",
                        "database_error|PostgreSQL refused the row: value too long for type character "
                        "varying(3) (SQLSTATE 22001)");
    rp_case_sql(test_case, "DELETE FROM redis2pg.rejects");
    g_autoptr(json_t) number =
        load(test_case, 1, HOSTS("      number: {lookup: {table: users, match: {id: id}, take: label}}\n"));
    rp_assert_account(number, "hosts", "read 3, updated 2, rejected 1");
    rp_case_assert_rows(test_case, "SELECT convert_from(key, 'UTF8'), stage, code FROM redis2pg.rejects",
                        "host:short2|stage|invalid_value");
}

Test(staging, what_a_look_up_goes_by_is_masked_where_it_is_sensitive) {
    g_autoptr(RpCase) test_case =
        new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int, email text)");
    rp_case_redis(test_case, "HSET host:a email secret");
    g_autoptr(json_t) run = load(test_case, 1,
                                 HOSTS("      email: {from: email, sensitive: true}\n"
                                       "      owner: {lookup: " BY_EMAIL "}\n"));
    rp_assert_account(run, "hosts", "read 1, rejected 1");
    rp_case_assert_rows(test_case, REJECTS_SQL, "host:a|stage|missing_reference|owner|***");
}

/* Whatever refuses it: the miss, the mapper that cannot convert it, PostgreSQL that cannot cast it; and
 * however a sensitive column reads the same. */
Test(staging, what_a_look_up_goes_by_is_masked_whatever_refuses_it) {
    static const char *const SIBLINGS[] = {
        "seen: {from: secret, on_invalid: null, sensitive: true}",
        "seen: {template: \"<{secret}>\", sensitive: true}",
        "seen: {from: other, equals: secret, on_invalid: null, sensitive: true}",
        "id: {lookup: {table: users, match: {email: secret}, take: id}, on_invalid: null, sensitive: true}",
    };
    static const char *const MATCHES[] = {"email", "net", "id"};
    g_autoptr(RpCase) test_case =
        new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int, seen text, id int)");
    rp_case_redis(test_case, "HSET host:a secret topsecret other x");
    for (guint i = 0; i < G_N_ELEMENTS(SIBLINGS); i++)
        for (guint k = 0; k < G_N_ELEMENTS(MATCHES); k++) {
            g_autofree char *text =
                g_strdup_printf(HOSTS("      %s\n      owner: {lookup: {table: users, match: {%s: secret}, "
                                      "take: id}}\n"),
                                SIBLINGS[i], MATCHES[k]);
            g_autoptr(json_t) run = load(test_case, 1, text);
            rp_assert_account(run, "hosts", "read 1, rejected 1");
        }
    rp_case_assert_rows(test_case, "SELECT column_name, value, count(*) FROM redis2pg.rejects GROUP BY 1, 2",
                        "owner|***|12");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects WHERE message LIKE '%secret%'",
                        "0");
}

/* The entity that is looked into is loaded first, wherever it stands in the mapping. */
Test(staging, looks_into_the_table_of_another_entity_of_the_run) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TABLE owners (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text "
                "UNIQUE); CREATE TABLE hosts (name text PRIMARY KEY, owner bigint)");
    for (guint i = 0; i < 30; i++) {
        rp_case_redis(test_case, "HSET owner:o%u x 1", i);
        rp_case_redis(test_case, "HSET host:h%u owner o%u", i, i);
    }
    rp_case_redis(test_case, "HSET host:bad owner nobody");
    g_autoptr(json_t) run =
        load(test_case, 1,
             HOSTS("      owner: {lookup: {table: owners, match: {name: owner}, take: id}}\n")
                 ENTITY("owners", "owner", ""));
    rp_assert_account(run, "owners", "read 30, inserted 30");
    rp_assert_account(run, "hosts", "read 31, inserted 30, rejected 1");
    rp_case_assert_rows(test_case,
                        "SELECT count(*) FROM hosts h JOIN owners o ON o.id = h.owner AND o.name = 'o' || "
                        "substr(h.name, 2)",
                        "30");
}

Test(staging, look_ups_that_cannot_be_are_said_before_anything_is_read) {
    g_autoptr(RpCase) test_case =
        new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int, place point);"
                       "CREATE TABLE owners (name text PRIMARY KEY, host text)");
    static const struct {
        const char *lookup, *part;
    } CASES[] = {
        {"{table: nobody, match: {email: email}, take: id}",
         "table \"nobody\" of the look-up of column \"owner\" is not there"},
        {"{table: users, match: {mail: email}, take: id}", "table public.users has no column \"mail\""},
        {"{table: users, match: {email: email}, take: number}",
         "table public.users has no column \"number\""},
        {"{table: users, match: {tenant: tenant}, take: id}",
         "table public.users has no unique constraint on exactly (tenant)"},
        {"{table: users, match: {email: email, id: id}, take: id}",
         "table public.users has no unique constraint on exactly (email, id)"},
        {"{table: hosts, match: {name: email}, take: owner}",
         "column \"owner\" looks into public.hosts, the table that entity \"hosts\" itself fills"},
        {"{table: users, match: {email: email}, take: net}",
         "column \"owner\" is integer, and cannot be taken from column \"net\" of public.users"},
        {"{table: users, match: {email: email}, take: id}, default: x", "default \"x\" of column \"owner\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *text = g_strdup_printf(HOSTS("      owner: {lookup: %s}\n"), CASES[i].lookup);
        assert_refused(test_case, text, CASES[i].part);
    }
    assert_refused(
        test_case,
        HOSTS("      owner: {lookup: {table: owners, match: {name: o}, take: host}}\n")
            ENTITY("owners", "owner", "      host: {lookup: {table: hosts, match: {name: h}, take: name}}\n"),
        "lead back to itself");
}

/* What PostgreSQL's own casts would round or leave out. */
Test(staging, what_is_taken_must_not_be_cut) {
    static const struct {
        const char *take, *target;
        gboolean fits;
    } CASES[] = {
        {"numeric", "int", FALSE},
        {"double precision", "bigint", FALSE},
        {"numeric(9,3)", "numeric(9,2)", FALSE},
        {"real", "numeric(9,2)", FALSE},
        {"numeric[]", "int[]", FALSE},
        {"timestamp", "date", FALSE},
        {"timestamptz", "time", FALSE},
        {"interval", "time", FALSE},
        {"int", "boolean", FALSE},
        {"jsonb", "int", FALSE},
        {"bigint", "smallint", TRUE},
        {"numeric(9,2)", "numeric(12,3)", TRUE},
        {"numeric(9,2)", "numeric", TRUE},
        {"date", "timestamp", TRUE},
        {"text", "int", TRUE},
        {"int", "numeric(5,2)", TRUE},
        {"text", "varchar(3)", TRUE},
        {"inet", "inet", TRUE},
    };
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *sql =
            g_strdup_printf("DROP TABLE IF EXISTS hosts, parts; CREATE TABLE hosts (name text"
                            " PRIMARY KEY, v %s); CREATE TABLE parts (id int PRIMARY KEY, v %s)",
                            CASES[i].target, CASES[i].take);
        rp_case_sql(test_case, sql);
        static const char MAPPING[] = HOSTS("      v: {lookup: {table: parts, match: {id: id}, take: v}}\n");
        if (CASES[i].fits)
            json_decref(load(test_case, 0, MAPPING));
        else
            assert_refused(test_case, MAPPING, "PostgreSQL would cut values of column \"v\" of public.parts");
    }
}

Test(staging, a_look_up_needs_the_right_to_read) {
    g_autoptr(RpCase) test_case = new_with_users("CREATE TABLE hosts (name text PRIMARY KEY, owner int)");
    g_autofree char *role = g_strdup_printf("reader_%u", test_case->number);
    g_autofree char *grant =
        g_strdup_printf("CREATE ROLE %s LOGIN; GRANT ALL ON hosts TO %s; GRANT SELECT (id) ON "
                        "users TO %s",
                        role, role, role);
    rp_case_sql(test_case, grant);
    char *mapping = rp_file_write(HOSTS("      owner: {lookup: " BY_EMAIL "}\n"));
    g_autofree char *conninfo = g_strdup_printf("%s user=%s", test_case->conninfo, role);
    g_auto(RpOutcome) outcome = {0};
    rp_case_run(test_case, &outcome, "check", "--json", "--mapping", mapping, "--postgres", conninfo, NULL);
    rp_assert_says(outcome.output, "\"missing_privilege\"");
    rp_assert_says(outcome.output, "permission denied for table users");
    rp_file_drop(mapping);
    g_autofree char *drop = g_strdup_printf("DROP OWNED BY %s; DROP ROLE %s", role, role);
    rp_case_sql(test_case, drop);
}
