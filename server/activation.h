/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The descriptors that systemd passes to a service whose socket units are its own: sd_listen_fds(3). Their names
 * (FileDescriptorName= in the unit, the unit's own name unless given) are in LISTEN_FDNAMES.
 *
 * The environment stays as it is: it is the program's, and another thread may be reading it. A child is safe from it
 * all the same, since LISTEN_PID is not its own.
 */

/*
 * Those called @name (NULL: all of them) into @ret_fds. How many there are; -ENOENT: this process was passed none;
 * -ESRCH: none of that name; -E2BIG: more than @max; -EINVAL: the variables are no such thing.
 */
int activation_fds(const char *name, int *ret_fds, unsigned max);
