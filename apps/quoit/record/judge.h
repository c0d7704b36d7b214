/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a call was answered as it was recorded: status, its message and details, and replies, as bytes, or by fields where the schema is
 * known. Metadata is not compared: it has dates, identifiers, and what servers call themselves.
 */

#include <stddef.h>

#include "../source.h"
#include "play.h"
#include "results.h"

struct judge {
        struct source *source;
        const struct strings *ignored; /* fields, as fields_compare() takes them */
        struct results *results;
        struct strings unknown; /* services that the source does not have: it is asked once */
};

/*
 * Adds what differs to the results. @play is done, and has kept its replies. Not within a callback of the source's connection: that may be
 * asked for the schema. Returns how many differences there are.
 */
size_t judge_play(struct judge *judge, const struct play *play);

void judge_deinit(struct judge *judge);
