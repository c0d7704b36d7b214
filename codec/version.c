/* SPDX-License-Identifier: MIT */
#include <quoit/version.h>

const char *quoit_version(void)
{
        return QUOIT_VERSION;
}
