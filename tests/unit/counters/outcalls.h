/* SPDX-License-Identifier: MIT */
#pragma once

/* A client of the library whose thread is watched (counts.h), and which calls one after the other. */

#include <stdint.h>

#include <quoit/client.h>

struct outcalls {
        quoit_client *client;
        quoit_channel *channel;
};

void outcalls_init(struct outcalls *outcalls, uint16_t port);
void outcalls_deinit(struct outcalls *outcalls);

/* Makes @count calls of greet, @depth at a time, and waits for them. */
void outcalls_call(struct outcalls *outcalls, unsigned count, unsigned depth);
