/* SPDX-License-Identifier: MIT */
#pragma once

#include "call/peer.h"

struct endpoint;

/*
 * Describes the peer @endpoint that is connected by @fd: its address, ours, and the credentials of a process on a unix
 * socket.
 */
void peer_identify(int fd, const struct endpoint *endpoint, struct peer *ret_peer);

/* Writes @endpoint as text, spelled as in struct peer; "unknown" if its kind is. */
void peer_describe(const struct endpoint *endpoint, char text[PEER_ADDRESS_BYTES]);
