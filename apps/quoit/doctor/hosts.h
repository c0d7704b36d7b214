/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* Whether @text of /etc/hosts (NULL: there is none) has a line for @name. Pure. */
bool hosts_have(const char *text, const char *name);
