/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A limit for the memory that arenas take from the system.
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
 * An arena asks its budget for each block, not for each allocation, so the cost cannot be measured. An allocation over the
 * budget fails as if memory was short. Several arenas of one thread can share a budget; it must outlive them, or be removed as
 * above. Memory that an arena frees does not come back to its budget. Input that takes time but no memory counts as 128 bytes:
 * an entry of a map whose key occurred before, and a part of a message that is merged with an earlier one.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/export.h>
#include <quoit/upb.h>

QUOIT_BEGIN_DECLS

/* How much may still be taken. Used by the thread that allocates from its arenas; one thread at a time. */
typedef struct quoit_budget {
        upb_ArenaBudget upb; /* for upb_Arena_SetBudget(); first: upb hands its address back */
        size_t left; /* bytes that may still be taken */
        bool exceeded; /* something was refused */
} quoit_budget;

/* A budget of @bytes. There is no deinit. */
QUOIT_API void quoit_budget_init(quoit_budget *budget, size_t bytes);

/* The default limit for parsing @size bytes: 64 bytes for each of them, and at least 32 MiB. */
QUOIT_API size_t quoit_parse_bytes_max(size_t size);

QUOIT_END_DECLS
