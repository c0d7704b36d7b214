/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is left when the server stops: calls whose handlers do not come to an end. They are named in the log; and after a second
 * stop those that are only held are given up, so that the server ends. Whoever holds them may not know, and post to them yet: so
 * their memory stays until the server is freed.
 */

struct connection;
struct shard;

/* Tells the log of the calls that still run, by their methods, if there are any. */
void rest_log(struct shard *shard);

/*
 * Gives up all calls of a dead connection, if all of them are held and nothing is on its way to them; then it counts for
 * nothing any more. No-op otherwise.
 */
void rest_give_up(struct connection *connection);

/* Frees what was given up. Once the ring is gone, and nobody knows the calls. */
void rest_free(struct shard *shard);
