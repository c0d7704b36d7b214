/* SPDX-License-Identifier: MIT */
#pragma once

/* What a word may become: one line each on stdout, in the form that a shell wants. */

#include <stdbool.h>
#include <stddef.h>

enum { OFFER_BYTES = 8192 }; /* longer ones are not made */

struct offers {
        const char *word; /* what is written of it */
        /*
         * bash: it replaces only what is behind the word's last ':' or '=', so @cut bytes are left out; and a blank follows what is
         * whole, as bash is told to add none.
         */
        bool is_bash;
        bool is_quoted; /* the word has an open quote */
        size_t cut;
        unsigned count; /* so far */
        char last[OFFER_BYTES]; /* of them */
};

/*
 * Offers @value if it begins with the word. Where it ends in one of /:=.{[," or is JSON more is to follow, and no blank is added. @about
 * says what it is, in a few words, for shells that show that (NULL: nothing).
 */
void offer(struct offers *offers, const char *value, const char *about);

/* Behind the last. */
void offers_end(const struct offers *offers);
