/* SPDX-License-Identifier: MIT */
#pragma once

/* What holds for a client between two of its turns. sim_fail()s if it does not. */

#include <quoit/client.h>

/* @channel: its only one. Both are NULL before and behind their lives. */
void check_client(const quoit_client *client, const quoit_channel *channel);

/* Prints its state, for people. */
void check_print_client(const quoit_channel *channel);
