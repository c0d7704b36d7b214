/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>

/*
 * Blocks SIGINT and SIGTERM, on threads that are made later too: they are read from the descriptor that is returned, a signalfd(2) that does
 * not block. *@ret_before is the mask to restore when that is closed. Or a negative errno: nothing has changed.
 */
int stop_signals_open(sigset_t *ret_before);
