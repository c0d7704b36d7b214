/* SPDX-License-Identifier: MIT */
#pragma once

#include "call/peer.h"

/* Asks the kernel who is at the other end of @fd, and which address of ours it came to. */
void peer_identify(int fd, struct peer *ret_peer);

/* The address that @fd is bound to, spelled as in struct peer; "unknown". */
void peer_describe_local(int fd, char text[PEER_ADDRESS_BYTES]);

/* The TCP port that @fd is bound to; 0 where it is no TCP socket. */
uint16_t peer_local_port(int fd);
