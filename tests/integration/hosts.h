/* A table of hosts, and mappings of it that differ in their columns. */
#pragma once

#include "shop.h"

/* An entity over "PREFIX:{name}" and the table of its own name, whose columns are name and those given. */
#define ENTITY(entity, prefix, columns)                                                                      \
    "  " entity ":\n    keys: \"" prefix ":{name}\"\n    type: hash\n    table: " entity                     \
    "\n    key: [name]\n    columns:\n      name: $key.name\n" columns

#define HOSTS(columns) "redis2pg: 1\nentities:\n" ENTITY("hosts", "host", columns)

/* Runs a mapping of that text. */
static inline json_t *load(RpCase *test_case, int status, const char *text) {
    char *mapping = rp_file_write(text);
    json_t *run = rp_case_load(test_case, status, "--mapping", mapping, NULL);
    rp_file_drop(mapping);
    return run;
}

/* A mapping of that text is refused before anything is read, with words that hold part. */
static inline void assert_refused(RpCase *test_case, const char *text, const char *part) {
    char *mapping = rp_file_write(text);
    g_auto(RpOutcome) outcome = {0};
    rp_case_run(test_case, &outcome, "run", "--mapping", mapping, NULL);
    rp_outcome_assert_status(&outcome, 2);
    rp_assert_says(outcome.errors, part);
    rp_file_drop(mapping);
}

#define REJECTS_SQL                                                                                          \
    "SELECT convert_from(key, 'UTF8'), stage, code, column_name, value FROM "                                \
    "redis2pg.rejects ORDER BY key, run"
