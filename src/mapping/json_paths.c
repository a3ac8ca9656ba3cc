/* One walk over a JSON text finds what stands at all paths. */
#include "mapping/json_paths.h"

/* A place in a JSON text that some path leads to or through. */
typedef struct Node Node;
struct Node {
    guint number;           /* among the nodes of the paths; the whole text is 0 */
    RpSpan name;            /* of the member */
    gint64 position;        /* the same as an index of an array; -1 when the name is none */
    GPtrArray *members;     /* Nodes below this one, in the order of compare_names, */
    GPtrArray *by_position; /* and those of them that have a position, in its order */
    gint64 slot;            /* -1: paths only lead through it */
};

struct RpJsonPaths {
    GPtrArray *nodes; /* of Node, in the order of their numbers */
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
    g_free((char *)node->name.data);
    g_ptr_array_unref(node->members);
    g_ptr_array_unref(node->by_position);
    g_free(node);
}

static Node *add_node(RpJsonPaths *paths, const char *name) {
    Node *node = g_new0(Node, 1);
    node->number = paths->nodes->len;
    node->name = rp_span(g_strdup(name));
    node->position = position_of(name);
    node->members = g_ptr_array_new();
    node->by_position = g_ptr_array_new();
    node->slot = -1;
    paths->longest_name = MAX(paths->longest_name, node->name.size);
    g_ptr_array_add(paths->nodes, node);
    return node;
}

static Node *node_at(const RpJsonPaths *paths, guint number) {
    return g_ptr_array_index(paths->nodes, number);
}

RpJsonPaths *rp_json_paths_new(void) {
    RpJsonPaths *paths = g_new0(RpJsonPaths, 1);
    paths->nodes = g_ptr_array_new_with_free_func(node_free);
    add_node(paths, "");
    return paths;
}

void rp_json_paths_free(RpJsonPaths *paths) {
    if (paths == NULL)
        return;
    g_ptr_array_unref(paths->nodes);
    g_free(paths);
}

/* Short names first: most pairs need no look at their bytes. */
static int compare_names(RpSpan a, RpSpan b) {
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return memcmp(a.data, b.data, a.size);
}

/* Where the member stands, or would stand, among the node's. */
static guint place_of_name(const Node *node, RpSpan name, gboolean *is_there) {
    guint from = 0, to = node->members->len;
    *is_there = FALSE;
    while (from < to && !*is_there) {
        const guint middle = from + (to - from) / 2;
        const Node *member = g_ptr_array_index(node->members, middle);
        const int order = compare_names(name, member->name);
        *is_there = order == 0;
        if (order > 0)
            from = middle + 1;
        else
            to = middle;
    }
    return *is_there ? to : from;
}

static Node *child_of_name(const Node *node, RpSpan name) {
    gboolean is_there;
    const guint place = place_of_name(node, name, &is_there);
    return is_there ? g_ptr_array_index(node->members, place) : NULL;
}

static guint place_of_position(const Node *node, gint64 position) {
    guint place = node->by_position->len;
    while (place > 0 && ((const Node *)g_ptr_array_index(node->by_position, place - 1))->position > position)
        place--;
    return place;
}

static Node *add_child(RpJsonPaths *paths, Node *node, const char *name) {
    gboolean is_there;
    const guint place = place_of_name(node, rp_span(name), &is_there);
    Node *child = add_node(paths, name);
    g_ptr_array_insert(node->members, (int)place, child);
    if (child->position >= 0)
        g_ptr_array_insert(node->by_position, (int)place_of_position(node, child->position), child);
    return child;
}

guint rp_json_paths_add(RpJsonPaths *paths, const char *const *segments) {
    Node *node = node_at(paths, 0);
    for (; *segments != NULL; segments++) {
        Node *child = child_of_name(node, rp_span(*segments));
        node = child != NULL ? child : add_child(paths, node, *segments);
    }
    if (node->slot < 0)
        node->slot = paths->n_slots++;
    return (guint)node->slot;
}

guint rp_json_paths_size(const RpJsonPaths *paths) {
    return paths->n_slots;
}

/* ---- finding ---- */

