/* SPDX-License-Identifier: MIT */
#pragma once

struct options {
        unsigned port;
        unsigned rings;
};

/* From the command line; prints what --help asks for, or what is wrong, and exits. */
void options_parse(struct options *options, int argc, char **argv);
