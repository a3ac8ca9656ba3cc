/* What the files of the audit share: one look at PostgreSQL, made of topics. */
#pragma once

#include "sink/audit.h"

G_BEGIN_DECLS

typedef struct {
    PGconn *connection;
    RpFindings *findings;
    char *role;         /* quoted */
    GHashTable *grants; /* remedies that were given: entities can share a table */
    guint n_connections;
} RpPostgresLook;

/* Runs a query; NULL with error. */
PGresult *rp_look_query(RpPostgresLook *look, const char *sql, const char *parameter, GError **error);

/* Adds a missing_privilege with GRANT what ON object TO role, once. object is quoted. */
void rp_look_add_grant(RpPostgresLook *look, RpSeverity severity, const char *place, const char *what,
                       const char *object, const char *why);

/* The topics of the server, of one entity's table, and of an entity whose table was not found; that of
 * look-ups is of both. */
gboolean rp_look_at_settings(RpPostgresLook *look, GError **error);
gboolean rp_look_at_connections(RpPostgresLook *look, GError **error);
gboolean rp_look_at_database(RpPostgresLook *look, GError **error);
gboolean rp_look_at_ledger(RpPostgresLook *look, GError **error);
gboolean rp_look_at_privileges(RpPostgresLook *look, const RpEntity *entity, GError **error);
gboolean rp_look_at_parents(RpPostgresLook *look, const RpEntity *entity, GError **error);
gboolean rp_look_at_lookups(RpPostgresLook *look, const RpEntity *entity, GError **error);
gboolean rp_look_at_sequences(RpPostgresLook *look, const RpEntity *entity, GError **error);
gboolean rp_look_at_table(RpPostgresLook *look, const RpEntity *entity, GError **error);
gboolean rp_look_for_hidden(RpPostgresLook *look, const RpEntity *entity, GError **error);

G_END_DECLS
