/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets that systemd passes to a service: sd_listen_fds(3). Their names are in LISTEN_FDNAMES: FileDescriptorName= of
 * the socket unit, by default the unit's own name.
 *
 * The environment stays as it is: it is the program's, and another thread may be reading it. A child does not mistake it for
 * its own, as LISTEN_PID is another process.
 */

/*
 * Writes the descriptors named @name (NULL: all) to @ret_fds. Returns how many; -ENOENT: this process was passed none;
 * -ESRCH: none of that name; -E2BIG: more than @max; -EINVAL: the variables are not numbers.
 */
int activation_fds(const char *name, int *ret_fds, unsigned max);
