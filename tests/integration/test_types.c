/* Every type of key becomes rows of real tables; a second run finds all of them unchanged. */
#include "shop.h"

#define MAPPING(entities_) "redis2pg: 1\nentities:\n" entities_

/* Runs a mapping and gives the run's document, which has been balanced. */
static json_t *load(RpCase *test_case, const char *mapping, int status) {
    char *path = rp_file_write(mapping);
    json_t *run = rp_case_load(test_case, status, "--mapping", path, NULL);
    rp_file_drop(path);
    return run;
}

/* Loads twice: the second run changes nothing. n: rows of entity t. */
static void load_twice(RpCase *test_case, const char *mapping, guint n) {
    g_autofree char *inserted = g_strdup_printf("read %u, inserted %u", n, n);
    g_autofree char *unchanged = g_strdup_printf("read %u, unchanged %u", n, n);
    g_autoptr(json_t) first = load(test_case, mapping, 0);
    rp_assert_account(first, "t", inserted);
    g_autoptr(json_t) second = load(test_case, mapping, 0);
    rp_assert_account(second, "t", unchanged);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM redis2pg.rejects", "0");
}

/* ---- a row a key ---- */

Test(types, strings) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n bigint, doc jsonb, source text)");
    rp_case_redis(test_case, "SET t:a 5");
    rp_case_redis(test_case, "SET t:b 9223372036854775807");
    rp_case_redis(test_case, "INCR t:c");
    load_twice(test_case,
               MAPPING("  t: {keys: 't:{id}', type: string, table: t, key: [id],\n"
                       "      columns: {id: $key.id, n: $value, doc: {template: '[{$value}]'}, source: "
                       "{const: redis}}}\n"),
               3);
    rp_case_assert_rows(test_case, "SELECT * FROM t ORDER BY id",
                        "a|5|[5]|redis\nb|9223372036854775807|[9223372036854775807]|redis\nc|1|[1]|redis");
}

Test(types, json_with_paths) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(
        test_case,
        "CREATE TABLE t (id text PRIMARY KEY, city text, first text, active boolean, geo jsonb, whole json)");
    rp_case_redis(test_case, "SET u:1 %s",
                  "{\"address\": {\"city\": \"K\\u00f6ln\", \"geo\": {\"lat\": 50.94}}, \"tags\": [\"a\", "
                  "\"b\"], \"active\": true}");
    rp_case_redis(test_case, "SET u:2 %s", "{\"address\": null, \"tags\": []}");
    load_twice(test_case,
               MAPPING("  t: {keys: 'u:{id}', type: json, table: t, key: [id],\n"
                       "      columns: {id: $key.id, city: address.city, first: tags.0, active: active, geo: "
                       "address.geo, whole: $value}}\n"),
               2);
    rp_case_assert_rows(
        test_case, "SELECT id, city, first, active, geo, whole ->> 'address' FROM t ORDER BY id",
        "1|K\xc3\xb6ln|a|t|{\"lat\": 50.94}|{\"city\": \"K\\u00f6ln\", \"geo\": {\"lat\": 50.94}}\n"
        "2|null|null|null|null|null");
}

/* Present, absent and null fields; a stream and a hash differ in nothing here. */
Test(types, hashes) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TABLE t (id text PRIMARY KEY, name text, city text, \"dotted.name\" text)");
    rp_case_redis(test_case, "HSET t:1 name A meta %s a.b dotted", "{\"city\":\"X\"}");
    rp_case_redis(test_case, "HSET t:2 name %b", "", (size_t)0);
    rp_case_redis(test_case, "HSET t:3 other x");
    load_twice(
        test_case,
        MAPPING("  t: {keys: 't:{id}', type: hash, table: t, key: [id],\n"
                "      columns: {id: $key.id, name: name, city: meta.city, 'dotted.name': 'a\\.b'}}\n"),
        3);
    rp_case_assert_rows(test_case, "SELECT * FROM t ORDER BY id",
                        "1|A|X|dotted\n2||null|null\n3|null|null|null");
}

/* ---- a row an element ---- */

