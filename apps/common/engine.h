/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/engine.h>

/* Parses --engine: auto, io_uring or epoll. Anything else ends the program. */
quoit_engine engine_parse(const char *option, const char *text);
