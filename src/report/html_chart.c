/* Bars and a curve. */
#include "report/html_chart.h"

#include "report/field.h"
#include "report/table.h"

#define BAR_WIDTH    1000.0
#define BAR_HEIGHT   "22"
#define LEAST_WIDTH  7.0 /* a share this narrow can still be seen on a phone */
#define CURVE_WIDTH  1000.0
#define CURVE_HEIGHT 220.0

/* ---- bars ---- */

static void describe_shares(RpHtml *html, const RpHtmlShare *shares, guint n_shares) {
    gboolean is_first = TRUE;
    for (guint i = 0; i < n_shares; i++) {
        if (shares[i].value == 0)
            continue;
        g_autofree char *number = rp_text_number(shares[i].value);
        rp_html_printf(html, "%s%s %s", is_first ? "" : ", ", number, shares[i].name);
        is_first = FALSE;
    }
    if (is_first)
        rp_html_text(html, "no rows");
}

/* Widths that keep narrow shares visible: they take from the wide ones. */
static void measure(const RpHtmlShare *shares, guint n_shares, double *widths) {
    double total = 0, narrow = 0, wide = 0;
    for (guint i = 0; i < n_shares; i++)
        total += (double)shares[i].value;
    for (guint i = 0; i < n_shares; i++) {
        widths[i] = total > 0 ? (double)shares[i].value / total * BAR_WIDTH : 0;
        if (widths[i] > 0 && widths[i] < LEAST_WIDTH)
            narrow += widths[i] = LEAST_WIDTH;
        else
            wide += widths[i];
    }
    for (guint i = 0; i < n_shares && wide > 0; i++)
        if (widths[i] > LEAST_WIDTH)
            widths[i] *= (BAR_WIDTH - narrow) / wide;
}

static void write_rect(RpHtml *html, double x, double width, const char *class_name) {
    char left[G_ASCII_DTOSTR_BUF_SIZE], wide[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(left, sizeof left, "%.2f", x);
    g_ascii_formatd(wide, sizeof wide, "%.2f", width);
    rp_html_open(html, "rect", "x", left, "y", "0", "width", wide, "height", BAR_HEIGHT, "class", class_name,
                 NULL);
    rp_html_close(html, "rect");
}

void rp_html_bar(RpHtml *html, const char *id, const char *title, const RpHtmlShare *shares, guint n_shares) {
    g_autofree char *names = g_strdup_printf("%s-t %s-d", id, id);
    g_autofree char *title_id = g_strdup_printf("%s-t", id);
    g_autofree char *description_id = g_strdup_printf("%s-d", id);
    g_autofree double *widths = g_new(double, n_shares);
    double x = 0;
    measure(shares, n_shares, widths);
    rp_html_open(html, "svg", "class", "bar", "viewBox", "0 0 1000 " BAR_HEIGHT, "preserveAspectRatio",
                 "none", "role", "img", "aria-labelledby", names, NULL);
    rp_html_open(html, "title", "id", title_id, NULL);
    rp_html_text(html, title);
    rp_html_close(html, "title");
    rp_html_open(html, "desc", "id", description_id, NULL);
    describe_shares(html, shares, n_shares);
    rp_html_close(html, "desc");
    write_rect(html, 0, BAR_WIDTH, "s-none");
    for (guint i = 0; i < n_shares; i++) {
        if (widths[i] > 0)
            write_rect(html, x, widths[i], shares[i].class_name);
        x += widths[i];
    }
    rp_html_close(html, "svg");
}

void rp_html_legend(RpHtml *html, const RpHtmlShare *shares, guint n_shares) {
    rp_html_open(html, "ul", "class", "legend", NULL);
    for (guint i = 0; i < n_shares; i++) {
        g_autofree char *swatch = g_strdup_printf("swatch %s", shares[i].class_name);
        rp_html_open(html, "li", NULL);
        rp_html_open(html, "svg", "class", swatch, "viewBox", "0 0 12 12", "aria-hidden", "true", NULL);
        rp_html_literal(html, "<rect width=\"12\" height=\"12\" rx=\"3\"></rect>");
        rp_html_close(html, "svg");
        rp_html_text(html, shares[i].name);
        rp_html_close(html, "li");
    }
    rp_html_close(html, "ul");
}

/* ---- the curve ---- */

typedef struct {
    double end;
    double rate;
} Step;

static GArray *steps_of(const json_t *points) {
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(Step));
    double seconds = 0, rows = 0;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        const double end = rp_field_real(point, "seconds"), total = (double)rp_field_number(point, "rows");
        if (end - seconds < 1e-6)
            continue;
        const Step step = {end, MAX(total - rows, 0) / (end - seconds)};
        g_array_append_val(steps, step);
        seconds = end;
        rows = total;
    }
    return steps;
}

