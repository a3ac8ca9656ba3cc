/* `check --sample N`: keys are read and mapped without being written, and what would come of them is told. */
#include "findings.h"

static const char THINGS[] = "redis2pg: 1\n"
                             "entities:\n"
                             "  things:\n"
                             "    keys: 'thing:{id}'\n"
                             "    type: hash\n"
                             "    table: things\n"
                             "    key: [id]\n"
                             "    ignore_fields: [legacy]\n"
                             "    columns:\n"
                             "      id:    $key.id\n"
                             "      size:  {from: size, max: 10}\n"
                             "      email: {from: email, format: email, sensitive: true}\n"
                             "  events:\n"
                             "    keys: 'events'\n"
                             "    type: stream\n"
                             "    table: events\n"
                             "    key: [id]\n"
                             "    columns: {id: $id, kind: kind}\n"
                             "  notes:\n"
                             "    keys: 'note:{id}'\n"
                             "    type: json\n"
                             "    table: notes\n"
                             "    key: [id]\n"
                             "    columns: {id: $key.id, title: title.text}\n";

static RpCase *case_new(void) {
    RpCase *test_case = rp_case_new_empty();
    rp_case_sql(test_case, "CREATE TABLE things (id text PRIMARY KEY, size integer, email text);"
                           "CREATE TABLE events (id text PRIMARY KEY, kind text);"
                           "CREATE TABLE notes (id text PRIMARY KEY, title text)");
    return test_case;
}

static json_t *trial(RpCase *test_case, const char *yaml, int expected) {
    char *mapping = rp_file_write(yaml);
    int status;
    json_t *document = look(test_case, mapping, NULL, NULL, &status);
    rp_file_drop(mapping);
    cr_assert(status == expected, "status %d", status);
    rp_case_assert_rows(test_case, "SELECT count(*) FROM pg_namespace WHERE nspname = 'redis2pg'", "0");
    return document;
}

Test(check_trial, says_what_the_mapping_would_reject) {
    g_autoptr(RpCase) test_case = case_new();
    rp_case_redis(test_case, "HSET thing:a size 3 email a@example.com");
    rp_case_redis(test_case, "HSET thing:b size 11");
    rp_case_redis(test_case, "HSET thing:c size 12");
    rp_case_redis(test_case, "HSET thing:d size many");
    rp_case_redis(test_case, "HSET thing:e email secret-address");
    rp_case_redis(test_case, "SET thing:f text");
    g_autoptr(json_t) document = trial(test_case, THINGS, 1);
    assert_found(document, "warning", "would_reject",
                 "would reject 2 of the rows tried as out_of_range of column size");
    assert_found(document, "warning", "would_reject",
                 "1 of the rows tried as invalid_integer of column size; for "
                 "example key thing:d: size is no whole number: many");
    assert_found(document, "warning", "would_reject", "as format_mismatch of column email");
    assert_found(document, "warning", "would_reject", "as wrong_type; for example key thing:f");
    assert_found(document, "note", "trial",
                 "6 keys looked at gave 6 rows, of which the mapping would reject 5");
    g_autofree char *shown = json_dumps(document, 0);
    rp_assert_keeps_quiet(shown, "secret-address");
    rp_case_assert_rows(test_case, "SELECT count(*) FROM things", "0");
}

Test(check_trial, names_fields_that_no_column_reads) {
    g_autoptr(RpCase) test_case = case_new();
    rp_case_redis(test_case, "HSET thing:a size 3 colour red legacy 1");
    rp_case_redis(test_case, "HSET thing:b colour blue weight 4");
    rp_case_redis(test_case, "XADD events * kind x origin y");
    rp_case_redis(test_case, "SET note:a %s", "{\"title\": {\"text\": \"t\"}, \"author\": \"x\"}");
    g_autoptr(json_t) document = trial(test_case, THINGS, 0);
    assert_found(document, "note", "unread_fields",
                 "entity \"things\": no column reads the fields colour (2), weight (1)");
    assert_found(document, "note", "unread_fields",
                 "entity \"events\": no column reads the fields origin (1)");
    assert_found(document, "note", "unread_fields",
                 "entity \"notes\": no column reads the fields author (1)");
    g_autofree char *shown = json_dumps(document, 0);
    rp_assert_keeps_quiet(shown, "legacy");
}

/* What another entity reads of the same keys is read. */
Test(check_trial, knows_that_two_entities_can_share_a_key) {
    g_autoptr(RpCase) test_case = case_new();
    rp_case_redis(test_case, "HSET thing:a size 3 kind x");
    g_autoptr(json_t) document =
        trial(test_case,
              "redis2pg: 1\n"
              "entities:\n"
              "  things: {keys: 'thing:{id}', type: hash, table: things, key: [id],\n"
              "    columns: {id: $key.id, size: size}}\n"
              "  kinds: {keys: 'thing:{id}', type: hash, table: events, key: [id],\n"
              "    columns: {id: $key.id, kind: kind}}\n",
              0);
    assert_absent(document, "note", "unread_fields");
    assert_found(document, "note", "patterns_overlap", "no entity hides another");
    assert_found(document, "note", "trial", "1 keys looked at gave 2 rows");
}

