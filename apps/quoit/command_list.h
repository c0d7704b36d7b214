/* SPDX-License-Identifier: MIT */
#pragma once

/* Each command, from the file of its name. */

#include "command.h"

extern const struct command command_call;
extern const struct command command_list;
extern const struct command command_describe;
extern const struct command command_export;
extern const struct command command_health;
extern const struct command command_top;
extern const struct command command_bench;
extern const struct command command_record;
extern const struct command command_replay;

extern const struct command command_doctor;
