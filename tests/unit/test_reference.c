/* References: what each key type has, what a reference becomes, and what is said of one that is none. */
#include "mapping/reference.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

/* What keys hold, in the order of the letters of the tables below. */
static const struct {
    const char *name;
    RpRecordType type;
    gboolean is_json;
    const char *each;
} KEYS[] = {
    {"hash", RP_RECORD_HASH, FALSE, NULL},
    {"hash with each", RP_RECORD_HASH, FALSE, "items.0"},
    {"string", RP_RECORD_STRING, FALSE, NULL},
    {"json", RP_RECORD_STRING, TRUE, NULL},
    {"json with each", RP_RECORD_STRING, TRUE, "items"},
    {"list", RP_RECORD_LIST, FALSE, NULL},
    {"set", RP_RECORD_SET, FALSE, NULL},
    {"zset", RP_RECORD_ZSET, FALSE, NULL},
    {"stream", RP_RECORD_STREAM, FALSE, NULL},
};

static RpPattern *pattern;
static RpReferenceScope scope;

static void begin(guint keys) {
    g_autofree char *problem = NULL;
    pattern = rp_pattern_new("t:{id}:{part}", &problem);
    cr_assert(pattern != NULL, "%s", problem);
    rp_reference_scope_init(&scope);
    scope.keys = pattern;
    scope.type = KEYS[keys].type;
    scope.is_json = KEYS[keys].is_json;
    cr_assert(KEYS[keys].each == NULL || rp_reference_parse_each(&scope, KEYS[keys].each, &problem), "%s",
              problem);
}

static void end(void) {
    rp_reference_scope_clear(&scope);
    rp_pattern_free(pattern);
}

/* Ends begun scopes of other types. */
static void assert_parsed(guint keys, const char *text, gboolean is_there, RpReferenceKind kind) {
    RpReference reference = {.kind = G_MAXINT};
    g_autofree char *problem = NULL;
    begin(keys);
    cr_assert(rp_reference_parse(&scope, text, &reference, &problem) == is_there, "%s in a %s: %s", text,
              KEYS[keys].name, problem);
    cr_assert((problem == NULL) == is_there && (!is_there || reference.kind == kind), "%s in a %s", text,
              KEYS[keys].name);
    end();
}

