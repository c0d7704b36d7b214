/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* Whether the kernel's release, "6.1.0-18-amd64", is older than this one. One that cannot be parsed counts as new. Pure. */
bool release_is_older(const char *release, unsigned than_major, unsigned than_minor);
