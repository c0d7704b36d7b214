/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Static probes (USDT): places in a running server that perf, bpftrace and gdb can attach to by name, without a rebuild. A
 * probe that is not in use is a single nop, and its arguments are values that exist anyway. Without <sys/sdt.h> (Debian:
 * systemtap-sdt-dev) when Quoit was built, there are none. docs/profiling.md shows how to use them.
 *
 * The provider is "quoit"; @connection and @call are addresses, which identify them while they live:
 *
 *   turn_begin(ring)                        io_uring_enter has returned
 *   completions(ring, count)                @count completions are delivered next
 *   turn_end(ring)                          next comes io_uring_enter
 *   connection_open(connection, peer)       accepted; peer as quoit_call_peer() spells it
 *   connection_close(connection)            its socket is closed
 *   receive(connection, bytes)              bytes that arrived, before they are parsed
 *   send_submit(connection, bytes, pieces)  one gathered send of @pieces iovecs is queued
 *   send_complete(connection, error)        0 or a negative errno
 *   call_start(call, connection, path)      its headers are accepted
 *   call_end(call, status)                  it has its status, CANCELLED where the peer left it;
 *                                           a refused call has no call_start
 *
 * From turn_begin to turn_end a ring works; from turn_end to turn_begin it sleeps, or the kernel works for it. From call_start
 * to call_end is the server's time, including the
 * wait for a slow client's request. It is not the client's time: the reply must still be sent.
 */

#ifdef QUOIT_USDT
#define SDT_USE_VARIADIC
/* Registers and constants: given the choice, clang stores every argument to memory first. */
#define STAP_SDT_ARG_CONSTRAINT nr
#include <sys/sdt.h>
#define QUOIT_PROBE(name, ...) STAP_PROBEV(quoit, name, __VA_ARGS__)
#else
#define QUOIT_PROBE(name, ...) ((void)0)
#endif
