/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/quoit.h>

/*
 * Answers GET / as /readyz: the checks of most load balancers ask for it unless told otherwise. @health: NULL: it is always well. Before
 * the server starts. 0, or an error of quoit_server_handle_http().
 */
int root_register(quoit_server *server, quoit_health *health);
