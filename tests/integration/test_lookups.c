/* Values that PostgreSQL looks up while a row is staged. */
#include "hosts.h"

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

Test(lookups, looks_up_hits_misses_and_nulls) {
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

Test(lookups, a_look_up_may_have_a_default_or_do_without) {
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

Test(lookups, on_invalid_acts_where_a_match_does_not_convert) {
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

Test(lookups, a_look_up_that_must_give_something_rejects_nothing) {
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

Test(lookups, looks_up_by_several_columns) {
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

Test(lookups, looks_up_by_a_type_that_is_cast) {
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
Test(lookups, what_is_taken_must_fit) {
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

Test(lookups, what_a_look_up_goes_by_is_masked_where_it_is_sensitive) {
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
Test(lookups, what_a_look_up_goes_by_is_masked_whatever_refuses_it) {
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
Test(lookups, looks_into_the_table_of_another_entity_of_the_run) {
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

Test(lookups, look_ups_that_cannot_be_are_said_before_anything_is_read) {
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
Test(lookups, what_is_taken_must_not_be_cut) {
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

Test(lookups, a_look_up_needs_the_right_to_read) {
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
