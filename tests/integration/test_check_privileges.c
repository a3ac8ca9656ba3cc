/* What `redis2pg check` says to a role that may not do enough. */
#include "findings.h"

#include <glib/gstdio.h>

/* Roles are the whole server's: their names have the case's number. */
typedef struct {
    char *name;
    char *conninfo;
} Role;

/* What the test under way has made; in the case's database roles may own something. */
static char *made_roles[2];
static char *made_database;

static void role_init(RpCase *test_case, Role *role, const char *prefix, const char *options) {
    role->name = g_strdup_printf("%s_%u", prefix, test_case->number);
    role->conninfo = g_strdup_printf("%s user=%s", test_case->conninfo, role->name);
    made_roles[made_database != NULL] = g_strdup(role->name);
    g_free(made_database);
    made_database = g_strdup_printf("case_%u", test_case->number);
    g_autofree char *sql = g_strdup_printf("CREATE ROLE %s LOGIN %s", role->name, options);
    rp_case_sql(test_case, sql);
}

static void role_clear(Role *role) {
    g_free(role->name);
    g_free(role->conninfo);
}

/* Comes after a test that has failed, too: then its case is still there. */
static void drop_roles(void) {
    if (made_database == NULL)
        return;
    g_autofree char *sql = g_strdup_printf("DROP DATABASE IF EXISTS %s WITH (FORCE)", made_database);
    rp_server_sql(sql);
    for (guint i = 0; i < G_N_ELEMENTS(made_roles) && made_roles[i] != NULL; i++) {
        g_autofree char *drop = g_strdup_printf("DROP ROLE IF EXISTS %s", made_roles[i]);
        rp_server_sql(drop);
        g_clear_pointer(&made_roles[i], g_free);
    }
    g_clear_pointer(&made_database, g_free);
}

TestSuite(check_privileges, .fini = drop_roles);

/* Grants what the findings of that severity ask for, and gives how many they are. */
static guint grant_remedies(RpCase *test_case, json_t *document, const char *severity) {
    guint n = 0;
    size_t i;
    json_t *finding;
    json_array_foreach(rp_json_at(document, "findings"), i, finding) {
        const char *remedy = json_string_value(json_object_get(finding, "remedy"));
        if (strcmp(rp_json_text(finding, "code"), "missing_privilege") != 0 ||
            strcmp(rp_json_text(finding, "severity"), severity) != 0 || remedy == NULL ||
            strstr(remedy, " ON ") == NULL)
            continue;
        rp_case_sql(test_case, remedy);
        n++;
    }
    return n;
}

static json_t *run_as(RpCase *test_case, const Role *role, const char *mapping, int status) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "run", "--json", "--mapping", mapping, "--postgres", role->conninfo, NULL);
    rp_outcome_assert_status(&out, status);
    return rp_outcome_json(&out);
}

/* The mapping of the shop, and an entity with a look-up into a table that nothing else needs; removed and
 * freed by drop_mapping. */
static char *write_shop_with_look_up(void) {
    g_autofree char *shop = rp_source_path("mappings/shop.yaml");
    g_autofree char *text = NULL;
    char *folder = g_dir_make_tmp("redis2pg-mapping-XXXXXX", NULL);
    g_autofree char *first = g_build_filename(folder, "1.yaml", NULL);
    g_autofree char *second = g_build_filename(folder, "2.yaml", NULL);
    cr_assert(g_file_get_contents(shop, &text, NULL, NULL));
    cr_assert(g_file_set_contents(first, text, -1, NULL));
    cr_assert(g_file_set_contents(
        second,
        "redis2pg: 1\nentities:\n  tickets:\n    keys: \"ticket:{id}\"\n    type: hash\n    table: tickets\n"
        "    key: [id]\n    columns:\n      id: $key.id\n"
        "      kind: {lookup: {table: kinds, match: {name: kind}, take: id}}\n",
        -1, NULL));
    return folder;
}

static void drop_mapping(char *folder) {
    g_autofree char *first = g_build_filename(folder, "1.yaml", NULL);
    g_autofree char *second = g_build_filename(folder, "2.yaml", NULL);
    g_remove(first);
    g_remove(second);
    g_rmdir(folder);
    g_free(folder);
}

