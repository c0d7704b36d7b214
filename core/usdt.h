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
 *   turn_begin(ring, completions)           io_uring_enter has returned with so many
 *   turn_end(ring)                          next comes io_uring_enter
 *   connection_open(connection, peer)       accepted; peer as quoit_call_peer() words it
 *   connection_close(connection)            its socket is closed
 *   receive(connection, bytes)              bytes that came, before they are looked at
 *   send_submit(connection, bytes, pieces)  one gathered send of so many iovecs is queued
 *   send_complete(connection, error)        0 or a negative errno
 *   call_start(call, connection, path)      the handler is about to run for the first time
 *   call_end(call, status)                  the handler's last event is over
 *
 * From turn_begin to turn_end a ring does its work, from turn_end to turn_begin it sleeps or the
 * kernel works for it. From call_start to call_end is the handler's time, waiting included, not
 * the client's: the reply may still be on its way.
 */

#ifdef QUOIT_USDT
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define QUOIT_PROBE(name, ...) STAP_PROBEV(quoit, name, __VA_ARGS__)
#else
#define QUOIT_PROBE(name, ...) ((void)0)
#endif
