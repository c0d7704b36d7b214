/* SPDX-License-Identifier: MIT */
#pragma once

/* A client on rings that another lends: it has no thread that runs a ring. */

#include <quoit/client.h>

/* Joins @rings: its parts begin and end with them. 0, or -EBUSY: they run, or have ended. */
int client_lent_join(quoit_client *client, quoit_rings *rings);

/* 0, or -EBUSY: they run. */
int client_lent_leave(quoit_client *client);
