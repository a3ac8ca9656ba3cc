/* What commands that work with a mapping do first: connect, load, bind. */
#pragma once

#include "cli/options.h"
#include "mapping/mapping.h"
#include "sink/binding.h"
#include "source/connection.h"

#include <jansson.h>

G_BEGIN_DECLS

typedef struct {
    RpRedisAddress *redis;
    PGconn *postgres;
    RpMapping *mapping;
    RpBinding *binding;
} RpPrepared;

void rp_prepared_clear(RpPrepared *prepared);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RpPrepared, rp_prepared_clear)

/* Reads the addresses and the mapping, and asks no server: for commands that have something to do between
 * this and rp_prepare, which goes on from here. RP_USAGE_ERROR also when the mapping has mistakes of its own,
 * or lacks one of the entities that --entity names (NULL: none). */
gboolean rp_prepare_mapping(const RpGlobals *globals, char **entities, RpPrepared *prepared,
                            RpFindings *findings, GError **error);

/* Reads the addresses and the mapping, unless that is done, connects to PostgreSQL and binds the mapping to
 * its tables. What is wrong with the mapping is added to findings; the error is for the rest. Nothing is
 * written. A mapping that has mistakes of its own is not bound: postgres and binding are NULL then. */
gboolean rp_prepare(const RpGlobals *globals, guint retry_seconds, RpPrepared *prepared, RpFindings *findings,
                    GError **error);

/* Prints a document on stdout with a newline, and frees it. */
void rp_print_json(json_t *document);

/* FALSE with RP_USAGE_ERROR unless the command was given between least and most words. */
gboolean rp_expect_words(const RpCommand *command, int n_words, int least, int most, GError **error);

/* Reads a number of a run or a reject. */
gboolean rp_parse_number(const char *text, const char *what, guint64 *number, GError **error);

G_END_DECLS
