/* SPDX-License-Identifier: MIT */
#pragma once

/* What holds for a client between two of its turns. sim_fail()s if it does not. */

#include <quoit/client.h>

/* NULL: it does not live. */
void check_client(const quoit_client *client);

/* Prints its state, for people. */
void check_print_client(const quoit_client *client);
