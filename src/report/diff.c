/* Unified diffs by Myers' greedy algorithm (An O(ND) Difference Algorithm, 1986): time and memory go with the
 * number of differences. */
#include "report/diff.h"

#include <string.h>

#define CONTEXT         3
#define MAX_DIFFERENCES 2000 /* beyond that one text gives way to the other as a whole */

/* What becomes of a line. */
typedef struct {
    char sign; /* ' ', '-' or '+' */
    const char *line;
} Step;

typedef struct {
    char **before;
    char **after;
    guint n_before;
    guint n_after;
    GArray *steps; /* of Step */
} Diff;

static char **split(const char *text, guint *n) {
    char **lines = g_strsplit(text, "\n", -1);
    *n = g_strv_length(lines);
    if (*n > 0 && lines[*n - 1][0] == '\0')
        (*n)--; /* behind the last line end */
    return lines;
}

static void add_step(Diff *diff, char sign, const char *line) {
    const Step step = {sign, line};
    g_array_append_val(diff->steps, step);
}

/* How far down the diagonal k one gets from x. */
static int slide(const Diff *diff, int x, int k) {
    while (x < (int)diff->n_before && x - k < (int)diff->n_after &&
           strcmp(diff->before[x], diff->after[x - k]) == 0)
        x++;
    return x;
}

/* One round for each number of differences; each round's furthest points are kept for the way back. NULL when
 * there are too many. */
static GPtrArray *search(const Diff *diff) {
    const int most = (int)MIN(diff->n_before + diff->n_after, MAX_DIFFERENCES);
    g_autofree int *furthest = g_new0(int, 2 * (gsize)most + 3);
    int *at = furthest + most + 1;
    g_autoptr(GPtrArray) rounds = g_ptr_array_new_with_free_func(g_free);
    for (int d = 0; d <= most; d++) {
        for (int k = -d; k <= d; k += 2) {
            const gboolean is_down = k == -d || (k != d && at[k - 1] < at[k + 1]);
            at[k] = slide(diff, is_down ? at[k + 1] : at[k - 1] + 1, k);
            if (at[k] >= (int)diff->n_before && at[k] - k >= (int)diff->n_after) {
                g_ptr_array_add(rounds, g_memdup2(at - d - 1, sizeof(int) * (2 * (gsize)d + 3)));
                return g_steal_pointer(&rounds);
            }
        }
        g_ptr_array_add(rounds, g_memdup2(at - d - 1, sizeof(int) * (2 * (gsize)d + 3)));
    }
    return NULL;
}

/* From the end back to the beginning. */
static void walk_back(Diff *diff, const GPtrArray *rounds) {
    int x = (int)diff->n_before, y = (int)diff->n_after;
    for (int d = (int)rounds->len - 1; d >= 0; d--) {
        const int k = x - y;
        int start = 0;
        gboolean is_down = FALSE;
        if (d > 0) {
            const int *at = (const int *)g_ptr_array_index(rounds, d - 1) + d;
            is_down = k == -d || (k != d && at[k - 1] < at[k + 1]);
            start = is_down ? at[k + 1] : at[k - 1] + 1;
        }
        for (; x > start; x--, y--)
            add_step(diff, ' ', diff->before[x - 1]);
        if (d == 0)
            return;
        if (is_down)
            add_step(diff, '+', diff->after[--y]);
        else
            add_step(diff, '-', diff->before[--x]);
    }
}

static void reverse(GArray *steps) {
    for (guint i = 0; i < steps->len / 2; i++) {
        const Step step = g_array_index(steps, Step, i);
        g_array_index(steps, Step, i) = g_array_index(steps, Step, steps->len - 1 - i);
        g_array_index(steps, Step, steps->len - 1 - i) = step;
    }
}

static void find_steps(Diff *diff) {
    g_autoptr(GPtrArray) rounds = search(diff);
    if (rounds != NULL) {
        walk_back(diff, rounds);
        reverse(diff->steps);
        return;
    }
    for (guint i = 0; i < diff->n_before; i++)
        add_step(diff, '-', diff->before[i]);
    for (guint i = 0; i < diff->n_after; i++)
        add_step(diff, '+', diff->after[i]);
}

/* ---- hunks ---- */

static const Step *step_at(const Diff *diff, guint i) {
    return &g_array_index(diff->steps, Step, i);
}

/* Behind the last step of the hunk whose first change is at i. */
static guint hunk_end(const Diff *diff, guint i) {
    guint last = i;
    for (; i < diff->steps->len && i - last <= 2 * CONTEXT + 1; i++)
        if (step_at(diff, i)->sign != ' ')
            last = i;
    return MIN(last + 1 + CONTEXT, diff->steps->len);
}

/* lines: those of both texts before the hunk. */
static void append_hunk(const Diff *diff, guint from, guint to, const guint lines[2], GString *text) {
    guint counts[2] = {0, 0};
    for (guint i = from; i < to; i++) {
        counts[0] += step_at(diff, i)->sign != '+';
        counts[1] += step_at(diff, i)->sign != '-';
    }
    g_string_append_printf(text, "@@ -%u,%u +%u,%u @@\n", lines[0] + (counts[0] > 0), counts[0],
                           lines[1] + (counts[1] > 0), counts[1]);
    for (guint i = from; i < to; i++)
        g_string_append_printf(text, "%c%s\n", step_at(diff, i)->sign, step_at(diff, i)->line);
}

static void append_hunks(const Diff *diff, GString *text) {
    guint lines[2] = {0, 0}; /* before counted */
    guint counted = 0;
    for (guint i = 0; i < diff->steps->len; i++) {
        if (step_at(diff, i)->sign == ' ')
            continue;
        const guint from = i > CONTEXT && i - CONTEXT > counted ? i - CONTEXT : counted;
        const guint to = hunk_end(diff, i);
        for (; counted < to; counted++) {
            if (counted == from)
                append_hunk(diff, from, to, lines, text);
            lines[0] += step_at(diff, counted)->sign != '+';
            lines[1] += step_at(diff, counted)->sign != '-';
        }
        i = to - 1;
    }
}

char *rp_diff_unified(const char *name, const char *before, const char *after) {
    GString *text = g_string_new(NULL);
    Diff diff = {.steps = g_array_new(FALSE, FALSE, sizeof(Step))};
    if (strcmp(before, after) != 0) {
        diff.before = split(before, &diff.n_before);
        diff.after = split(after, &diff.n_after);
        find_steps(&diff);
        g_string_append_printf(text, "--- %s\n+++ %s\n", name, name);
        append_hunks(&diff, text);
    }
    g_strfreev(diff.before);
    g_strfreev(diff.after);
    g_array_unref(diff.steps);
    return g_string_free(text, FALSE);
}