Test(types, lists) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TABLE t (list text, no integer, value text, kind text, PRIMARY KEY (list, no))");
    rp_case_redis(test_case, "RPUSH l:a x y x");
    rp_case_redis(test_case, "RPUSH l:b %s", "{\"kind\": \"k\"}");
    load_twice(test_case,
               MAPPING("  t: {keys: 'l:{id}', type: list, table: t, key: [list, no],\n"
                       "      columns: {list: $key.id, no: $index, value: $value, kind: {from: $value.kind, "
                       "on_invalid: null}}}\n"),
               4);
    rp_case_assert_rows(test_case, "SELECT list, no, value, kind FROM t ORDER BY list, no",
                        "a|0|x|null\na|1|y|null\na|2|x|null\nb|0|{\"kind\": \"k\"}|k");
}

Test(types, sets) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (owner text, member text, PRIMARY KEY (owner, member))");
    rp_case_redis(test_case, "SADD s:a x y");
    rp_case_redis(test_case, "SADD s:b 1 2 x");
    load_twice(test_case,
               MAPPING("  t: {keys: 's:{id}', type: set, table: t, key: [owner, member], columns: {owner: "
                       "$key.id, member: $value}}\n"),
               5);
    rp_case_assert_rows(test_case, "SELECT * FROM t ORDER BY 1, 2", "a|x\na|y\nb|1\nb|2\nb|x");
}

Test(types, sorted_sets) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (board text, player text, score double precision, exact numeric, "
                           "PRIMARY KEY (board, player))");
    rp_case_redis(test_case, "ZADD z:a 1 x 2.5 y -inf z 0.1 w");
    load_twice(test_case,
               MAPPING("  t: {keys: 'z:{id}', type: zset, table: t, key: [board, player],\n"
                       "      columns: {board: $key.id, player: $value, score: $score, exact: {from: $score, "
                       "on_invalid: null}}}\n"),
               4);
    rp_case_assert_rows(test_case, "SELECT player, score, exact FROM t WHERE player <> 'z' ORDER BY 1",
                        "w|0.1|0.1\nx|1|1\ny|2.5|2.5");
    rp_case_assert_rows(test_case, "SELECT score FROM t WHERE player = 'z'", "-Infinity");
}

Test(types, streams) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (stream text, id text, temp numeric(5,2), note text, at "
                           "timestamptz, PRIMARY KEY (stream, id))");
    rp_case_redis(test_case, "XADD x:a 1700000000000-0 temp 20.50 note n");
    rp_case_redis(test_case, "XADD x:a 1700000000000-1 temp 21");
    rp_case_redis(test_case, "XADD x:a 1700000000001-0 note only");
    rp_case_redis(test_case, "XADD x:empty 1-1 a b");
    rp_case_redis(test_case, "XDEL x:empty 1-1");
    load_twice(
        test_case,
        MAPPING("  t: {keys: 'x:{id}', type: stream, table: t, key: [stream, id],\n"
                "      columns: {stream: $key.id, id: $id, temp: temp, note: note,\n"
                "        at: {from: $id, replace: {regex: '-\\d+$', with: ''}, timestamp: unix_ms}}}\n"),
        3);
    rp_case_assert_rows(
        test_case, "SELECT id, temp, note, at AT TIME ZONE 'UTC' FROM t ORDER BY id",
        "1700000000000-0|20.50|n|2023-11-14 22:13:20\n1700000000000-1|21.00|null|2023-11-14 22:13:20\n"
        "1700000000001-0|null|only|2023-11-14 22:13:20.001");
}

Test(types, elements_of_json) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (cart text, no integer, sku text, price numeric(8,2), customer "
                           "text, raw jsonb, PRIMARY KEY (cart, no))");
    rp_case_redis(test_case, "SET c:1 %s",
                  "{\"customer\": \"me\", \"items\": [{\"sku\": \"a\", \"price\": 1.5}, {\"sku\": \"b\", "
                  "\"price\": \"2\"}]}");
    rp_case_redis(test_case, "SET c:2 %s", "{\"items\": []}");
    rp_case_redis(test_case, "SET c:3 %s", "{\"customer\": \"you\", \"items\": [{}]}");
    load_twice(test_case,
               MAPPING("  t: {keys: 'c:{id}', type: json, each: items, table: t, key: [cart, no],\n"
                       "      columns: {cart: $key.id, no: $index, sku: $element.sku, price: $element.price, "
                       "customer: customer, raw: $element}}\n"),
               3);
    rp_case_assert_rows(test_case, "SELECT * FROM t ORDER BY cart, no",
                        "1|0|a|1.50|me|{\"sku\": \"a\", \"price\": 1.5}\n1|1|b|2.00|me|{\"sku\": \"b\", "
                        "\"price\": \"2\"}\n3|0|null|null|you|{}");
}

