/* SPDX-License-Identifier: MIT */
#include "out.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

int out_flush(void)
{
        struct pollfd reader = { STDOUT_FILENO, POLLOUT, 0 };

        if (fflush(stdout) == EOF)
                return -errno;
        if (!ferror(stdout))
                return 0;
        /* an earlier write has failed, and what with is forgotten; but a pipe without a reader is still one */
        return poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) ? -EPIPE : -EIO;
}

int out_end(int status)
{
        int r = out_flush();

        if (r < 0 && r != -EPIPE && status == EXIT_DONE)
                return say_failed("stdout: %s", strerror(-r));
        return status;
}
