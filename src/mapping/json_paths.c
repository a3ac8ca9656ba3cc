/* Walks over JSON that is known to be sound: nothing is checked again here, only found. */
#include "mapping/json_paths.h"

/* A place in a JSON text that some path leads to or through. */
typedef struct Node Node;
struct Node {
    char *name;          /* of the member; NULL for the whole text */
    gint64 position;     /* the same as an index of an array; -1 when the name is none */
    GPtrArray *children; /* of Node */
    gint64 slot;         /* -1: paths only lead through it */
};

struct RpJsonPaths {
    Node *root;
    guint n_slots;
    gsize longest_name;
};

static gint64 position_of(const char *name) {
    guint64 position;
    const gboolean is_canonical = name[0] != '0' || name[1] == '\0';
    return is_canonical && g_ascii_string_to_unsigned(name, 10, 0, G_MAXINT32, &position, NULL)
               ? (gint64)position
               : -1;
}

static void node_free(gpointer data) {
    Node *node = data;
    g_free(node->name);
    g_ptr_array_unref(node->children);
    g_free(node);
}

static Node *node_new(const char *name) {
    Node *node = g_new0(Node, 1);
    node->name = g_strdup(name);
    node->position = name != NULL ? position_of(name) : -1;
    node->children = g_ptr_array_new_with_free_func(node_free);
    node->slot = -1;
    return node;
}

RpJsonPaths *rp_json_paths_new(void) {
    RpJsonPaths *paths = g_new0(RpJsonPaths, 1);
    paths->root = node_new(NULL);
    return paths;
}

void rp_json_paths_free(RpJsonPaths *paths) {
    if (paths == NULL)
        return;
    node_free(paths->root);
    g_free(paths);
}

static const Node *child_of_name(const Node *node, const char *name, gsize size) {
    for (guint i = 0; i < node->children->len; i++) {
        const Node *child = g_ptr_array_index(node->children, i);
        if (strlen(child->name) == size && memcmp(child->name, name, size) == 0)
            return child;
    }
    return NULL;
}

guint rp_json_paths_add(RpJsonPaths *paths, const char *const *segments) {
    Node *node = paths->root;
    for (; *segments != NULL; segments++) {
        Node *child = (Node *)child_of_name(node, *segments, strlen(*segments));
        if (child == NULL) {
            child = node_new(*segments);
            g_ptr_array_add(node->children, child);
            paths->longest_name = MAX(paths->longest_name, strlen(*segments));
        }
        node = child;
    }
    if (node->slot < 0)
        node->slot = paths->n_slots++;
    return (guint)node->slot;
}

guint rp_json_paths_size(const RpJsonPaths *paths) {
    return paths->n_slots;
}

