/* Whether two key patterns have a key in common: both are walked at once, as automata over bytes. */
#include "mapping/overlap.h"

#define MAX_STATES (1 << 22) /* patterns whose product is larger are not looked at */

#define MAX_COST 100000000 /* of all comparisons of a mapping */

/* What one step of a pattern takes: a byte, or a class of them. */
#define ANY_BYTE 256
#define NO_COLON 257

typedef struct {
    guint16 takes;
    gboolean is_repeated; /* any number of times, none included */
} Step;

static void add_hole(GArray *steps, gboolean takes_colon) {
    const guint16 takes = takes_colon ? ANY_BYTE : NO_COLON;
    const Step first = {takes, FALSE}, more = {takes, TRUE};
    g_array_append_val(steps, first);
    g_array_append_val(steps, more);
}

/* The text of a pattern that was compiled: its braces are in order. */
static GArray *list_steps(const RpPattern *pattern) {
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(Step));
    for (const char *at = rp_pattern_get_text(pattern); *at != '\0'; at++) {
        if (*at != '{') {
            const Step literal = {(guchar)*at, FALSE};
            g_array_append_val(steps, literal);
            continue;
        }
        at = strchr(at, '}');
        add_hole(steps, at[-1] == '+');
    }
    return steps;
}

static gboolean takes_same(guint16 a, guint16 b) {
    if (a == b || (a == ANY_BYTE || b == ANY_BYTE))
        return TRUE;
    if (a == NO_COLON || b == NO_COLON)
        return a != ':' && b != ':';
    return FALSE;
}

/* How far both patterns are. */
typedef struct {
    guint a;
    guint b;
} State;

typedef struct {
    GArray *a;
    GArray *b;
    guint8 *is_seen;
    GArray *open; /* of State: reached, and not yet gone on from */
} Walk;

static void reach(Walk *walk, guint a, guint b) {
    guint8 *is_seen = &walk->is_seen[(gsize)a * (walk->b->len + 1) + b];
    if (*is_seen)
        return;
    *is_seen = TRUE;
    const State state = {a, b};
    g_array_append_val(walk->open, state);
}

static void go_on(Walk *walk, State at) {
    const Step *a = at.a < walk->a->len ? &g_array_index(walk->a, Step, at.a) : NULL;
    const Step *b = at.b < walk->b->len ? &g_array_index(walk->b, Step, at.b) : NULL;
    if (a != NULL && a->is_repeated)
        reach(walk, at.a + 1, at.b);
    if (b != NULL && b->is_repeated)
        reach(walk, at.a, at.b + 1);
    if (a != NULL && b != NULL && takes_same(a->takes, b->takes))
        reach(walk, at.a + !a->is_repeated, at.b + !b->is_repeated);
}

gboolean rp_pattern_overlaps(const RpPattern *a, const RpPattern *b) {
    g_autoptr(GArray) a_steps = list_steps(a);
    g_autoptr(GArray) b_steps = list_steps(b);
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(State));
    const gsize n_states = ((gsize)a_steps->len + 1) * ((gsize)b_steps->len + 1);
    if (n_states > MAX_STATES)
        return FALSE;
    g_autofree guint8 *is_seen = g_malloc0(n_states);
    Walk walk = {a_steps, b_steps, is_seen, open};
    reach(&walk, 0, 0);
    while (open->len > 0) {
        const State state = g_array_index(open, State, open->len - 1);
        if (state.a == a_steps->len && state.b == b_steps->len)
            return TRUE;
        g_array_set_size(open, open->len - 1);
        go_on(&walk, state);
    }
    return FALSE;
}

/* What comparing two patterns may cost, for patterns of such lengths. */
static gsize cost_of(const RpPattern *a, const RpPattern *b) {
    return strlen(rp_pattern_get_text(a)) * strlen(rp_pattern_get_text(b));
}

/* The first entity before that position which shares keys with the one there, and how many there are. Only
 * as many are compared as the budget allows. */
static const RpEntity *first_sharer(const RpMapping *mapping, guint position, gsize *budget,
                                    guint *n_sharers) {
    const RpEntity *entity = g_ptr_array_index(mapping->entities, position);
    const RpEntity *first = NULL;
    *n_sharers = 0;
    for (guint i = 0; i < position; i++) {
        const RpEntity *earlier = g_ptr_array_index(mapping->entities, i);
        const gsize cost = cost_of(entity->keys, earlier->keys);
        if (cost > *budget)
            return first;
        *budget -= cost;
        if (!rp_pattern_overlaps(entity->keys, earlier->keys))
            continue;
        first = first != NULL ? first : earlier;
        (*n_sharers)++;
    }
    return first;
}

void rp_overlap_note(const RpMapping *mapping, RpFindings *findings) {
    gsize budget = MAX_COST;
    for (guint i = 0; i < mapping->entities->len; i++) {
        const RpEntity *entity = g_ptr_array_index(mapping->entities, i);
        guint n_sharers;
        const RpEntity *sharer = first_sharer(mapping, i, &budget, &n_sharers);
        if (sharer == NULL)
            continue;
        g_autofree char *others =
            n_sharers > 1 ? g_strdup_printf(" (and of %u more before it)", n_sharers - 1) : g_strdup("");
        rp_findings_add(
            findings, RP_SEVERITY_NOTE, "patterns_overlap", entity->place, NULL,
            "a key can be of entity \"%s\" and of entity \"%s\"%s: such a key gives rows of each, no "
            "entity hides another",
            entity->name, sharer->name, others);
    }
}