/* A hash gives a row, and its JSON field the rows of another table that refer to it. */
Test(types, two_entities_over_one_key) {
    static const char mapping[] = MAPPING(
        "  t: {keys: 'order:{id}', type: hash, table: orders, key: [id], columns: {id: $key.id, note: "
        "note}}\n"
        "  lines: {keys: 'order:{id}', type: hash, each: data.lines, table: lines, key: [order_id, no],\n"
        "      columns: {order_id: $key.id, no: $index, sku: $element.sku}}\n");
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE orders (id text PRIMARY KEY, note text);"
                           "CREATE TABLE lines (order_id text REFERENCES orders, no integer, sku text, "
                           "PRIMARY KEY (order_id, no))");
    rp_case_redis(test_case, "HSET order:1 note n data %s", "{\"lines\":[{\"sku\":\"a\"},{\"sku\":\"b\"}]}");
    rp_case_redis(test_case, "HSET order:2 note m");
    g_autoptr(json_t) first = load(test_case, mapping, 0);
    rp_assert_account(first, "t", "read 2, inserted 2");
    rp_assert_account(first, "lines", "read 2, inserted 2");
    cr_assert(eq(i64, rp_json_number(first, "keys.mapped"), 2));
    g_autoptr(json_t) second = load(test_case, mapping, 0);
    rp_assert_account(second, "t", "read 2, unchanged 2");
    rp_assert_account(second, "lines", "read 2, unchanged 2");
    rp_case_assert_rows(test_case, "SELECT * FROM lines ORDER BY no", "1|0|a\n1|1|b");
}

Test(types, times_to_live) {
    static const char mapping[] =
        MAPPING("  t: {keys: 's:{id}', type: string, table: t, key: [id], columns: {id: $key.id, at: "
                "$expires_at, ttl: $ttl_ms, db: $db, loaded: $now}}\n");
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(
        test_case,
        "CREATE TABLE t (id text PRIMARY KEY, at timestamptz, ttl bigint, db integer, loaded timestamptz)");
    rp_case_redis(test_case, "SET s:never x");
    rp_case_redis(test_case, "SET s:late x PXAT 4102444800123");
    rp_case_redis(test_case, "SET s:soon x PX 100000");
    g_autoptr(json_t) run = load(test_case, mapping, 0);
    rp_assert_account(run, "t", "read 3, inserted 3");
    rp_case_assert_rows(test_case,
                        "SELECT id, at AT TIME ZONE 'UTC', ttl > 0 FROM t WHERE id <> 'soon' ORDER BY id",
                        "late|2100-01-01 00:00:00.123|t\nnever|null|null");
    rp_case_assert_rows(test_case,
                        "SELECT abs(extract(epoch FROM at - now()) - 100) < 20, ttl BETWEEN 80000 AND "
                        "100000, loaded BETWEEN now() - interval "
                        "'1 minute' AND now() FROM t WHERE id = 'soon'",
                        "t|t|t");
    cr_assert(eq(i64, rp_case_sql_number(test_case, "SELECT DISTINCT db FROM t"), test_case->number));
}

/* ---- what is refused ---- */

