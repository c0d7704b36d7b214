/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A proxy for all methods: each call of a server's goes on to another server, as bytes, and both ways are recorded. Messages are taken
 * from one side as fast as the other one takes them; metadata, deadlines, cancellation, status, details and trailers go along.
 */

#include <quoit/generic.h>
#include <quoit/server.h>

#include "recording.h"

struct proxy {
        struct recording *recording;
        quoit_channel *channel; /* of a client on the server's ring */
        quoit_compression compression; /* of what it sends on */
        bool keeps_secrets;
        uint64_t calls; /* that have begun */
        uint64_t running;
};

/* Gives @proxy all calls of @server. It must outlive the server's run. As quoit_server_register_generic(). */
int proxy_register(struct proxy *proxy, quoit_server *server);
