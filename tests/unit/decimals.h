/* Decimals as text that shows their groups. */
#pragma once

#include "mapping/decimal.h"

#include <criterion/criterion.h>
#include <glib.h>

/* "+w1 d3: 1 2345 6780": sign, weight, display scale, groups of four digits. */
static inline char *decimals_show(const RpDecimal *decimal) {
    if (decimal->is_nan)
        return g_strdup("nan");
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%cw%d d%d:", decimal->is_negative ? '-' : '+', decimal->weight,
                           decimal->display_scale);
    for (int i = 0; i < decimal->n_groups; i++)
        g_string_append_printf(text, " %d", decimal->groups[i]);
    return g_string_free(text, FALSE);
}
