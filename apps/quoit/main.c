/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "say.h"

int main(int argc, char **argv)
{
        int status;

        /* a reader who has seen enough is no error: writing fails with EPIPE, and all ends */
        signal(SIGPIPE, SIG_IGN);
        status = command_main(argc, argv);
        if ((fflush(stdout) == EOF || ferror(stdout)) && errno != EPIPE && status == EXIT_DONE)
                return say_failed("stdout: %s", strerror(errno));
        return status;
}