/* The list is complete: with just that a run inserts, updates, and rejects a child without a parent. */
Test(check_privileges, granting_what_is_missing_is_enough_for_a_run) {
    g_autoptr(RpCase) test_case = rp_case_new();
    char *mapping = write_shop_with_look_up();
    g_autofree char *revoke =
        g_strdup_printf("REVOKE TEMPORARY ON DATABASE case_%u FROM PUBLIC; REVOKE USAGE ON SCHEMA "
                        "public FROM PUBLIC; ALTER DATABASE case_%u SET search_path = public",
                        test_case->number, test_case->number);
    Role owner, other;
    role_init(test_case, &owner, "owner", "");
    role_init(test_case, &other, "other", "");
    rp_case_sql(test_case, revoke);
    rp_case_sql(test_case, "CREATE TABLE kinds (id int PRIMARY KEY, name text UNIQUE);"
                           "CREATE TABLE tickets (id text PRIMARY KEY, kind int);"
                           "INSERT INTO kinds VALUES (5, 'bug')");
    rp_case_redis(test_case, "HSET ticket:1 kind bug");
    rp_case_add_customer(test_case, "c1");
    rp_case_add_order(test_case, "o1", "c1");
    rp_case_add_order(test_case, "o2", "nobody");
    const Role *roles[] = {&owner, &other};
    for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
        int status = 2;
        for (guint round = 0; status == 2 && round < 4; round++) {
            g_autoptr(json_t) document = look(test_case, mapping, NULL, roles[i]->conninfo, &status);
            cr_assert(status != 2 || grant_remedies(test_case, document, "error") > 0);
        }
        cr_assert(ne(int, status, 2));
        json_decref(run_as(test_case, roles[i], mapping, 1));
        rp_case_redis(test_case, "HSET customer:c1 email role%u@example.com", i);
        rp_case_redis(test_case, "HSET order:o1 quantity %u", 20 + i);
        g_autoptr(json_t) second = run_as(test_case, roles[i], mapping, 1);
        rp_assert_account(second, "customers", "read 1, updated 1");
    }
    rp_case_assert_rows(test_case, "SELECT quantity, kind FROM orders, tickets", "21|5");
    drop_mapping(mapping);
    role_clear(&other);
    role_clear(&owner);
}

Test(check_privileges, each_that_is_missing_is_said_as_a_grant) {
    static const char *const grants[] = {
        "GRANT TEMPORARY ON DATABASE \"case_%u\" TO \"few_%u\"",
        "GRANT CREATE ON DATABASE \"case_%u\" TO \"few_%u\"",
        "GRANT SELECT ON \"public\".\"users\" TO \"few_%2$u\"",
        "GRANT INSERT ON \"public\".\"users\" TO \"few_%2$u\"",
        "GRANT UPDATE (\"email\", \"profile_data\", \"created_at\") ON \"public\".\"users\" TO \"few_%2$u\"",
        "GRANT SELECT ON \"public\".\"payments\" TO \"few_%2$u\"",
    };
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    g_autofree char *sql = g_strdup_printf("REVOKE TEMPORARY ON DATABASE case_%u FROM PUBLIC;"
                                           "GRANT UPDATE (id) ON users TO few_%u",
                                           test_case->number, test_case->number);
    Role few;
    int status;
    role_init(test_case, &few, "few", "");
    rp_case_sql(test_case, sql);
    g_autoptr(json_t) document = look(test_case, mapping, NULL, few.conninfo, &status);
    role_clear(&few);
    cr_assert(eq(int, status, 2));
    for (guint i = 0; i < G_N_ELEMENTS(grants); i++) {
        g_autofree char *case_name = g_strdup_printf("case_%u", test_case->number);
        g_autofree char *role_name = g_strdup_printf("few_%u", test_case->number);
        GString *grant = g_string_new(grants[i]);
        g_string_replace(grant, "case_%u", case_name, 0);
        g_string_replace(grant, "few_%2$u", role_name, 0);
        g_string_replace(grant, "few_%u", role_name, 0);
        assert_found(document, "error", "missing_privilege", grant->str);
        g_string_free(grant, TRUE);
    }
    assert_found(document, "note", "missing_privilege", "GRANT DELETE ON \"public\".\"users\"");
    assert_found(document, "warning", "missing_privilege", "GRANT DELETE ON \"public\".\"orders\"");
    assert_absent(document, "error", "bad_sql");
}

Test(check_privileges, what_may_not_be_looked_at_is_a_note_and_the_list_goes_on) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    Role few;
    role_init(test_case, &few, "few", "");
    rp_case_sql(test_case, "REVOKE SELECT ON pg_catalog.pg_stat_database FROM PUBLIC");
    g_autoptr(json_t) document = look(test_case, mapping, NULL, few.conninfo, NULL);
    role_clear(&few);
    assert_found(document, "note", "check_incomplete", "pg_stat_database");
    assert_found(document, "error", "missing_privilege", "GRANT CREATE ON DATABASE");
    assert_found(document, "error", "missing_privilege", "GRANT INSERT ON \"public\".\"payments\"");
}

/* A ledger of an older version is brought up to date by its owner; others are told before they try. */
Test(check_privileges, a_ledger_that_only_its_owner_may_bring_up_to_date) {
    g_autoptr(RpCase) test_case = rp_case_new();
    g_autofree char *mapping = rp_source_path("mappings/shop.yaml");
    json_decref(rp_case_load(test_case, 0, NULL));
    rp_case_undo_ledger(test_case, 3);
    Role few;
    role_init(test_case, &few, "few", "");
    g_autofree char *grant = g_strdup_printf(
        "GRANT ALL ON SCHEMA redis2pg TO few_%u; GRANT ALL ON ALL TABLES IN SCHEMA redis2pg TO "
        "few_%u; GRANT ALL ON ALL TABLES IN SCHEMA public TO few_%u",
        test_case->number, test_case->number, test_case->number);
    rp_case_sql(test_case, grant);
    g_autoptr(json_t) before = look(test_case, mapping, NULL, few.conninfo, NULL);
    g_autoptr(json_t) of_owner = look(test_case, mapping, NULL, NULL, NULL);
    json_decref(rp_case_load(test_case, 0, NULL));
    rp_case_sql(test_case, grant);
    g_autoptr(json_t) after = look(test_case, mapping, NULL, few.conninfo, NULL);
    json_decref(run_as(test_case, &few, mapping, 0));
    role_clear(&few);
    assert_found(before, "error", "ledger_not_current", "run redis2pg once as role ");
    assert_absent(of_owner, "error", "ledger_not_current");
    assert_absent(after, "error", "ledger_not_current");
}