Test(check_trial, is_limited_by_sample_and_left_out_by_zero) {
    g_autoptr(RpCase) test_case = case_new();
    for (guint i = 0; i < 3000; i++)
        rp_case_redis(test_case, "HSET thing:%u size 99", i);
    char *mapping = rp_file_write(THINGS);
    g_auto(RpOutcome) some = {0};
    rp_case_run(test_case, &some, "check", "--mapping", mapping, "--sample", "300", NULL);
    rp_outcome_assert_status(&some, 1);
    rp_assert_says(some.output, "[would_reject]");
    rp_assert_keeps_quiet(some.output, "3000 keys looked at");
    g_auto(RpOutcome) none = {0};
    rp_case_run(test_case, &none, "check", "--mapping", mapping, "--sample", "0", NULL);
    rp_outcome_assert_status(&none, 0);
    rp_assert_keeps_quiet(none.output, "looked at gave");
    rp_file_drop(mapping);
}

/* Mistakes of the mapping do not keep the keys from being looked at. */
Test(check_trial, looks_at_keys_when_the_mapping_does_not_fit_the_tables) {
    g_autoptr(RpCase) test_case = case_new();
    rp_case_sql(test_case, "ALTER TABLE things DROP COLUMN size");
    rp_case_redis(test_case, "HSET thing:a size 3");
    rp_case_redis(test_case, "SET other:1 x");
    g_autoptr(json_t) document = trial(test_case, THINGS, 2);
    assert_found(document, "error", "unknown_column", "size");
    assert_found(document, "warning", "unmapped_keys", "other:*");
    assert_absent(document, "note", "trial");
}

/* Names are whatever YAML can write. */
Test(check_trial, takes_any_name_of_an_entity) {
    g_autoptr(RpCase) test_case = case_new();
    rp_case_redis(test_case, "HSET thing:a size many");
    g_autoptr(json_t) document =
        trial(test_case,
              "redis2pg: 1\n"
              "entities:\n"
              "  \"th\\tings\": {keys: 'thing:{id}', type: hash, table: things, key: [id],\n"
              "    columns: {id: $key.id, size: size}}\n",
              1);
    assert_found(document, "warning", "would_reject", "entity \"th\tings\" would reject 1");
}

/* Following the remedy must not hide more than the keys that it is about. */
Test(check_trial, advises_to_ignore_only_what_a_pattern_can_name) {
    g_autoptr(RpCase) test_case = case_new();
    rp_case_redis(test_case, "SET session:12 x");
    rp_case_redis(test_case, "SET 12345 x");
    rp_case_redis(test_case, "SET 12:34 x");
    rp_case_redis(test_case, "SET we\"ird:1 x");
    g_autoptr(json_t) document = trial(test_case, THINGS, 1);
    assert_found(document, "warning", "unmapped_keys", "ignore: [\"session:*\"]");
    assert_found(document, "warning", "unmapped_keys", "of the shape * (");
    assert_found(document, "warning", "unmapped_keys", "of the shape *:* (");
    cr_assert(seek(document, "warning", "unmapped_keys", "ignore: [\"*") == NULL);
    cr_assert(seek(document, "warning", "unmapped_keys", "ignore: [\"we") == NULL);
}

Test(check_trial, counts_shapes_that_are_too_many_to_tell_apart) {
    g_autoptr(RpCase) test_case = case_new();
    for (guint i = 0; i < 130; i++) {
        const char name[3] = {(char)('a' + i / 26), (char)('a' + i % 26), '\0'};
        rp_case_redis(test_case, "SET shape%s:x x", name);
    }
    g_autoptr(json_t) document = trial(test_case, THINGS, 1);
    assert_found(document, "warning", "unmapped_keys", "30 more of 130 keys looked at are of further shapes");
}

/* A file whose name is no text has findings all the same. */
Test(check_trial, shows_findings_of_files_with_any_name) {
    g_autoptr(RpCase) test_case = case_new();
    g_autofree char *folder = g_dir_make_tmp("redis2pg-check-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "\xff.yaml", NULL);
    cr_assert(g_file_set_contents(path, "redis2pg: 1\nentities: {a: {}}\n", -1, NULL));
    int status;
    g_autoptr(json_t) document = look(test_case, folder, NULL, NULL, &status);
    cr_assert(remove(path) == 0 && remove(folder) == 0 && status == 2);
    assert_found(document, "error", "missing_word", "keys");
}

/* A mistake in one entity does not keep the others, the servers and their tables from being looked at. */
Test(check_trial, finds_mistakes_of_all_kinds_in_one_call) {
    g_autoptr(RpCase) test_case = case_new();
    rp_case_redis(test_case, "SET other:1 x");
    g_autoptr(json_t) document =
        trial(test_case,
              "redis2pg: 1\n"
              "entities:\n"
              "  things: {keys: 'thing:{id}', type: hash, table: things, key: [id],\n"
              "    columns: {id: $key.id, size: {from: size, trimm: true}}}\n"
              "  events: {keys: 'events', type: stream, table: events, key: [id],\n"
              "    columns: {id: $id, sort: kind}}\n"
              "  notes: {keys: 'note:{id}', type: json, table: nots, key: [id],\n"
              "    columns: {id: $key.id}}\n",
              2);
    assert_found(document, "error", "unknown_word", "did you mean \"trim\"?");
    assert_found(document, "error", "unknown_column", "table public.events has no column \"sort\"");
    assert_found(document, "error", "unknown_table", "nots");
    assert_found(document, "note", "redis_reachable", "1 keys");
    assert_absent(document, "warning", "unmapped_keys"); /* things would be among them */
}
