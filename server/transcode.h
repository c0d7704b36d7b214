/* SPDX-License-Identifier: MIT */
#pragma once

/* The google.api.http options of a server's services. */

#include "front/transcoding_router.h"
#include "upb/mem/arena.h"

struct quoit_server;

struct transcode {
        upb_Arena *arena; /* of all below; NULL: no service has a rule */
        struct transcoding_router router;
};

/*
 * Collects the rules of all methods that have handlers, when all services are there. One that is wrong, or that is met by the
 * same requests as another, is left out, and the log says so: the server still serves gRPC. 0, -ENOMEM.
 */
int transcode_init(struct transcode *transcode, struct quoit_server *server);

/* Takes zeroed memory. */
void transcode_deinit(struct transcode *transcode);
