/* SPDX-License-Identifier: MIT */
#pragma once

/* Each command, from the file of its name. */

#include "command.h"

extern const struct command command_bench;
extern const struct command command_call;
extern const struct command command_doctor;
