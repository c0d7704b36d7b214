/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct address;

enum { LISTEN_HINT_BYTES = 256 };

/*
 * Why @address cannot be listened on and what helps, beyond strerror(@error). It follows from the errno, the kind of
 * address, and what is found on this machine. False: nothing is known.
 */
bool listen_hint(const struct address *address, int error, char ret_hint[LISTEN_HINT_BYTES]);
