/* What a look at the server says, and what has happened between two of them. */
#include "source/info.h"
#include "source/notification_looks.h"

static const char *const SILENT[] = {"FLUSHALL", "FLUSHDB (of this database or another)", "SWAPDB"};
static const char *const COUNTERS[] = {"cmdstat_flushall", "cmdstat_flushdb", "cmdstat_swapdb"};

G_STATIC_ASSERT(G_N_ELEMENTS(SILENT) == G_N_ELEMENTS(((RpNotificationLook *)NULL)->n_calls));
G_STATIC_ASSERT(G_N_ELEMENTS(SILENT) == G_N_ELEMENTS(COUNTERS));

void rp_notification_look_clear(RpNotificationLook *look) {
    g_free(look->run_id);
    g_free(look->flags);
    *look = (RpNotificationLook){0};
}

/* "calls=3,usec=8,…" and "keys=3,expires=0,…": the first number. 0 where the field is not there. */
static guint64 first_number(GHashTable *info, const char *field) {
    const char *equals = strchr(rp_redis_info_text(info, field), '=');
    return equals != NULL ? g_ascii_strtoull(equals + 1, NULL, 10) : 0;
}

void rp_notification_look_parse(GHashTable *info, int database, RpNotificationLook *look) {
    g_autofree char *keys = g_strdup_printf("db%d", database);
    g_free(look->run_id);
    look->run_id = g_strdup(rp_redis_info_text(info, "run_id"));
    look->is_replica = strcmp(rp_redis_info_text(info, "role"), "slave") == 0;
    look->n_commands = rp_redis_info_number(info, "total_commands_processed");
    look->n_keys = first_number(info, keys);
    /* INFO itself has been called: where it has no counter, no command has. */
    look->has_calls = g_hash_table_contains(info, "cmdstat_info");
    for (guint i = 0; i < G_N_ELEMENTS(COUNTERS); i++)
        look->n_calls[i] = first_number(info, COUNTERS[i]);
}

char *rp_notification_look_compare(const RpNotificationLook *before, const RpNotificationLook *now) {
    g_autoptr(GString) names = g_string_new(NULL);
    /* Set back and counted up again a counter may be where it was. */
    if (now->n_commands < before->n_commands)
        return g_strdup(
            "the counters of commands were set back (CONFIG RESETSTAT): a FLUSHALL, FLUSHDB or SWAPDB "
            "meanwhile, of which no event is sent, would not show");
    for (guint i = 0; i < G_N_ELEMENTS(SILENT); i++)
        if (now->n_calls[i] != before->n_calls[i])
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", SILENT[i]);
    return names->len > 0 ? g_strconcat(names->str, ", of which no event is sent", NULL) : NULL;
}

char *rp_notification_size_judge(RpNotificationSize *size, guint64 n_before, guint64 n_now) {
    char *what = NULL;
    if (size->n_emptied > size->n_removals)
        what =
            g_strdup_printf("all %" G_GUINT64_FORMAT " keys were gone, and not for all of them an event came",
                            size->n_emptied);
    const gboolean was_emptied = size->n_emptied == 0 && n_now == 0 && n_before > 0;
    if (!was_emptied)
        size->n_removals = 0;
    size->n_emptied = was_emptied ? n_before : 0;
    return what;
}
