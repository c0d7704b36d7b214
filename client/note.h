/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What happens to a client and its channels, for the log of its user, and for those who look from outside (registry.h). Each thing is
 * said once, where it happens. What a server can cause as often as it likes is limited (log_lines_per_second). What is not printable
 * ASCII, as servers may send it, becomes '?'. Never inside nghttp2's callbacks.
 */

#include <stdint.h>

#include <quoit/client.h>

struct channel;
struct client;
struct subchannel;

/* Of the program: not limited. Any thread. */
void note_program(quoit_client *handle, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* The rest is for the ring's thread. */
void note_client(struct client *client, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Behind "TARGET: ". */
void note_channel(struct channel *channel, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Behind "TARGET: ADDRESS: ". */
void note_subchannel(struct subchannel *subchannel, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* The channel has a ring; its state there is another; so is a subchannel's. Not for the log, which has the reasons. */
void note_channel_begin(struct channel *channel);
void note_channel_state(struct channel *channel);
void note_subchannel_state(struct subchannel *subchannel);

/*
 * @function did nothing, for a reason that the static @why says. Said once for @about, which is compared by its address; @name is what
 * that is called. Any thread.
 */
void note_misuse(quoit_client *handle, const void *about, const char *name, const char *function,
        const char *why);

#define WRONG_THREAD                                                                               \
        "it was called on a thread that does not have it; quoit_client_post_to() runs a function " \
        "on those of the client"

/* ---- the program's own functions, which run on the client's rings, and how long they take ---- */

/* One begins. 0: nobody wants to know how long it takes. */
uint64_t note_callback(const struct client *client);

/* It has returned. @began_ns: from note_callback(). @whose @name it is, for a line about it if it has kept the ring for long. */
void note_callback_end(
        struct client *client, uint64_t began_ns, const char *whose, const char *name);
