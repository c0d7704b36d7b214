/* SPDX-License-Identifier: MIT */
#pragma once

/* encode_flat() into rooms of many sizes, each of its own: a byte too many is ASan's. Tests and fuzz targets use it. */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec/encode_flat.h"
#include "codec/framing.h"

#define FLAT_SLACK_BYTES                                                                           \
        ((size_t)15) /* of room, with which it never says that there is too little */

static inline int flat_encode(const upb_Message *message, const upb_MiniTable *table, size_t room,
        const char *expected, size_t expected_size)
{
        uint8_t *place = malloc(room + !room), prefix[FRAMING_PREFIX_BYTES];
        int r;

        assert(place);
        r = encode_flat(place, room, message, table);
        if (r >= 0) {
                assert((size_t)r == FRAMING_PREFIX_BYTES + expected_size && (size_t)r <= room);
                framing_write_prefix(prefix, false, (uint32_t)expected_size);
                assert(memcmp(place, prefix, sizeof(prefix)) == 0);
                assert(!expected_size ||
                        memcmp(place + sizeof(prefix), expected, expected_size) == 0);
        }
        free(place);
        return r;
}

/* Whether it takes @message: and if so, that its bytes are those expected, with room enough, and never too many. */
static inline bool flat_is_as_expected(const upb_Message *message, const upb_MiniTable *table,
        const char *expected, size_t expected_size)
{
        size_t enough = FRAMING_PREFIX_BYTES + expected_size + FLAT_SLACK_BYTES;
        int r = flat_encode(message, table, enough, expected, expected_size);

        assert(r == -ENOTSUP || r > 0);
        for (size_t less = 1; less < enough; less += 1 + less / 4) {
                int r_less = flat_encode(message, table, enough - less, expected, expected_size);

                assert(r_less == -ENOSPC || r_less == r);
        }
        return r > 0;
}
