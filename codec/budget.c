/* SPDX-License-Identifier: MIT */
#include <quoit/budget.h>

#include <stdint.h>

/*
 * A number of one byte in a packed field takes eight, in an array that doubles and leaves the old arrays in the arena: up to 32
 * bytes for one. Few honest messages need more than twice that.
 */
#define PARSED_BYTES_A_BYTE ((size_t)64)
#define PARSED_BYTES_MIN ((size_t)32 << 20)

static bool take(upb_ArenaBudget *upb, size_t size)
{
        quoit_budget *budget = (quoit_budget *)upb;

        if (size > budget->left) {
                budget->exceeded = true;
                return false;
        }
        budget->left -= size;
        return true;
}

void quoit_budget_init(quoit_budget *budget, size_t bytes)
{
        *budget = (quoit_budget){ .upb = { .take = take }, .left = bytes };
}

size_t quoit_parse_bytes_max(size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(size, PARSED_BYTES_A_BYTE, &bytes))
                return SIZE_MAX;
        return bytes > PARSED_BYTES_MIN ? bytes : PARSED_BYTES_MIN;
}