/* ---- skipping ---- */

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/* From the opening quote to after the closing one. */
static const char *skip_string(const char *at) {
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

static const char *skip_nested(const char *at) {
    guint depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (depth > 0);
    return at;
}

static const char *skip_value(const char *at, const char *end) {
    if (*at == '"')
        return skip_string(at);
    if (*at == '{' || *at == '[')
        return skip_nested(at);
    while (at < end && *at != ',' && *at != '}' && *at != ']' && skip_blanks(at, end) == at)
        at++;
    return at;
}

/* ---- strings ---- */

static guint take_hex4(const char *at) {
    guint value = 0;
    for (int i = 0; i < 4; i++)
        value = value * 16 + (guint)g_ascii_xdigit_value(at[i]);
    return value;
}

/* After the `u` of \u: a character, and past its second half when it has one. */
static gunichar take_unicode(const char **at) {
    const guint first = take_hex4(*at);
    *at += 4;
    if (first < 0xD800 || first > 0xDBFF)
        return first;
    const guint second = take_hex4(*at + 2);
    *at += 6;
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

/* Writes the content of a string's inside; it never grows. Gives its size. */
static gsize unescape(RpSpan inside, char *out) {
    const char *at = inside.data;
    const char *end = at + inside.size;
    char *to = out;
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        const char escape = at[1];
        at += 2;
        static const char letters[] = "bfnrt";
        const char *letter = strchr(letters, escape);
        if (escape == 'u')
            to += g_unichar_to_utf8(take_unicode(&at), to);
        else
            *to++ = letter != NULL ? "\b\f\n\r\t"[letter - letters] : escape;
    }
    return (gsize)(to - out);
}

static RpSpan inside_of(const char *string, const char *after) {
    return (RpSpan){string + 1, (gsize)(after - string) - 2};
}

RpSpan rp_json_text(RpSpan value, RpBuffer *scratch) {
    if (value.data == NULL || value.data[0] == 'n')
        return (RpSpan){0};
    if (value.data[0] != '"')
        return value;
    const RpSpan inside = inside_of(value.data, value.data + value.size);
    if (memchr(inside.data, '\\', inside.size) == NULL)
        return inside;
    g_assert(scratch->capacity - scratch->size >= inside.size);
    char *out = scratch->data + scratch->size;
    const gsize size = unescape(inside, out);
    scratch->size += size;
    return (RpSpan){out, size};
}

/* ---- finding ---- */

typedef struct {
    const RpJsonPaths *paths;
    const char *end;
    RpSpan *values;
} Walk;

static const Node *child_of_member(const RpJsonPaths *paths, const Node *node, RpSpan name) {
    if (memchr(name.data, '\\', name.size) == NULL)
        return child_of_name(node, name.data, name.size);
    if (name.size > 6 * paths->longest_name) /* \uXXXX is the longest way to write one byte */
        return NULL;
    g_autofree char *plain = g_malloc(name.size);
    const gsize size = unescape(name, plain);
    return child_of_name(node, plain, size);
}

static const Node *child_of_index(const Node *node, gint64 position) {
    for (guint i = 0; i < node->children->len; i++) {
        const Node *child = g_ptr_array_index(node->children, i);
        if (child->position == position)
            return child;
    }
    return NULL;
}

/* A member that stands twice: nothing is left of what its first value gave. */
static void forget(const Walk *walk, const Node *node) {
    if (node->slot >= 0)
        walk->values[node->slot] = (RpSpan){0};
    for (guint i = 0; i < node->children->len; i++)
        forget(walk, g_ptr_array_index(node->children, i));
}

static const char *walk_value(const Walk *walk, const Node *node, const char *at);

static const char *walk_members(const Walk *walk, const Node *node, const char *at) {
    const gboolean is_object = *at == '{';
    const char close = is_object ? '}' : ']';
    at = skip_blanks(at + 1, walk->end);
    for (gint64 position = 0; *at != close; position++) {
        const Node *child;
        if (is_object) {
            const char *after = skip_string(at);
            child = child_of_member(walk->paths, node, inside_of(at, after));
            at = skip_blanks(skip_blanks(after, walk->end) + 1, walk->end); /* past the colon */
        } else {
            child = child_of_index(node, position);
        }
        at = child != NULL ? walk_value(walk, child, at) : skip_value(at, walk->end);
        at = skip_blanks(at, walk->end);
        if (*at == ',')
            at = skip_blanks(at + 1, walk->end);
    }
    return at + 1;
}

/* Calls itself to the depth of the longest path, not to that of the text. */
static const char *walk_value(const Walk *walk, const Node *node, const char *at) {
    const char *start = at;
    forget(walk, node);
    if (node->children->len > 0 && (*at == '{' || *at == '['))
        at = walk_members(walk, node, at);
    else
        at = skip_value(at, walk->end);
    if (node->slot >= 0)
        walk->values[node->slot] = (RpSpan){start, (gsize)(at - start)};
    return at;
}

void rp_json_paths_find(const RpJsonPaths *paths, RpSpan json, RpSpan *values) {
    const Walk walk = {paths, json.data + json.size, values};
    walk_value(&walk, paths->root, skip_blanks(json.data, walk.end));
}

/* ---- elements ---- */

void rp_json_elements_init(RpJsonElements *elements, RpSpan container) {
    elements->end = container.data + container.size;
    elements->at = skip_blanks(skip_blanks(container.data, elements->end) + 1, elements->end);
}

gboolean rp_json_elements_next(RpJsonElements *elements, RpSpan *element) {
    if (*elements->at == ']')
        return FALSE;
    const char *start = elements->at;
    const char *after = skip_value(start, elements->end);
    *element = (RpSpan){start, (gsize)(after - start)};
    elements->at = skip_blanks(after, elements->end);
    if (*elements->at == ',')
        elements->at = skip_blanks(elements->at + 1, elements->end);
    return TRUE;
}

gboolean rp_json_elements_next_name(RpJsonElements *elements, RpSpan *name) {
    if (*elements->at == '}')
        return FALSE;
    const char *start = elements->at;
    const char *after = skip_string(start);
    *name = inside_of(start, after);
    elements->at = skip_blanks(skip_blanks(after, elements->end) + 1, elements->end); /* past the colon */
    RpSpan value;
    rp_json_elements_next(elements, &value);
    return TRUE;
}

gboolean rp_json_paths_leads_to(const RpJsonPaths *paths, RpSpan name) {
    return paths->root->slot >= 0 || child_of_member(paths, paths->root, name) != NULL;
}