Test(types, a_reject_names_its_key_and_element) {
    static const char mapping[] =
        MAPPING("  l: {keys: 'l:{id}', type: list, table: t, key: [id, no], columns: {id: $key, no: $index, "
                "n: {from: $value, max: 9}}}\n"
                "  j: {keys: 'j:{id}', type: json, each: i, table: t, key: [id, no], columns: {id: $key, no: "
                "$index, n: $element}}\n"
                "  x: {keys: 'x:{id}', type: stream, table: u, key: [id], columns: {id: $id, n: n}}\n");
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (id text, no integer, n integer, PRIMARY KEY (id, no)); CREATE "
                           "TABLE u (id text PRIMARY KEY, n integer)");
    rp_case_redis(test_case, "RPUSH l:a 1 x 3 10");
    rp_case_redis(test_case, "SET j:a %s", "{\"i\":[1,\"y\",3]}");
    rp_case_redis(test_case, "SET j:b %s", "{\"i\":7}");
    rp_case_redis(test_case, "XADD x:a 5-1 n 1");
    rp_case_redis(test_case, "XADD x:a 5-2 n z");
    g_autoptr(json_t) run = load(test_case, mapping, 1);
    rp_assert_account(run, "l", "read 4, inserted 2, rejected 2");
    rp_assert_account(run, "j", "read 4, inserted 2, rejected 2");
    rp_assert_account(run, "x", "read 2, inserted 1, rejected 1");
    rp_case_assert_rows(test_case,
                        "SELECT convert_from(key, 'UTF8'), element, code, column_name, value FROM "
                        "redis2pg.rejects ORDER BY 1, 2",
                        "j:a|1|invalid_integer|n|y\nj:b|null|invalid_json|null|null\nl:a|1|invalid_integer|n|"
                        "x\nl:a|3|out_of_range|n|10\n"
                        "x:a|5-2|invalid_integer|n|z");
}

Test(types, a_key_of_another_type_is_rejected) {
    static const char mapping[] =
        MAPPING("  h: {keys: 'h:{id}', type: hash, table: t, key: [id], columns: {id: $key, v: a}}\n"
                "  s: {keys: 's:{id}', type: string, table: t, key: [id], columns: {id: $key, v: $value}}\n"
                "  j: {keys: 'j:{id}', type: json, table: t, key: [id], columns: {id: $key, v: a}}\n"
                "  l: {keys: 'l:{id}', type: list, table: t, key: [id], columns: {id: $value}}\n"
                "  m: {keys: 'm:{id}', type: set, table: t, key: [id], columns: {id: $value}}\n"
                "  z: {keys: 'z:{id}', type: zset, table: t, key: [id], columns: {id: $value}}\n"
                "  x: {keys: 'x:{id}', type: stream, table: t, key: [id], columns: {id: $id}}\n");
    static const char *const KEYS[] = {"h", "s", "j", "l", "m", "z", "x"};
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, v text)");
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++)
        rp_case_redis(test_case, i % 2 == 0 ? "RPUSH %s:1 a b" : "HSET %s:1 a b", KEYS[i]);
    rp_case_redis(test_case, "DEL l:1");
    rp_case_redis(test_case, "SET l:1 x");
    g_autoptr(json_t) run = load(test_case, mapping, 1);
    for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++)
        rp_assert_account(run, KEYS[i], "read 1, rejected 1");
    rp_case_assert_rows(
        test_case, "SELECT convert_from(key, 'UTF8'), code, message FROM redis2pg.rejects ORDER BY 1",
        "h:1|wrong_type|the key holds a list, not a hash\nj:1|wrong_type|the key holds a list, not a string\n"
        "l:1|wrong_type|the key holds a string, not a list\nm:1|wrong_type|the key holds a list, not a set\n"
        "s:1|wrong_type|the key holds a hash, not a string\nx:1|wrong_type|the key holds a list, not a "
        "stream\n"
        "z:1|wrong_type|the key holds a hash, not a zset");
}

Test(types, an_element_that_is_too_large_is_rejected_alone) {
    static const char mapping[] = MAPPING("  l: {keys: 'l:{id}', type: list, table: t, key: [id, no], "
                                          "columns: {id: $key.id, no: $index, v: $value}}\n");
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *large = g_strnfill(200000, 'x');
    char *path = rp_file_write(mapping);
    rp_case_sql(test_case, "CREATE TABLE t (id text, no integer, v text, PRIMARY KEY (id, no))");
    rp_case_redis(test_case, "RPUSH l:a a %s c", large);
    g_autoptr(json_t) run = rp_case_load(test_case, 1, "--mapping", path, "--max-value-bytes", "65536", NULL);
    rp_file_drop(path);
    rp_assert_account(run, "l", "read 3, inserted 2, rejected 1");
    rp_case_assert_rows(test_case, "SELECT no, v FROM t ORDER BY no", "0|a\n2|c");
    rp_case_assert_rows(test_case, "SELECT element, code FROM redis2pg.rejects", "1|too_large");
}

/* ---- columns ---- */

