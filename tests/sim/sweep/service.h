/* SPDX-License-Identifier: MIT */
#pragma once

/* Handlers of all four kinds, which do what their request says. */

#include <quoit/quoit.h>

enum act {
        ACT_ANSWER,
        ACT_LATER, /* after `count` milliseconds */
        ACT_AGAIN, /* UNAVAILABLE, unless it is the attempt behind `count` others */
};

void service_begin(void);
/* @methods: their options; NULL for none. 0 or a negative errno. */
int service_register(quoit_server *server, const quoit_method_options *methods);
/* Each call that has begun has ended, once. */
void service_end(void);
