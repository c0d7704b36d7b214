/* SPDX-License-Identifier: MIT */
#pragma once

/* The flags of commands that send metadata. */

#include <quoit/client.h>

#include "flags.h"

struct upb_Arena;

struct metadata_flags {
        struct strings all;        /* "name: value", of every call */
        struct strings calls;      /* not of those of reflection */
        struct strings reflection; /* only of those */
        bool expands;              /* ${NAME} stands for a variable of the environment */
};

extern const struct flag metadata_flags[];

void metadata_flags_deinit(struct metadata_flags *flags);

/* Metadata as a call takes it. */
struct metadata {
        quoit_metadata *list;
        size_t count;
};

/*
 * What the flags say, for a call of the user's or (@is_reflection) one that asks for the schema. Values of names that end in "-bin" are
 * base64 and become bytes. All is in @arena. EXIT_DONE; or an exit status, when all was said.
 */
int metadata_make(const struct metadata_flags *flags, bool is_reflection, struct upb_Arena *arena,
        struct metadata *ret_metadata);
