/* SPDX-License-Identifier: MIT */
#pragma once

#include "sandbox.h"

/*
 * Landlock (Documentation/userspace-api/landlock.rst of Linux): this thread and those that it makes read files and folders, and make none but
 * @paths. 0 or a negative errno; -ENOSYS, -EOPNOTSUPP: the kernel has no Landlock.
 */
int sandbox_restrict_files(const struct sandbox_paths *paths);
