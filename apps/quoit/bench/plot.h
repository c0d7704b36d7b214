/* SPDX-License-Identifier: MIT */
#pragma once

/* Lines over two axes, as SVG within a page of HTML, whose style sheet has the classes "axis", "grid" and those of the lines. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "figures.h"

struct plot_axis {
        bool is_log; /* by powers of ten; values must be above 0 */
        const char *(*print)(char text[FIGURE_BYTES], double value);
        /* Set by plot_print() from the lines. */
        double min, max;
};

struct plot_line {
        const char *name; /* for its legend */
        const char *class; /* of CSS */
        const double *x,
                *y; /* @count of each; what is not finite, or not above 0 on a logarithmic axis, makes a gap */
        size_t count;
};

struct plot {
        const char *title; /* all texts are plain, without what HTML would have to escape */
        struct plot_axis x, y;
        const struct plot_line *lines; /* @count of them */
        size_t count;
};

/* "99.9 %" for 3: of an axis of nines, which shows 100 - 10^(2 - n) percent at n. */
const char *plot_print_nines(char text[FIGURE_BYTES], double value);

void plot_print(FILE *file, const struct plot *plot);
