/* rp_json_check takes a text exactly when PostgreSQL takes it as jsonb; where we are stricter on purpose
 * (nesting, digits), both answers stand in the test. */
#include "mapping/json.h"
#include "sandbox/sandbox.h"
#include "sink/connection.h"

#include <criterion/criterion.h>
#include <glib.h>

static RpSandbox *sandbox;
static PGconn *connection;

static void start(void) {
    g_autoptr(GError) error = NULL;
    const RpSandboxOptions options = {.is_without_redis = TRUE};
    sandbox = rp_sandbox_start(&options, &error);
    cr_assert(sandbox != NULL, "%s", error != NULL ? error->message : "");
    connection = rp_postgres_connect(rp_sandbox_get_conninfo(sandbox), &error);
    cr_assert(connection != NULL, "%s", error != NULL ? error->message : "");
    cr_assert(
        rp_postgres_run(connection,
                        "CREATE FUNCTION takes(t text) RETURNS text LANGUAGE plpgsql AS $$"
                        "BEGIN PERFORM t::jsonb; RETURN 'y'; EXCEPTION WHEN OTHERS THEN RETURN 'n'; END $$",
                        &error));
}

static void stop(void) {
    PQfinish(connection);
    rp_sandbox_stop(sandbox);
}

TestSuite(json_postgres, .init = start, .fini = stop, .timeout = 120);

/* PostgreSQL's answers, y or n for each text. */
static char *ask(const GPtrArray *texts) {
    GString *sql = g_string_new("SELECT string_agg(takes(v), '' ORDER BY n) FROM unnest(ARRAY[''::text");
    for (guint i = 0; i < texts->len; i++) {
        g_autofree char *literal = rp_postgres_literal(connection, g_ptr_array_index(texts, i));
        g_string_append_printf(sql, ",%s", literal);
    }
    g_string_append(sql, "]) WITH ORDINALITY AS t (v, n)");
    g_autoptr(GError) error = NULL;
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql->str, 0, NULL, &error);
    g_string_free(sql, TRUE);
    cr_assert(result != NULL, "%s", error != NULL ? error->message : "");
    return g_strdup(PQgetvalue(result, 0, 0) + 1);
}

/* What we refuse and PostgreSQL takes, for a bound on the work that a value can make. */
static gboolean is_our_limit(const char *problem) {
    static const char *const LIMITS[] = {"it is nested too deeply", "a number has too many digits",
                                         "a number's exponent is too large", NULL};
    return problem != NULL && g_strv_contains(LIMITS, problem);
}

static void assert_agreement(const GPtrArray *texts) {
    g_autofree char *answers = ask(texts);
    cr_assert(strlen(answers) == texts->len);
    for (guint i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);
        const char *problem = rp_json_check(rp_span(text), RP_JSON_ANY);
        if (is_our_limit(problem))
            continue;
        cr_assert((problem == NULL) == (answers[i] == 'y'), "%s: PostgreSQL says %c, we say %s", text,
                  answers[i], problem != NULL ? problem : "fine");
    }
}

static const char *const SEEDS[] = {
    "{}",
    "[]",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e5",
    "1E+5",
    "1e",
    "1.5e-3x",
    "\"\"",
    "\"a",
    "\"\\u0000\"",
    "\"\\u00e9\\n\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\ude00\"",
    "\"\\ud83d\\ud83d\"",
    "\"\\ud83d\\n\"",
    "\"\\ud83dx\"",
    "\"\\u12\"",
    "\"\\x\"",
    "\"\t\"",
    "\"\x7f\"",
    "[1,2,]",
    "[,]",
    "[1 2]",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":{\"b\":[1,{\"c\":null}]}}",
    " \t\r\n1 \n",
    "\f1",
    "\v1",
    "1 2",
    "nul",
    "nulls",
    "True",
    "NaN",
    "Infinity",
    "'a'",
    "{\"a\":1}}",
    "[[]",
    "{\"a\":\"b\\\"c\",\"d\":[-1.5e+10,true]}",
    "1e1000",
    "-1e-1000",
    "1_000",
    "0x1",
    "1e5.5",
    "\xef\xbb\xbf{}",
    "\"\xc2\xa0\"",
    "\xc2\xa0"
    "1",
    "--1",
    "[1,[2,[3,[4]]]]",
    "{\"\":0}",
    "\"\\/\"",
    "\"\\'\"",
    "{\"a\":1,\"a\":2}",
    "/**/1",
    "[1]//",
    "",
    " ",
    ":",
    ",",
    "{,}",
    "[:]",
    "{1:2}",
    "{null:1}",
    "[\"a\":1]",
    "00",
    "-00",
    "0e0",
    "0.0e-0",
    "1.0.0",
    "1-1",
    "1a",
    "tru\xc3\xa9",
    "true1",
    "true\xc3\xa9",
    "\"\\uD83D\\uDE00\\u0041\"",
    "\"\\u004\xc3\xa9\"",
    "\"\\U0041\"",
};

Test(json_postgres, takes_what_we_take) {
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    for (guint i = 0; i < G_N_ELEMENTS(SEEDS); i++)
        g_ptr_array_add(texts, (gpointer)SEEDS[i]);
    assert_agreement(texts);
}

/* A seed with a few of its bytes changed, dropped, or new ones put in. */
static char *mutate(GRand *random) {
    static const char ALPHABET[] = "{}[]:,\"\\/0123456789.eE+-utrfnalse bd8cD \t\n\x01\x1f";
    GString *text = g_string_new(SEEDS[g_rand_int_range(random, 0, G_N_ELEMENTS(SEEDS))]);
    const gint n_changes = g_rand_int_range(random, 1, 4);
    for (gint i = 0; i < n_changes; i++) {
        const gint place = g_rand_int_range(random, 0, (gint)text->len + 1);
        const char byte = ALPHABET[g_rand_int_range(random, 0, sizeof ALPHABET - 1)];
        const gint change = g_rand_int_range(random, 0, 3);
        if (change == 0 || (gsize)place == text->len)
            g_string_insert_c(text, place, byte);
        else if (change == 1)
            g_string_erase(text, place, 1);
        else
            text->str[place] = byte;
    }
    return g_string_free(text, FALSE);
}

Test(json_postgres, takes_the_same_mutations) {
    g_autoptr(GRand) random = g_rand_new_with_seed(20250102);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    while (texts->len < 4000) {
        char *text = mutate(random);
        if (rp_span_is_text(rp_span(text))) /* what is no text is refused before */
            g_ptr_array_add(texts, text);
        else
            g_free(text);
    }
    assert_agreement(texts);
}

Test(json_postgres, takes_more_than_our_limits_allow) {
    g_autofree char *open = g_strnfill(RP_JSON_MAX_DEPTH + 1, '[');
    g_autofree char *close = g_strnfill(RP_JSON_MAX_DEPTH + 1, ']');
    g_autofree char *deep = g_strconcat(open, close, NULL);
    g_autofree char *digits = g_strnfill(1001, '9');
    g_autofree char *places = g_strconcat("0.", digits, NULL);
    const char *const texts[] = {deep, digits, places, "1e1001", "1e-1001", "0e1001"};
    g_autoptr(GPtrArray) array = g_ptr_array_new();
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_ptr_array_add(array, (gpointer)texts[i]);
    g_autofree char *answers = ask(array);
    cr_assert(strcmp(answers, "yyyyyy") == 0, "%s", answers);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        cr_assert(is_our_limit(rp_json_check(rp_span(texts[i]), RP_JSON_ANY)), "%.20s", texts[i]);
}
