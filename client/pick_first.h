/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which of a channel's addresses has the calls: gRPC's policy pick_first, as its proposal A61 has it. Attempts begin one after the
 * other, in the addresses' order, `attempt_delay_ms` apart or as soon as the one before has failed; the first that is READY is picked,
 * and the others are given up. When all have failed, each is tried again after its own pause.
 */

#include <stddef.h>

struct endpoint;
struct quoit_channel;
struct subchannel;

/* Begins a round of attempts. The channel is IDLE. */
void pick_first_connect(struct quoit_channel *channel);

/* Tries at once what waits after a failure. */
void pick_first_hurry(struct quoit_channel *channel);

/* Gives all up. */
void pick_first_end(struct quoit_channel *channel);

/* Every address that has failed, why, and when the next attempt comes: at most @size bytes with the zero. */
void pick_first_describe(const struct quoit_channel *channel, char *text, size_t size);

/* From subchannels. */
void pick_first_on_failure(struct quoit_channel *channel, struct subchannel *subchannel);
void pick_first_on_idle(struct quoit_channel *channel, struct subchannel *subchannel);
void pick_first_on_ready(struct quoit_channel *channel, struct subchannel *subchannel);
void pick_first_on_free(struct quoit_channel *channel, struct subchannel *subchannel);

/*
 * The lookup of the channel's name has ended: @count @addresses, or none, and the @problem.
 */
void pick_first_on_addresses(struct quoit_channel *channel, const struct endpoint *addresses,
        unsigned count, const char *problem);

/* The picked one's connection takes no more calls. */
void pick_first_on_lost(struct quoit_channel *channel);
