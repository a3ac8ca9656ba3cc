/* `reconcile` of many rows that differ: memory is bounded; a full disk, and an identity that very many keys
 * share, change nothing in what is found. And what is sensitive is masked. */
#include "reconciling.h"

#include <signal.h>
#include <sys/resource.h>

#define N_ROWS   100000
#define PEAK_MIB 72

/* Of the processor: the machine may be busy with other tests. */
#ifdef __SANITIZE_ADDRESS__
#define MOST_SECONDS 40
#else
#define MOST_SECONDS 10
#endif

static char *new_case(RpCase *test_case, const char *id, guint n_keys) {
    g_autofree char *mapping =
        g_strdup_printf("redis2pg: 1\nentities:\n  t: {keys: 't:{any}', type: hash, table: t, "
                        "key: [id], columns: {id: %s, n: n, v: v}}\n",
                        id);
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, n bigint, v text)");
    rp_case_redis(test_case, "EVAL %s 0 %u",
                  "for i = 1, ARGV[1] do redis.call('HSET', 't:' .. i, 'id', 'one', 'n', i, 'v', 'a text of "
                  "some length ' .. i) end",
                  n_keys);
    return rp_file_write(mapping);
}

Test(reconcile_burden, rows_that_are_all_missing_or_different) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_case(test_case, "$key.any", N_ROWS);
    g_autoptr(json_t) missing = reconcile(test_case, mapping, 1, "--level", "fields", NULL);
    assert_counts(missing, "t", "source_rows 100000, missing 100000");
    cr_assert(eq(sz, json_array_size(rp_json_at(missing, "entities.t.differences")), 100));
    rp_assert_peak_below(PEAK_MIB);
    rp_case_sql(test_case, "INSERT INTO t SELECT i, i, 'other' FROM generate_series(1, 100000) i");
    g_autoptr(json_t) different = reconcile(test_case, mapping, 1, "--level", "fields", "--limit", "5", NULL);
    assert_counts(different, "t", "source_rows 100000, target_rows 100000, different 100000");
    cr_assert(eq(i64, rp_json_number(different, "entities.t.columns.0.different"), N_ROWS));
    rp_case_redis(test_case, "FLUSHDB");
    g_autoptr(json_t) extra = reconcile(test_case, mapping, 1, "--limit", "0", NULL);
    assert_counts(extra, "t", "target_rows 100000, extra 100000");
    rp_assert_peak_below(PEAK_MIB);
    rp_file_drop(mapping);
}

Test(reconcile_burden, keys_that_all_have_one_identity) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_case(test_case, "id", N_ROWS);
    rp_case_sql(test_case, "INSERT INTO t VALUES ('one', 77, 'a text of some length 77')");
    const double before = rp_processor_seconds();
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_counts(document, "t", "source_rows 100000, target_rows 1, equal 1, missing 99999");
    cr_assert(lt(dbl, rp_processor_seconds() - before, MOST_SECONDS));
    rp_file_drop(mapping);
}

/* Lists that go to files are lost then, and what they would have said is not taken for granted. */
Test(reconcile_burden, a_disk_that_is_full) {
    const struct rlimit limit = {4096, RLIM_INFINITY};
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = new_case(test_case, "$key.any", 1000);
    load_status(test_case, mapping, 0);
    rp_case_redis(test_case, "EVAL %s 0", "for i = 1, 300 do redis.call('HSET', 't:' .. i, 'n', 'x') end");
    rp_case_sql(test_case, "DELETE FROM t WHERE n <= 200 OR n > 800");
    load_status(test_case, mapping, 1);
    rp_case_sql(test_case, "DELETE FROM t WHERE n > 800; DELETE FROM t WHERE n <= 300");
    signal(SIGXFSZ, SIG_IGN);
    cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
    g_autoptr(json_t) document = reconcile(test_case, mapping, 1, NULL);
    assert_counts(document, "t",
                  "source_rows 700, target_rows 500, equal 500, missing 200, rejected 300, unrecorded 300");
    const gboolean is_incomplete = json_is_true(rp_json_at(document, "incomplete"));
    cr_assert(is_incomplete);
    rp_file_drop(mapping);
}

/* ---- what nobody may see ---- */

static void assert_hidden(RpCase *test_case, const char *mapping, const char *format) {
    g_auto(RpOutcome) out = {0};
    rp_case_run(test_case, &out, "reconcile", "--level", "fields", "--log-level", "debug", "--mapping",
                mapping, format, NULL);
    rp_outcome_assert_status(&out, 1);
    static const char *const SECRETS[] = {"secret", "5551", "5552", "1999-0"};
    for (guint i = 0; i < G_N_ELEMENTS(SECRETS); i++) {
        rp_assert_keeps_quiet(out.output, SECRETS[i]);
        rp_assert_keeps_quiet(out.errors, SECRETS[i]);
    }
    rp_assert_says(out.output, "mail");
}

Test(reconcile_burden, sensitive_values_are_masked) {
    g_autoptr(RpCase) test_case = rp_case_new_empty();
    char *mapping = rp_file_write(
        "redis2pg: 1\nentities:\n  t: {keys: 't:{n}', type: hash, table: t, key: [id], "
        "columns: {id: {from: id, sensitive: true}, mail: {from: mail, sensitive: true}, n: {from: n, "
        "sensitive: true}, born: {from: born, sensitive: true}, d: {from: d, hash: sha256}}}\n");
    rp_case_sql(test_case, "CREATE TABLE t (id text PRIMARY KEY, mail text, n bigint, born date, d bytea)");
    for (guint i = 0; i < 3; i++)
        rp_case_redis(test_case, "HSET t:%u id secret%u mail a.secret@x n 555%u born 1999-01-0%u d x", i, i,
                      i, i + 1);
    load_equal(test_case, mapping);
    rp_case_sql(test_case,
                "UPDATE t SET mail = 'b.secret@x', n = 5552, born = '1999-02-01' WHERE id = 'secret1';"
                "DELETE FROM t WHERE id = 'secret2'; INSERT INTO t VALUES ('secret4', 'a', 5551)");
    assert_hidden(test_case, mapping, "--json");
    assert_hidden(test_case, mapping, NULL);
    rp_file_drop(mapping);
}
