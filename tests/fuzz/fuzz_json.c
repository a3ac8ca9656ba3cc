/* JSON: a path, and on the next line a text. What is taken and found is held against jansson. */
#include "mapping/json.h"
#include "mapping/json_paths.h"

#include "input.h"

#include <jansson.h>

/* What we refuse and jansson takes: bounds on the work that a value can make. */
static gboolean is_our_limit(const char *problem) {
    static const char *const LIMITS[] = {"it is nested too deeply", "a number has too many digits",
                                         "a number's exponent is too large", NULL};
    return problem != NULL && g_strv_contains(LIMITS, problem);
}

static json_t *read_tree(RpSpan text, json_error_t *error) {
    return json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, error);
}

static void check_agreement(const char *problem, const json_t *tree, const json_error_t *error) {
    if (problem == NULL && tree == NULL) /* jansson's numbers are doubles, ours are numeric */
        g_assert(json_error_code(error) == json_error_numeric_overflow);
    if (problem != NULL && tree != NULL)
        g_assert(is_our_limit(problem));
}

/* Indexes as we read them: canonical, without a sign. */
static json_t *child_of(const json_t *parent, const char *name) {
    if (json_is_object(parent))
        return json_object_get(parent, name);
    guint64 position;
    const gboolean is_index = (name[0] != '0' || name[1] == '\0') &&
                              g_ascii_string_to_unsigned(name, 10, 0, G_MAXINT32, &position, NULL);
    return is_index && json_is_array(parent) ? json_array_get(parent, position) : NULL;
}

static void check_found(RpSpan value, const json_t *expected) {
    g_assert((value.data == NULL) == (expected == NULL));
    if (value.data == NULL)
        return;
    json_error_t error;
    json_t *tree = read_tree(value, &error);
    g_assert(tree != NULL && json_equal(tree, (json_t *)expected));
    json_decref(tree);
    g_auto(RpBuffer) scratch = {0};
    rp_buffer_reserve(&scratch, value.size);
    const RpSpan text = rp_json_value_text(value, &scratch);
    if (json_is_string(expected))
        g_assert(rp_span_equal(text, (RpSpan){json_string_value(expected), json_string_length(expected)}));
    else
        g_assert(json_is_null(expected) ? text.data == NULL : rp_span_equal(text, value));
}

static void check_path(RpSpan json, const char *const *segments, const json_t *tree) {
    RpJsonPaths *paths = rp_json_paths_new();
    const char *const whole[] = {NULL};
    RpSpan values[2] = {{0}};
    const guint whole_slot = rp_json_paths_add(paths, whole);
    const guint slot = rp_json_paths_add(paths, segments);
    g_assert(rp_json_paths_size(paths) == (whole_slot == slot ? 1 : 2));
    rp_json_paths_find(paths, json, values);
    for (; *segments != NULL && tree != NULL; segments++)
        tree = child_of(tree, *segments);
    check_found(values[slot], tree);
    rp_json_paths_free(paths);
}

static void check_elements(RpSpan array, const json_t *tree) {
    RpJsonElements elements;
    RpSpan element;
    gsize n_elements = 0;
    rp_json_elements_init(&elements, array);
    for (; rp_json_elements_next(&elements, &element); n_elements++)
        check_found(element, json_array_get(tree, n_elements));
    g_assert(n_elements == json_array_size(tree));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input = input_of(data, size);
    g_autofree char *path = input_text(&input);
    const RpSpan json = input_rest(&input);
    if (!rp_span_is_text(json) || !rp_span_is_text(rp_span(path)))
        return -1;
    const char *problem = rp_json_check(json, RP_JSON_ANY);
    json_error_t error;
    json_t *tree = read_tree(json, &error);
    check_agreement(problem, tree, &error);
    if (problem == NULL && tree != NULL) {
        g_assert((rp_json_check(json, RP_JSON_OBJECT) == NULL) == json_is_object(tree));
        g_assert((rp_json_check(json, RP_JSON_ARRAY) == NULL) == json_is_array(tree));
        g_auto(GStrv) segments = g_strsplit(path, ".", 16);
        check_path(json, (const char *const *)segments, tree);
        if (json_is_array(tree))
            check_elements(json, tree);
    }
    json_decref(tree);
    return 0;
}
