/* SPDX-License-Identifier: MIT */
#pragma once

/* The listeners of a server, on its first shard: whoever comes is asked for admission, and placed on a shard. */

struct shard;

/* The descriptors that quoit_server_listen() has opened are the shard's from here on. On any other shard than the first: no-op. */
void accept_start(struct shard *shard);
void accept_stop(struct shard *shard);
