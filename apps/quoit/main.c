/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "command.h"
#include "out.h"

int main(int argc, char **argv)
{
        /* a reader who has seen enough is no error: writing fails with EPIPE, and all ends */
        signal(SIGPIPE, SIG_IGN);
        return out_end(command_main(argc, argv));
}
