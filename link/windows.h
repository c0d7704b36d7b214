/* SPDX-License-Identifier: MIT */
#pragma once

/* The flow-control windows of a connection, which follow its bandwidth × delay (transport/bdp.h). */

struct connection;

void windows_init(struct connection *connection);

/* Bytes have arrived and were fed. */
void windows_heard(struct connection *connection);
