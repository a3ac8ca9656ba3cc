/* The form in which the undo log keeps rows: one from which each value comes back as it was.
 *
 * JSON itself loses some: a JSON null is like no value, arrays lose their bounds and json its blanks. Of such
 * types an image holds the text that PostgreSQL's own output function gives. */
#include "ledger/image.h"

gboolean rp_ledger_image_is_text(const RpColumn *column) {
    switch (column->kind) {
    case RP_TYPE_BOOL:
    case RP_TYPE_INT2:
    case RP_TYPE_INT4:
    case RP_TYPE_INT8:
    case RP_TYPE_FLOAT4:
    case RP_TYPE_FLOAT8:
    case RP_TYPE_NUMERIC:
    case RP_TYPE_TEXT:
    case RP_TYPE_BYTEA:
    case RP_TYPE_UUID:
    case RP_TYPE_ENUM:
        return FALSE;
    case RP_TYPE_OTHER:
    case RP_TYPE_DATE:
    case RP_TYPE_TIME:
    case RP_TYPE_TIMESTAMP:
    case RP_TYPE_TIMESTAMPTZ:
    case RP_TYPE_JSON:
    case RP_TYPE_JSONB:
    case RP_TYPE_ARRAY:
        return TRUE;
    }
    g_assert_not_reached();
}

/* concat() writes a value by its type's output function, where a cast to text could be a user's own; it has
 * no NULL. */
char *rp_ledger_image_columns(PGconn *connection, const RpTable *table) {
    GString *sql = g_string_new(NULL);
    for (guint i = 0; i < table->columns->len; i++) {
        const RpColumn *column = g_ptr_array_index(table->columns, i);
        g_autofree char *name = rp_postgres_identifier(connection, column->name);
        g_string_append(sql, i > 0 ? ", " : "");
        if (rp_ledger_image_is_text(column))
            g_string_append_printf(sql, "CASE WHEN t.%s IS DISTINCT FROM NULL THEN concat(t.%s) END AS %s",
                                   name, name, name);
        else
            g_string_append_printf(sql, "t.%s AS %s", name, name);
    }
    return g_string_free(sql, FALSE);
}

char *rp_ledger_image_sql(PGconn *connection, const RpTable *table) {
    g_autofree char *columns = rp_ledger_image_columns(connection, table);
    return g_strdup_printf("(SELECT row_to_json(i.*) FROM (SELECT %s) i)", columns);
}
