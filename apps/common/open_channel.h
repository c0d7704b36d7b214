/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/client.h>

/* quoit_channel_new(), which says what is wrong. 0, or a negative errno, and *@ret_error has a line. */
int open_channel(quoit_client *client, const char *target, const quoit_channel_options *options,
        quoit_channel **ret_channel, quoit_error *ret_error);
