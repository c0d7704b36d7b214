/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/server.h>

/* What --engine says: auto, io_uring or epoll. What else is the end of the program. */
quoit_engine engine_parse(const char *option, const char *text);
