/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "report.h"

/* Says what the @size bytes at @payload, of a server's first frame SETTINGS, ask for, and what is odd or wrong about it (RFC 9113, section 6.5). Pure. */
void settings_check(struct report *report, const uint8_t *payload, size_t size);
