/* SPDX-License-Identifier: MIT */
#pragma once

/* The version of Quoit, by semver. */

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* The version that a program is compiled against. */
#define QUOIT_VERSION "0.1.0"

/* The version that a program runs with; static. */
QUOIT_API const char *quoit_version(void);

QUOIT_END_DECLS
