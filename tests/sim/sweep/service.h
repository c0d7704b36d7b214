/* SPDX-License-Identifier: MIT */
#pragma once

/* Handlers of all four kinds, which do what their request says. */

#include <quoit/client.h>
#include <quoit/quoit.h>

enum act {
        ACT_ANSWER,
        ACT_LATER, /* after `count` milliseconds */
        ACT_AGAIN, /* UNAVAILABLE, unless it is the attempt behind `count` others */
        ACT_CALL, /* when a call that is made for it has ended: service_call_back() */
};

void service_begin(void);
/* @methods: their options; NULL for none. 0 or a negative errno. */
int service_register(quoit_server *server, const quoit_method_options *methods);
/* The channel by which handlers call. Its client has the server's rings. */
void service_call_back(quoit_channel *channel);
/* Each call that has begun has ended, once. */
void service_end(void);
