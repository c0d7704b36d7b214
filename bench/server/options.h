/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/server.h>

struct options {
        unsigned port;
        unsigned rings;
        quoit_engine engine;
};

/* From the command line; prints what --help asks for, or what is wrong, and exits. */
void options_parse(struct options *options, int argc, char **argv);
