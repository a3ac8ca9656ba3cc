/* What an SQLSTATE asks for: another try, a reject, or an end. Only data errors may reject. */
#include "sink/connection.h"

#include <criterion/criterion.h>
#include <glib.h>

typedef struct {
    RpSinkError meaning;
    const char *states[16];
} Class;

Test(sqlstate, says_what_to_do) {
    static const Class CLASSES[] = {
        {RP_SINK_ERROR_DATA,
         {"22001", "22003", "22007", "22P02", "22021", "23502", "23503", "23505", "23514", "23P01", "23000",
          "44000", "54000", "P0001"}},
        {RP_SINK_ERROR_RETRY,
         {"08000", "08006", "40001", "40P01", "40003", "53000", "53100", "53200", "53300", "55P03", "57P01",
          "57P02", "57P03", "57014", "58030", ""}},
        {RP_SINK_ERROR_FATAL,
         {"42P01", "42703", "42501", "42601", "28P01", "3D000", "0A000", "25006", "55000", "P0002", "XX000",
          "21000", "08P01"}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(CLASSES); i++)
        for (guint j = 0; j < 16 && CLASSES[i].states[j] != NULL; j++)
            cr_assert(rp_sqlstate_classify(CLASSES[i].states[j]) == CLASSES[i].meaning, "%s is %d",
                      CLASSES[i].states[j], (int)rp_sqlstate_classify(CLASSES[i].states[j]));
    cr_assert(rp_sqlstate_classify(NULL) == RP_SINK_ERROR_RETRY, "no state: the connection is gone");
}
