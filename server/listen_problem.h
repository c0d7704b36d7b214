/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct address;

enum { LISTEN_HINT_BYTES = 256 };

/*
 * Why @address cannot be listened on, and what helps, beyond strerror(@error): by the errno, by what was to be opened, and by what
 * else tells on this machine. False: nothing is known of it.
 */
bool listen_hint(const struct address *address, int error, char ret_hint[LISTEN_HINT_BYTES]);
