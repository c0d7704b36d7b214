/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What SIGHUP asks for (files that are read or opened again) is done by a thread of its own: it takes time that no
 * ring has.
 */

/* Adds what is done, before hangup_start(). A handful at most. */
void hangup_add(void (*on_hangup)(void *user), void *user);

/* From here on SIGHUP does it, also one that came before. 0 or a negative errno. */
int hangup_start(void);

/* The thread has ended: what was added will not be called any more. */
void hangup_stop(void);
