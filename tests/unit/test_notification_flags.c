/* Which flags of notify-keyspace-events tell of every change, and what is added to those that do not. */
#include "source/notification_flags.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const struct {
    const char *flags;
    const char *complete; /* NULL: they suffice */
} CASES[] = {
    {"", "KA"},
    {"K", "KA"},
    {"A", "AK"},
    {"E", "EKA"},
    {"AE", "AEK"},
    {"Ex", "ExKA"},
    {"xE", "xEKA"},
    {"AK", NULL},
    {"KA", NULL},
    {"AKE", NULL},
    {"AKEmn", NULL},
    {"g$lshzxetdK", NULL},
    {"Kdtexzhsl$g", NULL},
    {"g$lshzxetd", "g$lshzxetdK"},
    {"g$lshzxetK", "g$lshzxetKA"}, /* one is missing */
    {"$lshzxetdK", "$lshzxetdKA"},
    {"g$lshzetdK", "g$lshzetdKA"},
    {"Kmn", "KmnA"},
};

Test(notification_flags, what_is_missing_is_added_to_what_is_there) {
    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const char *flags = CASES[i].flags;
        g_autofree char *complete = rp_notification_flags_complete(flags);
        const char *expected = CASES[i].complete != NULL ? CASES[i].complete : flags;
        cr_assert(rp_notification_flags_suffice(flags) == (CASES[i].complete == NULL), "%s", flags);
        cr_assert(eq(str, complete, (char *)expected));
        cr_assert(rp_notification_flags_suffice(complete), "%s", complete);
    }
}
