/* Building a hash field by field, with its fault. */
#include "demo/row.h"

#include "demo/ids.h"

static const char *const KEY_PREFIXES[] = {"customer:", "order:", "payment:"};

static void add_literal(RpPipe *commands, const char *text) {
    rp_pipe_argument(commands, text, strlen(text));
}

static void add_text(RpPipe *commands, const RpText *text) {
    rp_pipe_argument(commands, text->data, text->size);
}

gboolean rp_row_begin(RpRow *row, const RpShopPlan *plan, RpShopEntity entity, guint64 index,
                      RpPipe *commands) {
    row->plan = plan;
    row->commands = commands;
    row->index = index;
    row->fault = rp_shop_plan_fault(plan, entity, index, &row->ordinal);
    row->id.size = row->key.size = 0;
    rp_shop_add_id(&row->id, plan->spec.seed, entity, index);
    if (rp_row_is(row, RP_SHOP_PLANT_LONG_ID))
        for (guint i = 0; i < 8; i++)
            rp_text_add(&row->id, "-imported-from-the-old-system-0x");
    rp_text_add(&row->key, KEY_PREFIXES[entity]);
    rp_text_add_bytes(&row->key, row->id.data, row->id.size);
    if (rp_row_is(row, RP_SHOP_PLANT_STRING_KEY)) {
        add_literal(commands, "SET");
        add_text(commands, &row->key);
        add_literal(commands, "migrated");
        rp_pipe_end(commands);
        return FALSE;
    }
    add_literal(commands, "HSET");
    add_text(commands, &row->key);
    return TRUE;
}

static RpSpan bad_value(const RpRow *row) {
    const RpSpan *values = row->fault->bad_values;
    guint n_values = 0;
    while (n_values < RP_SHOP_MAX_BAD_VALUES && values[n_values].data != NULL)
        n_values++;
    return values[row->ordinal % n_values];
}

static void put(RpRow *row, const char *field, RpSpan value) {
    const gboolean is_spoiled =
        row->fault != NULL && row->fault->column != NULL && strcmp(row->fault->column, field) == 0;
    if (is_spoiled && row->fault->plant == RP_SHOP_PLANT_ABSENT)
        return;
    if (is_spoiled && row->fault->plant == RP_SHOP_PLANT_VALUE)
        value = bad_value(row);
    if (is_spoiled && row->fault->plant == RP_SHOP_PLANT_CUT)
        value.size /= 2;
    if (value.data == NULL)
        return;
    add_literal(row->commands, field);
    rp_pipe_argument(row->commands, value.data, value.size);
}

void rp_row_put(RpRow *row, const char *field, const RpText *value) {
    put(row, field, (RpSpan){value->data, value->size});
}

void rp_row_put_literal(RpRow *row, const char *field, const char *value) {
    put(row, field, rp_span(value));
}

void rp_row_put_optional(RpRow *row, const char *field, const RpText *value) {
    put(row, field, value != NULL ? (RpSpan){value->data, value->size} : (RpSpan){0});
}

void rp_row_end(RpRow *row) {
    rp_pipe_end(row->commands);
}

void rp_row_command(RpRow *row, const char *verb, const RpText *key, const RpText *argument) {
    add_literal(row->commands, verb);
    add_text(row->commands, key);
    add_text(row->commands, argument);
    rp_pipe_end(row->commands);
}
