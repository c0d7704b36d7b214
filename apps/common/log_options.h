/* SPDX-License-Identifier: MIT */
#pragma once

#include "option.h"

/* --log-level and --log-format, which set nothing in a struct but the program's log. */
extern const struct option_entry log_options[];

/* Sets them ahead of all else: they hold for what is said of other options already. */
void log_options_apply(struct options *options);
