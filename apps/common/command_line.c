/* SPDX-License-Identifier: MIT */
#include "command_line.h"

#include <string.h>

#include "program.h"

int command_line_next(int argc, char **argv, const struct option *known, int *ret_index)
{
        int at = optind;
        /* "+": no reordering, so that the current word is known also within a cluster of options */
        int option = getopt_long(argc, argv, "+:h", known, ret_index);

        if (option == ':')
                program_usage_error("%s needs a value", argv[at]);
        if (option == '?')
                program_usage_error(strchr(argv[at], '=') && optopt ? "%s: it takes no value"
                                                                    : "unknown option %s",
                        argv[at]);
        if (option == -1 && optind < argc)
                program_usage_error("unknown argument '%s'", argv[optind]);
        return option;
}
