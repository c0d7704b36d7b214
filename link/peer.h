/* SPDX-License-Identifier: MIT */
#pragma once

#include "call/peer.h"

struct endpoint;

/* Who @endpoint is, which came with @fd; asks the kernel which address of ours it came to, and on whose behalf. */
void peer_identify(int fd, const struct endpoint *endpoint, struct peer *ret_peer);

/* @endpoint, spelled as in struct peer; "unknown". */
void peer_describe(const struct endpoint *endpoint, char text[PEER_ADDRESS_BYTES]);