/* What was found of a node so far: the nodes below it that were found are a list of numbers. */
typedef struct {
    gboolean is_found;
    guint first; /* of that list; 0 ends it */
    guint next;  /* in the list that this node is in */
} Mark;

typedef struct {
    const RpJsonPaths *paths;
    const char *end;
    RpSpan *values;
    Mark *marks; /* of each node */
} Walk;

static const Node *child_of_member(const RpJsonPaths *paths, const Node *node, RpSpan name) {
    if (memchr(name.data, '\\', name.size) == NULL)
        return child_of_name(node, name);
    if (name.size > 6 * paths->longest_name) /* \uXXXX is the longest way to write one byte */
        return NULL;
    g_autofree char *plain = g_malloc(name.size);
    const gsize size = rp_json_unescape(name, plain);
    return child_of_name(node, (RpSpan){plain, size});
}

/* Elements come in the order of their positions; *next counts those that were wanted. */
static const Node *child_of_index(const Node *node, gint64 position, guint *next) {
    if (*next == node->by_position->len)
        return NULL;
    const Node *child = g_ptr_array_index(node->by_position, *next);
    if (child->position != position)
        return NULL;
    ++*next;
    return child;
}

/* A member that stands twice: nothing is left of what its first value gave. Goes only to what was found, so
 * that members which stand a million times cost no more than as many others. */
static void forget(const Walk *walk, const Node *node) {
    Mark *mark = &walk->marks[node->number];
    if (node->slot >= 0)
        walk->values[node->slot] = (RpSpan){0};
    for (guint child = mark->first; child != 0; child = walk->marks[child].next) {
        forget(walk, node_at(walk->paths, child));
        walk->marks[child].is_found = FALSE;
    }
    mark->first = 0;
}

static void find_child(const Walk *walk, const Node *node, const Node *child) {
    Mark *mark = &walk->marks[child->number];
    if (mark->is_found) {
        forget(walk, child);
        return;
    }
    mark->is_found = TRUE;
    mark->next = walk->marks[node->number].first;
    walk->marks[node->number].first = child->number;
}

static const char *walk_value(const Walk *walk, const Node *node, const char *at);

static const char *walk_members(const Walk *walk, const Node *node, const char *at) {
    const gboolean is_object = *at == '{';
    const char close = is_object ? '}' : ']';
    guint next = 0;
    at = rp_json_skip_blanks(at + 1, walk->end);
    for (gint64 position = 0; *at != close; position++) {
        const Node *child;
        if (is_object) {
            const char *after = rp_json_skip_string(at);
            child = child_of_member(walk->paths, node, rp_json_inside(at, after));
            at = rp_json_skip_blanks(rp_json_skip_blanks(after, walk->end) + 1,
                                     walk->end); /* past the colon */
        } else {
            child = child_of_index(node, position, &next);
        }
        if (child != NULL)
            find_child(walk, node, child);
        at = child != NULL ? walk_value(walk, child, at) : rp_json_skip_value(at, walk->end);
        at = rp_json_skip_blanks(at, walk->end);
        if (*at == ',')
            at = rp_json_skip_blanks(at + 1, walk->end);
    }
    return at + 1;
}

/* Calls itself to the depth of the longest path, not to that of the text. */
static const char *walk_value(const Walk *walk, const Node *node, const char *at) {
    const char *start = at;
    if (node->members->len > 0 && (*at == '{' || *at == '['))
        at = walk_members(walk, node, at);
    else
        at = rp_json_skip_value(at, walk->end);
    if (node->slot >= 0)
        walk->values[node->slot] = (RpSpan){start, (gsize)(at - start)};
    return at;
}

void rp_json_paths_find(const RpJsonPaths *paths, RpSpan json, RpSpan *values) {
    g_autofree Mark *marks = g_new0(Mark, paths->nodes->len);
    const Walk walk = {paths, json.data + json.size, values, marks};
    memset(values, 0, paths->n_slots * sizeof *values);
    walk_value(&walk, node_at(paths, 0), rp_json_skip_blanks(json.data, walk.end));
}

gboolean rp_json_paths_leads_to(const RpJsonPaths *paths, RpSpan name) {
    const Node *root = node_at(paths, 0);
    return root->slot >= 0 || child_of_member(paths, root, name) != NULL;
}
