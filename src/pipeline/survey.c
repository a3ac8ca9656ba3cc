/* A load without writers: the reader and the mappers are those of a run. */
#include "pipeline/survey.h"

#include "pipeline/key_reader.h"
#include "pipeline/supervise.h"

#define KEYS_AHEAD 100 /* that are asked for before the first answer is taken */

/* ---- keys of a list ---- */

typedef struct {
    const RpSurvey *survey;
    RpCrew *crew;
    RpFilling filling;
    RpKeyReader keys;
    /* Asked for, and not yet taken. */
    RpBuffer bytes;
    struct {
        guint entity;
        gsize offset;
        gsize size;
        RpWindow window;
    } wishes[KEYS_AHEAD];
    guint n_wishes;
    gboolean is_end;
} ListReader;

static RpSpan wish_key(const ListReader *reader, guint wish) {
    return (RpSpan){reader->bytes.data + reader->wishes[wish].offset, reader->wishes[wish].size};
}

static gboolean list_keys(ListReader *reader, GError **error) {
    reader->n_wishes = 0;
    reader->bytes.size = 0;
    while (reader->n_wishes < KEYS_AHEAD && !reader->is_end) {
        guint entity;
        RpSpan key;
        if (!reader->survey->next(&entity, &key, &reader->is_end, reader->survey->data, error))
            return FALSE;
        if (reader->is_end)
            break;
        const guint wish = reader->n_wishes++;
        reader->wishes[wish].entity = entity;
        reader->wishes[wish].offset = reader->bytes.size;
        reader->wishes[wish].size = key.size;
        rp_buffer_append(&reader->bytes, key.data, key.size);
    }
    return TRUE;
}

static gboolean take_keys(ListReader *reader, GError **error) {
    for (guint i = 0; i < reader->n_wishes; i++)
        reader->wishes[i].window =
            rp_key_reader_send(&reader->keys, reader->wishes[i].entity, wish_key(reader, i));
    for (guint i = 0; i < reader->n_wishes; i++) {
        gsize n_bytes;
        if (!rp_filling_make_room(&reader->filling, error) ||
            !rp_key_reader_take(&reader->keys, reader->wishes[i].entity, &reader->wishes[i].window,
                                wish_key(reader, i), &n_bytes, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_list(ListReader *reader, GError **error) {
    rp_filling_begin(&reader->filling, 0, 0, 0);
    if (!rp_key_reader_open(&reader->keys, reader->crew, &reader->filling, error))
        return FALSE;
    while (!reader->is_end && !g_atomic_int_get(&reader->crew->is_stopping))
        if (!list_keys(reader, error) || !take_keys(reader, error))
            return FALSE;
    if (reader->filling.batch != NULL)
        rp_filling_close(&reader->filling);
    return TRUE;
}

static gpointer list_thread(gpointer data) {
    RpCrew *crew = data;
    g_autofree ListReader *reader = g_new0(ListReader, 1);
    reader->survey = crew->feed->data;
    reader->crew = reader->filling.crew = crew;
    GError *error = NULL;
    if (!read_list(reader, &error))
        rp_crew_fail(crew, error, FALSE);
    if (reader->filling.batch != NULL)
        rp_queue_push(crew->pool, reader->filling.batch);
    rp_queue_close(crew->to_map);
    rp_key_reader_clear(&reader->keys);
    rp_buffer_clear(&reader->bytes);
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
    RpSignals signals;
    if (!rp_crew_init(&crew, &options, &feed, NULL, error))
        return FALSE;
    crew.patience.run_id = survey->run_id;
    rp_signals_block(&signals);
    rp_supervise_survey(&crew, &signals);
    rp_signals_unblock(&signals);
    GError *trouble = g_steal_pointer(&crew.error);
    rp_crew_clear(&crew);
    if (trouble != NULL)
        g_propagate_error(error, trouble);
    return trouble == NULL;
}
