/* The verdict on a cutover. */
#include "report/field.h"
#include "report/table.h"
#include "report/verdict-private.h"

static void say_all(RpVerdict *verdict, const json_t *sentences, const char *before) {
    for (size_t i = 0; i < json_array_size(sentences); i++)
        rp_verdict_say(verdict, "%s%s.", before, json_string_value(json_array_get(sentences, i)));
}

static void say_times(RpVerdict *verdict, const json_t *cutover) {
    if (!json_is_integer(json_object_get(cutover, "paused_ms")))
        return;
    g_autofree char *paused = rp_text_number(rp_field_number(cutover, "paused_ms"));
    g_autofree char *drained = rp_text_number(rp_field_number(cutover, "drained_ms"));
    if (json_is_integer(json_object_get(cutover, "drained_ms")))
        rp_verdict_say(verdict, "Writers stood still for %s ms, and after %s ms of it PostgreSQL had all.",
                       paused, drained);
    else
        rp_verdict_say(verdict, "Writers stood still for %s ms.", paused);
}

void rp_verdict_of_cutover(RpVerdict *verdict, const json_t *cutover) {
    const gboolean is_go = g_str_equal(rp_field_text(cutover, "verdict"), "go");
    verdict->status = is_go ? "fine" : "refused";
    verdict->headline =
        g_strdup(is_go ? "Go: all that Redis has is in PostgreSQL" : "Refused: everything goes on as before");
    say_all(verdict, rp_field_list(cutover, "reasons"), "Why not: ");
    say_times(verdict, cutover);
    say_all(verdict, rp_field_list(cutover, "notes"), "Note: ");
}
