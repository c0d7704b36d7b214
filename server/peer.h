/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* Writes the address of the peer of @fd as gRPC spells it: "ipv4:HOST:PORT", "ipv6:[HOST]:PORT", "unix:"; "unknown". */
void peer_describe(int fd, char *text, size_t size);
