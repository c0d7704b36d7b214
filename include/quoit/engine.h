/* SPDX-License-Identifier: MIT */
#pragma once

/* What the rings of a server or a client run on. */

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* Both do the same, within the same limits; io_uring takes less CPU. */
typedef enum quoit_engine {
        /*
         * io_uring if this process can use it. epoll if one of io_uring's system calls is forbidden or missing: in
         * Docker's default seccomp profile, under kernel.io_uring_disabled, in gVisor, or before Linux 6.1. If only memory is
         * short, io_uring stays. A server's log then gives the reason and the remedy, and its rings are made smaller if memory
         * is short.
         */
        QUOIT_ENGINE_AUTO,
        QUOIT_ENGINE_IO_URING, /* io_uring or an error: of quoit_server_listen() or _start(), or quoit_client_new() */
        QUOIT_ENGINE_EPOLL,
} quoit_engine;

QUOIT_END_DECLS
