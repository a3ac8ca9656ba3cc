/* What a key held, for those who look into rejects. */
#include "report/record_json.h"

#include "model/reject.h"

static json_t *value_json(RpSpan value, gboolean is_shown) {
    if (!is_shown)
        return json_string(RP_MASK);
    if (rp_span_is_text(value))
        return json_stringn(value.data, value.size);
    g_autofree char *hex = rp_span_hex(value);
    return json_pack("{ss}", "hex", hex);
}

/* A stream's entry may name a field twice: then all of its values are given. */
static void add_field(json_t *fields, const char *name, json_t *value) {
    json_t *before = json_object_get(fields, name);
    if (before == NULL)
        json_object_set_new(fields, name, value);
    else if (json_is_array(before))
        json_array_append_new(before, value);
    else
        json_object_set_new(fields, name, json_pack("[Oo]", before, value));
}

static json_t *fields_json(RpRaw *raw, const RpPrivacy *privacy) {
    json_t *fields = json_object();
    RpSpan name, value;
    while (rp_raw_take(raw, &name) && rp_raw_take(raw, &value)) {
        g_autofree char *shown = rp_span_show(name, G_MAXSIZE);
        g_autofree char *text =
            rp_span_is_text(name) ? g_strndup(name.data, name.size) : g_steal_pointer(&shown);
        add_field(fields, text, value_json(value, privacy == NULL || rp_privacy_shows_field(privacy, name)));
    }
    return fields;
}

static void add_value(json_t *record, const char *name, RpRaw *raw, const RpPrivacy *privacy) {
    RpSpan value;
    if (rp_raw_take(raw, &value))
        json_object_set_new(record, name,
                            value_json(value, privacy == NULL || rp_privacy_shows_value(privacy)));
}

static void add_content(json_t *record, RpRaw *raw, const RpPrivacy *privacy) {
    switch (raw->type) {
    case RP_RECORD_HASH:
        json_object_set_new(record, "fields", fields_json(raw, privacy));
        return;
    case RP_RECORD_STREAM:
        add_value(record, "id", raw, privacy);
        json_object_set_new(record, "fields", fields_json(raw, privacy));
        return;
    case RP_RECORD_ZSET:
        add_value(record, "member", raw, privacy);
        add_value(record, "score", raw, privacy);
        return;
    case RP_RECORD_SET:
        add_value(record, "member", raw, privacy);
        return;
    case RP_RECORD_LIST:
    case RP_RECORD_STRING:
        add_value(record, "value", raw, privacy);
        return;
    case RP_RECORD_OTHER:
        return;
    }
    g_assert_not_reached();
}

json_t *rp_record_json(RpRaw *raw, const RpPrivacy *privacy) {
    const gboolean has_values = raw->n_values > 0;
    json_t *record = json_pack("{ss so}", "type", rp_record_type_name(raw->type), "ttl_ms",
                               raw->ttl_ms == -2 ? json_null() : json_integer(raw->ttl_ms));
    if (raw->is_partial)
        json_object_set_new(record, "is_partial", json_true());
    if (raw->index >= 0)
        json_object_set_new(record, "index", json_integer(raw->index));
    if (has_values)
        add_content(record, raw, privacy);
    return record;
}
