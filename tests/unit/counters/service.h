/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A server of counters.proto in a thread of this program: on one ring, with the default limits,
 * but for times so long that no timer's turn comes between those of the calls.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/server.h>

#define SERVICE_BLOB_BYTES (1 << 20)

struct service {
        quoit_server *server;
        pthread_t thread;
        uint16_t port;
        bool traces_enters;
        int traced; /* once it listens: 0, or why the enters cannot be traced */
};

/* @traces_enters: by enters.h too, which makes it slower. */
void service_start(struct service *service, bool traces_enters);
void service_stop(struct service *service);

/* The ring's own count of its io_uring_enter calls, read once it has come to rest. */
uint64_t service_enters(const struct service *service);
