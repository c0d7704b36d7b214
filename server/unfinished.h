/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls that are unfinished when the server stops, as their handlers do not end. They are logged. After a second stop those
 * that are only held are given up, so that the server can end. Whoever holds one may not know, and may still post to it: so
 * its memory stays until the server is freed.
 */

struct connection;
struct shard;

/* Logs the calls that still run, by method, if there are any. */
void unfinished_log(struct shard *shard);

/*
 * Gives up all calls of a dead connection, if all are held and nothing is on its way to them. The server then no longer
 * waits for the connection. No-op otherwise.
 */
void unfinished_give_up(struct connection *connection);

/* Frees what was given up. The ring is gone, and nobody uses the calls any more. */
void unfinished_free(struct shard *shard);