/* The round number at or above a rate: 1, 2 or 5 times a power of ten. */
static double round_up(double rate) {
    double power = 1;
    while (power * 10 <= rate)
        power *= 10;
    static const double factors[] = {1, 2, 5, 10};
    for (guint i = 0; i < G_N_ELEMENTS(factors); i++)
        if (factors[i] * power >= rate)
            return factors[i] * power;
    return 10 * power;
}

static char *path_of(const GArray *steps, double top) {
    const double seconds = g_array_index(steps, Step, steps->len - 1).end;
    GString *path = g_string_new("M0 220");
    double x = 0;
    for (guint i = 0; i < steps->len; i++) {
        const Step *step = &g_array_index(steps, Step, i);
        char left[G_ASCII_DTOSTR_BUF_SIZE], y[G_ASCII_DTOSTR_BUF_SIZE], right[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(left, sizeof left, "%.1f", x);
        x = step->end / seconds * CURVE_WIDTH;
        g_ascii_formatd(y, sizeof y, "%.1f", CURVE_HEIGHT * (1 - step->rate / top));
        g_ascii_formatd(right, sizeof right, "%.1f", x);
        g_string_append_printf(path, "L%s %sL%s %s", left, y, right, y);
    }
    g_string_append(path, "L1000 220");
    return g_string_free(path, FALSE);
}

static void write_scale(RpHtml *html, double top) {
    rp_html_open(html, "div", "class", "scale", "aria-hidden", "true", NULL);
    for (int half = 2; half >= 0; half--) {
        g_autofree char *label = rp_text_number((guint64)(top * half / 2));
        rp_html_element(html, "span", NULL, label);
    }
    rp_html_close(html, "div");
}

static void write_curve(RpHtml *html, const GArray *steps, double top, double mean, double peak) {
    g_autofree char *path = path_of(steps, top);
    g_autofree char *mean_text = rp_text_number((guint64)mean);
    g_autofree char *peak_text = rp_text_number((guint64)peak);
    char y[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(y, sizeof y, "%.1f", CURVE_HEIGHT * (1 - mean / top));
    rp_html_open(html, "svg", "class", "curve", "viewBox", "0 0 1000 220", "preserveAspectRatio", "none",
                 "role", "img", "aria-labelledby", "curve-t curve-d", NULL);
    rp_html_literal(html, "<title id=\"curve-t\">Rows written a second, over time</title>");
    rp_html_open(html, "desc", "id", "curve-d", NULL);
    rp_html_printf(html, "On average %s rows a second, at most %s.", mean_text, peak_text);
    rp_html_close(html, "desc");
    rp_html_literal(html, "<path class=\"grid\" d=\"M0 0H1000M0 110H1000M0 220H1000\"></path>");
    rp_html_open(html, "path", "class", "area", "d", path, NULL);
    rp_html_close(html, "path");
    rp_html_open(html, "line", "class", "mean", "x1", "0", "x2", "1000", "y1", y, "y2", y, NULL);
    rp_html_close(html, "line");
    rp_html_close(html, "svg");
}

void rp_html_throughput(RpHtml *html, const json_t *points) {
    g_autoptr(GArray) steps = steps_of(points);
    if (steps->len < 2)
        return;
    const json_t *last = json_array_get(points, json_array_size(points) - 1);
    const double seconds = g_array_index(steps, Step, steps->len - 1).end;
    const double mean = (double)rp_field_number(last, "rows") / seconds;
    double peak = 0;
    for (guint i = 0; i < steps->len; i++)
        peak = MAX(peak, g_array_index(steps, Step, i).rate);
    const double top = round_up(peak);
    g_autofree char *end = rp_field_show_seconds(seconds);
    g_autofree char *mean_text = rp_text_number((guint64)mean);
    rp_html_open(html, "figure", "class", "throughput", NULL);
    write_scale(html, top);
    write_curve(html, steps, top, mean, peak);
    rp_html_open(html, "div", "class", "time", "aria-hidden", "true", NULL);
    rp_html_element(html, "span", NULL, "0 s");
    rp_html_element(html, "span", NULL, end);
    rp_html_close(html, "div");
    rp_html_open(html, "figcaption", NULL);
    rp_html_printf(html,
                   "Rows a second, as batches were committed. The dashed line is the mean, %s rows a second.",
                   mean_text);
    rp_html_close(html, "figcaption");
    rp_html_close(html, "figure");
}
