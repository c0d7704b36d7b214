/* SPDX-License-Identifier: MIT */
#include "offers.h"

#include <stdio.h>
#include <string.h>

static bool is_whole(const char *value)
{
        size_t size = strlen(value);

        return size > 0 && value[0] != '{' && !strchr("/:=.{[,\"", value[size - 1]);
}

void offer(struct offers *offers, const char *value, const char *about)
{
        if (strncmp(value, offers->word, strlen(offers->word)) != 0)
                return;
        offers->count++;
        snprintf(offers->last, sizeof(offers->last), "%s", value);
        if (offers->is_bash)
                printf("%s%s\n", value + offers->cut,
                        is_whole(value) && !offers->is_quoted ? " " : "");
        else
                printf("%s%s%s\n", value, about ? "\t" : "", about ? about : "");
}

void offers_end(const struct offers *offers)
{
        /* bash closes the quote behind an only candidate: of two it takes what they have in common, and leaves it open. */
        if (offers->is_bash && offers->is_quoted && offers->count == 1 && !is_whole(offers->last))
                printf("%s...\n", offers->last + offers->cut);
}
