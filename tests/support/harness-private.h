/* What the harness's main and its cases agree on. */
#pragma once

#include "harness.h"

#define RP_HARNESS_TEMPLATE "shop_template"
#define RP_HARNESS_NUMBERS  "case_numbers"

/* Variables through which tests, in processes of their own, learn where the servers are. */
#define RP_HARNESS_CONNINFO     "REDIS2PG_TEST_CONNINFO"
#define RP_HARNESS_REDIS_SOCKET "REDIS2PG_TEST_REDIS_SOCKET"
#define RP_HARNESS_REDIS_PID    "REDIS2PG_TEST_REDIS_PID"
#define RP_HARNESS_POSTGRES_PID "REDIS2PG_TEST_POSTGRES_PID"

/* conninfo with another database; the last mention of a name counts. The caller frees it. */
char *rp_harness_conninfo(const char *conninfo, const char *database);

/* Applies schema/shop. FALSE, after saying why on stderr. */
gboolean rp_harness_apply_schema(PGconn *connection);