Test(types, columns_of_many_types) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(
        test_case,
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN percent AS smallint CHECK (VALUE <= 100);"
        "CREATE DOMAIN moods AS mood[];"
        "CREATE TABLE t (id text PRIMARY KEY, tags text[], numbers integer[], feeling mood, feelings mood[], "
        "share percent,"
        " bytes bytea, hex bytea, real4 real, real8 double precision, day date, hour time, at timestamp, "
        "flag boolean,"
        " price numeric(8,2), code char(4), days date[], digest bytea)");
    rp_case_redis(test_case,
                  "HSET t:1 tags a,b numbers %s feeling glad feelings sad;glad share 99 bytes %b hex c0ffee "
                  "real 1.5 day 24.12.2024 hour "
                  "13:14:15.5 at 1735787045 flag ja price 1999 code ab days %s secret s",
                  "[1, null, -3]", "\x00\xff\x01", (size_t)3, "[\"2024-02-29\"]");
    rp_case_redis(test_case, "HSET t:2 flag nein");
    load_twice(test_case,
               MAPPING("  t:\n    keys: 't:{id}'\n    type: hash\n    table: t\n    key: [id]\n    "
                       "columns:\n      id: $key.id\n"
                       "      tags: {from: tags, split: ','}\n      numbers: numbers\n      feeling: "
                       "feeling\n      feelings: {from: feelings, split: ';'}\n"
                       "      share: share\n      bytes: bytes\n      hex: {from: hex, encoding: hex}\n      "
                       "real4: real\n      real8: real\n"
                       "      day: {from: day, timestamp: '%d.%m.%Y'}\n      hour: hour\n      at: {from: "
                       "at, timestamp: unix}\n"
                       "      flag: {from: flag, boolean: {true: [ja], false: [nein]}}\n      price: {from: "
                       "price, divide: 100}\n      code: code\n"
                       "      days: days\n      digest: {from: secret, hash: sha256}\n"),
               2);
    rp_case_assert_rows(test_case,
                        "SELECT tags, numbers, feeling, feelings, share, bytes, hex, real4, real8, day, "
                        "hour, at, flag, price, code, days, "
                        "digest = sha256('s') FROM t WHERE id = '1'",
                        "{a,b}|{1,NULL,-3}|glad|{sad,glad}|99|\\x00ff01|\\xc0ffee|1.5|1.5|2024-12-24|13:14:"
                        "15.5|2025-01-02 03:04:05|t|19.99|ab  |"
                        "{2024-02-29}|t");
    rp_case_assert_rows(test_case, "SELECT flag, tags, digest FROM t WHERE id = '2'", "f|null|null");
}

Test(types, a_domains_check_rejects_its_row) {
    static const char mapping[] = MAPPING(
        "  t: {keys: 'l:{id}', type: list, table: t, key: [no], columns: {no: $index, share: $value}}\n");
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE DOMAIN percent AS smallint CHECK (VALUE <= 100); CREATE TABLE t (no "
                           "integer PRIMARY KEY, share percent)");
    rp_case_redis(test_case, "RPUSH l:a 100 101 40000 0");
    g_autoptr(json_t) run = load(test_case, mapping, 1);
    rp_assert_account(run, "t", "read 4, inserted 2, rejected 2");
    rp_case_assert_rows(test_case, "SELECT element, code FROM redis2pg.rejects ORDER BY 1",
                        "1|check_failed\n2|out_of_range");
}

/* ---- SQL over rows of elements ---- */

