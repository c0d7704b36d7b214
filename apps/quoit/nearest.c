/* SPDX-License-Identifier: MIT */
#include "nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static unsigned least(unsigned a, unsigned b, unsigned c)
{
        unsigned ab = a < b ? a : b;

        return ab < c ? ab : c;
}

/* An insertion, a deletion, another letter: 2 each. The same letter in another case: 1. */
static unsigned cost(char a, char b)
{
        if (a == b)
                return 0;
        return tolower((unsigned char)a) == tolower((unsigned char)b) ? 1 : 2;
}

/* Two letters that have changed places count as two. Both are shorter than NEAREST_NAME_BYTES. */
static unsigned distance(const char *a, const char *b)
{
        unsigned row[NEAREST_NAME_BYTES];
        size_t length = strlen(b);

        for (size_t j = 0; j <= length; j++)
                row[j] = 2 * (unsigned)j;
        for (size_t i = 0; a[i]; i++) {
                unsigned diagonal = row[0];

                row[0] = 2 * (unsigned)(i + 1);
                for (size_t j = 0; j < length; j++) {
                        unsigned above = row[j + 1];

                        row[j + 1] = least(above + 2, row[j] + 2, diagonal + cost(a[i], b[j]));
                        diagonal = above;
                }
        }
        return row[length];
}

void nearest_init(struct nearest *nearest, const char *name)
{
        size_t length = strlen(name);

        *nearest = (struct nearest){ .name = name };
        /* a third of its letters may be wrong, and one in a short one */
        nearest->distance = length < NEAREST_NAME_BYTES ? 2 * ((unsigned)length / 3 + 1) + 1 : 0;
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
        unsigned found;

        if (!nearest->distance || strlen(candidate) >= NEAREST_NAME_BYTES)
                return;
        found = distance(nearest->name, candidate);
        if (found >= nearest->distance)
                return;
        nearest->distance = found;
        strcpy(nearest->best, candidate);
}

const char *nearest_hint(const struct nearest *nearest, char text[NEAREST_HINT_BYTES])
{
        text[0] = '\0';
        if (nearest->best[0])
                snprintf(text, NEAREST_HINT_BYTES, "; did you mean %s?", nearest->best);
        return text;
}
