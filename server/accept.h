/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The listeners of a server, on its first shard. Each accepted connection is checked (server/admission.h) and given to a
 * shard (server/connections.h).
 */

struct shard;

/* From here on the shard owns the descriptors that quoit_server_listen() opened. No-op on any shard but the first. */
void accept_start(struct shard *shard);
void accept_stop(struct shard *shard);
