/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Static probes (USDT): places in a running server that perf, bpftrace and gdb can be hooked to by
 * name, without a rebuild. One that nobody is hooked to is a single nop, and its arguments are
 * values that are at hand anyway. Without <sys/sdt.h> (Debian: systemtap-sdt-dev) when Quoit was
 * built, there are none. docs/profiling.md shows how to use them.
 *
 * The provider is "quoit"; @connection and @call are addresses, which tell two of them apart while
 * both live:
 *
 *   turn_begin(ring)                        io_uring_enter has returned
 *   completions(ring, count)                so many are taken, one after the other
 *   turn_end(ring)                          next comes io_uring_enter
 *   connection_open(connection, peer)       accepted; peer as quoit_call_peer() words it
 *   connection_close(connection)            its socket is closed
 *   receive(connection, bytes)              bytes that came, before they are looked at
 *   send_submit(connection, bytes, pieces)  one gathered send of so many iovecs is queued
 *   send_complete(connection, error)        0 or a negative errno
 *   call_start(call, connection, path)      its headers are accepted
 *   call_end(call, status)                  it has its status, CANCELLED where the peer left it;
 *                                           a refused one has not started
 *
 * From turn_begin to turn_end a ring works; from turn_end to turn_begin it sleeps, or the kernel
 * works for it. From call_start to call_end is the server's time, what the client sends late
 * included, not the client's: the reply is still to be sent.
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