/* The two things that keep a look-up from its table, each said once. */
Test(check_privileges, what_is_looked_into_counts_too) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    Role few;
    role_init(test_case, &few, "few", "");
    g_autofree char *sql = g_strdup_printf(
        "CREATE SCHEMA back; CREATE TABLE back.hidden (name text PRIMARY KEY, number int);"
        "CREATE TABLE shut (name text PRIMARY KEY, number int); CREATE TABLE things (id text PRIMARY KEY,"
        " name text); GRANT ALL ON things TO few_%u; GRANT SELECT (name) ON shut TO few_%u;"
        "ALTER DATABASE case_%u SET search_path = public, back",
        test_case->number, test_case->number, test_case->number);
    rp_case_sql(test_case, sql);
    static const struct {
        const char *table, *part;
    } wanted[] = {{"shut", "GRANT SELECT ON \"public\".\"shut\" TO \"few_"},
                  {"hidden", "GRANT USAGE ON SCHEMA \"back\" TO \"few_"},
                  {"back.hidden", "GRANT USAGE ON SCHEMA \"back\" TO \"few_"}};
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autofree char *text = g_strdup_printf(
            "redis2pg: 1\nentities:\n  things:\n    keys: \"thing:{id}\"\n    type: hash\n    table: things\n"
            "    key: [id]\n    columns:\n      id: $key.id\n"
            "      name: {lookup: {table: %s, match: {name: name}, take: number}}\n",
            wanted[i].table);
        char *mapping = rp_file_write(text);
        g_autoptr(json_t) document = look(test_case, mapping, NULL, few.conninfo, NULL);
        rp_file_drop(mapping);
        assert_found(document, "error", "missing_privilege", wanted[i].part);
        g_autofree char *dumped = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
        g_auto(GStrv) pieces = g_strsplit(dumped, "\"remedy\":\"GRANT USAGE ON SCHEMA", -1);
        cr_assert(le(uint, g_strv_length(pieces), 2), "%s", dumped);
    }
    role_clear(&few);
}

/* Tables that the role cannot reach, parents and sequences that are not mapped, policies, connections. */
Test(check_privileges, what_lies_around_the_tables_counts_too) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    Role few;
    role_init(test_case, &few, "few", "CONNECTION LIMIT 3");
    g_autofree char *sql = g_strdup_printf(
        "CREATE SCHEMA back; CREATE TABLE back.names (name text PRIMARY KEY);"
        "CREATE TABLE back.things (id text PRIMARY KEY, name text);"
        "CREATE TABLE near (id text PRIMARY KEY, name text REFERENCES back.names, number serial);"
        "ALTER TABLE near ENABLE ROW LEVEL SECURITY;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON near TO few_%u; CREATE SCHEMA redis2pg;"
        "GRANT USAGE ON SCHEMA redis2pg TO few_%u; ALTER DATABASE case_%u SET search_path = public, back",
        test_case->number, test_case->number, test_case->number);
    rp_case_sql(test_case, sql);
    static const struct {
        const char *table, *severity, *code, *part;
    } wanted[] = {
        {"back.things", "error", "missing_privilege", "GRANT USAGE ON SCHEMA \"back\" TO \"few_"},
        {"things", "error", "missing_privilege", "GRANT USAGE ON SCHEMA \"back\" TO \"few_"},
        {"near", "error", "missing_privilege", "GRANT USAGE ON SCHEMA \"back\" TO \"few_"},
        {"near", "error", "missing_privilege", "GRANT SELECT ON \"back\".\"names\" TO \"few_"},
        {"near", "error", "missing_privilege",
         "GRANT USAGE ON SEQUENCE \"public\".\"near_number_seq\" TO \"few_"},
        {"near", "error", "missing_privilege", "GRANT CREATE ON SCHEMA \"redis2pg\" TO \"few_"},
        {"near", "warning", "row_security", "few_"},
        {"near", "warning", "connections_few", "3 connections are left"},
        {"near", "note", "room_needed", "cannot be seen from here"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        char *mapping = write_things(wanted[i].table);
        g_autoptr(json_t) document = look(test_case, mapping, NULL, few.conninfo, NULL);
        rp_file_drop(mapping);
        assert_found(document, wanted[i].severity, wanted[i].code, wanted[i].part);
    }
    role_clear(&few);
}
