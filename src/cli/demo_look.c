/* What the demo shows of a run: rejects beside what was planted, some SQL, and the verdict. */
#include "base/span.h"
#include "cli/demo_story.h"
#include "demo/verdict.h"
#include "sink/connection.h"

#include <stdio.h>

#define MAX_EXAMPLES  3 /* of an entity */
#define MAX_KEY_BYTES 60

/* ---- Rejects ---- */

static void say_example(const RpDemo *demo, json_t *reject) {
    const char *value = json_string_value(json_object_get(reject, "value"));
    const char *column = json_string_value(json_object_get(reject, "column"));
    g_autofree char *key =
        rp_span_show(rp_span(json_string_value(json_object_get(reject, "key"))), MAX_KEY_BYTES);
    rp_demo_say(demo, "  %s  %s%s%s: %s%s%s%s\n", key, json_string_value(json_object_get(reject, "code")),
                column != NULL ? " in " : "", column != NULL ? column : "",
                json_string_value(json_object_get(reject, "message")), value != NULL ? " (\"" : "",
                value != NULL ? value : "", value != NULL ? "\")" : "");
}

/* Some rejects of an entity, each with a code of which there was no example yet. */
static void say_examples(const RpDemo *demo, json_t *listed, GHashTable *codes) {
    guint n_examples = 0;
    gsize i;
    json_t *reject;
    json_array_foreach(listed, i, reject) {
        const char *code = json_string_value(json_object_get(reject, "code"));
        if (n_examples == MAX_EXAMPLES || code == NULL || !json_is_string(json_object_get(reject, "key")) ||
            !g_hash_table_add(codes, (gpointer)g_intern_string(code)))
            continue;
        say_example(demo, reject);
        n_examples++;
    }
}

static gboolean read_rejects(RpDemo *demo, GHashTable *codes, GError **error) {
    g_autofree char *run =
        g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(demo->run, "run")));
    rp_demo_say(demo, "$ redis2pg rejects list --run %s\n", run);
    demo->rejects = json_object();
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++) {
        const char *entity = rp_shop_entity_name((RpShopEntity)i);
        g_autofree char *output = NULL;
        if (!rp_demo_call(demo, &output, error, "rejects", "list", "--run", run, "--entity", entity, NULL))
            return FALSE;
        json_t *list = rp_demo_parse_output("rejects list", output, error);
        if (list == NULL)
            return FALSE;
        json_object_set(demo->rejects, entity, json_object_get(list, "by_code"));
        say_examples(demo, json_object_get(list, "rejects"), codes);
        json_decref(list);
    }
    return TRUE;
}

gboolean rp_demo_look_at_rejects(RpDemo *demo, GError **error) {
    g_autoptr(GHashTable) codes = g_hash_table_new(NULL, NULL); /* interned */
    rp_demo_begin_step(demo, "Look at the rejects: some examples, then all by code beside what was planted");
    if (!read_rejects(demo, codes, error))
        return FALSE;
    g_autofree char *table = rp_shop_compare_show(&demo->report, demo->rejects);
    rp_demo_say(demo, "\n%s", table);
    demo->differences = rp_shop_differences(&demo->report, demo->run, demo->rejects);
    return TRUE;
}

/* For people it is told as text, with a few examples; the verdict takes the document. */
gboolean rp_demo_prove(RpDemo *demo, GError **error) {
    g_autofree char *output = NULL;
    rp_demo_begin_step(demo, "Prove it: compare every row of Redis with PostgreSQL, and the other way round");
    if (!demo->globals->is_json && !rp_demo_call(demo, NULL, error, "reconcile", "--limit", "3", NULL))
        return FALSE;
    const char *folder = demo->report_folder;
    if (!rp_demo_call(demo, &output, error, "reconcile", folder != NULL ? "--report" : NULL, folder, NULL))
        return FALSE;
    demo->reconciliation = rp_demo_parse_output("reconcile", output, error);
    if (demo->reconciliation == NULL)
        return FALSE;
    rp_shop_expect_proof(&demo->report, demo->reconciliation, demo->differences);
    return TRUE;
}

/* ---- SQL ---- */

static const struct {
    const char *question;
    const char *sql;
} QUERIES[] = {
    {"Revenue by status", "SELECT status, count(*) AS orders, sum(total_amount) AS revenue FROM orders "
                          "GROUP BY status ORDER BY status"},
    {"Orders that count as done and have no completed payment",
     "SELECT o.status, count(*) AS orders, sum(o.total_amount) AS unpaid FROM orders o WHERE o.status IN "
     "('paid', 'processing', 'completed') AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id "
     "AND "
     "p.status = 'completed') GROUP BY o.status ORDER BY o.status"},
    {"What was JSON text is JSON now",
     "SELECT metadata ->> 'source' AS source, count(*) AS orders, "
     "round(avg(quantity), 1) AS mean_quantity FROM orders GROUP BY 1 ORDER BY 1"},
    {"Best customers", "SELECT u.customer_id, count(*) AS orders, sum(o.total_amount) AS total FROM users u "
                       "JOIN orders o ON o.customer_id = u.id GROUP BY u.id ORDER BY total DESC LIMIT 5"},
};

static gboolean ask(PGconn *connection, const char *question, const char *sql, GError **error) {
    static const PQprintOpt PLAIN = {.header = 1, .align = 1, .fieldSep = (char *)"|"};
    g_autoptr(PGresult) result = rp_postgres_query(connection, sql, 0, NULL, error);
    if (result == NULL)
        return FALSE;
    printf("\n%s:\n$ psql \"$REDIS2PG_POSTGRES_URL\" -c \"%s\"\n", question, sql);
    PQprint(stdout, result, &PLAIN);
    return TRUE;
}

gboolean rp_demo_ask(RpDemo *demo, GError **error) {
    if (demo->globals->is_json)
        return TRUE;
    rp_demo_begin_step(demo, "Ask PostgreSQL what Redis could not answer");
    g_autoptr(PGconn) connection = rp_postgres_connect(rp_sandbox_get_conninfo(demo->sandbox), error);
    if (connection == NULL)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(QUERIES); i++)
        if (!ask(connection, QUERIES[i].question, QUERIES[i].sql, error))
            return FALSE;
    return TRUE;
}

void rp_demo_say_verdict(const RpDemo *demo) {
    guint64 n_rejects = 0;
    for (guint i = 0; i < RP_SHOP_N_ENTITIES; i++)
        n_rejects += demo->report.entities[i].rejected;
    if (json_array_size(demo->differences) == 0) {
        rp_demo_say(demo,
                    "\nVerdict: the run rejected exactly what was planted, %" G_GUINT64_FORMAT
                    " hashes, and wrote all others; comparing every row found nothing else.\n",
                    n_rejects);
        return;
    }
    rp_demo_say(demo, "\nVerdict: the run did NOT find what was planted:\n");
    gsize i;
    json_t *difference;
    json_array_foreach(demo->differences, i, difference) {
        char *planted = json_dumps(json_object_get(difference, "planted"), JSON_ENCODE_ANY);
        char *found = json_dumps(json_object_get(difference, "found"), JSON_ENCODE_ANY);
        rp_demo_say(demo, "  %s: %s due, %s found\n", json_string_value(json_object_get(difference, "what")),
                    planted, found);
        free(planted);
        free(found);
    }
}
