/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TCP echo servers, the same work in three ways, and a client for them. Bytes that arrive on a connection are sent back on it,
 * in order; a connection that does not take its bytes is not read from.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much may wait to go back before a connection is not read from any more. */
#define ECHO_PENDING_BYTES_MAX ((size_t)1 << 20)

/* Serve what is accepted on @listen_fd until the process is killed. */
void __attribute__((noreturn)) echo_serve_epoll(int listen_fd);
void __attribute__((noreturn)) echo_serve_uring(int listen_fd);
void __attribute__((noreturn)) echo_serve_quoit(int listen_fd); /* on core/ */

struct echo_kind {
        const char *name;
        void (*serve)(int listen_fd) __attribute__((noreturn));
};

/* Listens on 127.0.0.1; @port 0 takes a free one. */
int echo_listen(uint16_t port, uint16_t *ret_port);

struct echo_load {
        uint16_t port;
        size_t message_bytes;
        unsigned connections;
        unsigned depth; /* messages under way on each */
        double seconds;
};

struct echo_result {
        uint64_t messages;
        double seconds;
        double cpu_seconds; /* the client's own */
};

/* Loads a server: a short time that does not count, @on_start, and then @load->seconds. Fatal if it cannot or if the first message of a
 * connection does not come back as it was. */
struct echo_result echo_run_client(
        const struct echo_load *load, void (*on_start)(void *user), void *user);

/* Quoit's server beside the two others, under several loads. Each server is a process of its own. */
struct measure_options;
void echo_compare(const struct measure_options *options);

/* Complains about the system call @what and exits; @error may be negative. */
void __attribute__((noreturn)) echo_die(const char *what, int error);
