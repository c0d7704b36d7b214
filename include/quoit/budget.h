/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A bound for what arenas take from the system.
 *
 *      quoit_budget budget;
 *
 *      quoit_budget_init(&budget, 1 << 20);
 *      upb_Arena_SetBudget(arena, &budget.upb);
 *      message = api_Hello_parse(bytes, size, arena);
 *      if (!message && budget.exceeded)
 *              ... it would have taken more than 1 MiB
 *      upb_Arena_SetBudget(arena, NULL);
 *
 * An arena asks its budget for each block, not for each allocation, so having one costs nothing that
 * can be measured. What is over it fails as if memory was short. Several arenas of one thread may
 * share a budget; it must outlive them, or be taken away as above. What an arena frees does not come
 * back to its budget. What takes time and no memory counts as 128 bytes: an entry of a map whose key came
 * before, and a part of a message that is merged with the one before it.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/export.h>
#include <quoit/upb.h>

QUOIT_BEGIN_DECLS

/* What may still be taken. Thread: whichever allocates from its arenas, one at a time. */
typedef struct quoit_budget {
        upb_ArenaBudget upb; /* for upb_Arena_SetBudget(); first: upb hands its address back */
        size_t left;         /* bytes that may still be taken */
        bool exceeded;       /* something was refused */
} quoit_budget;

/* Of @bytes. There is no deinit. */
QUOIT_API void quoit_budget_init(quoit_budget *budget, size_t bytes);

/* What parsing @size bytes may take where nobody says otherwise: 64 bytes for each, and at least 32 MiB. */
QUOIT_API size_t quoit_parse_bytes_max(size_t size);

QUOIT_END_DECLS
