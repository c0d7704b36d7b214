/* SPDX-License-Identifier: MIT */
#include "plot.h"

#include <math.h>

#define WIDTH 760
#define HEIGHT 280
#define LEFT 80
#define RIGHT 16
#define TOP 34
#define BOTTOM 30
#define TICKS 6

/* ---- axes ---- */

static bool is_shown(const struct plot_axis *axis, double value)
{
        return isfinite(value) && (!axis->is_log || value > 0);
}

static void find_range(struct plot_axis *axis, const struct plot *plot, bool is_x)
{
        axis->min = axis->is_log ? INFINITY : 0;
        axis->max = 0;
        for (size_t i = 0; i < plot->count; i++) {
                const struct plot_line *line = &plot->lines[i];
                const double *values = is_x ? line->x : line->y;

                for (size_t j = 0; j < line->count; j++) {
                        if (!is_shown(axis, values[j]))
                                continue;
                        axis->min = fmin(axis->min, values[j]);
                        axis->max = fmax(axis->max, values[j]);
                }
        }
        if (axis->is_log && axis->max == 0)
                axis->min = axis->max = 1;
        if (axis->is_log) { /* whole powers */
                axis->min = pow(10, floor(log10(axis->min)));
                axis->max = pow(10, ceil(log10(axis->max)));
        }
        if (axis->max <= axis->min)
                axis->max = axis->is_log ? 10 * axis->min : axis->min + 1;
}

/* 1, 2 or 5 times a power of ten, so that there are not too many. */
static double step_of(const struct plot_axis *axis)
{
        double rough = (axis->max - axis->min) / TICKS, power = pow(10, floor(log10(rough)));

        return power * (rough / power <= 1          ? 1
                               : rough / power <= 2 ? 2
                               : rough / power <= 5 ? 5
                                                    : 10);
}

static double next_tick(const struct plot_axis *axis, double tick)
{
        return axis->is_log ? 10 * tick : tick + step_of(axis);
}

/* From 0 to 1. */
static double place_of(const struct plot_axis *axis, double value)
{
        return axis->is_log ? log10(value / axis->min) / log10(axis->max / axis->min)
                            : (value - axis->min) / (axis->max - axis->min);
}

static double x_of(const struct plot *plot, double value)
{
        return LEFT + place_of(&plot->x, value) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct plot *plot, double value)
{
        return HEIGHT - BOTTOM - place_of(&plot->y, value) * (HEIGHT - TOP - BOTTOM);
}

const char *plot_print_nines(char text[FIGURE_BYTES], double value)
{
        /* as many decimals as there are nines behind the point */
        snprintf(text, FIGURE_BYTES, "%.*f %%", value > 2 ? (int)value - 2 : 0,
                100 - 100 * pow(10, -value));
        return text;
}

static void print_ticks(FILE *file, const struct plot *plot)
{
        const double most = 1 + 1e-9; /* sums of steps are not exact */
        char text[FIGURE_BYTES];

        for (double tick = plot->y.min; tick <= plot->y.max * most;
                tick = next_tick(&plot->y, tick))
                fprintf(file,
                        "<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/>"
                        "<text class='axis' x='%d' y='%.1f' text-anchor='end'>%s</text>\n",
                        LEFT, WIDTH - RIGHT, y_of(plot, tick), y_of(plot, tick), LEFT - 8,
                        y_of(plot, tick) + 4, plot->y.print(text, tick));
        for (double tick = plot->x.min; tick <= plot->x.max * most;
                tick = next_tick(&plot->x, tick))
                fprintf(file, "<text class='axis' x='%.1f' y='%d' text-anchor='middle'>%s</text>\n",
                        x_of(plot, tick), HEIGHT - 8, plot->x.print(text, tick));
}

/* ---- lines ---- */

static void print_line(FILE *file, const struct plot *plot, const struct plot_line *line)
{
        bool is_down = false;

        fprintf(file, "<path class='line %s' d='", line->class);
        for (size_t i = 0; i < line->count; i++) {
                if (!is_shown(&plot->x, line->x[i]) || !is_shown(&plot->y, line->y[i])) {
                        is_down = false;
                        continue;
                }
                fprintf(file, "%c%.1f %.1f", is_down ? 'L' : 'M', x_of(plot, line->x[i]),
                        y_of(plot, line->y[i]));
                is_down = true;
        }
        fprintf(file, "'><title>%s</title></path>\n", line->name);
}

static void print_legend(FILE *file, const struct plot *plot)
{
        for (size_t i = 0; i < plot->count; i++)
                fprintf(file, "<text class='legend %s' x='%d' y='16' text-anchor='end'>%s</text>\n",
                        plot->lines[i].class, WIDTH - RIGHT - (int)(plot->count - 1 - i) * 90,
                        plot->lines[i].name);
}

void plot_print(FILE *file, const struct plot *plot)
{
        struct plot ranged = *plot;

        find_range(&ranged.x, plot, true);
        find_range(&ranged.y, plot, false);
        fprintf(file, "<svg viewBox='0 0 %d %d' role='img' aria-label='%s'>\n", WIDTH, HEIGHT,
                plot->title);
        fprintf(file, "<text class='title' x='%d' y='16'>%s</text>\n", 0, plot->title);
        print_ticks(file, &ranged);
        for (size_t i = 0; i < plot->count; i++)
                print_line(file, &ranged, &plot->lines[i]);
        print_legend(file, plot);
        fputs("</svg>\n", file);
}