Test(reference, each_type_of_key_has_its_own) {
    static const struct {
        const char *text;
        RpReferenceKind kind;
        const char *where; /* by KEYS: y when it is there */
    } CASES[] = {
        {"$key", RP_REFERENCE_KEY, "yyyyyyyyy"},
        {"$key.id", RP_REFERENCE_CAPTURE, "yyyyyyyyy"},
        {"$value", RP_REFERENCE_VALUE, "--yyyyyy-"},
        {"$value.a", RP_REFERENCE_JSON, "--yyyyyy-"},
        {"$element", RP_REFERENCE_JSON, "-y--y----"},
        {"$element.a.0", RP_REFERENCE_JSON, "-y--y----"},
        {"$score", RP_REFERENCE_SCORE, "-------y-"},
        {"$index", RP_REFERENCE_INDEX, "-y--yy---"},
        {"$id", RP_REFERENCE_ID, "--------y"},
        {"$ttl_ms", RP_REFERENCE_TTL_MS, "yyyyyyyyy"},
        {"$expires_at", RP_REFERENCE_EXPIRES_AT, "yyyyyyyyy"},
        {"$db", RP_REFERENCE_DB, "yyyyyyyyy"},
        {"$now", RP_REFERENCE_NOW, "yyyyyyyyy"},
        {"name.path", RP_REFERENCE_JSON, "yy-yy---y"},
        {"\\$value.path", RP_REFERENCE_JSON, "yy-yy---y"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
        for (guint keys = 0; keys < G_N_ELEMENTS(KEYS); keys++)
            assert_parsed(keys, CASES[i].text, CASES[i].where[keys] == 'y', CASES[i].kind);
    for (guint keys = 0; keys < G_N_ELEMENTS(KEYS); keys++)
        assert_parsed(keys, "name", "yy-yy---y"[keys] == 'y',
                      KEYS[keys].is_json ? RP_REFERENCE_JSON : RP_REFERENCE_FIELD);
}

Test(reference, what_is_none_is_explained) {
    g_autofree char *seventeen = g_strdup("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q");
    const struct {
        guint keys;
        const char *text, *problem;
    } CASES[] = {
        {0, "", "\"\" is no reference: a name in it is empty"},
        {0, ".", "a name in it is empty"},
        {0, "a.", "\"a.\" is no reference: a name in it is empty"},
        {0, ".a", "a name in it is empty"},
        {0, "a..b", "a name in it is empty"},
        {0, "$key.", "a name in it is empty"},
        {0, seventeen, "a path has at most 16 names"},
        {0, "$keys", "\"$keys\" is no reference: $key, $key.NAME, $value"},
        {0, "$", "\"$\" is no reference"},
        {0, "$KEY", "\"$KEY\" is no reference"},
        {0, "$key.nobody", "the key pattern \"t:{id}:{part}\" captures no \"nobody\""},
        {0, "$key.id.x", "$key has no path below it"},
        {0, "$ttl_ms.x", "$ttl_ms has no path below it: \"x\""},
        {0, "$db.x", "$db has no path below it"},
        {0, "$value", "$value is not here: it belongs to a string, json, list, set or zset"},
        {0, "$element", "$element is not here: it belongs to an entity with `each`"},
        {0, "$score", "$score is not here: it belongs to a zset"},
        {0, "$index", "$index is not here: it belongs to a list, or an entity with `each`"},
        {0, "$id", "$id is not here: it belongs to a stream"},
        {2, "name", "a string has no fields: \"name\" names none; its content is $value"},
        {5, "name.x", "a list has no fields: \"name.x\" names none"},
        {6, "name", "a set has no fields"},
        {7, "member", "a zset has no fields"},
        {7, "$score.x", "$score has no path below it: \"x\""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        RpReference reference;
        g_autofree char *problem = NULL;
        begin(CASES[i].keys);
        cr_assert(!rp_reference_parse(&scope, CASES[i].text, &reference, &problem), "%s", CASES[i].text);
        cr_assert(strstr(problem, CASES[i].problem) != NULL, "%s: %s", CASES[i].text, problem);
        end();
    }
}

static RpReference parse(const char *text) {
    RpReference reference;
    g_autofree char *problem = NULL;
    cr_assert(rp_reference_parse(&scope, text, &reference, &problem), "%s: %s", text, problem);
    return reference;
}

/* Fields and documents are named once, however often they are referred to. */
Test(reference, the_scope_remembers_what_was_named) {
    begin(0);
    cr_assert(parse("a").index == 0 && parse("b").index == 1 && parse("a").index == 0);
    const RpReference path = parse("c.x.y"), other = parse("c.z"), same = parse("c.x.y");
    cr_assert(scope.fields->len == 3 && scope.documents->len == 1, "the field of a path is read too");
    cr_assert(path.index == other.index && path.slot != other.slot && same.slot == path.slot);
    const RpDocument *document = g_ptr_array_index(scope.documents, 0);
    cr_assert(document->kind == RP_DOCUMENT_FIELD && document->field == 2);
    cr_assert(parse("a.x").index == 1 && scope.fields->len == 3 && scope.documents->len == 2);
    cr_assert(parse("$key.part").index == 1 && parse("$key.id").index == 0);
    end();
}

Test(reference, a_dot_after_a_backslash_belongs_to_the_name) {
    static const struct {
        const char *text, *field;
        gboolean has_path;
    } CASES[] = {
        {"a\\.b", "a.b", FALSE},  {"a\\.b.c", "a.b", TRUE},        {"\\.", ".", FALSE},
        {"a\\\\.b", "a\\", TRUE}, {"a\\", "a\\", FALSE},           {"\\$key", "$key", FALSE},
        {"a b", "a b", FALSE},    {"\xc3\xa9", "\xc3\xa9", FALSE}, {"16\\.5.x", "16.5", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        begin(0);
        cr_assert(parse(CASES[i].text).kind == (CASES[i].has_path ? RP_REFERENCE_JSON : RP_REFERENCE_FIELD));
        cr_assert(scope.fields->len == 1 && strcmp(scope.fields->pdata[0], CASES[i].field) == 0,
                  "%s names %s", CASES[i].text, (char *)scope.fields->pdata[0]);
        end();
    }
}

Test(reference, times_are_asked_for_only_when_they_are_named) {
    begin(3);
    parse("$value");
    parse("a.b");
    cr_assert(!scope.has_ttl && !scope.has_expiry);
    parse("$ttl_ms");
    cr_assert(scope.has_ttl && !scope.has_expiry);
    parse("$expires_at");
    cr_assert(scope.has_ttl && scope.has_expiry);
    end();
}

Test(reference, sixteen_names_are_a_path) {
    begin(0);
    cr_assert(parse("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p").kind == RP_REFERENCE_JSON);
    end();
}

Test(reference, each_walks_over_arrays_in_json) {
    static const struct {
        guint keys;
        const char *text, *problem; /* NULL: it is a path */
    } CASES[] = {
        {0, "items", NULL},
        {0, "metadata.items.0.lines", NULL},
        {3, "items", NULL},
        {3, "$value", NULL},
        {3, "0", NULL},
        {0, "$value", "\"$value\" is no path to an array"},
        {0, "$key", "no path to an array"},
        {0, "$element", "no path to an array"},
        {3, "$value.items", "no path to an array"},
        {3, "", "a name in it is empty"},
        {2, "items", "in a json key, or in a field of a hash"},
        {2, "$value", "in a json key"},
        {5, "$value", "in a json key"},
        {8, "items", "in a json key"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *problem = NULL;
        begin(CASES[i].keys);
        cr_assert(rp_reference_parse_each(&scope, CASES[i].text, &problem) == (CASES[i].problem == NULL),
                  "%s: %s", CASES[i].text, problem);
        cr_assert(scope.has_each == (CASES[i].problem == NULL));
        cr_assert(problem == NULL || strstr(problem, CASES[i].problem) != NULL, "%s: %s", CASES[i].text,
                  problem);
        end();
    }
}
