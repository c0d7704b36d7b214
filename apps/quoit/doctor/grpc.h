/* SPDX-License-Identifier: MIT */
#pragma once

#include "../connection.h"
#include "report.h"

/* Calls the server of @connection: its health, its reflection, a deadline. */
void grpc_check(struct report *report, struct connection *connection);
