/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Whether libquoit has what is generated for the file @name: then <quoit/...> is looked at for its
 * header, after what the user has made, and no prefix changes what things in it are called.
 */
bool shipped_file(const char *name);
