/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of HTTP/1.1 that makes Connect's unary calls on the run's server: one or some at once, on a connection that it keeps. What
 * comes back is checked to the byte. It never breaks HTTP, but goes away when it likes, and ends its side behind a request.
 */

#include <stdbool.h>

struct setting;

/* Before all threads of a run. @setting: choice.h. */
void http1_prepare(int listener_fd, const struct setting *setting);

/* Its thread. In calm times it makes a last call, on a new connection, and ends. */
void *http1_run(void *unused);

/* It has ended. */
bool http1_is_served(void);
