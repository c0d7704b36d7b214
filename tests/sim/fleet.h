/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * More servers, beside the run's own: at other addresses, for its client. They stop, drain, and return at their address; in calm times
 * they stay. All servers say now and then that they do not serve.
 */

#include <stdbool.h>

#include <quoit/health.h>
#include <quoit/server.h>

/* Up to SIM_SERVERS - 1 of them, as chance decides. @first and @health: the run's own. @is_gentle: they let calls finish. */
void fleet_begin(quoit_server *first, quoit_health *health, bool is_secure, bool is_gentle);

/* Starts their threads. They end when *@is_over. */
void fleet_start(const bool *is_over);

/* How many there are. */
unsigned fleet_count(void);

/* After each turn: check.h. */
void fleet_check(void);

/* Prints their states, for people. */
void fleet_print(void);
