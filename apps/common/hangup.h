/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SIGHUP (files are read or opened again) is handled by a thread of its own: it can take too long for a ring.
 */

/* Adds a function that SIGHUP calls, before hangup_start(). A handful at most. */
void hangup_add(void (*on_hangup)(void *user), void *user);

/* From here on SIGHUP calls them; also for one that is pending already. 0 or a negative errno. */
int hangup_start(void);

/* Ends the thread: the functions will not be called any more. */
void hangup_stop(void);
