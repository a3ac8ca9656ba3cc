/* A load without writers: the reader and the mappers are those of a run. */
#include "pipeline/survey.h"

#include "pipeline/key_list.h"
#include "pipeline/supervise.h"

/* ---- keys of a list ---- */

static gboolean read_list(const RpSurvey *survey, RpKeyReader *keys, RpCrew *crew, RpFilling *filling,
                          GError **error) {
    const RpKeyList list = {.next = survey->next, .data = survey->data};
    rp_filling_begin(filling, 0, 0, 0);
    if (!rp_key_reader_open(keys, crew, filling, error) || !rp_key_list_read(&list, keys, error))
        return FALSE;
    if (filling->batch != NULL)
        rp_filling_close(filling);
    return TRUE;
}

static gpointer list_thread(gpointer data) {
    RpCrew *crew = data;
    RpFilling filling = {.crew = crew};
    RpKeyReader keys = {0};
    GError *error = NULL;
    if (!read_list(crew->feed->data, &keys, crew, &filling, &error))
        rp_crew_fail(crew, error, FALSE);
    if (filling.batch != NULL)
        rp_queue_push(crew->pool, filling.batch);
    rp_queue_close(crew->to_map);
    rp_key_reader_clear(&keys);
    return NULL;
}

/* ---- batches ---- */

static gpointer take_thread(gpointer data) {
    RpCrew *crew = data;
    const RpSurvey *survey = crew->feed->data;
    RpBatch *batch;
    while ((batch = rp_queue_pop(crew->to_write)) != NULL) {
        GError *error = NULL;
        if (!g_atomic_int_get(&crew->is_cancelled) && !survey->take(batch, survey->data, &error))
            rp_crew_fail(crew, error, TRUE);
        rp_crew_give_back(crew, batch);
    }
    return NULL;
}

gboolean rp_survey(const RpSurvey *survey, GError **error) {
    const RpFeed feed = {.kind = "survey",
                         .read = survey->next != NULL ? list_thread : rp_reader_thread,
                         .data = survey,
                         .take = take_thread,
                         .is_survey = TRUE};
    RpLoadOptions options = *survey->load;
    options.n_writers = 1;
    RpCrew crew;
    if (!rp_crew_init(&crew, &options, &feed, NULL, error))
        return FALSE;
    crew.patience.run_id = survey->run_id;
    rp_supervise_survey(&crew, survey->is_cancelled);
    GError *trouble = g_steal_pointer(&crew.error);
    rp_crew_clear(&crew);
    if (trouble != NULL)
        g_propagate_error(error, trouble);
    return trouble == NULL;
}
