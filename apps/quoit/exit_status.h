/* SPDX-License-Identifier: MIT */
#pragma once

/* How the program ends. */
enum exit_status {
        EXIT_DONE = 0,
        EXIT_FAILED =
                1, /* for a reason that is not a call's: no connection, no schema, a file that cannot be read */
        EXIT_USAGE = 2, /* the command line, or what it names, is wrong */
        EXIT_CALL = 64, /* plus the call's status: 64 + 5 is NOT_FOUND */
};
