/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define US_PER_MS 1e3
#define US_PER_SECOND 1e6
#define KIB 1024

/* Three digits, where the number has no more before its point. */
static int decimals(double number)
{
        return number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
}

const char *figure_count(char text[FIGURE_BYTES], double count)
{
        char digits[FIGURE_BYTES];
        size_t size, at = 0;

        if (count < 99.95 && count != floor(count)) {
                snprintf(text, FIGURE_BYTES, "%.*f", decimals(count), count);
                return text;
        }
        size = (size_t)snprintf(digits, sizeof(digits), "%.0f", fmin(count, 1e18));
        for (size_t i = 0; i < size; i++) {
                if (i > 0 && (size - i) % 3 == 0)
                        text[at++] = ',';
                text[at++] = digits[i];
        }
        text[at] = '\0';
        return text;
}

const char *figure_time(char text[FIGURE_BYTES], double us)
{
        double number = us;
        const char *unit = "µs";

        if (us >= 0.9995 * US_PER_SECOND) {
                number = us / US_PER_SECOND;
                unit = "s";
        } else if (us >= 0.9995 * US_PER_MS) {
                number = us / US_PER_MS;
                unit = "ms";
        }
        snprintf(text, FIGURE_BYTES, "%.*f %s", decimals(number), number, unit);
        return text;
}

const char *figure_bytes(char text[FIGURE_BYTES], double bytes)
{
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
        unsigned unit = 0;

        for (; bytes >= KIB && unit < 4; unit++)
                bytes /= KIB;
        snprintf(
                text, FIGURE_BYTES, "%.*f %s", unit == 0 ? 0 : decimals(bytes), bytes, units[unit]);
        return text;
}

const char *figure_percent(char text[FIGURE_BYTES], double part, double whole)
{
        double percent = whole > 0 ? 100 * part / whole : 0;

        if (percent == floor(percent))
                snprintf(text, FIGURE_BYTES, "%.0f %%", percent);
        else if (percent < 0.001)
                snprintf(text, FIGURE_BYTES, "< 0.001 %%");
        else
                snprintf(text, FIGURE_BYTES, "%.3g %%", percent);
        return text;
}
