/* SPDX-License-Identifier: MIT */
#pragma once

/* A client of the library whose thread is watched (counts.h), and which calls one after the other. */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/client.h>

struct outcalls {
        quoit_client *client;
        quoit_channel *channel;
        bool traces_enters; /* as asked for */
        int traced; /* 0, or why the enters cannot be traced */
};

void outcalls_init(struct outcalls *outcalls, uint16_t port, bool traces_enters);
void outcalls_deinit(struct outcalls *outcalls);

/* Makes @count calls of greet, @depth at a time, and waits for them. */
void outcalls_call(struct outcalls *outcalls, unsigned count, unsigned depth);
