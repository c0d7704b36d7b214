/* SPDX-License-Identifier: MIT */
#pragma once

/* The way to a server that speaks HTTP/1.1: its addresses, and how it is trusted. Each call has a connection of its own. */

#include <stdint.h>

#include <quoit/client.h>

#include "../connection_flags.h"
#include "../doctor/wire.h"

struct http1_way;

/*
 * To @target, as clients take it: a host or an address with a port, or a unix socket; its name is looked up. @scheme is PLAINTEXT or TLS.
 * 0; or a negative errno, and *@ret_error says why: INVALID_ARGUMENT is a mistake of the user's. @flags must outlive it. Free it by
 * http1_way_free().
 */
int http1_way_new(const struct connection_flags *flags, const char *target, enum scheme scheme,
        uint64_t deadline_ns, struct http1_way **ret_way, quoit_error *ret_error);

/* Takes NULL, returns NULL. */
struct http1_way *http1_way_free(struct http1_way *way);

/*
 * Connects to the first address that can be, for a while at most, and no longer than until @deadline_ns. 0, and *@ret_wire, for
 * wire_close(); its deadline is @deadline_ns. Or a negative errno, and *@ret_error has each address with its reason.
 */
int http1_way_connect(
        struct http1_way *way, uint64_t deadline_ns, struct wire *ret_wire, quoit_error *ret_error);

/* The field Host. */
const char *http1_way_host(const struct http1_way *way);

/* The field User-Agent, into @text. */
void http1_way_agent(const struct http1_way *way, char *text, size_t size);

/*
 * Whether a server of HTTP/1.1 answers there: HEAD of "/" is asked for. One of TLS tells whoever speaks to it in the clear 400. 0; or a
 * negative errno, and *@ret_error says what is there instead.
 */
int http1_way_try(struct http1_way *way, uint64_t deadline_ns, quoit_error *ret_error);
