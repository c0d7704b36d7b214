/* SPDX-License-Identifier: MIT */
#pragma once

#include <getopt.h>

/*
 * The next option of the command line, as getopt_long() returns it for @known, with its value in optarg; "-h" is 'h'. -1: there are no
 * more. A word that is no option, an option without its value, and a value that it does not take are told in a line, and end the
 * program. @ret_index: its place in @known, but for "-h"; NULL: not wanted.
 */
int command_line_next(int argc, char **argv, const struct option *known, int *ret_index);