Test(types, where_and_checks_are_about_elements) {
    static const char mapping[] =
        MAPPING("  t: {keys: 'z:{id}', type: zset, table: t, key: [id, member], columns: {id: $key.id, "
                "member: $value, score: $score},\n"
                "      checks: {small: 'score < 100'}, where: 'score >= 0'}\n"
                "  j: {keys: 'j:{id}', type: json, each: i, table: t, key: [id, member], columns: {id: "
                "$key.id, member: {template: 'm{$index}'}, score: $element.s},\n"
                "      checks: {known: \"member <> 'm2'\"}, where: 'score IS NOT NULL'}\n");
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case,
                "CREATE TABLE t (id text, member text, score double precision, PRIMARY KEY (id, member))");
    rp_case_redis(test_case, "ZADD z:a 1 one -1 minus 100 hundred 99.9 most");
    rp_case_redis(test_case, "SET j:b %s", "{\"i\":[{\"s\":1},{},{\"s\":2},{\"s\":null},{\"s\":3}]}");
    g_autoptr(json_t) run = load(test_case, mapping, 1);
    rp_assert_account(run, "t", "read 4, inserted 2, rejected 1, filtered 1");
    rp_assert_account(run, "j", "read 5, inserted 2, rejected 1, filtered 2");
    rp_case_assert_rows(test_case, "SELECT * FROM t ORDER BY id, score",
                        "a|one|1\na|most|99.9\nb|m0|1\nb|m4|3");
    rp_case_assert_rows(test_case,
                        "SELECT entity, convert_from(key, 'UTF8'), element, code, constraint_name FROM "
                        "redis2pg.rejects ORDER BY 1",
                        "j|j:b|2|rule_failed|known\nt|z:a|null|rule_failed|small");
}

/* ---- duplicates ---- */

/* x, n others, x: with enough others, and --batch-rows 1, the two come in different batches. */
static void push_twins(RpCase *test_case, guint n_between) {
    rp_case_redis(test_case, "RPUSH l:a x");
    for (guint i = 0; i < n_between; i++)
        rp_case_redis(test_case, "RPUSH l:a v%u", i);
    rp_case_redis(test_case, "RPUSH l:a x");
}

static void assert_twins(guint n_between, const char *columns, int status, const char *first,
                         const char *second) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    g_autofree char *text = g_strdup_printf(
        MAPPING("  t: {keys: 'l:{id}', type: list, table: t, key: [id, value], columns: {%s}}\n"), columns);
    g_autofree char *rejects = g_strdup_printf("%u|duplicate_key", n_between + 1);
    char *path = rp_file_write(text);
    rp_case_sql(test_case, "CREATE TABLE t (id text, value text, no integer, PRIMARY KEY (id, value))");
    push_twins(test_case, n_between);
    g_autoptr(json_t) run =
        rp_case_load(test_case, status, "--strategy", "merge", "--mapping", path, "--batch-rows", "1", NULL);
    rp_assert_account(run, "t", first);
    rp_case_assert_rows(test_case, "SELECT count(*), coalesce(max(no), 0) FROM t WHERE value = 'x'", "1|0");
    rp_case_assert_rows(test_case, "SELECT element, code FROM redis2pg.rejects", status == 1 ? rejects : "");
    g_autoptr(json_t) again = rp_case_load(test_case, status, "--mapping", path, "--batch-rows", "1", NULL);
    rp_file_drop(path);
    rp_assert_account(again, "t", second);
}

Test(types, an_identity_that_stands_twice_in_a_list_is_a_duplicate) {
    static const char columns[] = "id: $key.id, value: $value, no: $index";
    assert_twins(1, columns, 1, "read 3, inserted 2, rejected 1", "read 3, unchanged 2, rejected 1");
    assert_twins(300, columns, 1, "read 302, inserted 301, rejected 1",
                 "read 302, unchanged 301, rejected 1");
}

/* In different batches nobody can tell an equal element from one that was read twice. */
Test(types, equal_elements_of_a_list_are_duplicates_within_a_batch) {
    static const char columns[] = "id: $key.id, value: $value";
    assert_twins(1, columns, 1, "read 3, inserted 2, rejected 1", "read 3, unchanged 2, rejected 1");
    assert_twins(300, columns, 0, "read 302, inserted 301, unchanged 1", "read 302, unchanged 302");
}

Test(types, equal_elements_of_each_are_duplicates) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE t (id text, sku text, PRIMARY KEY (id, sku))");
    rp_case_redis(test_case, "SET c:1 %s", "[\"a\",\"b\",\"a\",\"a\"]");
    g_autoptr(json_t) run =
        load(test_case,
             MAPPING("  t: {keys: 'c:{id}', type: json, each: $value, table: t, key: [id, sku], columns: "
                     "{id: $key.id, sku: {from: $element, required: true}}}\n"),
             1);
    rp_assert_account(run, "t", "read 4, inserted 2, rejected 2");
    rp_case_assert_rows(test_case, "SELECT element, code FROM redis2pg.rejects ORDER BY 1",
                        "2|duplicate_key\n3|duplicate_key");
}
